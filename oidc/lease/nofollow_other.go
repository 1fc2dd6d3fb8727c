//go:build !unix

package lease

// This system has no such flags; RunnerFile compares identities.
const (
	noFollow = 0
	noWait   = 0
)
