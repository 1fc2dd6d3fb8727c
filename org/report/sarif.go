package report

import (
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/stint-dev/stint/org"
	"github.com/stint-dev/stint/reach"
)

const (
	home = "https://github.com/stint-dev/stint"
	// fingerprintKey is that of lint's own SARIF: the same finding is the same alert.
	fingerprintKey = "stint/v1"
)

// sarifLevels and sarifScores map severities to SARIF's levels and to the
// security-severity by which code scanning sorts (over 9.0 is critical there).
var (
	sarifLevels = [...]string{reach.Info: "note", reach.Low: "note", reach.Medium: "warning", reach.High: "error", reach.Critical: "error"}
	sarifScores = [...]string{reach.Info: "0.5", reach.Low: "2.0", reach.Medium: "5.0", reach.High: "8.0", reach.Critical: "9.5"}
)

// SARIF writes a SARIF 2.1.0 log of one repository, by its place in the document, as code
// scanning takes it: one log a repository and commit. It holds the findings in files;
// settings have no line to stand at. What was not read is a notification, and the
// invocation is then no success.
func SARIF(w io.Writer, d *org.Document, repository int) error {
	r := &d.Repositories[repository]
	run := sarif.NewRunWithInformationURI("stint", home)
	run.WithColumnKind("unicodeCodePoints")
	if d.Stint != "" {
		run.Tool.Driver.WithVersion(shown(d.Stint))
	}
	if at := linkerOf(d).repository(r.Name); at != "" && headForm.MatchString(r.Head) {
		run.AddVersionControlProvenance(sarif.NewVersionControlDetails().WithRepositoryURI(at).WithRevisionID(r.Head))
	}
	in := sarif.NewInvocation().WithExecutionSuccessful(r.Status == org.StatusOK || r.Status == org.StatusEmpty)
	note := func(level, text string) {
		in.AddToolExecutionNotification(sarif.NewNotification().WithLevel(level).WithMessage(sarif.NewTextMessage(shown(text))))
	}
	if r.Why != "" {
		note("error", string(r.Status)+": "+r.Why)
	}
	if a := d.Analyses[r.Analysis]; a != nil {
		addResults(run, a.Findings)
		for _, u := range a.Unread {
			in.WithExecutionSuccessful(false)
			note("error", "not read: "+u.Path+": "+u.Reason)
		}
		for _, n := range a.NotChecked {
			note("note", "not checked: "+n)
		}
	}
	run.AddInvocation(in)
	log := sarif.NewReport()
	log.Schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	log.AddRun(run)
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return enc.Encode(log)
}

func addResults(run *sarif.Run, findings []org.Finding) {
	var rules []string
	for _, f := range findings {
		at := slices.Index(rules, f.Rule)
		if at < 0 {
			at = len(rules)
			rules = append(rules, f.Rule)
			run.AddRule(shown(f.Rule)).WithName(shown(f.Rule)).WithHelpURI(home + "/blob/main/lint/rules/" + url.PathEscape(f.Rule) + "/README.md")
		}
		run.AddResult(resultOf(f, at))
	}
}

func resultOf(f org.Finding, rule int) *sarif.Result {
	level, _ := reach.ParseSeverity(f.Severity)
	message := shown(f.Message)
	if f.Next != "" {
		message += "\nnext: " + shown(f.Next)
	}
	out := sarif.NewRuleResult(shown(f.Rule)).WithRuleIndex(rule).WithLevel(sarifLevels[level]).WithMessage(sarif.NewTextMessage(message))
	file := url.URL{Path: strings.TrimLeft(f.Path, "/")}
	place := sarif.NewPhysicalLocation().WithArtifactLocation(sarif.NewSimpleArtifactLocation(file.EscapedPath()).WithURIBaseID("%SRCROOT%"))
	if f.Line > 0 {
		place.WithRegion(sarif.NewRegion().WithStartLine(f.Line).WithStartColumn(max(1, f.Column)))
	}
	out.AddLocation(sarif.NewLocationWithPhysicalLocation(place))
	out.WithPartialFingerprints(map[string]string{fingerprintKey: shown(f.Fingerprint)})
	p := sarif.NewPropertyBag()
	p.Add("security-severity", sarifScores[level])
	p.Add("severity", level.String())
	if f.Confidence != "" {
		p.Add("confidence", shown(f.Confidence))
	}
	out.WithProperties(p)
	return out
}
