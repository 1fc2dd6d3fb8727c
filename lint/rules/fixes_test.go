package rules_test

import (
	"cmp"
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/lint/linttest"
	"github.com/stint-dev/stint/lint/rules"
	"github.com/stint-dev/stint/workflows"
)

// TestFixes applies every fix of every finding alone and lints the result: it
// reads no worse, the finding is gone, no other came, and nothing outside the
// edits moved. It does so for the bad examples of the rules and for what the
// incidents looked like, and for all repositories below STINT_CORPUS when it is set:
//
//	STINT_CORPUS=dir go test ./lint/rules -run TestFixes -v -timeout 60m
//
// -v says how many fixes of which rule were applied.
func TestFixes(t *testing.T) {
	c := &fixCheck{applied: map[string]int{}, failed: map[string]int{}}
	t.Run("all", func(t *testing.T) {
		for _, rule := range rules.All {
			for _, e := range linttest.BadExamples(t, rule) {
				c.run(t, e.Name, e.Repository, e.Config)
			}
		}
		dirs, err := filepath.Glob(filepath.Join(incidentsDir, "*", "before"))
		if err != nil || len(dirs) == 0 {
			t.Fatalf("no incidents: %v", err)
		}
		if corpus := os.Getenv("STINT_CORPUS"); corpus != "" {
			dirs = append(dirs, corpus)
		}
		for repo, err := range workflows.Open(dirs, nil).Repositories(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			c.run(t, repo.Root, repo, nil)
		}
	})
	for _, rule := range slices.Sorted(maps.Keys(c.applied)) {
		t.Logf("%-28s %5d fixes applied, %d failed", rule, c.applied[rule], c.failed[rule])
	}
	for _, rule := range fixedInExamples {
		if c.applied[rule] == 0 {
			t.Errorf("no example has a fix of %s", rule)
		}
	}
}

// fixedInExamples are rules whose fixes the examples always show, so that a test
// that applies nothing is not taken for one that finds nothing wrong.
var fixedInExamples = []string{
	"cache-poisoning", "excessive-permissions", "job-wide-secret", "known-bad-action",
	"persisted-credentials", "secret-in-command", "secrets-inherit", "template-injection", "unpinned-action", "unpinned-image",
}

// A followUp is a finding that a fix may bring because it is what is left to do, and why.
type followUp struct {
	fixed, brings string
	where         extent
	why           string
}

// An extent says where a follow-up may be.
type extent int

const (
	inEdit    extent = iota // at what the fix wrote
	inStep                  // in the step of the finding
	elsewhere               // anywhere in the repository
)

var followUps = []followUp{
	{"long-lived-registry-token", "exposed-id-token", inEdit, "the code that could take the stored token stays in the job, and can now mint id-tokens instead"},
	{"long-lived-registry-token", "leftover-token", elsewhere, "another job still holds the token for which the publishing one has no more use"},
	{"long-lived-cloud-key", "exposed-id-token", inEdit, "the code that could take the stored key stays in the job, and can now mint id-tokens instead"},
	{"exposed-id-token", "exposed-id-token", inEdit, "id-token: write left the other jobs; in the one that needs it the code that could mint stays"},
	{"long-lived-cloud-key", "leftover-token", elsewhere, "another job still holds the key for which this one has no more use"},
	{"template-injection", "env-file-injection", inStep, "the text is no code of the script any more, and the script still writes it to the environment of later steps"},
}

// fixedCommits is a network on which every tag has one commit and every image one digest,
// and v1 and v1.2 stand for the last of their releases, as moving tags do.
type fixedCommits struct{ lint.Offline }

func (fixedCommits) Commit(_ context.Context, _, _, ref string) (commit, version string, err error) {
	if strings.Trim(ref, "v0123456789.") == "" {
		version = ref + strings.Repeat(".9999", max(0, 2-strings.Count(ref, ".")))
	}
	return "5717d717d717d717d717d717d717d717d717d717", version, nil
}

func (fixedCommits) Digest(context.Context, string) (string, error) {
	return "sha256:" + strings.Repeat("5717", 16), nil
}

// A fixCheck counts what all repositories add up to.
type fixCheck struct {
	mu              sync.Mutex
	applied, failed map[string]int
}

