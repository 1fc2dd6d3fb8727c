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
	if name == "" || strings.Contains(name, "@sha256:") || local(name) {
		return
	}
	if len(image.Exprs) > 0 {
		var known bool
		if name, known = unpinnedValue(image, job); !known || name == "" {
			return
		}
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

// unpinnedValue returns the first value without a digest that an image can have by its
// matrix, "" when all have one. It is known when every expression is one of the matrix.
func unpinnedValue(image *workflows.Scalar, job *reach.Job) (name string, known bool) {
	if job == nil {
		return "", false
	}
	texts := []string{strings.TrimPrefix(image.Value, dockerScheme)}
	for _, e := range image.Exprs {
		ref, ok := e.Root.(*workflows.Ref)
		if !ok || ref.Base != nil || len(ref.Parts) < 2 || ref.Parts[0].Name != "matrix" {
			return "", false
		}
		values := matrixValues(job.Job.Strategy, ref.Parts[1:])
		if len(values) == 0 {
			return "", false
		}
		var next []string
		for _, text := range texts {
			for _, v := range values {
				if len(next) < maxImages {
					next = append(next, strings.Replace(text, image.Value[e.Start:e.End], v, 1))
				}
			}
		}
		texts = next
	}
	for _, text := range texts {
		if text != "" && !strings.Contains(text, "@sha256:") && !strings.Contains(text, "${{") {
			return text, true
		}
	}
	return "", true
}

// maxImages bounds the images that the values of a matrix are put together to.
const maxImages = 256

// matrixValues returns the constant values of matrix.a.b, those of include: too.
func matrixValues(s *workflows.Strategy, parts []workflows.Part) []string {
	if s == nil {
		return nil
	}
	var out []string
	add := func(v *workflows.Value) {
		for _, part := range parts[1:] {
			v = fieldFold(v, part.Name)
		}
		if text, ok := v.Text().Const(); ok {
			out = append(out, text)
		}
	}
	for _, row := range s.Rows {
		if strings.EqualFold(row.Key.Value, parts[0].Name) {
			for _, v := range row.Value.Items {
				add(v)
			}
		}
	}
	if s.Include != nil {
		for _, item := range s.Include.Items {
			if v := fieldFold(item, parts[0].Name); v != nil {
				add(v)
			}
		}
	}
	return out
}

func fieldFold(v *workflows.Value, name string) *workflows.Value {
	if v == nil {
		return nil
	}
	for _, f := range v.Fields {
		if strings.EqualFold(f.Key.Value, name) {
			return f.Value
		}
	}
	return nil
}
