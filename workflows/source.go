package workflows

import (
	"context"
	"iter"
)

// A Repository is what was read of one repository.
type Repository struct {
	// Root is the directory as the user would name it, or a name for stdin and
	// remote sources. It is for messages; files are named relative to it.
	Root string
	// Name is owner/repo when it is known, else "". Rules use it to tell the
	// owner's own actions from foreign ones.
	Name string
	// Files are sorted by path.
	Files []*File
	// Unread lists what should have been read and was not.
	Unread []Unread
}

// An Unread is a file or directory that could not be read at all.
// Reason is one lower-case line.
type Unread struct {
	Path   string
	Reason string
}

// File returns the file at path, or nil.
func (r *Repository) File(path string) *File { return r.file(path) }

// Action returns the action file in directory dir ("" is the root), or nil.
func (r *Repository) Action(dir string) *File { return r.action(dir) }

// Lock returns the repository's actions.lock, or nil.
func (r *Repository) Lock() *Lock { return r.lock() }

// A Source yields repositories in a fixed order. An error ends nothing: it names
// what could not be opened at all and the iteration goes on.
type Source interface {
	Repositories(ctx context.Context) iter.Seq2[*Repository, error]
}
