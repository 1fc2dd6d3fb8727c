package report

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/stint-dev/stint/org"
	"github.com/stint-dev/stint/reach"
)

var (
	update   = flag.Bool("update", false, "write the golden files anew")
	pageFile = flag.String("page", "", "write the page of 10,000 generated repositories to `FILE`, to look at it")
)

// small is a document in which every part of the reports has something to show.
func small() *org.Document {
	at := func(line int) reach.DocumentPlace {
		return reach.DocumentPlace{Path: ".github/workflows/release me.yml", Line: line, Column: 9}
	}
	job := org.Job{DocumentJob: reach.DocumentJob{
		Path: at(0).Path, Job: "publish", Place: at(7), Grade: "critical", Pairs: 1, Autonomy: []string{"publishes"},
		Starts:      []reach.DocumentStart{{Event: "push", Who: "writer"}, {Event: "issue_comment", Who: "anyone"}},
		Code:        []reach.DocumentCode{{Name: "tidy/publish@v2", Trust: "mutable", Foreign: true, Place: at(12)}, {Name: "make", Trust: "own", Place: at(14)}},
		Credentials: []reach.DocumentCredential{{Name: "NPM_TOKEN", Kind: "stored-secret", Lifetime: "standing", Opens: "npm"}, {Name: "GITHUB_TOKEN", Lifetime: "job"}},
	}}
	d := &org.Document{
		Version: 1, Host: "github.com", Organization: "acme", Scanned: scanned, Stint: "1.4.0", Pairs: 2,
		Coverage: org.Coverage{Repositories: 4, By: map[org.Status]int{org.StatusOK: 2, org.StatusEmpty: 1, org.StatusDenied: 1}},
		Trend:    []org.Trend{{At: scanned.AddDate(0, 0, -7), Pairs: 5, Repositories: 4}, {At: scanned, Pairs: 2, Repositories: 4}},
		Repositories: []org.Repository{
			{Name: "acme/app", Visibility: "public", Head: strings.Repeat("a1", 20), Status: org.StatusOK, Analysis: "k", Pushed: scanned, Seen: scanned},
			{Name: "acme/app-fork", Visibility: "private", Fork: true, Head: strings.Repeat("b2", 20), Status: org.StatusOK, Analysis: "k", Seen: scanned},
			{Name: "acme/docs", Visibility: "internal", Archived: true, Status: org.StatusEmpty, Seen: scanned},
			{Name: "acme/vault", Visibility: "private", Status: org.StatusDenied, Why: "the token may not read it"},
		},
		Secrets: []org.Secret{
			{Name: "NPM_TOKEN", Scope: "repository", Store: "actions", Repository: "acme/app", Updated: scanned.AddDate(-2, 0, 0), UsedBy: 1, Foreign: 1},
			{Name: "OLD", Scope: "organization", Store: "actions", Visibility: "all", Updated: scanned.AddDate(0, 0, -30), Dead: true},
		},
		Settings: []org.Setting{{Name: "rulesets", Needs: "organization administration: read"}},
		Posture: []org.Finding{{Rule: "dead-secret", Severity: "medium", Message: `no job names the secret "OLD"`, Next: "delete it", Credentials: []string{"OLD"}, Fingerprint: "p1"},
			{Rule: "environment-any-branch", Severity: "high", Path: "acme/app", Message: "every branch may deploy", Next: "restrict it", Fingerprint: "p2"}},
		NotChecked: []org.NotChecked{{Rule: "ruleset-bypass", Why: "rulesets is not readable", Count: 1}},
	}
	d.Read = org.ReadFrom(map[string]*org.Analysis{"k": {
		Key: "k", Pairs: 1, Jobs: []org.Job{job},
		Findings: []org.Finding{
			{Rule: "unpinned-action", Severity: "critical", Confidence: "high", Path: at(0).Path, Line: 12, Column: 15, Job: "publish",
				Message: "tidy/publish@v2 can be changed by others", Next: "pin it by commit", Credentials: []string{"NPM_TOKEN"}, Fingerprint: "f1"},
			{Rule: "persisted-credentials", Severity: "low", Path: at(0).Path, Line: 10, Message: "checkout leaves its token", Fingerprint: "f2"},
		},
		Levers: []reach.DocumentLever{{What: "pin tidy/publish by commit", Pairs: 1, Sites: []reach.DocumentPlace{at(12)}}},
		Unread: []org.Unread{{Path: ".github/workflows/broken.yml", Reason: "line 3 is no YAML"}}, NotChecked: []string{"impostor-commit: needs the network"},
	}})
	return d
}

