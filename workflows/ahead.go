package workflows

import (
	"context"
	"iter"
)

// A Repositories is what [Source] yields.
type Repositories = iter.Seq2[*Repository, error]

// readAhead is how many repositories wait to be worked on at the most.
const readAhead = 8

// ReadAhead yields what the source yields, in the same order, and reads the next
// repositories while the current one is worked on. Reading ends with ctx or with the
// iteration; a few repositories more than asked for may have been read then.
func ReadAhead(ctx context.Context, s Source) Repositories {
	type item struct {
		repo *Repository
		err  error
	}
	return func(yield func(*Repository, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		ahead := make(chan item, readAhead)
		go func() {
			defer close(ahead)
			for repo, err := range s.Repositories(ctx) {
				if ctx.Err() != nil {
					return
				}
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
