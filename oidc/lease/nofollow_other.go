//go:build !unix

package lease

// noFollow: this system has no such flag; RunnerFile compares identities.
const noFollow = 0
