package lockfiledrift

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/workflows"
)

// stale reports what the lock holds and nothing uses, as one finding, since one run of
// the tool mends it. A file that could not be read may use anything.
func stale(p *lint.Pass, lock *workflows.Lock) {
	if len(p.Repository.Unread) > 0 || slices.ContainsFunc(p.Repository.Files, broken) {
		return
	}
	list := leftovers(p.Repository, lock)
	if len(list) == 0 {
		return
	}
	slices.SortFunc(list, func(a, b lint.Related) int { return cmp.Compare(a.Span.Start, b.Span.Start) })
	f := lint.Finding{
		Span: list[0].Span, Message: list[0].Text + ": what comes back under this name runs the old commit without a review",
		Next: "renew the lock (gh actions-lock), so that it holds what is used",
	}
	for _, r := range list[1:min(len(list), maxRelated+1)] {
		r.File = p.File
		f.Related = append(f.Related, r)
	}
	p.Report(f)
}

func broken(f *workflows.File) bool {
	return slices.ContainsFunc(f.Problems, func(p workflows.Problem) bool { return p.Whole })
}

// leftovers returns the places of the lock that nothing needs: workflows that are not
// there, entries that their workflow does not use, and pins that no entry leads to.
func leftovers(repo *workflows.Repository, lock *workflows.Lock) []lint.Related {
	var out []lint.Related
	say := func(span workflows.Span, format string, args ...any) {
		out = append(out, lint.Related{Span: span, Text: fmt.Sprintf(format, args...)})
	}
	needed := map[string]bool{}
	shared := usedByActions(repo)
	for _, path := range slices.Sorted(maps.Keys(lock.Workflows)) {
		locked := lock.Workflows[path]
		i := slices.IndexFunc(repo.Files, func(f *workflows.File) bool { return f.Path == path && f.Workflow != nil })
		if i < 0 {
			say(locked.Span, "actions.lock lists the workflow %s, which is not there", workflows.Printable(path))
			continue
		}
		used := withInner(lock, append(usedBy(repo.Files[i]), shared...))
		for _, entry := range locked.Pins {
			if needed[entry.Key] = true; !used[entry.Key] {
				say(entry.Span, "actions.lock lists %s for %s, which does not use it", workflows.Printable(entry.Key), workflows.Printable(path))
			}
		}
	}
	needed = withInner(lock, slices.Collect(maps.Keys(needed)))
	for _, key := range slices.Sorted(maps.Keys(lock.Pins)) {
		if !needed[key] {
			say(lock.Pins[key].Span, "actions.lock pins %s, which no workflow on it uses", workflows.Printable(key))
		}
	}
	return out
}

// usedBy returns the keys of what a workflow or an action names itself.
func usedBy(f *workflows.File) []string {
	var keys []string
	add := func(u *workflows.Uses) {
		if u != nil && u.Owner != "" && u.Host == "" {
			keys = append(keys, strings.ToLower(u.Owner+"/"+u.Repo)+"@"+u.Ref)
		}
	}
	steps := func(list []*workflows.Step) {
		for _, s := range list {
			add(s.Uses)
		}
	}
	if f.Workflow != nil {
		for _, j := range f.Workflow.Jobs {
			add(j.Uses)
			steps(j.AllSteps())
		}
	}
	if f.Action != nil {
		steps(f.Action.AllSteps())
	}
	return keys
}

// usedByActions returns what the repository's own actions and reusable workflows use,
// which a lock may list for the workflows that run them.
func usedByActions(repo *workflows.Repository) []string {
	var keys []string
	for _, f := range repo.Files {
		if f.Action != nil || f.Workflow != nil && slices.ContainsFunc(f.Workflow.On, called) {
			keys = append(keys, usedBy(f)...)
		}
	}
	return keys
}

func called(t *workflows.Trigger) bool { return t.Event == "workflow_call" }

// withInner returns the keys with those that the pinned actions use themselves, to any
// depth.
func withInner(lock *workflows.Lock, keys []string) map[string]bool {
	all := map[string]bool{}
	for len(keys) > 0 {
		key := keys[len(keys)-1]
		keys = keys[:len(keys)-1]
		if !all[key] {
			all[key] = true
			keys = append(keys, lock.Pins[key].Uses...)
		}
	}
	return all
}
