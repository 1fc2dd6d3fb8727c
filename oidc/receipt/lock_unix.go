//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package receipt

import (
	"os"
	"syscall"
)

// canLock says that processes that append to one file wait for each other.
const canLock = true

func tryLock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

func unlock(f *os.File) { _ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }
