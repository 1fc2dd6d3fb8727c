//go:build unix

package lease

import "syscall"

// noFollow makes open fail on a link, noWait keeps it from waiting at a pipe.
const (
	noFollow = syscall.O_NOFOLLOW
	noWait   = syscall.O_NONBLOCK
)