func (c *fixCheck) run(t *testing.T, name string, repo *workflows.Repository, config *lint.Config) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		before := lintForFixes(t, repo, config)
		for _, f := range before {
			for _, fix := range f.Fixes {
				wrong := checkFix(t, repo, config, before, f, fix)
				c.count(f.Rule.ID, len(wrong) > 0)
				for _, w := range wrong {
					t.Errorf("%s\n\tfix: %s\n\t%s", line(name, f), fix.Title, w)
				}
			}
		}
	})
}

func (c *fixCheck) count(rule string, failed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.applied[rule]++
	if failed {
		c.failed[rule]++
	}
}

func lintForFixes(t *testing.T, repo *workflows.Repository, config *lint.Config) []lint.Finding {
	t.Helper()
	res := lint.Run(t.Context(), repo, lint.Options{
		Rules: rules.All, Strict: true, Config: config, Today: "2026-11-21",
		NetworkFixes: true, Resolver: fixedCommits{},
	})
	for _, f := range res.Failures {
		t.Error(f)
	}
	return res.Findings
}

// checkFix says what is wrong with one fix of one finding.
func checkFix(t *testing.T, repo *workflows.Repository, config *lint.Config, before []lint.Finding, mended lint.Finding, fix lint.Fix) []string {
	t.Helper()
	src, err := workflows.Apply(mended.File, fix.Edits)
	if err != nil {
		return []string{"it cannot be applied: " + err.Error()}
	}
	m := newMoves(mended.File, fix.Edits)
	if made := m.rebuilt(mended.File.Source); made != string(src) {
		return []string{"bytes outside the edits changed"}
	}
	file := workflows.Parse(mended.File.Path, src)
	wrong := newProblems(mended.File, file)
	files := slices.Clone(repo.Files)
	files[slices.Index(files, mended.File)] = file
	changed := &workflows.Repository{Root: repo.Root, Name: repo.Name, Files: files, Unread: repo.Unread, Only: repo.Only}
	others := slices.DeleteFunc(slices.Clone(before), func(b lint.Finding) bool { return b.Fingerprint == mended.Fingerprint })
	for _, f := range lintForFixes(t, changed, config) {
		switch {
		case m.same(mended, f):
			wrong = append(wrong, "the finding is still there: "+line("", f))
		case !slices.ContainsFunc(others, func(b lint.Finding) bool { return m.known(b, f) }) && !m.expected(mended, f):
			wrong = append(wrong, "it brings: "+line("", f))
		}
	}
	return wrong
}

// A fix that does nothing, breaks the file or opens another hole is seen as such.
func TestFixCheckSeesBadFixes(t *testing.T) {
	const head, script = "on: issues\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: ", "echo ${{ github.event.issue.title }}"
	file := workflows.Parse(".github/workflows/a.yml", []byte(head+script+" # x\n"))
	repo := &workflows.Repository{Root: ".", Files: []*workflows.File{file}}
	before := lintForFixes(t, repo, nil)
	i := slices.IndexFunc(before, func(f lint.Finding) bool { return f.Rule.ID == "template-injection" })
	if i < 0 {
		t.Fatal("template-injection does not fire")
	}
	run := workflows.Span{Start: len(head), End: len(head) + len(script)}
	for _, test := range []struct{ new, wrong string }{
		{"true", ""},
		{script, "still there"},
		{"true; " + script, "still there"},
		{"\"", "cannot be applied"},
		{"true\n        env: {GITHUB_TOKEN: ghp_" + strings.Repeat("aB3dE6", 6) + "}", "it brings"},
		{"true\n      - uses: some/tool@main", "it brings"},
	} {
		fix := lint.Fix{Title: "x", Edits: []workflows.Edit{{Span: run, New: test.new}}}
		wrong := strings.Join(checkFix(t, repo, nil, before, before[i], fix), "\n")
		if !strings.Contains(wrong, test.wrong) || test.wrong == "" && wrong != "" {
			t.Errorf("%q: got %q, want %q", test.new, wrong, test.wrong)
		}
	}
}

// newProblems returns the problems of after that before did not have.
func newProblems(before, after *workflows.File) (wrong []string) {
	known := map[string]int{}
	for _, p := range before.Problems {
		known[p.Message]++
	}
	for _, p := range after.Problems {
		if known[p.Message]--; known[p.Message] < 0 {
			wrong = append(wrong, "it brings a problem: "+p.Message)
		}
	}
	return wrong
}

