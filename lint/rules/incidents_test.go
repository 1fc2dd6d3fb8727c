package rules_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/lint/rules"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// incidentsDir holds break-ins as repositories, written by us after the facts: in
// before/ the hole is open, in after/ it is mended, and incident.yml says what
// stint must say about them. README.md there describes the form.
const incidentsDir = "../../testdata/incidents"

// An incident is one incident.yml.
type incident struct {
	Title    string   `yaml:"title"`
	Date     string   `yaml:"date"`
	IDs      []string `yaml:"ids"`
	Happened string   `yaml:"happened"`
	// Findings must be in before/.
	Findings []wantFinding `yaml:"findings"`
	Lost     []loss        `yaml:"lost"`
	// Limits says what of the break-in no reading of the files can show.
	Limits string `yaml:"limits"`
}

// A wantFinding is a finding by rule and line. In names one of several repositories
// of before/; Least is the least severity it must have.
type wantFinding struct {
	In    string `yaml:"in"`
	Rule  string `yaml:"rule"`
	Path  string `yaml:"path"`
	Line  int    `yaml:"line"`
	Least string `yaml:"least"`
}

// A loss is a credential that was taken and the code that took it.
type loss struct {
	In    string `yaml:"in"`
	Path  string `yaml:"path"`
	Job   string `yaml:"job"`
	Name  string `yaml:"name"`
	Kind  string `yaml:"kind"`
	Code  string `yaml:"code"`
	Trust string `yaml:"trust"`
	// Rule is the rule whose finding in the job must name the credential.
	Rule string `yaml:"rule"`
}

func TestIncidents(t *testing.T) {
	dirs, err := filepath.Glob(filepath.Join(incidentsDir, "*", "incident.yml"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no incidents: %v", err)
	}
	for _, path := range dirs {
		dir := filepath.Dir(path)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			in := readIncident(t, path)
			before, after := lintAll(t, filepath.Join(dir, "before")), lintAll(t, filepath.Join(dir, "after"))
			checkBefore(t, in, before)
			checkAfter(t, in, after)
			if t.Failed() {
				t.Logf("before:\n%s\nafter:\n%s", listing(before), listing(after))
			}
		})
	}
}

func readIncident(t *testing.T, path string) *incident {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var in incident
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(&in); err != nil {
		t.Fatal(err)
	}
	if in.Title == "" || in.Date == "" || in.Happened == "" || len(in.Findings) == 0 || len(in.Lost) == 0 {
		t.Error("an incident has a title, a date, what happened, findings and losses")
	}
	return &in
}

// lintAll lints the repositories below dir with all rules; the key is the name of
// a repository's directory below dir, "" when dir is the repository.
func lintAll(t *testing.T, dir string) map[string]*lint.Result {
	t.Helper()
	out := map[string]*lint.Result{}
	for repo, err := range workflows.Open([]string{dir}, nil).Repositories(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		name, err := filepath.Rel(dir, repo.Root)
		if err != nil {
			t.Fatal(err)
		}
		if name == "." {
			name = ""
		}
		res := lint.Run(t.Context(), repo, lint.Options{Rules: rules.All, Today: "2026-11-21"})
		for _, f := range res.Failures {
			t.Errorf("%s: %s", name, f)
		}
		for _, u := range repo.Unread {
			t.Errorf("%s: not read: %s: %s", name, u.Path, u.Reason)
		}
		for _, f := range repo.Files {
			for _, p := range f.Problems {
				t.Errorf("%s: %s:%d: %s", name, f.Path, f.Position(p.Span.Start).Line, p.Message)
			}
		}
		out[filepath.ToSlash(name)] = res
	}
	return out
}

func checkBefore(t *testing.T, in *incident, before map[string]*lint.Result) {
	t.Helper()
	for _, want := range in.Findings {
		if !slices.ContainsFunc(rules.All, func(r *lint.Rule) bool { return r.ID == want.Rule }) {
			t.Errorf("there is no rule %s, which must fire at %s", want.Rule, want)
			continue
		}
		if !slices.ContainsFunc(findingsOf(before[want.In]), want.matches) {
			t.Errorf("before: nothing fires at %s", want)
		}
	}
	for _, l := range in.Lost {
		l.check(t, before[l.In])
	}
}

