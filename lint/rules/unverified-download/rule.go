// Package unverifieddownload is the rule unverified-download; see README.md.
package unverifieddownload

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

//go:embed README.md
var readme string

// Rule reports code that is fetched when a job runs and executed unchecked.
var Rule = &lint.Rule{
	ID:         "unverified-download",
	Title:      "code is fetched when the job runs and executed without a checksum or signature",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Tags:       []string{"NHI3:2025"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	p.Jobs(func(job *reach.Job) { judge(p, job.Job.AllSteps(), job.RunUnchecked(), job) })
	if a := p.File.Action; a != nil {
		var job *reach.Job
		p.Steps(func(_ *workflows.Step, j *reach.Job) { job = j })
		judge(p, a.AllSteps(), reach.RunUnchecked(a.AllSteps()), job)
	}
}

func judge(p *lint.Pass, steps []*workflows.Step, fetched []reach.Fetched, job *reach.Job) {
	for _, d := range fetched {
		report(p, job, d)
	}
	for _, s := range steps {
		if s.Run != nil {
			nested(p, s.Run, job)
		}
		if s.Uses != nil {
			inputs(p, s, job)
		}
	}
}

func report(p *lint.Pass, job *reach.Job, d reach.Fetched) {
	f := finding(job, d.Fetch.Span, workflows.Printable(d.Name)+" runs what the network gives at that moment, unchecked")
	if into := reach.RunBy(d.Fetch); into != d.Run || into == nil {
		f.Message = fmt.Sprintf("%s is downloaded and run without a checksum or signature", workflows.Printable(d.Name)) + taken(f.Exposure)
		f.Related = []lint.Related{{File: p.File, Span: d.Run.Span, Text: "it is run, or made to run, here"}}
	}
	if d.Archive {
		f.Confidence = lint.MediumConfidence
	}
	p.Report(f)
}

func finding(job *reach.Job, at workflows.Span, message string) lint.Finding {
	f := lint.Finding{
		Span: at, Job: job, Exposure: lint.Expose(job, reach.FetchedCode),
		Next: "download one version, and check it against a sha-256 that this repository holds before it runs",
	}
	f.Message = message + taken(f.Exposure)
	return f
}

func taken(e reach.Exposure) string {
	if len(e.Credentials) == 0 {
		return "; nothing in its job can be taken"
	}
	return "; it could take " + reach.CredentialList(e.Credentials)
}

// What scripts that are kept as text run of the network. A commit in the address
// fixes what it gives.
var (
	pipeText       = regexp.MustCompile(`\b(?:curl|wget)\b[^\n|;&]*\|\s*(?:sudo\s+(?:-\S+\s+)*)?(?:/(?:usr/)?bin/)?(?:ba|da|z|k)?sh\b`)
	powershellText = regexp.MustCompile(`(?i)(?:(?:irm|iwr|invoke-restmethod|invoke-webrequest|curl|wget|downloadstring)\b[^\n;]*\|\s*(?:iex|invoke-expression)\b` +
		`|\b(?:iex|invoke-expression)\b[^\n;]*(?:irm|iwr|invoke-restmethod|invoke-webrequest|downloadstring)\b)`)
	commit = regexp.MustCompile(`/[0-9a-f]{40}/`)
)

func inText(text string) (start, end int, ok bool) {
	for _, form := range []*regexp.Regexp{pipeText, powershellText} {
		for _, m := range form.FindAllStringIndex(text, -1) {
			if !commit.MatchString(text[m[0]:m[1]]) {
				return m[0], m[1], true
			}
		}
	}
	return 0, 0, false
}

// nested judges what no shell of ours parsed: PowerShell, scripts with an error, and
// scripts that are a word of a shell's own command line.
func nested(p *lint.Pass, s *workflows.Script, job *reach.Job) {
	if s.Shell == workflows.ShellPowerShell || s.Shell == workflows.ShellCmd || s.Err != nil {
		if start, end, ok := inText(s.Value); ok {
			p.Report(finding(job, s.SpanOf(start, end), "what the network gives at that moment is run unchecked"))
		}
		return
	}
	for _, c := range s.Commands {
		if !slices.Contains(runners, c.Name) {
			continue
		}
		for _, w := range c.Args() {
			if _, _, ok := inText(w.Text); ok && len(w.Commands) == 0 {
				p.Report(finding(job, c.Span, c.Name+" runs what the network gives at that moment, unchecked"))
				break
			}
		}
	}
}

// runners run a word as a script, on the runner itself.
var runners = []string{"sh", "bash", "zsh", "dash", "su", "eval", "nix", "nix-shell", "script", "pwsh", "powershell", "cmd"}

// inputs judges scripts that an action is given.
func inputs(p *lint.Pass, s *workflows.Step, job *reach.Job) {
	info, _ := platform.LookupAction(s.Uses.FullName())
	for _, e := range s.With.All() {
		// github-script is JavaScript, and what ssh is given runs elsewhere.
		if info.Inputs[strings.ToLower(e.Key.Value)] != platform.RoleScript || info.Opens == "ssh" || info.Opens == "github" {
			continue
		}
		if start, end, ok := inText(e.Value.Value); ok {
			f := finding(job, e.Value.SpanOf(start, end), "what the network gives at that moment is run unchecked")
			f.Confidence = lint.MediumConfidence
			p.Report(f)
		}
	}
}
