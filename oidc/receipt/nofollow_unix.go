//go:build unix

package receipt

import "syscall"

// noFollow makes open fail on a link.
const noFollow = syscall.O_NOFOLLOW
