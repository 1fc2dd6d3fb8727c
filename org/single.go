package org

import (
	"fmt"
	"time"

	"github.com/stint-dev/stint/lint"
)

// DocumentOf returns a document about repositories that were read without a host: it has
// no inventory, no settings and no past. A repository without a known name is called by
// its root; links need a name and a commit, and there is none.
func DocumentOf(results []*lint.Result, stint string, now time.Time) *Document {
	d := &Document{
		Version: 1, Scanned: now.UTC(), Stint: stint, Coverage: Coverage{By: map[Status]int{}, Complete: true},
		Trend: []Trend{}, Repositories: []Repository{}, Secrets: []Secret{}, Settings: []Setting{}, Posture: []Finding{},
	}
	analyses := map[string]*Analysis{}
	d.Read = ReadFrom(analyses)
	for i, r := range results {
		a := analysisOf(fmt.Sprint(i), r)
		analyses[a.Key] = a
		d.Pairs += a.Pairs
		repo := Repository{ID: int64(i), Name: r.Repository.Name, Status: StatusOK, Analysis: a.Key, Seen: d.Scanned}
		if repo.Name == "" {
			repo.Name = r.Repository.Root
		}
		if len(a.Unread) > 0 || len(r.Failures) > 0 {
			d.Coverage.Complete = false
		}
		d.Repositories = append(d.Repositories, repo)
	}
	d.Coverage.Repositories = len(results)
	d.Coverage.By[StatusOK] = len(results)
	return d
}
