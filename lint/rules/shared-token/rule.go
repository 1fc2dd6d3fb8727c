// Package sharedtoken is the rule shared-token; see README.md.
package sharedtoken

import (
	"cmp"
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows/platform"
)

//go:embed README.md
var readme string

// Rule reports a stored secret that jobs of different purpose or trust use.
var Rule = &lint.Rule{
	ID:              "shared-token",
	Title:           "one stored secret serves jobs of different purpose or trust",
	Since:           "2026-11",
	Confidence:      lint.HighConfidence,
	Tags:            []string{"NHI8:2025", "NHI9:2025", "PR.AA-05"},
	Readme:          readme,
	CheckRepository: check,
}

// A holder is a job that holds the secret.
type holder struct {
	job     *reach.Job
	purpose purpose
	ref     reach.Site
	// credential is the secret as this job has it.
	credential *reach.Credential
}

// anyone reports whether anybody can start the job with its secrets.
func (h holder) anyone() bool { return h.job.Starter() == platform.StartAnyone }

func check(p *lint.Pass) {
	holders := map[string][]holder{} // by the secret's name in lower case
	var names []string
	for _, job := range p.Graph.Jobs {
		if len(p.Graph.Called(job)) > 0 {
			continue // the called jobs hold what it passes on
		}
		for _, u := range p.Graph.Uses(job) {
			name := strings.ToLower(u.Credential.Name)
			known := holders[name]
			if known == nil {
				names = append(names, name)
			}
			if !slices.ContainsFunc(known, func(h holder) bool { return h.job == job }) {
				holders[name] = append(known, holder{job, purposeOf(p.Graph, job), u.Ref, u.Credential})
			}
		}
	}
	for _, name := range names {
		judge(p, holders[name])
	}
}

// judge reports the secret when its holders differ in purpose or in who starts them.
func judge(p *lint.Pass, holders []holder) {
	secret := holders[0].credential
	info := platform.LookupSecret(secret.Name)
	if len(holders) < 2 || info.Class == "" && !secretWord(secret.Name) || publicHalf(secret.Name) {
		return
	}
	slices.SortStableFunc(holders, func(a, b holder) int {
		return cmp.Or(-cmp.Compare(a.job.Starter(), b.job.Starter()), cmp.Compare(a.purpose, b.purpose))
	})
	least := holders[0]
	other := slices.IndexFunc(holders, func(h holder) bool { return differ(least, h) })
	if other < 0 {
		if other = slices.IndexFunc(holders, func(h holder) bool { return h.purpose.differs(least.purpose) }); other < 0 {
			return
		}
	}
	worst := slices.MaxFunc(holders, func(a, b holder) int { return cmp.Compare(grade(a), grade(b)) })
	e, code, loss := worst.job.Loss([]*reach.Credential{worst.credential})
	f := lint.Finding{
		File: least.ref.File, Span: least.ref.Span, Job: least.job, Code: code, Exposure: e,
		Message: fmt.Sprintf("%s is shared by jobs that %s; in %s, %s", secret.Name, spread(holders), place(worst), loss),
		Next:    next(least, holders[other]),
		Related: places(holders[1:]),
	}
	weigh(&f, info, holders)
	p.Report(f)
}

// weigh sets how much a finding is worth by the secret's class, and how sure it is.
func weigh(f *lint.Finding, info platform.SecretInfo, holders []holder) {
	purposes := slices.ContainsFunc(holders, func(h holder) bool { return h.purpose.differs(holders[0].purpose) })
	low, medium := reach.Low, reach.Medium
	switch {
	case info.Class == "webhook", info.Class == "service-token" && info.Opens != "database":
		f.Strict, f.Ceiling = true, &low // it takes reports and messages
	case info.Class == "model-key":
		f.Strict, f.Ceiling = !purposes, &medium // it spends money
	case info.Class == "app-key":
		f.Strict = true // what an app's key mints can be narrow in each job
	case strings.HasPrefix(f.Exposure.Credentials[0].Name, "GH_AW_"):
		f.Strict = true // a generator writes it everywhere, and hardly anybody sets it
	case info.Class == "":
		f.Confidence = lint.MediumConfidence
	}
	if separate(holders) {
		f.Confidence = lint.LowConfidence
	}
}

// grade says how much is at stake where a job holds the secret.
func grade(h holder) reach.Severity {
	e, _, _ := h.job.Loss([]*reach.Credential{h.credential})
	return reach.Grade(e)
}

// differ reports whether two holders must not have one secret: their purposes
// differ, or anybody can start one of them only.
func differ(a, b holder) bool {
	return a.purpose.differs(b.purpose) || a.anyone() != b.anyone()
}

// publicHalf reports whether a name is that of a key's id, which goes where its
// secret half goes and opens nothing by itself.
func publicHalf(name string) bool { return strings.HasSuffix(strings.ToLower(name), "_id") }

// secretWord reports whether a name of no known class says at least that it is a
// secret.
func secretWord(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{"token", "key", "secret", "password", "passwd", "credential", "pass"}, func(w string) bool {
		return strings.HasSuffix(name, w) || strings.HasSuffix(name, w+"s")
	})
}

// separate reports whether each holder is in a deployment environment of its own
// purpose: environments of the same secret name may each hold another value.
func separate(holders []holder) bool {
	by := map[string]purpose{}
	for _, h := range holders {
		if known, ok := by[h.job.Environment]; h.job.Environment == "" || ok && known.differs(h.purpose) {
			return false
		}
		by[h.job.Environment] = h.purpose
	}
	return len(by) > 1
}

// place names a job for a message.
func place(h holder) string {
	file := h.job.File.Path
	return fmt.Sprintf("%s of %s", h.job.Job.ID, file[strings.LastIndexByte(file, '/')+1:])
}

// maxNamed bounds the jobs that a message names for one purpose.
const maxNamed = 2

// spread says what the holders do and where: "build and test (unit of ci.yml, which
// anyone can start) and publish (release of publish.yml)".
func spread(holders []holder) string {
	var parts []string
	for _, p := range purposes {
		var in []string
		for _, h := range holders {
			switch {
			case h.purpose != p:
			case h.anyone():
				in = append(in, place(h)+", which anyone can start")
			default:
				in = append(in, place(h))
			}
		}
		if len(in) > maxNamed {
			in = append(in[:maxNamed], fmt.Sprintf("%d more", len(in)-maxNamed))
		}
		if len(in) > 0 {
			parts = append(parts, fmt.Sprintf("%s (%s)", p, strings.Join(in, "; ")))
		}
	}
	return strings.Join(parts, " and ")
}

// next says which of the two most different holders gets a secret of its own.
func next(least, other holder) string {
	if least.anyone() && !other.anyone() {
		return fmt.Sprintf("give %s, which anyone can start, a secret that can do only what it needs, and rotate this one", place(least))
	}
	return fmt.Sprintf("give %s a secret of its own that can do only that, best in a deployment environment of its own", place(other))
}

// maxRelated bounds the places that one finding lists.
const maxRelated = 10

func places(holders []holder) []lint.Related {
	var out []lint.Related
	for _, h := range holders[:min(maxRelated, len(holders))] {
		out = append(out, lint.Related{File: h.ref.File, Span: h.ref.Span, Text: fmt.Sprintf("%s: a job that %s", place(h), h.purpose.does())})
	}
	return out
}
