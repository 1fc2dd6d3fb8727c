package org

import (
	"errors"
	"runtime"
	"runtime/debug"
	"sync"
)

// inParts calls do for the numbers below n, a part of them on each processor. Each of them
// runs as guard runs a transaction, since a fault is of the goroutine that meets it.
func inParts(n int, do func(from, to int) error) error {
	parts := min(runtime.GOMAXPROCS(0), n)
	errs := make([]error, parts)
	var wg sync.WaitGroup
	for i := range parts {
		wg.Go(func() {
			defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
			defer func() {
				if recover() != nil {
					errs[i] = errDamaged
				}
			}()
			errs[i] = do(n*i/parts, n*(i+1)/parts)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
