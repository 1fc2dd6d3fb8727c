package org

import (
	"errors"
	"time"

	"go.etcd.io/bbolt"

	"github.com/stint-dev/stint/workflows/github"
)

// A Plan is what a scan will ask of the host, before it begins. Pages that the host
// cannot bear are halved, and cut files asked for again, so that it may become more.
type Plan struct {
	Kind string // "full", "changed", "sweep"
	// Repositories is how many there are, 0 when it is not known.
	Repositories int
	GraphQL      int // queries, of a point each but for the settings
	Points       int
	REST         int
	// Refs is how many tags and branches were asked for before and will be again, 0 when
	// none are asked for; before the first scan it is -1, and they come on top of GraphQL.
	Refs  int
	Takes time.Duration
	// Resumed is set when a run that did not end is taken up.
	Resumed bool
}

// What a plan counts with: measured times of queries with text and of REST, what a
// hundred repositories' settings cost, and how many requests the organization's take.
const (
	timePerQuery       = 3600 * time.Millisecond
	timePerREST        = 70 * time.Millisecond // nine hundred a minute
	pointsPerSettings  = 8
	organizationAsks   = 20
	repositoriesToTree = 500
)

// Plan says what a scan with these options would ask. total is how many repositories the
// organization has, 0 when that is not known and the index says it.
func (x *Index) Plan(o Options, total int) (Plan, error) {
	p := Plan{Kind: runFull, Repositories: total}
	err := x.view(func(tx *bbolt.Tx) error {
		finished, err := lastFinished(tx)
		last, number, err2 := lastRun(tx)
		switch {
		case err != nil || err2 != nil:
			return errors.Join(err, err2)
		case finished != nil && o.Sweep:
			p.Kind = runSweep
		case finished != nil:
			p.Kind = runChanged
		}
		switch {
		case o.Resolve && finished == nil:
			p.Refs = -1
		case o.Resolve:
			p.Refs = tx.Bucket(refBucket).Stats().KeyN
		}
		if p.Repositories == 0 {
			p.Repositories = last.Total
		}
		p.Resumed = number > 0 && last.Ended.IsZero() && last.Kind == p.Kind
		return nil
	})
	p.count(o)
	return p, err
}

func (p *Plan) count(o Options) {
	own := p.Repositories / max(o.Shard.Of, 1)
	switch p.Kind {
	case runFull:
		p.GraphQL = parts(p.Repositories, batch)
		if !o.Shard.all() {
			p.GraphQL += parts(own, batch)
		}
	case runSweep:
		p.GraphQL = 2 + parts(own, repositoriesToTree)
	default:
		p.GraphQL = 2
	}
	p.GraphQL += (max(p.Refs, 0) + github.RefsPerQuery - 1) / github.RefsPerQuery
	p.Points = p.GraphQL
	if o.Inventory >= OrganizationInventory {
		p.REST += organizationAsks
	}
	if o.Inventory == WholeInventory {
		p.GraphQL += parts(own, batch)
		p.Points += pointsPerSettings * parts(own, batch)
		p.REST += own
	}
	p.Takes = time.Duration(p.GraphQL)*timePerQuery + time.Duration(p.REST)*timePerREST
}

// parts is how many parts of a size n has, at least 1.
func parts(n, size int) int { return max((n+size-1)/size, 1) }
