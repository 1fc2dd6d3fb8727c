package lint

import (
	"context"
	"iter"
	"runtime"

	"github.com/stint-dev/stint/workflows"
)

// RunAll judges the repositories and yields the results in their order. options is asked
// for each of them, in order. An error is that of one repository, which could not be
// read or has no options; those after it are judged all the same.
//
// Several repositories are judged at a time, one a processor, because the graph of one is
// built on one; a few more wait to be taken, so that a large one holds up nobody.
func RunAll(ctx context.Context, repos workflows.Repositories, options func(*workflows.Repository) (Options, error)) iter.Seq2[*Result, error] {
	type answer struct {
		result *Result
		err    error
	}
	return func(yield func(*Result, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		atOnce := runtime.GOMAXPROCS(0)
		pending := make(chan chan answer, 4*atOnce)
		slots := make(chan struct{}, atOnce)
		go func() {
			defer close(pending)
			for repo, err := range repos {
				said := make(chan answer, 1)
				select {
				case pending <- said:
				case <-ctx.Done():
					return
				}
				opts := Options{}
				if err == nil {
					opts, err = options(repo)
				}
				if err != nil {
					said <- answer{err: err}
					continue
				}
				slots <- struct{}{}
				go func() {
					said <- answer{result: Run(ctx, repo, opts)}
					<-slots
				}()
			}
		}()
		for said := range pending {
			if a := <-said; !yield(a.result, a.err) {
				return
			}
		}
	}
}
