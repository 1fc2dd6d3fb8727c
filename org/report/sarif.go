package report

import (
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"slices"
	"strconv"
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

// SARIFFiles writes a SARIF 2.1.0 log for each repository whose files were read, as code
// scanning takes it: one log a repository and commit, each into the file that create
// makes. Of a repository that could not be read there is none, since code scanning would
// take what an empty log lacks for mended.
//
// The names of files are made of owner/repo and nothing else. They are in lower case: two
// that some file system takes for one differ in the second's id. rule adds a rule to a run
// by its id, with what is to be said of it. The repositories whose
// names are no owner/repo are returned, and have no file. The error is that of create, of
// a file or of reading the document.
func SARIFFiles(d *org.Document, rule func(run *sarif.Run, id string), create func(name string) (io.WriteCloser, error)) (unnamed []string, err error) {
	names := fileNames(d)
	err = d.EachAnalysis(func(a *org.Analysis, repositories []int) error {
		for _, i := range repositories {
			if names[i] == "" {
				unnamed = append(unnamed, d.Repositories[i].Name)
				continue
			}
			f, err := create(names[i])
			if err != nil {
				return err
			}
			if err := errors.Join(SARIF(f, d, i, a, rule), f.Close()); err != nil {
				return err
			}
		}
		return nil
	})
	return unnamed, err
}

// fileNames returns the name of a file for each repository, "" for one whose name is none.
func fileNames(d *org.Document) []string {
	names, taken := make([]string, len(d.Repositories)), map[string]bool{}
	for i := range d.Repositories {
		r := &d.Repositories[i]
		if !isRepository(r.Name) {
			continue
		}
		name := strings.ToLower(strings.Replace(r.Name, "/", "--", 1))
		if taken[name] {
			name += "+" + strconv.FormatInt(r.ID, 10) // no name has a plus
		}
		taken[name] = true
		names[i] = name + ".sarif"
	}
	return names
}

// SARIF writes the log of one repository, by its place in the document, from its analysis.
// It holds the findings in files; settings have no line to stand at. What was not read is
// a notification, and the invocation is then no success. rule is as in [SARIFFiles].
func SARIF(w io.Writer, d *org.Document, repository int, a *org.Analysis, rule func(run *sarif.Run, id string)) error {
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
	addResults(run, a.Findings, rule)
	for _, u := range a.Unread {
		in.WithExecutionSuccessful(false)
		note("error", "not read: "+u.Path+": "+u.Reason)
	}
	for _, n := range a.NotChecked {
		note("note", "not checked: "+n)
	}
	run.AddInvocation(in)
	log := sarif.NewReport()
	log.Schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	log.AddRun(run)
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return enc.Encode(log)
}

func addResults(run *sarif.Run, findings []org.Finding, rule func(run *sarif.Run, id string)) {
	var rules []string
	for _, f := range findings {
		at := slices.Index(rules, f.Rule)
		if at < 0 {
			at = len(rules)
			rules = append(rules, f.Rule)
			rule(run, f.Rule)
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
