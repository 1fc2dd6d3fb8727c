package org

import (
	"context"

	"go.etcd.io/bbolt"

	"github.com/stint-dev/stint/lint"
)

// Lint judges the files that the index holds again, repository by repository in order of
// their ids, for reports that need more than is kept of a judgement.
func (x *Index) Lint(ctx context.Context, o Options, f func(Repository, *lint.Result) error) error {
	var repos []repoRecord
	err := x.view(func(tx *bbolt.Tx) error {
		return eachRepo(tx, func(r *repoRecord) error {
			if r.Set != "" {
				repos = append(repos, *r)
			}
			return nil
		})
	})
	for _, r := range repos {
		if err != nil {
			return err
		}
		var src *source
		err = x.view(func(tx *bbolt.Tx) (err error) {
			src, err = load(tx, r.Name, r.Set)
			return err
		})
		if err == nil {
			err = f(r.Repository, src.lint(ctx, o))
		}
		if err == nil {
			err = ctx.Err()
		}
	}
	return err
}
