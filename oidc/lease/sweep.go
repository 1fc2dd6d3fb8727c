package lease

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/stint-dev/stint/oidc"
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
// The records in them say which credentials were open. They are given to end, all of
// them at once and before anything is removed, so that a start which is killed itself
// leaves them to the next; nil ends nothing. A credential whose record was lost, or was
// not written before the kill, expires by itself.
func Sweep(temp, job string, now time.Time, end func(State)) ([]string, error) {
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
	var left, removed []string
	var open State
	for _, name := range names {
		path := filepath.Join(parent, name)
		if directoryName.MatchString(name) && isOurs(path) && isLeft(path, job, now) {
			left, open.Handles = append(left, name), append(open.Handles, recorded(path)...)
		}
		if len(open.Handles) >= maxStateHandles {
			break // what more there is has the next sweep's time
		}
	}
	if len(open.Handles) > 0 && end != nil {
		end(open)
	}
	for _, name := range left {
		if removeDirectory(parent, name) == nil {
			removed = append(removed, filepath.Join(parent, name))
		}
	}
	return removed, nil
}

// recorded are the credentials in the record of a directory, none when it has no good one.
func recorded(path string) []oidc.Handle {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil
	}
	defer root.Close()
	f, err := openRegular(root, recordName, os.O_RDONLY)
	if err != nil {
		return nil
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, MaxStateBytes+1))
	if err != nil {
		return nil
	}
	s, err := DecodeState(text)
	if err != nil {
		return nil
	}
	return s.Handles
}

// openRegular opens a regular file of a directory that others may have filled: no link
// is followed, and nothing waits for the other end of a pipe.
func openRegular(root *os.Root, name string, flag int) (*os.File, error) {
	f, err := root.OpenFile(name, flag|noFollow|noWait, 0)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(errNotRegular, f.Close())
	}
	return f, nil
}

var errNotRegular = errors.New("not a regular file")

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
	f, err := openRegular(root, ownerName, os.O_RDWR)
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
