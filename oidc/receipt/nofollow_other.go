//go:build !unix

package receipt

// noFollow: this system has no such flag; OpenFile compares identities.
const noFollow = 0