// moves tells where the text of a file is after edits of it.
type moves struct {
	path  string
	edits []workflows.Edit // in order of place
}

func newMoves(f *workflows.File, edits []workflows.Edit) moves {
	edits = slices.Clone(edits)
	slices.SortFunc(edits, func(a, b workflows.Edit) int { return cmp.Compare(a.Span.Start, b.Span.Start) })
	return moves{f.Path, edits}
}

// rebuilt is what the edits make of src when all else stays.
func (m moves) rebuilt(src []byte) string {
	var parts []string
	at := 0
	for _, e := range m.edits {
		parts = append(parts, string(src[at:e.Span.Start]), e.New)
		at = e.Span.End
	}
	return strings.Join(append(parts, string(src[at:])), "")
}

// known reports whether a finding after the edits says nothing new: before was at its
// place, at the place its text was moved from, or had the place as a related one.
func (m moves) known(before, after lint.Finding) bool {
	return before.Rule == after.Rule && (m.same(before, after) || m.moved(before, after) ||
		slices.ContainsFunc(before.Related, func(r lint.Related) bool {
			return r.File.Path == after.File.Path && m.covers(r.File.Path, r.Span, after.Span)
		}))
}

// moved reports whether a finding after the edits is one of before whose text an
// edit took from its place and put elsewhere.
func (m moves) moved(before, after lint.Finding) bool {
	if before.Span.IsZero() || before.File.Path != m.path || after.File.Path != m.path {
		return false
	}
	taken := slices.ContainsFunc(m.edits, func(e workflows.Edit) bool { return e.Span.Contains(before.Span) })
	return taken && m.edited(after.Span) && before.File.Text(before.Span) == after.File.Text(after.Span)
}

// same reports whether a finding after the edits is one of before: the same rule
// at the same text, or at what an edit made of the text.
func (m moves) same(before, after lint.Finding) bool {
	return before.Rule == after.Rule && before.File.Path == after.File.Path && m.covers(before.File.Path, before.Span, after.Span)
}

// covers reports whether a place after the edits is that of a place before.
func (m moves) covers(path string, before, after workflows.Span) bool {
	if before.IsZero() || path != m.path {
		return before == after
	}
	first, last := m.after(before.Start)
	_, end := m.after(before.End)
	return first <= after.Start && after.Start <= last && after.End <= end
}

// after returns the range of offsets that an offset has after the edits: one,
// unless an edit inserts there or takes the text away.
func (m moves) after(at int) (first, last int) {
	delta := 0
	for _, e := range m.edits {
		start := e.Span.Start + delta
		switch {
		case at < e.Span.Start:
			return at + delta, at + delta
		case at < e.Span.End, e.Span.Len() == 0 && at == e.Span.Start:
			return start, start + len(e.New)
		}
		delta += len(e.New) - e.Span.Len()
	}
	return at + delta, at + delta
}

// expected reports whether a new finding is a known follow-up.
func (m moves) expected(mended, f lint.Finding) bool {
	return slices.ContainsFunc(followUps, func(u followUp) bool {
		if u.fixed != mended.Rule.ID || u.brings != f.Rule.ID {
			return false
		}
		switch u.where {
		case inEdit:
			return f.File.Path == m.path && m.edited(f.Span)
		case inStep:
			return f.File.Path == m.path && m.inStep(mended, f.Span)
		}
		return true
	})
}

// inStep reports whether a place after the edits is in the step of a finding before.
func (m moves) inStep(before lint.Finding, after workflows.Span) bool {
	var steps []*workflows.Step
	switch f := before.File; {
	case f.Action != nil:
		steps = f.Action.AllSteps()
	case f.Workflow != nil:
		for _, j := range f.Workflow.Jobs {
			steps = append(steps, j.AllSteps()...)
		}
	}
	return slices.ContainsFunc(steps, func(s *workflows.Step) bool {
		first, _ := m.after(s.Span.Start)
		_, end := m.after(s.Span.End)
		return s.Span.Contains(before.Span) && first <= after.Start && after.End <= end
	})
}

// edited reports whether a place after the edits touches what one of them wrote.
func (m moves) edited(s workflows.Span) bool {
	return slices.ContainsFunc(m.edits, func(e workflows.Edit) bool {
		first, _ := m.after(e.Span.Start)
		return first <= s.End && s.Start <= first+len(e.New)
	})
}
