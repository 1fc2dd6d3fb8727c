// Package hardcodedsecret is the rule hardcoded-secret; see README.md.
package hardcodedsecret

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

//go:embed README.md
var readme string

// Rule reports credentials that stand in a file as text.
var Rule = &lint.Rule{
	ID:         "hardcoded-secret",
	Title:      "a credential stands in the file as text",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Tags:       []string{"NHI2:2025", "NHI7:2025", "PR.AA-01"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	hits := platform.FindSecrets(string(p.File.Source))
	var known []workflows.Span
	for _, h := range hits {
		known = append(known, workflows.Span{Start: h.Start, End: h.End})
		p.Report(ofForm(p, h))
	}
	values(p, func(v value) {
		inside := func(s workflows.Span) bool { return s.Start < v.span.End && v.span.Start < s.End }
		if v.isSecret() && !slices.ContainsFunc(known, inside) {
			p.Report(ofName(v))
		}
	})
}

// ofForm makes the finding for a literal with the form of a credential.
func ofForm(p *lint.Pass, h platform.SecretHit) lint.Finding {
	span := workflows.Span{Start: h.Start, End: h.End}
	f := finding(span, jobAt(p, span), h.Kind, h.Opens)
	if h.Hint != "" {
		f.Message = fmt.Sprintf("%s (%s…) stands in the file: %s", h.Kind, h.Hint, whoHolds)
	}
	if !h.Proven {
		f.Confidence = lint.MediumConfidence
	}
	switch {
	case h.Ends != "" && h.Ends < p.Today:
		f.Ceiling = severity(reach.Info)
		f.Message = fmt.Sprintf("%s that ended on %s stands in the file", h.Kind, h.Ends)
		f.Next = "remove it"
	case h.Weight == platform.SecretPart:
		f.Ceiling = severity(reach.Medium)
		f.Message += "; alone it may not open anything"
	case h.Weight == platform.SecretTest:
		f.Ceiling = severity(reach.Low)
		f.Message += "; it opens a test system only"
	}
	return f
}

// ofName makes the finding for a value that its name makes a credential.
func ofName(v value) lint.Finding {
	f := finding(v.span, v.job, v.what, platform.LookupSecret(v.name).Opens)
	f.Confidence = lint.MediumConfidence
	if !platform.LooksRandom(v.text) {
		f.Confidence = lint.LowConfidence
	}
	f.Exposure.Steer = reach.MutableThirdParty // it may be a value that opens nothing
	if platform.UploadsOnly(v.name) || platform.UploadsOnly(v.action) {
		f.Ceiling = severity(reach.Low)
		f.Message += "; tokens like it only send reports in, and many projects show theirs on purpose"
	}
	return f
}

// whoHolds ends a message. The job's reach does not matter: the file itself is the leak.
const whoHolds = "whoever can read the repository, now or in its history, holds it"

func finding(span workflows.Span, job *reach.Job, what, opens string) lint.Finding {
	next := "revoke it where it was issued, then keep its successor as a secret of the environment that needs it"
	if platform.Federates(opens) {
		next = "revoke it where it was issued, and let the job's id-token take its place"
	}
	return lint.Finding{
		Span: span, Job: job, Redact: true,
		Message: fmt.Sprintf("%s stands in the file: %s", what, whoHolds), Next: next,
		Exposure: reach.Exposure{Steer: reach.OutsiderCode, Credentials: []*reach.Credential{{
			Kind: reach.StoredSecret, Name: what, Lifetime: reach.Standing, Opens: opens, Writes: true,
		}}},
	}
}

func severity(s reach.Severity) *reach.Severity { return &s }

// jobAt returns the job in which the place is, or nil.
func jobAt(p *lint.Pass, s workflows.Span) *reach.Job {
	var at *reach.Job
	p.Jobs(func(job *reach.Job) {
		if job.Job.Span.Contains(s) {
			at = job
		}
	})
	return at
}
