package github

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A conversation is a stand-in for a pull request: its files, and the comments on it,
// which grow by every review.
type conversation struct {
	t        *testing.T
	patch    string
	status   int // of a review, 0 for 200
	comments []reviewComment
	reviews  int
}

func (s *conversation) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if got := r.Header.Get("Authorization"); got != "Bearer t0ken" {
		s.t.Errorf("authorization %q", got)
	}
	switch r.Method + " " + r.URL.Path {
	case "GET /repos/acme/site/pulls/7/files":
		json.NewEncoder(w).Encode([]map[string]string{{"filename": "a.yml", "patch": s.patch}, {"filename": "large.yml"}})
	case "GET /repos/acme/site/pulls/7/comments":
		json.NewEncoder(w).Encode(s.comments)
	case "POST /repos/acme/site/pulls/7/reviews":
		if s.status != 0 {
			w.WriteHeader(s.status)
			return
		}
		var review struct {
			Commit   string          `json:"commit_id"`
			Event    string          `json:"event"`
			Comments []reviewComment `json:"comments"`
		}
		b, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(b, &review); err != nil || review.Commit != "c0ffee" || review.Event != "COMMENT" {
			s.t.Errorf("review %s: %v", b, err)
		}
		s.reviews++
		s.comments = append(s.comments, review.Comments...)
	default:
		s.t.Errorf("asked %s %s", r.Method, r.URL.Path)
	}
}

func talk(t *testing.T, s *conversation) *Client {
	s.t = t
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return &Client{API: server.URL, Token: "t0ken"}
}

const patch = "@@ -1,3 +1,4 @@\n on: push\n-old: line\n+new: line\n+another: line\n last: line\n@@ -20 +21 @@ text\n+far: line"

var pull = PullRequest{Owner: "acme", Repo: "site", Number: 7, Head: "c0ffee"}

func suggest(n int, first int, old ...string) Suggestion {
	return Suggestion{Key: fmt.Sprintf("%032x", n), Path: "a.yml", First: first, Old: old, New: []string{"mended: line"}, Text: "why"}
}

func TestSuggestPostsOneReviewAndNothingTwice(t *testing.T) {
	s := &conversation{patch: patch}
	c := talk(t, s)
	all := []Suggestion{
		suggest(1, 2, "new: line", "another: line"),
		suggest(2, 21, "far: line"),
		suggest(2, 21, "far: line"),     // the same finding again
		suggest(3, 2, "old: line"),      // it is not what stands there
		suggest(4, 10, "between: line"), // not in the diff
		suggest(5, 5),                   // replaces nothing
	}
	n, err := c.Suggest(t.Context(), pull, all)
	if n != 2 || err != nil || s.reviews != 1 {
		t.Fatalf("%d posted in %d reviews: %v", n, s.reviews, err)
	}
	want := reviewComment{Path: "a.yml", Line: 3, StartLine: 2, Side: "RIGHT", StartSide: "RIGHT",
		Body: "why\n\n```suggestion\nmended: line\n```\n<!-- stint:00000000000000000000000000000001 -->"}
	if s.comments[0] != want {
		t.Errorf("posted %+v", s.comments[0])
	}
	if n, err := c.Suggest(t.Context(), pull, all); n != 0 || err != nil || s.reviews != 1 {
		t.Errorf("again: %d posted, %d reviews: %v", n, s.reviews, err)
	}
}

func TestSuggestIsBounded(t *testing.T) {
	s := &conversation{patch: "@@ -0,0 +1,50 @@\n" + strings.Repeat("+x: y\n", 50)}
	var all []Suggestion
	for i := range 50 {
		all = append(all, suggest(i+1, i+1, "x: y"))
	}
	if n, err := talk(t, s).Suggest(t.Context(), pull, all); n != MaxSuggestions || err != nil {
		t.Errorf("%d posted: %v", n, err)
	}
}

// A fork's token may only read: that is said, not tried again, and no answer is shown.
func TestSuggestWithoutTheRight(t *testing.T) {
	for _, status := range []int{http.StatusForbidden, http.StatusNotFound} {
		s := &conversation{patch: patch, status: status}
		if n, err := talk(t, s).Suggest(t.Context(), pull, []Suggestion{suggest(1, 21, "far: line")}); n != 0 || !errors.Is(err, ErrMayNot) {
			t.Errorf("status %d: %d, %v", status, n, err)
		}
	}
	if _, err := talk(t, &conversation{}).Suggest(t.Context(), PullRequest{Owner: "../x", Repo: "y"}, nil); err == nil {
		t.Error("a hostile name is asked for")
	}
}

// A suggestion whose text holds a fence gets a longer one.
func TestSuggestionFence(t *testing.T) {
	s := suggest(1, 1, "x")
	s.New = []string{"run: echo '```'"}
	if body := s.comment().Body; !strings.Contains(body, "````suggestion\nrun: echo '```'\n````\n") {
		t.Errorf("body %q", body)
	}
	s.New = nil
	if body := s.comment().Body; !strings.Contains(body, "```suggestion\n```\n") {
		t.Errorf("a deletion: %q", body)
	}
}

func TestFileIsThatOfTheCommit(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/repos/acme/.github/contents/a/stint.yml" || r.URL.Query().Get("ref") != "c0ffee" {
			t.Errorf("asked %s", r.URL)
		}
		io.WriteString(w, `{"type": "file", "encoding": "base64", "size": 11, "content": "dmVyc2lv\nbjogMQo=\n"}`)
	}))
	defer server.Close()
	c := &Client{API: server.URL}
	if b, err := c.File(t.Context(), "acme", ".github", "a/stint.yml", "c0ffee", 100); string(b) != "version: 1\n" || err != nil {
		t.Errorf("%q: %v", b, err)
	}
	if _, err := c.File(t.Context(), "acme", ".github", "a/stint.yml", "c0ffee", 10); err == nil {
		t.Error("a file over the limit is taken")
	}
}