// built is a builder of a document that can be read.
func built(t testing.TB, d *org.Document) *builder {
	t.Helper()
	b, err := newBuilder(d)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// firstSARIF writes the log of the first repository with an analysis.
// testRule stands for the rules of lint, which the command passes.
func testRule(run *sarif.Run, id string) {
	run.AddRule(shown(id)).WithName(shown(id)).WithHelpURI(home + "/blob/main/lint/rules/" + url.PathEscape(id) + "/README.md")
}

func firstSARIF(w io.Writer, d *org.Document) error {
	a, err := d.Read(d.Repositories[0].Analysis)
	if err != nil {
		return err
	}
	return SARIF(w, d, 0, a, testRule)
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s differs (%v); look at it with -update:\n%s", name, err, got)
	}
}

func TestGolden(t *testing.T) {
	page := pageOf(t, small())
	page = bytes.ReplaceAll(page, []byte(styleText), nil)
	page = bytes.ReplaceAll(page, []byte(scriptText), nil)
	page = bytes.ReplaceAll(page, []byte(policy), []byte("the policy"))
	golden(t, "small.html", page)
	for name, write := range map[string]func(io.Writer, *org.Document) error{
		"small.csv": CSV, "small.md": Markdown, "small.json": JSON,
		"small.sarif": firstSARIF,
	} {
		var out bytes.Buffer
		if err := write(&out, small()); err != nil {
			t.Fatal(err)
		}
		golden(t, name, out.Bytes())
	}
}

