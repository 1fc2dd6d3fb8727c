// Package unpinnedimage is the rule unpinned-image; see README.md.
package unpinnedimage

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

//go:embed README.md
var readme string

// Rule reports container images that are named without a digest.
var Rule = &lint.Rule{
	ID:         "unpinned-image",
	Title:      "a container image is named without a digest, so that its tag can be moved",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Fixes:      lint.SafeFix | lint.UnsafeFix,
	Network:    lint.SomeNetwork,
	Tags:       []string{"NHI3:2025", "PR.AA-05"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	p.Jobs(func(job *reach.Job) {
		if c := job.Job.Container; c != nil {
			judge(p, c.Image, job, job)
		}
		for _, s := range job.Job.Services {
			service(p, s, job)
		}
	})
	p.Steps(func(s *workflows.Step, job *reach.Job) {
		if s.Uses != nil && s.Uses.Kind == workflows.UsesDocker {
			judge(p, s.Uses.Scalar, job, job)
		}
	})
	if a := p.File.Action; a != nil && a.Image != nil && strings.HasPrefix(a.Image.Value, dockerScheme) {
		var job *reach.Job
		if users := p.Graph.Users(p.File); len(users) > 0 {
			job = slices.MaxFunc(users, func(a, b *reach.Job) int { return int(a.Grade()) - int(b.Grade()) })
		}
		judge(p, a.Image, job, job)
	}
}

const dockerScheme = "docker://"

// service judges the image of a service. It runs beside the job and holds what it is
// given, not what the job holds.
func service(p *lint.Pass, s *workflows.Container, job *reach.Job) {
	own := *job
	own.Credentials = slices.DeleteFunc(slices.Clone(job.Credentials), func(c *reach.Credential) bool {
		return !slices.ContainsFunc(c.Enters, func(e reach.Site) bool { return e.File == p.File && s.Span.Contains(e.Span) })
	})
	judge(p, s.Image, job, &own)
}

// judge reports the image where nothing in it or behind it can be a digest; exposed is
// the job as far as the image's code sees it.
func judge(p *lint.Pass, image *workflows.Scalar, job, exposed *reach.Job) {
	if image == nil {
		return
	}
	name := strings.TrimPrefix(image.Value, dockerScheme)
	if len(image.Exprs) > 0 {
		name, _ = unpinnedValue(image, job)
	}
	if name == "" || strings.Contains(name, "@sha256:") || local(name) {
		return
	}
	trust := reach.MutableThirdParty
	if own := owner(p.Repository.NameFold()); own != "" && strings.HasPrefix(strings.ToLower(name), "ghcr.io/"+own+"/") {
		trust = reach.SameOwner
	}
	f := lint.Finding{
		Span: image.Span, Job: job, Exposure: lint.Expose(exposed, trust),
		Next: "add the digest behind the tag: " + workflows.Printable(name) + "@sha256:…",
	}
	f.Message = fmt.Sprintf("the image %s %s", workflows.Printable(name), how(name))
	if len(f.Exposure.Credentials) == 0 {
		f.Message += "; it is given nothing that can be taken"
		f.Strict = job != exposed // a database beside the job is no way in by itself
	} else {
		f.Message += "; it could take " + reach.CredentialList(f.Exposure.Credentials)
	}
	if !f.Strict || p.Strict {
		f.Fixes = pin(p, image, name, trust == reach.SameOwner)
	}
	p.Report(f)
}

func how(name string) string {
	last := name[strings.LastIndexByte(name, '/')+1:]
	_, tag, ok := strings.Cut(last, ":")
	switch {
	case !ok:
		return "is named without a tag, which means latest"
	case tag == "latest":
		return "is on latest, which moves"
	}
	return "is named by a tag, which can be moved"
}

func owner(name string) string {
	own, _, _ := strings.Cut(name, "/")
	return own
}

// local reports whether an image comes from the runner itself.
func local(name string) bool {
	return strings.HasPrefix(name, "localhost/") || strings.HasPrefix(name, "localhost:") || strings.HasPrefix(name, "127.0.0.1:")
}
