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
type named struct {
	repository int
	name       string
}

// A usage counts the jobs that name a secret, and those of them with foreign code.
type usage struct{ jobs, foreign int }

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
	return b.withUnlisted(t)
}

// addUnlisted counts the secrets that jobs name and the inventory does not list.
func (b *builder) addUnlisted(a *org.Analysis, repositories []int, listed map[named]bool) {
	for k := range a.Jobs {
		j := &a.Jobs[k]
		foreign := 0
		if hasForeign(j) {
			foreign = 1
		}
		for _, name := range j.Standing() {
			upper := strings.ToUpper(name)
			if name == reach.EverySecret || listed[named{nobody, upper}] {
				continue
			}
			name = b.pool.text(name)
			for _, i := range repositories {
				if listed[named{i, upper}] {
					continue
				}
				n := named{i, name}
				if b.unlisted[n] == nil {
					b.unlisted[n] = &usage{}
				}
				b.unlisted[n].jobs++
				b.unlisted[n].foreign += foreign
			}
		}
	}
}

// withUnlisted adds the secrets that the inventory does not list.
func (b *builder) withUnlisted(t *table) *table {
	for _, n := range slices.SortedFunc(maps.Keys(b.unlisted), func(a, b named) int {
		return cmp.Or(cmp.Compare(a.repository, b.repository), strings.Compare(a.name, b.name))
	}) {
		u := b.unlisted[n]
		t.rows = append(t.rows, []cell{
			number(n.repository), b.pool.add(n.name), number(u.jobs), number(u.foreign), number(-1),
			b.pool.add("not listed"), b.pool.add(""), b.pool.add("in use"),
		})
	}
	return t
}

// nobody stands for the organization where a repository is named by its place.
const nobody = -1

// listed returns the secrets of the inventory by where they are and name.
func (b *builder) listed() map[named]bool {
	out := map[named]bool{}
	for i := range b.doc.Secrets {
		if s := &b.doc.Secrets[i]; s.Store == "actions" {
			at := nobody
			if s.Repository != "" {
				var known bool
				if at, known = b.place[strings.ToLower(s.Repository)]; !known {
					continue
				}
			}
			out[named{at, strings.ToUpper(s.Name)}] = true
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
