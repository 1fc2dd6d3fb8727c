package githubtest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func ask(t *testing.T, s *Server, query string, variables map[string]any) (answer struct {
	Data   map[string]any
	Errors []queryError
}) {
	t.Helper()
	body, _ := json.Marshal(map[string]any{"query": query, "variables": variables})
	req := httptest.NewRequest(http.MethodPost, "https://api.github.com/graphql", bytes.NewReader(body))
	req.Header.Set("Authorization", "Bearer x")
	resp, err := s.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil || json.Unmarshal(b, &answer) != nil {
		t.Fatalf("%v: %q", err, b)
	}
	return answer
}

// A query that the host would refuse is refused.
func TestWrongQueriesFail(t *testing.T) {
	s := New(Generate(Options{Repositories: 5}))
	for query, want := range map[string]string{
		`{organization(login:"acme"){name}}`:                                "'name' doesn't exist",
		`{organization(name:"acme"){login}}`:                                "doesn't accept argument 'name'",
		`{organization{login}}`:                                             "missing required arguments",
		`{organization(login:"acme"){repositories{totalCount}}}`:            "`first` value",
		`{organization(login:"acme"){repositories(first:101){totalCount}}}`: "`first` value",
		`{organization(login:"acme"){login{x}}}`:                            "wrong selection",
		`{organization(login:"acme")}`:                                      "wrong selection",
		`query($a:Int!){organization(login:$a){login}}`:                     "invalid value",
		`query($a:String){organization(login:$a){login}}`:                   "Type mismatch",
		`query($a:String){organization(login:"acme"){login}}`:               "not used",
		`{organization(login:"acme"){...X}}`:                                "not defined",
		`{organization(login:"acme"){login}} fragment X on Blob{text}`:      "not used",
		`{organization(login:"acme"){... on Blob{text}}}`:                   "can't be spread",
		`{organization(login:"acme"){login}`:                                "parse error",
		`{nodes(ids:$x){id}}`:                                               "Type mismatch",
		`{organization(login:"acme"){repositories(first:100){nodes{environments(first:100){nodes{id}} deployKeys(first:100){nodes{title}} rulesets(first:100){nodes{rules(first:100){nodes{type}}}}}}}}`: "maximum limit",
	} {
		if got := ask(t, s, query, nil); len(got.Errors) == 0 || !strings.Contains(got.Errors[0].Message, want) || got.Data != nil {
			t.Errorf("%s: %+v", query, got)
		}
	}
}

// The points are those of the documented formula.
func TestPoints(t *testing.T) {
	s := New(Generate(Options{Repositories: 5}))
	for query, want := range map[string]int{
		`{rateLimit{cost}}`: 1,
		`{organization(login:"acme"){repositories(first:100){nodes{object(expression:"HEAD:"){oid}}}}}`:                                                          1,
		`{organization(login:"acme"){repositories(first:100){nodes{environments(first:5){totalCount} deployKeys(first:10){totalCount}}}}}`:                       2,
		`{organization(login:"acme"){repositories(first:50){nodes{rulesets(first:20){nodes{rules(first:50){totalCount} bypassActors(first:50){totalCount}}}}}}}`: 21,
	} {
		s.Reset()
		if got := ask(t, s, query, nil); len(got.Errors) > 0 || s.Stats().Points != want {
			t.Errorf("%s: %d points, %+v", query, s.Stats().Points, got.Errors)
		}
	}
}

// Ids are those that git gives.
func TestIdsAreGits(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git")
	}
	if id := BlobID([]byte("hello\n")); id != "ce013625030ba8dba906f756967f9e9ca394464a" {
		t.Errorf("a file: %s", id)
	}
	r := &Repository{Files: map[string]*File{"a.txt": Text("hello\n"), "a/b": Text("hello\n"), "a-b": Link("a.txt")}}
	dir := t.TempDir()
	git := func(stdin string, args ...string) string {
		c := exec.Command("git", append([]string{"-C", dir}, args...)...)
		c.Stdin = strings.NewReader(stdin)
		out, err := c.Output()
		if err != nil {
			t.Fatalf("git %q: %v", args, err)
		}
		return strings.TrimSpace(string(out))
	}
	git("", "init", "-q")
	hello, link := git("hello\n", "hash-object", "-w", "--stdin"), git("a.txt", "hash-object", "-w", "--stdin")
	sub := git("100644 blob "+hello+"\tb\n", "mktree")
	want := git("100644 blob "+hello+"\ta.txt\n040000 tree "+sub+"\ta\n120000 blob "+link+"\ta-b\n", "mktree")
	if got := treeOf(r).id(); got != want {
		t.Errorf("a tree: %s, git says %s", got, want)
	}
}

func TestGenerateIsTheSame(t *testing.T) {
	a, b, c := Generate(Options{Seed: 1, Repositories: 300}), Generate(Options{Seed: 1, Repositories: 300}), Generate(Options{Seed: 2, Repositories: 300})
	same, files, distinct := 0, 0, map[string]bool{}
	for i := range a.Repositories {
		id := treeOf(a.Repositories[i]).id()
		if id != treeOf(b.Repositories[i]).id() {
			t.Errorf("%s differs", a.Repositories[i].Name)
		}
		if id == treeOf(c.Repositories[i]).id() {
			same++
		}
		for _, f := range a.Repositories[i].Files {
			distinct[BlobID(f.Content())] = true
			files++
		}
	}
	if same > 20 || len(distinct) > files/2 {
		t.Errorf("%d are the same under another seed, %d contents of %d files", same, len(distinct), files)
	}
}

func TestCheckouts(t *testing.T) {
	org, err := Checkouts("acme", filepath.Join("..", "..", "testdata"))
	if err != nil || len(org.Repositories) == 0 {
		t.Fatalf("%v", err)
	}
	for _, r := range org.Repositories {
		if len(r.Files) == 0 {
			t.Errorf("%s is empty", r.Name)
		}
	}
	if _, err := Checkouts("acme", filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a directory that is not there is an organization")
	}
}
