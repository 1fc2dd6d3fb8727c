//go:build unix

package lease

import "syscall"

// noFollow makes open fail on a link.
const noFollow = syscall.O_NOFOLLOW
