package workflows

import (
	"context"
	"iter"
)

// A Repositories is what [Source] yields.
type Repositories = iter.Seq2[*Repository, error]

// ReadAhead yields what the source yields, in the same order, and reads the next
// repository while the current one is worked on. Reading ends with ctx or with the
// iteration; one repository more than asked for may have been read then.
func ReadAhead(ctx context.Context, s Source) Repositories {
	type item struct {
		repo *Repository
		err  error
	}
	return func(yield func(*Repository, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		ahead := make(chan item)
		go func() {
			defer close(ahead)
			for repo, err := range s.Repositories(ctx) {
				select {
				case ahead <- item{repo, err}:
				case <-ctx.Done():
					return
				}
			}
		}()
		for i := range ahead {
			if !yield(i.repo, i.err) {
				return
			}
		}
	}
}
