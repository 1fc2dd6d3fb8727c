//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package lease

import (
	"io/fs"
	"os"
	"syscall"
)

// canLock says that a lock tells whether a process lives.
const canLock = true

// takeLock takes the lock of an open file, and fails when a process that lives has it.
// It is gone with the file's last descriptor, however the process ends.
func takeLock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// privateTo reports whether a directory belongs to this user and is closed to others.
func privateTo(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Getuid() && info.Mode().Perm() == 0o700
}
