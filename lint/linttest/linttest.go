// Package linttest proves a rule by what lies in its directory.
//
// A rule's test is three lines:
//
//	func TestRule(t *testing.T) { linttest.Run(t, thisrule.Rule) }
//
// Run checks the rule's metadata; takes the yaml blocks of its README as its
// first tests; and runs it over the small repositories in testdata/*.txtar. What
// every rule must hold is checked on each of them, whatever the archive expects:
// findings lie inside their files, messages are one line, a second run says the
// same, fixes leave files that parse, and what was fixed does not fire again.
package linttest

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/workflows"
)

var update = flag.Bool("update", false, "write what rules find into testdata instead of comparing")

// today is the date of a test run that names none.
const today = "2026-11-21"

// Run tests a rule; the working directory is the rule's own, as go test sets it.
func Run(t *testing.T, rule *lint.Rule) {
	t.Helper()
	t.Run("metadata", func(t *testing.T) { checkMetadata(t, rule) })
	t.Run("readme", func(t *testing.T) { checkReadme(t, rule) })
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if len(archives) == 0 {
		t.Error("the rule has no testdata/*.txtar")
	}
	for _, path := range archives {
		name := strings.TrimSuffix(filepath.Base(path), ".txtar")
		t.Run(name, func(t *testing.T) { checkArchive(t, rule, path) })
	}
	t.Run("shown", func(t *testing.T) { checkShown(t, rule) })
}

// A setup is a repository and the options to lint it with.
type setup struct {
	repo   *workflows.Repository
	config *lint.Config
	// network makes the run an online one with the fixes that ask it; nil for offline.
	network *Network
	strict  bool
	unsafe  bool
	today   string
}

// newSetup parses the files; .github/stint.yml becomes the configuration, and a file
// network says what the network would answer.
func newSetup(t *testing.T, files map[string][]byte) *setup {
	t.Helper()
	s := &setup{repo: &workflows.Repository{Root: "."}, today: today}
	for path, src := range files {
		if path == networkFile {
			n, err := ParseNetwork(src)
			if err != nil {
				t.Fatal(err)
			}
			s.network = n
			continue
		}
		if path == lint.ConfigPath {
			c, err := lint.ParseConfig(path, src)
			if err != nil {
				t.Fatalf("%v", err)
			}
			s.config = c
			continue
		}
		f := workflows.Parse(path, src)
		if f.Kind == workflows.KindUnknown {
			t.Fatalf("%s: no file that GitHub Actions reads", path)
		}
		s.repo.Files = append(s.repo.Files, f)
	}
	slices.SortFunc(s.repo.Files, func(a, b *workflows.File) int { return strings.Compare(a.Path, b.Path) })
	return s
}

// problems lists what of the files could not be read: a rule that finds nothing in a
// file that does not parse proves nothing. The rule on such files, and an archive
// that wants one to be found, may have them; a lock of another version is YAML too.
func (s *setup) problems(rule *lint.Rule, want string) (ps []string) {
	if rule.ID == unparsedRule || strings.Contains(want, " "+unparsedRule+" ") {
		return nil
	}
	for _, f := range s.repo.Files {
		for _, p := range f.Problems {
			if f.Kind == workflows.KindLock {
				continue
			}
			ps = append(ps, fmt.Sprintf("%s:%d: %s", f.Path, f.Position(p.Span.Start).Line, p.Message))
		}
	}
	return ps
}

// unparsedRule is the rule that reports what could not be read.
const unparsedRule = "unparsed-file"

func (s *setup) run(rule *lint.Rule) *lint.Result {
	rules := []*lint.Rule{rule}
	if rule.CheckSuppressions != nil {
		rules = append(rules, idleRule, echoRule)
	}
	return lint.Run(context.Background(), s.repo, lint.Options{
		Rules: rules, Known: []*lint.Rule{rule, idleRule, echoRule, absentRule},
		Strict: s.strict || rule.Audience == lint.Strict,
		Config: s.config, Today: s.today,
		Resolver: s.network.resolver(), Online: s.network != nil, NetworkFixes: s.network != nil,
	})
}

// Rules that suppressions in test data may name besides the tested one. A rule
// that judges suppressions is run together with the first two.
var (
	// idleRule never finds anything.
	idleRule = &lint.Rule{ID: "idle-rule", Confidence: lint.HighConfidence, Check: func(*lint.Pass) {}}
	// echoRule finds every script that starts with echo.
	echoRule = &lint.Rule{ID: "echo-rule", Confidence: lint.HighConfidence, Check: findEcho}
	// absentRule exists and does not run.
	absentRule = &lint.Rule{ID: "absent-rule"}
)

