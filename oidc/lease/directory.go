package lease

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"github.com/stint-dev/stint/oidc"
)

// Limits and names of private directories.
const (
	// MaxPrivateBytes bounds one private file.
	MaxPrivateBytes = 1 << 20
	// ownerName is the file that says whose directory it is: the job that it is kept
	// for, or nothing, and then the process that holds its lock.
	ownerName     = ".owner"
	maxOwnerBytes = 256
	// recordName is the file that says which credentials a lease holds, as a [State].
	recordName = "record.json"
)

var (
	directoryName = regexp.MustCompile(`^stint-lease-[0-9a-f]{32}$`)
	privateName   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
)

// writeFile is replaced by tests that have no room on the disk.
var writeFile = func(f *os.File, content string) error { _, err := f.WriteString(content); return err }

// A Directory holds the private files of a hand-over: only this user may enter it,
// its name cannot be foreseen, and nothing in it is reached through a link. It is not
// safe for concurrent use.
type Directory struct {
	path string
	root *os.Root
	lock *os.File // held while the process lives, when it is kept for no job
}

// NewDirectory makes a directory below temp, "" being the system's own temporary
// directory. job names the job that it is kept for after this process ended, in the
// words of [Sweep]; "" keeps it for this process only.
func NewDirectory(temp, job string) (*Directory, error) {
	parent, err := tempDirectory(temp)
	if err != nil {
		return nil, err
	}
	var name [16]byte
	if _, err := rand.Read(name[:]); err != nil {
		return nil, noDirectory(parent, err)
	}
	d := &Directory{path: filepath.Join(parent, "stint-lease-"+hex.EncodeToString(name[:]))}
	if err := os.Mkdir(d.path, 0o700); err != nil {
		return nil, noDirectory(parent, err)
	}
	if err := d.open(job); err != nil {
		_ = d.Remove()
		return nil, noDirectory(parent, err)
	}
	return d, nil
}

// tempDirectory is the place of private directories, without a link in its path, so
// that it compares with what a state says.
func tempDirectory(temp string) (string, error) {
	if temp == "" {
		temp = os.TempDir()
	}
	abs, err := filepath.Abs(temp)
	if err == nil {
		abs, err = filepath.EvalSymlinks(abs)
	}
	if err != nil {
		return "", noDirectory(temp, err)
	}
	return abs, nil
}

func noDirectory(parent string, err error) *oidc.Error {
	return &oidc.Error{Stage: oidc.StageHandOver, Message: fmt.Sprintf("no private directory can be made below %q", parent),
		Hint: "make room there, or name another place in RUNNER_TEMP or TMPDIR; nothing was handed over", Err: err}
}

// open takes hold of the directory and marks whose it is.
func (d *Directory) open(job string) error {
	var err error
	if d.root, err = os.OpenRoot(d.path); err != nil {
		return err
	}
	f, err := d.root.OpenFile(ownerName, os.O_RDWR|os.O_CREATE|os.O_EXCL|noFollow, 0o600)
	if err != nil {
		return err
	}
	if job == "" {
		d.lock = f
		return takeLock(f)
	}
	return errors.Join(writeFile(f, job), f.Close())
}

// Path is the directory's absolute path.
func (d *Directory) Path() string { return d.path }

// Put writes a file, in place of the one of that name if there is one: whoever reads
// it meanwhile has the old or the new one, whole. It returns the absolute path.
func (d *Directory) Put(name string, content oidc.Secret) (string, error) {
	text := content.Reveal()
	if !privateName.MatchString(name) || len(text) > MaxPrivateBytes {
		return "", d.notWritten(name, nil)
	}
	const draft = ".draft"
	_ = d.root.Remove(draft) // of an attempt that failed
	f, err := d.root.OpenFile(draft, os.O_WRONLY|os.O_CREATE|os.O_EXCL|noFollow, 0o600)
	if err != nil {
		return "", d.notWritten(name, err)
	}
	if err := errors.Join(writeFile(f, text), f.Close()); err != nil {
		_ = d.root.Remove(draft)
		return "", d.notWritten(name, err)
	}
	if err := d.root.Rename(draft, name); err != nil {
		_ = d.root.Remove(draft)
		return "", d.notWritten(name, err)
	}
	return filepath.Join(d.path, name), nil
}

func (d *Directory) notWritten(name string, err error) *oidc.Error {
	return &oidc.Error{Stage: oidc.StageHandOver, Message: fmt.Sprintf("the private file %.64q could not be written below %q", name, filepath.Dir(d.path)),
		Hint: "make room there, or name another place in RUNNER_TEMP or TMPDIR", Err: err}
}

// Empty removes the private files and leaves the record of what is open, for the
// [Sweep] after a process that is killed before it has ended that.
func (d *Directory) Empty() error { return emptyDirectory(d.root) }

func emptyDirectory(root *os.Root) error {
	entries, err := fs.ReadDir(root.FS(), ".")
	for _, e := range entries {
		if name := e.Name(); name != ownerName && name != recordName {
			err = errors.Join(err, root.RemoveAll(name))
		}
	}
	return err
}

// Remove removes the directory and all in it. It is idempotent.
func (d *Directory) Remove() error {
	if d.root != nil {
		_ = d.root.Close()
	}
	if d.lock != nil {
		_ = d.lock.Close()
	}
	return removeDirectory(filepath.Dir(d.path), filepath.Base(d.path))
}

// Leave lets go of the directory, which is kept for the job.
func (d *Directory) Leave() { _ = d.root.Close() }

// removeDirectory removes a directory by its name below parent, through no link.
func removeDirectory(parent, name string) error {
	root, err := os.OpenRoot(parent)
	if err == nil {
		err = root.RemoveAll(name)
		_ = root.Close()
	}
	return notRemoved(parent, name, err)
}

// notRemoved is the error of files that stay, nil when there is none.
func notRemoved(parent, name string, err error) error {
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return &oidc.Error{Stage: oidc.StageEnd, Message: fmt.Sprintf("the private files in %q could not be removed", filepath.Join(parent, name)),
		Hint: "remove them by hand", Err: err}
}

// EmptyListed does for the directory that a state lists what [Directory.Empty] does, and
// RemoveListed removes it. The path comes from outside: anything but one of our names
// directly below temp is refused. A directory that is gone is no error.
func (s State) EmptyListed(temp string) error {
	parent, name, err := s.listed(temp)
	if err != nil || name == "" {
		return err
	}
	above, err := os.OpenRoot(parent)
	if err != nil {
		return notRemoved(parent, name, err)
	}
	defer above.Close()
	root, err := above.OpenRoot(name)
	if err == nil {
		err = errors.Join(emptyDirectory(root), root.Close())
	}
	return notRemoved(parent, name, err)
}

// RemoveListed removes the directory that a state lists; see [State.EmptyListed].
func (s State) RemoveListed(temp string) error {
	parent, name, err := s.listed(temp)
	if err != nil || name == "" {
		return err
	}
	return removeDirectory(parent, name)
}

// listed returns where the directory of a state is, "" when it lists none.
func (s State) listed(temp string) (parent, name string, err error) {
	if s.Dir == "" {
		return "", "", nil
	}
	if parent, err = tempDirectory(temp); err != nil {
		return "", "", err
	}
	name = filepath.Base(s.Dir)
	if !directoryName.MatchString(name) || s.Dir != filepath.Join(parent, name) {
		return "", "", stateError("it lists a directory that is not one of stint's in %q", parent)
	}
	return parent, name, nil
}
