package workflows

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// A checkout is a repository on disk before its files are read.
type checkout struct {
	root string
	// repository is set when root has .git or .github/workflows.
	repository bool
	// files are the files to read, relative to root, sorted.
	files []string
	// samples are the actions below a testdata directory, which are read only when
	// they are asked for or used.
	samples []string
	unread  []Unread
	// full is set when there were more files than are read.
	full bool
	// asked are the files and directories wanted; nil means all.
	asked []string
}

// join adds what another path asked of the same repository.
func (c *checkout) join(other *checkout) {
	if c.asked == nil || other.asked == nil {
		c.asked = nil
		return
	}
	c.asked = append(c.asked, other.asked...)
}

// discover finds dir's files and the repositories below it in one walk. The
// first result is dir itself, unless it is no repository and has nothing to read
// while others below it do.
func discover(ctx context.Context, dir string) ([]*checkout, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, &OpenError{Path: dir, Reason: reason(err), Hint: "check its permissions"}
	}
	defer root.Close()
	d := &discovery{ctx: ctx, fsys: root.FS(), dir: dir}
	d.walk(".", nil, 0)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	first := d.found[0]
	if len(d.found) > 1 && !first.repository && len(first.files)+len(first.unread) == 0 {
		return d.found[1:], nil
	}
	return d.found, nil
}

// A discovery is one walk through a directory.
type discovery struct {
	ctx   context.Context
	fsys  fs.FS
	dir   string
	found []*checkout
}

// An owner is the repository that a directory belongs to; path is its place.
type owner struct {
	*checkout
	path string
}

// relative names a path of the walk from the repository's root.
func (o *owner) relative(p string) string {
	if o.path == "." {
		return p
	}
	return strings.TrimPrefix(strings.TrimPrefix(p, o.path), "/")
}

// walk visits a directory. Links to directories are not followed, so that there
// are no loops, except for those two that GitHub's files may lie behind.
func (d *discovery) walk(dir string, of *owner, depth int) {
	if d.ctx.Err() != nil {
		return
	}
	entries, err := fs.ReadDir(d.fsys, dir)
	of = d.ownerOf(dir, of, entries)
	if err != nil {
		of.miss(dir, reason(err))
	}
	if depth == MaxDirDepth {
		of.miss(dir, fmt.Sprintf("directories more than %d deep are not searched", MaxDirDepth))
		return
	}
	for _, e := range entries {
		name := e.Name()
		p := path.Join(dir, name)
		if KindOf(of.relative(p)) != KindUnknown {
			of.add(p)
		}
		switch {
		case name == ".git" || name == "node_modules":
		case e.IsDir(), e.Type() == fs.ModeSymlink && isGitHubDir(of.relative(p)):
			d.walk(p, of, depth+1)
		}
	}
}

func isGitHubDir(p string) bool { return p == ".github" || p == ".github/workflows" }

// ownerOf returns the repository of a directory, which is a new one when the
// directory is the root of one. Inside a repository only a .git starts another:
// the .github of a template or of test data is nothing that GitHub reads.
func (d *discovery) ownerOf(dir string, of *owner, entries []fs.DirEntry) *owner {
	git, workflows := false, false
	for _, e := range entries {
		switch e.Name() {
		case ".git":
			git = true
		case ".github":
			_, err := fs.Lstat(d.fsys, path.Join(dir, ".github/workflows"))
			workflows = err == nil
		}
	}
	if of != nil && !git && (of.repository || !workflows) {
		return of
	}
	c := &checkout{root: filepath.Join(d.dir, filepath.FromSlash(dir)), repository: git || workflows}
	d.found = append(d.found, c)
	return &owner{checkout: c, path: dir}
}

// isSample reports whether a path lies below a directory called testdata, which
// is where tests of many languages keep examples, Go's by definition.
func isSample(p string) bool { return slices.Contains(strings.Split(path.Dir(p), "/"), "testdata") }

func (o *owner) add(p string) {
	switch {
	case len(o.files)+len(o.samples) < MaxFiles && isSample(o.relative(p)):
		o.samples = append(o.samples, o.relative(p))
	case len(o.files)+len(o.samples) < MaxFiles:
		o.files = append(o.files, o.relative(p))
	case !o.full:
		o.full = true
		o.miss(p, fmt.Sprintf("there are more than %d files; this and later ones are not read", MaxFiles))
	}
}

func (o *owner) miss(p, why string) {
	o.unread = append(o.unread, Unread{Path: o.relative(p), Reason: why})
}

// reason returns what an error of the file system says, without the path, as one
// lower-case line.
func reason(err error) string {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "no such file or directory"
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	case strings.Contains(err.Error(), "escapes"):
		// Package os has no exported error for it.
		return "a link out of the repository, which is not followed"
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
