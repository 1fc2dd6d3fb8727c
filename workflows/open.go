package workflows

import (
	"context"
	"io"
	"iter"
	"os"
	"path/filepath"
)

// Open returns the repositories at paths, in the order of the paths; several
// paths into one repository are read as one.
//
//   - A directory that is a repository, or holds some, yields these, sorted. A
//     directory is a repository when it has .git, or when it has
//     .github/workflows and lies in no other repository. A checkout inside a
//     repository is one of its own.
//   - A directory inside a repository yields that repository, with the files
//     below the directory as the asked ones. A directory of no repository is
//     read as if it were one.
//   - A file yields the repository around it with that file as the asked one, so
//     that the local actions and workflows it uses can be followed.
//   - An action below a directory called testdata is an example and not the
//     repository's own, unless a file that is read uses it or it is asked for.
//   - "-" is one file, a workflow or an action, read from stdin.
//
// Nothing outside a repository's directory is read, whatever links point to.
func Open(paths []string, stdin io.Reader) Source {
	return &localSource{paths: paths, stdin: stdin}
}

type localSource struct {
	paths []string
	stdin io.Reader
}

// Repositories implements [Source].
func (s *localSource) Repositories(ctx context.Context) iter.Seq2[*Repository, error] {
	return func(yield func(*Repository, error) bool) {
		for _, p := range s.plan(ctx) {
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			if !yield(p.read(ctx)) {
				return
			}
		}
	}
}

// A planned is one thing that a source will yield.
type planned struct {
	checkout *checkout
	stdin    io.Reader
	err      error
}

func (p planned) read(ctx context.Context) (*Repository, error) {
	switch {
	case p.err != nil:
		return nil, p.err
	case p.stdin != nil:
		return readStdin(p.stdin)
	}
	return p.checkout.read(ctx)
}

// plan resolves the paths. Those of one repository are joined: checks across
// files need them all, and a hook that passes ten files means one run.
func (s *localSource) plan(ctx context.Context) []planned {
	var plan []planned
	byRoot := map[string]*checkout{}
	for _, path := range s.paths {
		if path == "-" {
			plan = append(plan, planned{stdin: s.stdin})
			continue
		}
		found, err := resolve(ctx, path)
		if err != nil {
			plan = append(plan, planned{err: err})
		}
		for _, c := range found {
			key := absolute(c.root)
			if known := byRoot[key]; known != nil {
				known.join(c)
				continue
			}
			byRoot[key] = c
			plan = append(plan, planned{checkout: c})
		}
	}
	return plan
}

// resolve finds the repositories that one path means.
func resolve(ctx context.Context, path string) ([]*checkout, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, &OpenError{Path: path, Reason: reason(err),
			Hint: "give a directory, a workflow or action file, or - for standard input"}
	}
	if info.IsDir() {
		found, err := discover(ctx, path)
		if err != nil || len(found) > 1 || found[0].repository {
			return found, err
		}
		if root, ok := rootAbove(path); ok {
			return discoverPart(ctx, root, path)
		}
		return found, nil
	}
	dir := filepath.Dir(path)
	if root, ok := rootAbove(dir); ok {
		return discoverPart(ctx, root, path)
	}
	// A loose file: its directory is no repository and is not searched.
	return []*checkout{{root: dir, asked: []string{filepath.Base(path)}}}, nil
}

// discoverPart finds the repository at root and asks for path in it.
func discoverPart(ctx context.Context, root, path string) ([]*checkout, error) {
	found, err := discover(ctx, root)
	if err != nil {
		return nil, err
	}
	found[0].asked = []string{relative(root, path)}
	return found[:1], nil
}

// rootAbove returns the nearest directory, dir itself included, that is the root
// of a repository, named from where the user stands.
func rootAbove(dir string) (string, bool) {
	up := filepath.Clean(dir)
	for abs := absolute(up); ; abs = filepath.Dir(abs) {
		if exists(filepath.Join(up, ".git")) || exists(filepath.Join(up, ".github", "workflows")) {
			return up, true
		}
		if abs == filepath.Dir(abs) {
			return "", false
		}
		if base := filepath.Base(up); base == "." || base == ".." {
			up = filepath.Join(up, "..")
		} else {
			up = filepath.Dir(up)
		}
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// relative names path from root with forward slashes.
func relative(root, path string) string {
	rel, err := filepath.Rel(absolute(root), absolute(path))
	if err != nil {
		rel = path
	}
	return filepath.ToSlash(rel)
}

// readStdin reads one file from standard input.
func readStdin(stdin io.Reader) (*Repository, error) {
	source, err := io.ReadAll(io.LimitReader(stdin, MaxFileBytes+1))
	if err != nil {
		return nil, &OpenError{Path: "-", Reason: reason(err), Hint: "give a directory or a file instead"}
	}
	repo := &Repository{Root: stdinName}
	if len(source) > MaxFileBytes {
		repo.Unread = []Unread{{Path: stdinName, Reason: tooLarge}}
		return repo, nil
	}
	repo.Files = []*File{Parse(stdinName, source)}
	return repo, nil
}

// stdinName stands for standard input in messages; Parse judges such a file by
// its content.
const stdinName = "stdin"
