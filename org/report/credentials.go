package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stint-dev/stint/org"
	"github.com/stint-dev/stint/reach"
)

// A named credential is a stored secret that jobs name and no inventory lists.
type named struct{ repository, name string }

// credentials lists the stored secrets of the inventory and, where there is none, those
// that the files name: these have no age.
func (b *builder) credentials() *table {
	t := &table{
		ID: "credentials", Title: "Standing credentials", Empty: "No stored secret is known: none was listed, and no job names one.",
		Note: "Stored secrets live until somebody rotates them. Age counts from the last change. “Not listed” ones are known from files only.",
		Columns: []column{
			{"Repository", repositoryCell}, {"Credential", codeCell}, {"Jobs", numberCell}, {"With foreign code", numberCell}, {"Age in days", ageCell},
			{"Kept in", textCell}, {"Seen by", textCell}, {"State", textCell},
		},
		Order: []int{-4, -3, -5},
	}
	for i := range b.doc.Secrets {
		s := &b.doc.Secrets[i]
		t.rows = append(t.rows, []cell{
			b.repository(s.Repository), b.pool.add(s.Name), number(s.UsedBy), number(s.Foreign), number(age(s.Updated, b.doc.Scanned)),
			b.pool.add(keptIn(s)), b.pool.add(seenBy(s)), b.pool.add(stateOf(s)),
		})
	}
	return b.addUnlisted(t)
}

// addUnlisted adds the secrets that jobs name and the inventory does not list.
func (b *builder) addUnlisted(t *table) *table {
	uses, foreign := map[named]int{}, map[named]int{}
	listed := b.listed()
	for i := range b.doc.Repositories {
		a := b.analysis(i)
		if a == nil {
			continue
		}
		name := b.doc.Repositories[i].Name
		for k := range a.Jobs {
			j := &a.Jobs[k]
			for _, c := range j.Standing() {
				n := named{name, c}
				if c == reach.EverySecret || listed[named{strings.ToLower(name), strings.ToUpper(c)}] || listed[named{"", strings.ToUpper(c)}] {
					continue
				}
				uses[n]++
				if hasForeign(j) {
					foreign[n]++
				}
			}
		}
	}
	for _, n := range slices.SortedFunc(maps.Keys(uses), func(a, b named) int {
		return cmp.Or(strings.Compare(a.repository, b.repository), strings.Compare(a.name, b.name))
	}) {
		t.rows = append(t.rows, []cell{
			b.repository(n.repository), b.pool.add(n.name), number(uses[n]), number(foreign[n]), number(-1),
			b.pool.add("not listed"), b.pool.add(""), b.pool.add("in use"),
		})
	}
	return t
}

// listed returns the secrets of the inventory by where they are and name.
func (b *builder) listed() map[named]bool {
	out := map[named]bool{}
	for i := range b.doc.Secrets {
		if s := &b.doc.Secrets[i]; s.Store == "actions" {
			out[named{strings.ToLower(s.Repository), strings.ToUpper(s.Name)}] = true
		}
	}
	return out
}

func hasForeign(j *org.Job) bool {
	return slices.ContainsFunc(j.Code, func(c reach.DocumentCode) bool { return c.Foreign })
}

func age(since, now time.Time) int {
	if day(since) == 0 || now.Before(since) {
		return -1
	}
	return day(now) - day(since)
}

// keptIn says where a secret is kept.
func keptIn(s *org.Secret) string {
	out := s.Scope
	if s.Environment != "" {
		out += " " + s.Environment
	}
	if s.Store != "actions" && s.Store != "" {
		out += ", for " + s.Store
	}
	return out
}

func seenBy(s *org.Secret) string {
	switch s.Visibility {
	case "all":
		return "every repository"
	case "private":
		return "private and internal ones"
	case "selected":
		return count(len(s.Selected), "selected repository")
	}
	return ""
}

func stateOf(s *org.Secret) string {
	switch {
	case s.Dead:
		return "dead: no job names it"
	case s.Store != "actions":
		return "use not known"
	case s.UsedBy == 0:
		return "held by jobs that take every secret"
	}
	return "in use"
}
