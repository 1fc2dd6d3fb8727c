package report

import (
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// sarifHome is where the tool and its rules are described.
const sarifHome = "https://github.com/stint-dev/stint"

// fingerprintKey names stint's own fingerprint. primaryLocationLineHash is left to
// the uploader: github/codeql-action warns when it is set by others.
const fingerprintKey = "stint/v1"

// sarifLevels and sarifScores map severities to SARIF's levels and to the
// security-severity by which code scanning sorts (over 9.0 is critical there).
var (
	sarifLevels = [...]string{reach.Info: "note", reach.Low: "note", reach.Medium: "warning", reach.High: "error", reach.Critical: "error"}
	sarifScores = [...]string{reach.Info: "0.5", reach.Low: "2.0", reach.Medium: "5.0", reach.High: "8.0", reach.Critical: "9.5"}
)

// sarifHandler writes one SARIF 2.1.0 log with one run a repository.
type sarifHandler struct {
	w   io.Writer
	o   Options
	log *sarif.Report
}

func newSARIF(w io.Writer, o Options) Handler {
	log := sarif.NewReport()
	log.Schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	return &sarifHandler{w, o, log}
}

// Repository adds a run.
func (h *sarifHandler) Repository(r *lint.Result) error {
	run := sarif.NewRunWithInformationURI("stint", sarifHome)
	run.Tool.Driver.WithSemanticVersion(h.semver())
	run.WithColumnKind("unicodeCodePoints")
	rules := map[string]int{}
	add := func(f lint.Finding, state string) {
		if _, ok := rules[f.Rule.ID]; !ok {
			rules[f.Rule.ID] = len(rules)
			addRule(run, f.Rule)
		}
		result := sarifResult(f, rules[f.Rule.ID])
		if r.Compared != "" {
			result.WithBaselineState(state)
		}
		run.AddResult(result)
	}
	for _, f := range r.Findings {
		state := "new"
		if f.Notice {
			state = "unchanged"
		}
		add(f, state)
	}
	// The log holds what is old as well: code scanning takes what a log lacks for fixed.
	for _, f := range r.Old {
		add(f, "unchanged")
	}
	run.AddInvocation(invocation(r))
	h.log.AddRun(run)
	return nil
}

func (h *sarifHandler) semver() string {
	if v := strings.TrimPrefix(h.o.Version, "v"); v != "" && v != "dev" {
		return v
	}
	return "0.0.0-dev"
}

// SARIFRules returns a function that adds a rule to a run by its id, with its help, as
// logs of lint have it: for logs of findings that were kept by the ids of their rules. One
// that is none of the rules is added by its id alone.
func SARIFRules(rules []*lint.Rule) func(run *sarif.Run, id string) {
	return func(run *sarif.Run, id string) {
		if i := slices.IndexFunc(rules, func(r *lint.Rule) bool { return r.ID == id }); i >= 0 {
			addRule(run, rules[i])
		} else {
			run.AddRule(clean(id)).WithName(clean(id))
		}
	}
}

func addRule(run *sarif.Run, rule *lint.Rule) {
	d := run.AddRule(rule.ID)
	d.WithName(rule.ID)
	d.WithShortDescription(sarif.NewMultiformatMessageString().WithText(rule.Title))
	d.WithHelp(sarif.NewMultiformatMessageString().WithText(rule.Title).WithMarkdown(rule.Readme))
	d.WithHelpURI(sarifHome + "/blob/main/lint/rules/" + rule.ID + "/README.md")
	p := sarif.NewPropertyBag()
	p.Add("tags", append([]string{"security"}, rule.Tags...))
	p.Add("precision", rule.Confidence.String())
	d.WithProperties(p)
}

func sarifResult(f lint.Finding, rule int) *sarif.Result {
	out := sarif.NewRuleResult(f.Rule.ID).WithRuleIndex(rule).WithLevel(sarifLevels[f.Severity])
	message := sentence(f)
	if f.Next != "" {
		message += "\nnext: " + f.Next
	}
	out.WithMessage(sarifText(message))
	out.AddLocation(location(f.File, f.Span))
	out.WithPartialFingerprints(map[string]string{fingerprintKey: f.Fingerprint})
	for i, x := range f.Related {
		out.AddRelatedLocation(location(x.File, x.Span).WithID(i).WithMessage(sarifText(x.Text)))
	}
	var fixes []*sarif.Fix
	for _, x := range f.Fixes {
		fixes = append(fixes, sarifFix(f.File, x))
	}
	out.WithFixes(fixes)
	p := sarif.NewPropertyBag()
	p.Add("security-severity", sarifScores[f.Severity])
	p.Add("severity", f.Severity.String())
	p.Add("confidence", confidence(f).String())
	out.WithProperties(p)
	return out
}

func sarifFix(file *workflows.File, x lint.Fix) *sarif.Fix {
	change := sarif.NewArtifactChange().WithArtifactLocation(artifact(file.Path))
	for _, e := range x.Edits {
		rep := sarif.NewReplacement().WithDeletedRegion(region(file, e.Span))
		change.AddReplacement(rep.WithInsertedContent(sarif.NewArtifactContent().WithText(e.New)))
	}
	title := x.Title
	if !x.Safe {
		title += " (unsafe: read it first)"
	}
	return sarif.NewFix().WithDescription(sarifText(title)).AddArtifactChange(change)
}

func location(f *workflows.File, s workflows.Span) *sarif.Location {
	p := sarif.NewPhysicalLocation().WithArtifactLocation(artifact(f.Path)).WithRegion(region(f, s))
	return sarif.NewLocationWithPhysicalLocation(p)
}

// artifact names a file. String, unlike EscapedPath, takes no name with a colon in it for
// one with a scheme.
func artifact(path string) *sarif.ArtifactLocation {
	u := url.URL{Path: path}
	return sarif.NewSimpleArtifactLocation(u.String()).WithURIBaseID("%SRCROOT%")
}

// sarifText is a message in which nothing is a link: SARIF takes [text](target) for one in
// plain text as well (3.11.6).
func sarifText(s string) *sarif.Message {
	return sarif.NewTextMessage(strings.ReplaceAll(clean(s), "](", "] ("))
}

func region(f *workflows.File, s workflows.Span) *sarif.Region {
	start, end := f.Position(s.Start), f.Position(s.End)
	return sarif.NewRegion().WithStartLine(start.Line).WithStartColumn(start.Column).
		WithEndLine(end.Line).WithEndColumn(end.Column).
		WithByteOffset(s.Start).WithByteLength(s.Len())
}

// invocation says whether the run was complete and what it did not cover.
func invocation(r *lint.Result) *sarif.Invocation {
	in := sarif.NewInvocation().WithExecutionSuccessful(!Incomplete(r))
	note := func(level, text string) {
		in.AddToolExecutionNotification(sarif.NewNotification().WithLevel(level).WithMessage(sarifText(text)))
	}
	for _, u := range unreadOf(r.Repository) {
		note("error", "not read: "+u.Path+": "+u.Reason)
	}
	for _, f := range r.Failures {
		note("error", f)
	}
	for _, n := range r.NotChecked {
		note("note", "not checked: "+n)
	}
	return in
}

// Close writes the log.
func (h *sarifHandler) Close() error {
	enc := json.NewEncoder(h.w)
	enc.SetIndent("", " ")
	return enc.Encode(h.log)
}
