//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package lease

import (
	"io/fs"
	"os"
)

// canLock is false: there is no lock here that ends with its process in the standard
// library, so that only the directories of other jobs are swept.
const canLock = false

func takeLock(*os.File) error { return nil }

// privateTo is true: the temporary directory is the user's own.
func privateTo(fs.FileInfo) bool { return true }
