package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/lint/rules"
	"github.com/stint-dev/stint/workflows"
)

// extendsFromUsage describes the flag that names the directory of a library.
const extendsFromUsage = "take what configurations extend from this `directory`, as OWNER/REPO@COMMIT/PATH (the user's cache)"

// readableConfig is the next step when a configuration cannot be read.
var readableConfig = fmt.Sprintf("give a regular file of at most %d KiB that this user may read", lint.MaxConfigBytes>>10)

// A library finds the files that configurations extend: in a directory that holds them as
// OWNER/REPO@COMMIT/PATH, else, online, at the host, from where they go into the directory.
// A commit never changes, so that what lies there is never old.
type library struct {
	dir string // "" for none
	// fetch asks the host; nil offline.
	fetch func(ctx context.Context, owner, repo, path, commit string, most int64) ([]byte, error)
}

// newLibrary returns the library of a run; dir is that of --extends-from.
func newLibrary(w world, dir string, online bool) library {
	l := library{dir: dir}
	if cache, err := os.UserCacheDir(); dir == "" && err == nil {
		l.dir = filepath.Join(cache, "stint", "extends")
	}
	if host, ok := newResolver(w).(fileHost); ok && online {
		l.fetch = fetchFrom(host)
	}
	return l
}

// A fileHost has files, and knows what the history of its repositories holds.
type fileHost interface {
	File(ctx context.Context, owner, repo, path, commit string, most int64) ([]byte, error)
	Contains(ctx context.Context, owner, repo, commit string) (bool, error)
}

// fetchFrom returns a fetch of what a repository itself has: a host gives out the commits
// of forks under the repository's name, too, so that anybody could write what is extended.
// A repository whose history is not public is asked for the file only.
func fetchFrom(host fileHost) func(ctx context.Context, owner, repo, path, commit string, most int64) ([]byte, error) {
	return func(ctx context.Context, owner, repo, path, commit string, most int64) ([]byte, error) {
		own, err := host.Contains(ctx, owner, repo, commit)
		switch {
		case errors.Is(err, workflows.ErrNotFound):
		case err != nil:
			return nil, err
		case !own:
			return nil, fmt.Errorf("no branch or tag of %s/%s has the commit: it may be a fork's", owner, repo)
		}
		return host.File(ctx, owner, repo, path, commit, most)
	}
}

// complete returns a configuration with what it extends. A file that cannot be had is no
// error: the configuration then stands alone, without what it loosens.
func (l library) complete(ctx context.Context, c *lint.Config) (*lint.Config, error) {
	if c.Extends == nil {
		return c, nil
	}
	b, err := l.read(ctx, c.Extends)
	if err != nil {
		return c.Alone(workflows.Printable(err.Error())), nil
	}
	from, err := parseConfig(c.Extends.String(), b)
	if err == nil {
		err = from.CheckRules(rules.All)
	}
	if err == nil {
		c, err = c.Extend(from)
	}
	if err != nil {
		return nil, asUsage(err)
	}
	return c, nil
}

// read returns the bytes of an extended file.
func (l library) read(ctx context.Context, x *lint.Extends) ([]byte, error) {
	name := ""
	if l.dir != "" {
		name = filepath.Join(l.dir, x.Owner, x.Repo+"@"+x.Commit, filepath.FromSlash(x.Path))
		b, err := readBounded(machine{}, name, lint.MaxConfigBytes)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return b, err
		}
	}
	if l.fetch == nil {
		return nil, errors.New("it is not in the directory of --extends-from, and the host was not asked: use --online")
	}
	b, err := l.fetch(ctx, x.Owner, x.Repo, x.Path, x.Commit, lint.MaxConfigBytes)
	if err != nil {
		return nil, err
	}
	if name != "" && os.MkdirAll(filepath.Dir(name), 0o700) == nil {
		keep(name, b)
	}
	return b, nil
}

// keep writes a file of the library whole or not at all. That it cannot be kept only
// means that it is asked for again.
func keep(name string, b []byte) {
	f, err := os.CreateTemp(filepath.Dir(name), ".new-")
	if err != nil {
		return
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if errors.Join(err, f.Close()) == nil {
		_ = os.Rename(f.Name(), name)
	}
}

// readConfig reads lint's part of the file at path with what it extends; shown is how
// messages name it.
func (l library) readConfig(ctx context.Context, path, shown string) (*lint.Config, error) {
	b, err := readBounded(machine{}, path, lint.MaxConfigBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		return nil, &failure{exitUsage, fmt.Sprintf("the configuration %q cannot be read: %s", path, reason(err)),
			readableConfig}
	}
	config, err := parseConfig(shown, b)
	if err != nil {
		return nil, err
	}
	if err := config.CheckRules(rules.All); err != nil {
		return nil, asUsage(err)
	}
	return l.complete(ctx, config)
}
