package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/stint-dev/stint/org"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows/platform"
)

// maxPaths is how many of the worst paths are shown.
const maxPaths = 10

// A route is one way by which a standing credential is lost: who starts a job, the
// foreign code in it, the credential, and what that opens.
type route struct {
	who                     platform.Starter
	code, credential, opens string
}

// A path is a route with all jobs that it leads through.
type path struct {
	route
	trust        reach.Trust
	grade        reach.Severity
	jobs         int
	repositories int
	// first is a repository with a job to look at, and at where.
	first int
	at    reach.DocumentPlace
	last  int // the group that was counted last
}

// paths returns the worst routes of all jobs, the worst first.
func (b *builder) paths() []path {
	out := make([]path, 0, len(b.routes))
	for _, p := range b.routes {
		out = append(out, *p)
	}
	slices.SortFunc(out, worse)
	return out[:min(maxPaths, len(out))]
}

// addPaths adds the pairs of one job of the repositories of a group. A job without pairs has none: it calls a workflow
// whose jobs have them, or nothing meets in it.
func (b *builder) addPaths(j *org.Job, group int, repositories []int) {
	if j.Pairs == 0 {
		return
	}
	who := j.Starter()
	grade, _ := reach.ParseSeverity(j.Grade)
	for _, code := range j.Code {
		if !code.Foreign {
			continue
		}
		for _, c := range j.Credentials {
			if c.Lifetime != reach.Standing.String() {
				continue
			}
			r := route{who, clip(shortCommits(code.Name), maxText), clip(c.Name, maxText), clip(c.Opens, maxText)}
			p := b.routes[r]
			if p == nil {
				p = &path{route: r, first: repositories[0], at: code.Place, last: -1}
				b.routes[r] = p
			}
			p.jobs += len(repositories)
			p.trust, p.grade = max(p.trust, org.TrustOf(&code)), max(p.grade, grade)
			if p.last != group {
				p.repositories, p.last = p.repositories+len(repositories), group
			}
		}
	}
}

// worse orders paths: by grade, by who can start them, by how far the code is steered,
// by the number of repositories, then by name.
func worse(a, b path) int {
	return cmp.Or(
		-cmp.Compare(a.grade, b.grade), -cmp.Compare(a.who, b.who), -cmp.Compare(a.trust, b.trust),
		-cmp.Compare(a.repositories, b.repositories), -cmp.Compare(a.jobs, b.jobs),
		strings.Compare(a.code, b.code), strings.Compare(a.credential, b.credential), strings.Compare(a.opens, b.opens),
	)
}

// maxLevers is how many of the changes that lower the number are shown.
const maxLevers = 12

// A lever is a change with what it takes away in all repositories.
type lever struct {
	what                string
	pairs, repositories int
	first               int
	at                  reach.DocumentPlace
}

// addLevers adds the changes of the repositories that have an analysis.
func (b *builder) addLevers(a *org.Analysis, repositories []int) {
	for _, l := range a.Levers {
		known := b.changes[l.What]
		if known == nil {
			known = &lever{what: l.What, first: repositories[0]}
			if len(l.Sites) > 0 {
				known.at = l.Sites[0]
			}
			b.changes[l.What] = known
		}
		known.pairs += l.Pairs * len(repositories)
		known.repositories += len(repositories)
	}
}

// levers returns the changes of all repositories, what takes away most first.
func (b *builder) levers() []lever {
	out := make([]lever, 0, len(b.changes))
	for _, l := range b.changes {
		out = append(out, *l)
	}
	slices.SortFunc(out, func(a, b lever) int {
		return cmp.Or(-cmp.Compare(a.pairs, b.pairs), strings.Compare(a.what, b.what))
	})
	return out[:min(maxLevers, len(out))]
}

// whoText says who starts a job, for a person.
func whoText(s platform.Starter) string {
	switch s {
	case platform.StartAnyone:
		return "anyone"
	case platform.StartForkSandboxed:
		return "anyone, from a fork"
	case platform.StartCaller:
		return "a caller"
	}
	return "people with write access"
}

func opensText(opens string) string {
	if opens == "" {
		return "not known"
	}
	return opens
}
