// Package sharedcloudrole is the rule shared-cloud-role; see README.md.
package sharedcloudrole

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/reach/flow"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

//go:embed README.md
var readme string

// Rule reports a role that jobs of different purpose or trust become.
var Rule = &lint.Rule{
	ID:              "shared-cloud-role",
	Title:           "one cloud role serves jobs of different purpose or trust",
	Since:           "2026-11",
	Confidence:      lint.HighConfidence,
	Tags:            []string{"NHI5:2025", "NHI8:2025", "NHI9:2025", "PR.AA-05"},
	Readme:          readme,
	CheckRepository: check,
}

// A holder is a job that becomes the role.
type holder struct {
	job      *reach.Job
	purposes []purpose
	open     bool
	at       reach.Site
}

// weakest is the purpose that should have least.
func (h holder) weakest() purpose { return h.purposes[0] }

// open reports whether a pull request starts the job before anybody has reviewed it,
// be it from a fork or from a branch of the repository, or whether anybody does.
func open(g *reach.Graph, job *reach.Job) bool {
	return slices.ContainsFunc(g.Flow.Events(job.Job), func(e flow.Event) bool {
		return e.Who == platform.StartAnyone || strings.HasPrefix(e.Name, "pull_request") && !e.Merged
	})
}

func check(p *lint.Pass) {
	holders := map[string][]holder{}
	var names []string
	for _, job := range p.Graph.Jobs {
		for _, s := range p.Graph.RunSteps(job) {
			for name, v := range identities(s.Step) {
				if holders[name] == nil {
					names = append(names, name)
				}
				if !slices.ContainsFunc(holders[name], func(h holder) bool { return h.job == job }) {
					holders[name] = append(holders[name], holder{job, purposesOf(p.Graph, job), open(p.Graph, job), reach.Site{File: s.File, Span: v.Span}})
				}
			}
		}
	}
	for _, name := range names {
		judge(p, name, holders[name])
	}
}

// identities returns the roles that a step becomes, by how they are written: a constant,
// a secret or a variable. What an input, a matrix or an output names is not told.
func identities(s *workflows.Step) map[string]*workflows.Scalar {
	out := map[string]*workflows.Scalar{}
	if s.Uses == nil {
		return out
	}
	info, _ := platform.LookupAction(s.Uses.FullName())
	for _, e := range s.With.All() {
		if platform.NamesIdentity(info, e.Key.Value) && e.Value.Value != "" && settled(e.Value) {
			out[normal(e.Value)] = e.Value
		}
	}
	return out
}

func settled(v *workflows.Scalar) bool {
	for _, e := range v.Exprs {
		refs := e.Refs()
		if len(refs) == 0 || slices.ContainsFunc(refs, func(r *workflows.Ref) bool {
			return !strings.HasPrefix(r.Path(), "secrets.") && !strings.HasPrefix(r.Path(), "vars.")
		}) {
			return false
		}
	}
	return true
}

// normal is a value without the spaces in its expressions.
func normal(v *workflows.Scalar) string {
	return strings.ToLower(strings.Join(strings.Fields(v.Value), ""))
}

// judge reports the role when one of its jobs has it for less than another.
func judge(p *lint.Pass, name string, holders []holder) {
	slices.SortStableFunc(holders, func(a, b holder) int {
		if a.open != b.open {
			if a.open {
				return -1
			}
			return 1
		}
		return int(a.weakest()) - int(b.weakest())
	})
	least := holders[0]
	i := slices.IndexFunc(holders, func(h holder) bool { return differ(least, h) })
	if i < 0 {
		return
	}
	other := holders[i]
	f := lint.Finding{File: least.at.File, Span: least.at.Span, Job: least.job, Confidence: lint.HighConfidence}
	loss := ""
	f.Exposure, f.Code, loss = least.job.Loss(sessions(least.job))
	f.Message = fmt.Sprintf("one role serves %s, which %s%s, and %s, which %s; in the first, %s", place(least), least.weakest().does(), opened(least), place(other), strongest(other).does(), loss)
	f.Next = fmt.Sprintf("give %s a role of its own that can do only that, and bind the role of %s to its environment or branch in the trust policy", place(least), place(other))
	if least.job == other.job {
		f.Message = fmt.Sprintf("one role serves two purposes in %s, which %s%s and %s; %s", place(least), least.weakest().does(), opened(least), strongest(other).does(), loss)
		f.Next = "plan in a job of its own with a role that only reads, and apply with one that the trust policy binds to the branch or an environment"
	}
	for _, h := range holders {
		if h.at != least.at && len(f.Related) < maxRelated {
			f.Related = append(f.Related, lint.Related{File: h.at.File, Span: h.at.Span, Text: place(h) + ": a job that " + h.weakest().does()})
		}
	}
	if strings.Contains(name, "${{") && separate(least, other) {
		f.Strict, f.Confidence = true, lint.LowConfidence // each environment may name another role
	}
	p.Report(f)
}

// maxRelated bounds the places that one finding lists.
const maxRelated = 10

// differ reports whether the second job needs more of the role than the first one: it
// changes what runs or is shipped, and the first is an agent's, a plan, a preview, or a
// test that pull requests start.
func differ(least, other holder) bool {
	strong := strongest(other)
	switch weak := least.weakest(); {
	case !strong.changes() || weak.changes():
		return false
	case weak == preview:
		return strong == production
	case weak == test:
		return least.open && !other.open
	case least.job == other.job:
		return weak == plan && least.open // else all of it is of the same reviewed commit
	}
	return true
}

func strongest(h holder) purpose { return h.purposes[len(h.purposes)-1] }

func separate(a, b holder) bool {
	return a.job.Environment != "" && b.job.Environment != "" && a.job.Environment != b.job.Environment
}

// sessions are what the job gets of the cloud: the session, else the token that buys it.
func sessions(job *reach.Job) []*reach.Credential {
	for _, kind := range []reach.Kind{reach.CloudSession, reach.IDToken} {
		if e := job.Exposure(reach.OwnCode).Only(kind); len(e.Credentials) > 0 {
			return e.Credentials
		}
	}
	return nil
}

func opened(h holder) string {
	if h.open {
		return " for pull requests"
	}
	return ""
}

// place names a job for a message.
func place(h holder) string {
	path := h.job.File.Path
	return fmt.Sprintf("%s of %s", h.job.Job.ID, path[strings.LastIndexByte(path, '/')+1:])
}
