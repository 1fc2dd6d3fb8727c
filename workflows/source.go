package workflows

import (
	"context"
	"fmt"
	"iter"
	"path"
	"slices"
	"strings"
)

// A Repository is what was read of one repository.
type Repository struct {
	// Root is the directory as the user would name it, or a name for stdin and
	// remote sources. It is for messages; files are named relative to it.
	Root string
	// Name is owner/repo when it is known, else "". Rules use it to tell the
	// owner's own actions from foreign ones.
	Name string
	// Host is the server of Name in lower case, "github.com" with its port where the
	// remote has one, "" when it is not known.
	Host string
	// Files are sorted by path.
	Files []*File
	// Unread lists what should have been read and was not.
	Unread []Unread
	// Only lists the paths that were asked for, sorted; nil means all. The other
	// files were read because what was asked for may refer to them.
	Only []string
}

// Asked reports whether findings in the file at path are wanted.
func (r *Repository) Asked(path string) bool {
	if r.Only == nil {
		return true
	}
	_, ok := slices.BinarySearch(r.Only, path)
	return ok
}

// An Unread is a file or directory that could not be read at all.
// Reason is one lower-case line.
type Unread struct {
	Path   string
	Reason string
}

// File returns the file at path, or nil.
func (r *Repository) File(path string) *File {
	i, ok := slices.BinarySearchFunc(r.Files, path, func(f *File, path string) int {
		return strings.Compare(f.Path, path)
	})
	if !ok {
		return nil
	}
	return r.Files[i]
}

// Action returns the action file in directory dir ("" is the root), or nil.
// GitHub prefers action.yml to action.yaml where both exist.
func (r *Repository) Action(dir string) *File {
	for _, name := range []string{"action.yml", "action.yaml"} {
		if f := r.File(path.Join(dir, name)); f != nil {
			return f
		}
	}
	return nil
}

// Lock returns the repository's actions.lock, or nil.
func (r *Repository) Lock() *Lock {
	if f := r.File(lockPath); f != nil {
		return f.Lock
	}
	return nil
}

// An OpenError is a path that could not be opened at all: what is wrong, and what
// to do next.
type OpenError struct {
	Path string
	// Reason and Hint are one lower-case line each.
	Reason, Hint string
}

// Error returns the first line.
func (e *OpenError) Error() string { return fmt.Sprintf("cannot read %q: %s", e.Path, e.Reason) }

// NextStep returns the second line.
func (e *OpenError) NextStep() string { return e.Hint }

// A Source yields repositories in a fixed order. An error ends nothing: it names
// what could not be opened at all, as an [*OpenError] where the source is local,
// and the iteration goes on; the repository is nil then.
type Source interface {
	Repositories(ctx context.Context) iter.Seq2[*Repository, error]
}

// NameFold returns Name in lower case, as [Uses.Name] writes names.
func (r *Repository) NameFold() string { return strings.ToLower(r.Name) }