func findEcho(p *lint.Pass) {
	if p.File.Workflow == nil {
		return
	}
	for _, j := range p.File.Workflow.Jobs {
		for _, s := range j.AllSteps() {
			if s.Run != nil && strings.HasPrefix(s.Run.Value, "echo") {
				p.Report(lint.Finding{Span: s.Run.Span, Message: "a script that starts with echo"})
			}
		}
	}
}

// of returns the findings of the tested rule.
func of(rule *lint.Rule, res *lint.Result) []lint.Finding {
	return slices.DeleteFunc(slices.Clone(res.Findings), func(f lint.Finding) bool { return f.Rule != rule })
}

// check runs the rule and checks what must hold for every rule on every repository.
func (s *setup) check(t *testing.T, rule *lint.Rule) *lint.Result {
	t.Helper()
	res := s.run(rule)
	s.show(rule, res)
	for _, f := range res.Failures {
		t.Errorf("the engine reports: %s", f)
	}
	for _, f := range res.Findings {
		for _, p := range formProblems(f) {
			t.Errorf("%s: %s", line(f), p)
		}
	}
	if first, second := render(res), render(s.run(rule)); first != second {
		t.Errorf("two runs differ:\n%s\n%s", first, second)
	}
	return res
}

// formProblems says what is wrong with the form of one finding.
func formProblems(f lint.Finding) []string {
	var ps []string
	for _, part := range []struct{ what, text string }{{"message", f.Message}, {"next step", f.Next}} {
		if p := textProblem(part.text); p != "" {
			ps = append(ps, "the "+part.what+" "+p)
		}
	}
	for _, fix := range f.Fixes {
		switch _, err := workflows.Apply(f.File, fix.Edits); {
		case fix.Title == "":
			ps = append(ps, "a fix has no title")
		case len(fix.Edits) == 0:
			ps = append(ps, "the fix "+fix.Title+" has no edits")
		case err != nil:
			ps = append(ps, "the fix "+fix.Title+" cannot be applied: "+err.Error())
		}
	}
	return ps
}

// textProblem says what is wrong with a message, as a predicate, "" when nothing is.
func textProblem(text string) string {
	switch {
	case text == "":
		return "is empty"
	case strings.TrimSpace(text) != text:
		return "has space around it"
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "is not one line of plain text"
	case strings.HasSuffix(text, "."):
		return "ends with a full stop"
	case 'A' <= text[0] && text[0] <= 'Z' && !startsWithName(text):
		return "starts in upper case"
	}
	return ""
}

// startsWithName reports whether the first word is a name as it is written in
// files, such as GITHUB_TOKEN: all of it in upper case.
func startsWithName(text string) bool {
	word, _, _ := strings.Cut(text, " ")
	return len(word) > 1 && strings.ToUpper(word) == word
}

// mend applies the fixes and checks that what was mended does not fire again. It
// returns the new bytes of the files that changed.
func (s *setup) mend(t *testing.T, rule *lint.Rule, res *lint.Result) map[string][]byte {
	t.Helper()
	found := of(rule, res)
	repair := lint.Mend(found, s.unsafe)
	changed := map[string][]byte{}
	after := *s
	after.repo = &workflows.Repository{Root: s.repo.Root, Name: s.repo.Name, Host: s.repo.Host, Unread: s.repo.Unread, Files: slices.Clone(s.repo.Files)}
	mended := 0
	for _, f := range repair.Files {
		changed[f.File.Path] = f.Source
		mended += len(f.Applied)
		i := slices.Index(after.repo.Files, f.File)
		after.repo.Files[i] = workflows.Parse(f.File.Path, f.Source)
	}
	if mended == 0 {
		return changed
	}
	if again := after.check(t, rule); len(of(rule, again)) > len(found)-mended {
		t.Errorf("after %d of %d findings were mended there are:\n%s", mended, len(found), render(again))
	}
	return changed
}

// render writes a result as the file want has it: one line a finding, then what
// was not checked and how many were suppressed.
func render(res *lint.Result) string {
	var b strings.Builder
	for _, f := range res.Findings {
		fmt.Fprintln(&b, line(f))
	}
	for _, why := range res.NotChecked {
		fmt.Fprintln(&b, notCheckedWord, why)
	}
	if res.Suppressed > 0 {
		fmt.Fprintln(&b, suppressedWord, res.Suppressed)
	}
	return b.String()
}

// The words that start the lines of want that are no findings.
const (
	notCheckedWord = "not-checked:"
	suppressedWord = "suppressed:"
)

// line writes a finding as path:line:column severity rule message.
func line(f lint.Finding) string {
	p := f.File.Position(f.Span.Start)
	return fmt.Sprintf("%s:%d:%d %s %s %s", f.File.Path, p.Line, p.Column, f.Severity, f.Rule.ID, f.Message)
}
