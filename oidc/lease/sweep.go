package lease

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"
)

// sweepAge is the age from which a directory without an owner is one of a process that
// was killed while it made it.
const sweepAge = time.Minute

// maxSweep bounds how many entries of a temporary directory are looked at.
const maxSweep = 10_000

// Sweep removes the private directories that killed processes and lost jobs left below
// temp, and returns their paths. It touches only directories of the expected name that
// belong to this user and that nobody else may enter. One that is kept for a job is
// swept when job, the name of the one that runs now, is another; one of a process when
// that process is gone. What cannot be removed is left to the next sweep.
//
// The credentials in them are not ended: they expire by themselves.
func Sweep(temp, job string, now time.Time) ([]string, error) {
	parent, err := tempDirectory(temp)
	if err != nil {
		return nil, err
	}
	dir, err := os.Open(parent)
	if err != nil {
		return nil, noDirectory(parent, err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(maxSweep)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, noDirectory(parent, err)
	}
	var removed []string
	for _, name := range names {
		path := filepath.Join(parent, name)
		if directoryName.MatchString(name) && isOurs(path) && isLeft(path, job, now) && removeDirectory(parent, name) == nil {
			removed = append(removed, path)
		}
	}
	return removed, nil
}

// isOurs reports whether path is a directory of this user's alone.
func isOurs(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir() && privateTo(info)
}

// isLeft reports whether nobody uses the directory any more.
func isLeft(path, job string, now time.Time) bool {
	root, err := os.OpenRoot(path)
	if err != nil {
		return false
	}
	defer root.Close()
	f, err := root.OpenFile(ownerName, os.O_RDWR|noFollow, 0)
	if err != nil {
		info, statErr := root.Stat(".")
		return errors.Is(err, os.ErrNotExist) && statErr == nil && now.Sub(info.ModTime()) > sweepAge
	}
	defer f.Close()
	owner, err := io.ReadAll(io.LimitReader(f, maxOwnerBytes))
	switch {
	case err != nil:
		return false
	case len(owner) > 0:
		return job != "" && string(owner) != job
	}
	return canLock && takeLock(f) == nil
}