func TestPageSaysWhatMatters(t *testing.T) {
	page := string(pageOf(t, small()))
	for _, want := range []string{
		"<strong>2</strong> pairs of foreign code", "3 fewer since 2026-11-13", "What the other one holds now is not known", `data-label="Pairs">?</td>`,
		"<b>1</b> denied, whole or in part", "2 files could not be read whole", "2 jobs in 2 repositories, first acme/app",
		`href="https://github.com/acme/app/blob/` + strings.Repeat("a1", 20) + `/.github/workflows/release%20me.yml#L12"`,
		"organization administration: read", "posture check not made",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(page, "acme/vault/blob") {
		t.Error("a repository without a commit has links to lines")
	}
}

func TestPageLoadsNothing(t *testing.T) {
	page := string(pageOf(t, small()))
	if !strings.Contains(page, `content="default-src 'none'; style-src 'sha256-`) {
		t.Error("the page has no policy")
	}
	for _, bad := range []string{"url(", "@import", "innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "fetch(", "import("} {
		if strings.Contains(styleText+scriptText+pageText, bad) {
			t.Errorf("the page's own text has %q", bad)
		}
	}
}

func TestRowsThatStandInThePage(t *testing.T) {
	d := generated(300)
	for _, table := range built(t, d).tables() {
		got := table.first(20)
		if len(got) != min(20, table.Len()) {
			t.Errorf("%s shows %d of %d rows", table.ID, len(got), table.Len())
		}
		for _, c := range table.Columns {
			if slices.Contains([]cellKind{textCell, codeCell, placeCell, adviceCell, repositoryCell}, c.Kind) {
				continue
			}
			if i := slices.Index(table.Columns, c) + 1; len(table.Order) > 0 && table.Order[0] == -i {
				sorted := slices.IsSortedFunc(got, func(a, b rowAt) int { return int(table.at(b, i-1).n - table.at(a, i-1).n) })
				if !sorted {
					t.Errorf("%s is not sorted by %s", table.ID, c.Label)
				}
			}
		}
	}
}

// Order names columns that are numbers: the script could not sort others as Go does.
func TestTablesAgreeWithTheScript(t *testing.T) {
	b := built(t, small())
	for _, table := range b.tables() {
		for _, by := range table.Order {
			switch kind := table.Columns[max(by, -by)-1].Kind; kind {
			case numberCell, severityCell, ageCell, dateCell:
			default:
				t.Errorf("%s is ordered by a column of %s", table.ID, kind)
			}
		}
		for _, r := range table.rows {
			if len(r) != len(table.Columns) {
				t.Errorf("%s has a row of %d cells under %d columns", table.ID, len(r), len(table.Columns))
			}
		}
		for _, g := range table.groups {
			if g.width+1 != len(table.Columns) || len(g.cells)%g.width != 0 {
				t.Errorf("%s has rows of %d cells and a repository under %d columns", table.ID, g.width, len(table.Columns))
			}
		}
		for _, c := range table.Columns {
			if !strings.Contains(scriptText, fmt.Sprintf("%q", c.Kind)) && c.Kind != textCell && c.Kind != codeCell {
				t.Errorf("the script does not know %s", c.Kind)
			}
		}
	}
}

func TestLinks(t *testing.T) {
	head := strings.Repeat("0f", 20)
	for _, c := range []struct{ host, name, head, path, want string }{
		{"github.com", "a/b", head, "x/y z?.yml", "https://github.com/a/b/blob/" + head + "/x/y%20z%3F.yml#L3"},
		{"ghe.acme.example:8443", "a/b", head, "x", "https://ghe.acme.example:8443/a/b/blob/" + head + "/x#L3"},
		{"github.com/evil", "a/b", head, "x", ""}, {"user@github.com", "a/b", head, "x", ""}, {"", "a/b", head, "x", ""},
		{"github.com", "a/..", head, "x", ""}, {"github.com", "a/b/c", head, "x", ""}, {"github.com", "a/b?", head, "x", ""},
		{"github.com", "a/b", "main", "x", ""}, {"github.com", "a/b", head, "../x", ""}, {"github.com", "a/b", head, "", ""},
		{"github.com", "a/b", head, "x\u202ey", ""},
	} {
		l := linkerOf(&org.Document{Host: c.host})
		if got := l.line(&org.Repository{Name: c.name, Head: c.head}, c.path, 3); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestCoverageIsPlain(t *testing.T) {
	for want, c := range map[string]org.Coverage{
		"All 1,200 repositories were read.": {Repositories: 1200, By: map[org.Status]int{org.StatusOK: 1200}, Complete: true},
		"2 of 2 repositories were read, and the run was not complete: the numbers are lower bounds.":              {Repositories: 2, By: map[org.Status]int{org.StatusOK: 2}},
		"1 of 3 repositories were read. What the other 2 hold now is not known, so the numbers are lower bounds.": {Repositories: 3, By: map[org.Status]int{org.StatusOK: 1, org.StatusOld: 2}},
		"There is no repository to speak of.":                              {},
		"The repository was not read whole: the numbers are lower bounds.": {Repositories: 1, By: map[org.Status]int{org.StatusOK: 1}},
	} {
		if got := built(t, &org.Document{Coverage: c}).coverageSentence(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	d := &org.Document{
		Coverage: org.Coverage{Repositories: 1, By: map[org.Status]int{org.StatusOK: 1}, Complete: true, ActionsNotRead: []string{"acme/a/x", "acme/a/y"}},
		Refs:     []org.Ref{{Why: "not found"}, {Ref: "v1"}},
	}
	if got, want := built(t, d).coverageSentence(), "The repository was read whole. Not read: 2 actions of its own that it uses. Of 1 ref of actions the commit is not known."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPathsAddUp(t *testing.T) {
	b := built(t, small())
	paths := b.paths()
	if len(paths) != 1 || paths[0].jobs != 2 || paths[0].repositories != 2 || paths[0].grade != reach.Critical || whoText(paths[0].who) != "anyone" {
		t.Fatalf("%+v", paths)
	}
	p := draw(paths)
	if len(p.Nodes) != 4 || len(p.Ribbons) != 3 {
		t.Errorf("%d nodes and %d ribbons, want 4 and 3", len(p.Nodes), len(p.Ribbons))
	}
	for _, n := range p.Nodes {
		if n.X < 0 || n.Y < 0 || n.X+n.Width > p.Width || n.Y+n.Height > p.Height {
			t.Errorf("%q stands outside the picture", n.Title)
		}
	}
	if levers := b.levers(); len(levers) != 1 || levers[0].pairs != 2 || levers[0].repositories != 2 {
		t.Errorf("%+v", levers)
	}
	if draw(nil) != nil {
		t.Error("nothing is drawn as something")
	}
}

func TestEmptyDocument(t *testing.T) {
	page := string(pageOf(t, &org.Document{}))
	for _, want := range []string{"There is no repository to speak of.", "<strong>0</strong>", "Every check was made."} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// A full disk is told, wherever it comes.
func TestErrorsOfTheWriterAreReturned(t *testing.T) {
	whole := len(pageOf(t, small()))
	for _, after := range []int{0, 200, whole / 3, whole / 2, whole - 5} {
		if err := HTML(&full{left: after}, small(), Options{}); !errors.Is(err, errFull) {
			t.Errorf("after %d bytes: %v", after, err)
		}
	}
}

var errFull = errors.New("no space")

type full struct{ left int }

func (f *full) Write(p []byte) (int, error) {
	if len(p) > f.left {
		return f.left, errFull
	}
	f.left -= len(p)
	return len(p), nil
}

// maxPageBytes is what a page of 10,000 repositories may take.
const maxPageBytes = 12 << 20

func TestPageOfTenThousand(t *testing.T) {
	d := generated(10_000)
	page := pageOf(t, d)
	if len(page) > maxPageBytes {
		t.Errorf("the page takes %d bytes, more than %d", len(page), maxPageBytes)
	}
	if n := bytes.Count(page, []byte("<tr>")); n > 8*(defaultRows+1) {
		t.Errorf("%d rows stand in the page itself", n)
	}
	if *pageFile != "" {
		if err := os.WriteFile(*pageFile, page, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func BenchmarkHTML10000(b *testing.B) {
	d := generated(10_000)
	b.ReportAllocs()
	var size bytes.Buffer
	HTML(&size, d, Options{})
	for b.Loop() {
		if err := HTML(io.Discard, d, Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(size.Len())/1e6, "MB")
}
