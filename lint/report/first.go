package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
)

// firstShown is how many groups of findings are named as those to begin with; where
// there are no more findings than that, all can be seen anyway.
const firstShown = 5

// A group is what one rule finds in one file, told by its worst finding.
type group struct {
	root   string
	worst  *lint.Finding
	places int
}

// groupsOf returns the groups of a result, by place.
func groupsOf(r *lint.Result) []group {
	type key struct{ path, rule string }
	at := map[key]int{}
	var out []group
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Notice {
			continue
		}
		k := key{f.File.Path, f.Rule.ID}
		n, known := at[k]
		if !known {
			n, at[k] = len(out), len(out)
			out = append(out, group{root: r.Repository.Root, worst: f})
		}
		if compareUrgency(f, out[n].worst) < 0 {
			out[n].worst = f
		}
		out[n].places++
	}
	return out
}

// compareUrgency orders findings by what to mend first: by severity; of equals those
// whose code an outsider is nearer to, then those with more that stays valid after a
// theft, then those that are surer.
func compareUrgency(a, b *lint.Finding) int {
	return cmp.Or(
		cmp.Compare(b.Severity, a.Severity),
		cmp.Compare(b.Exposure.Steer, a.Exposure.Steer),
		cmp.Compare(standing(b), standing(a)),
		cmp.Compare(confidence(*b), confidence(*a)),
	)
}

func standing(f *lint.Finding) int {
	n := 0
	for _, c := range f.Exposure.Credentials {
		if c.Lifetime == reach.Standing {
			n++
		}
	}
	return n
}

// first returns the groups to begin with, worst first; of equals the order is kept.
func first(groups []group) []group {
	groups = slices.Clone(groups)
	slices.SortStableFunc(groups, func(a, b group) int { return compareUrgency(a.worst, b.worst) })
	return groups[:min(firstShown, len(groups))]
}

// title says on one line what a group is: path:line:column: severity: rule.
func (g group) title() string {
	p := g.worst.File.Position(g.worst.Span.Start)
	out := fmt.Sprintf("%s:%d:%d: %s: %s", g.worst.File.Path, p.Line, p.Column, g.worst.Severity, g.worst.Rule.ID)
	if g.places > 1 {
		out += fmt.Sprintf(" (%d places in the file)", g.places)
	}
	return out
}