// checkAfter holds that stint lint says nothing at its default threshold, and that
// no credential that was lost meets foreign code again.
func checkAfter(t *testing.T, in *incident, after map[string]*lint.Result) {
	t.Helper()
	for name, res := range after {
		for _, f := range res.Findings {
			if f.Severity >= reach.Low {
				t.Errorf("after: %s", line(name, f))
			}
		}
		for _, p := range res.Graph.Pairs() {
			t.Errorf("after: %s: in %s %s can take %s", name, p.Job.Job.ID, p.Code.Name, p.Credential.Name)
		}
		for _, j := range res.Graph.Jobs {
			for _, l := range in.Lost {
				if c := credential(j, l); c != nil && (c.Writes || c.Lifetime == reach.Standing) && j.Trust().Foreign() {
					t.Errorf("after: %s: in %s %s can still take %s", name, j.Job.ID, j.WorstCode().Name, c.Name)
				}
			}
		}
	}
}

// check holds that the credential and the code that took it are in the job's
// reach, and that a finding says so.
func (l loss) check(t *testing.T, res *lint.Result) {
	t.Helper()
	if res == nil {
		t.Errorf("before: no repository %q", l.In)
		return
	}
	i := slices.IndexFunc(res.Graph.Jobs, func(j *reach.Job) bool { return j.File.Path == l.Path && j.Job.ID == l.Job })
	if i < 0 {
		t.Errorf("before: no job %s in %s", l.Job, l.Path)
		return
	}
	job := res.Graph.Jobs[i]
	c := credential(job, l)
	if c == nil {
		t.Errorf("before: job %s does not hold %s (%s); it holds %s", l.Job, l.Name, l.Kind, reach.CredentialList(job.Credentials))
		return
	}
	if !slices.ContainsFunc(job.Code, func(c *reach.Code) bool {
		return c.Trust.String() == l.Trust && strings.Contains(c.Name, l.Code)
	}) {
		t.Errorf("before: job %s does not run %q as %s code; it runs %s", l.Job, l.Code, l.Trust, codeList(job))
	}
	if !slices.ContainsFunc(res.Findings, func(f lint.Finding) bool {
		return f.Rule.ID == l.Rule && f.Job == job && slices.ContainsFunc(f.Exposure.Credentials, l.names)
	}) {
		t.Errorf("before: no finding of %s in job %s names %s", l.Rule, l.Job, l.Name)
	}
}

func (l loss) names(c *reach.Credential) bool { return c.Name == l.Name && string(c.Kind) == l.Kind }

func credential(j *reach.Job, l loss) *reach.Credential {
	i := slices.IndexFunc(j.Credentials, l.names)
	if i < 0 {
		return nil
	}
	return j.Credentials[i]
}

func codeList(j *reach.Job) string {
	var out []string
	for _, c := range j.Code {
		out = append(out, fmt.Sprintf("%q (%s)", c.Name, c.Trust))
	}
	return strings.Join(out, ", ")
}

func (w wantFinding) matches(f lint.Finding) bool {
	least, ok := reach.ParseSeverity(w.Least)
	at := f.File.Position(f.Span.Start).Line
	return f.Rule.ID == w.Rule && f.File.Path == w.Path && at == w.Line && (!ok || f.Severity >= least)
}

func (w wantFinding) String() string {
	return fmt.Sprintf("%s: %s:%d %s %s", w.In, w.Path, w.Line, w.Rule, w.Least)
}

func findingsOf(res *lint.Result) []lint.Finding {
	if res == nil {
		return nil
	}
	return res.Findings
}

func listing(results map[string]*lint.Result) string {
	var lines []string
	for name, res := range results {
		for _, f := range res.Findings {
			lines = append(lines, line(name, f))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func line(in string, f lint.Finding) string {
	p := f.File.Position(f.Span.Start)
	return fmt.Sprintf("%s: %s:%d:%d %s %s %s", in, f.File.Path, p.Line, p.Column, f.Severity, f.Rule.ID, f.Message)
}
