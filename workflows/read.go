package workflows

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
)

var tooLarge = fmt.Sprintf("larger than %d bytes, the most that is read", MaxFileBytes)

// read reads and parses the files of c, several at a time.
func (c *checkout) read(ctx context.Context) (*Repository, error) {
	root, err := os.OpenRoot(c.root)
	if err != nil {
		return nil, &OpenError{Path: c.root, Reason: reason(err), Hint: "check its permissions"}
	}
	defer root.Close()
	repo := &Repository{Root: c.root, Unread: c.unread}
	repo.Host, repo.Name = nameOf(root)
	for batch := c.addLoose(root); len(batch) > 0; {
		var files []*File
		for _, r := range readAll(ctx, root, batch) {
			if r.file != nil {
				files = append(files, r.file)
			} else {
				repo.Unread = append(repo.Unread, Unread{Path: r.path, Reason: r.reason})
			}
		}
		repo.Files = append(repo.Files, files...)
		batch = c.takeSamples(files)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	slices.SortFunc(repo.Files, func(a, b *File) int { return strings.Compare(a.Path, b.Path) })
	slices.SortStableFunc(repo.Unread, func(a, b Unread) int { return strings.Compare(a.Path, b.Path) })
	if c.asked != nil {
		c.narrow(repo)
	}
	return repo, nil
}

// addLoose returns the files to read with those that were asked for by name and
// that GitHub would not look for where they are, and with the samples below a
// directory that was asked for.
func (c *checkout) addLoose(root *os.Root) []string {
	paths := slices.Clone(c.files)
	c.samples = slices.DeleteFunc(c.samples, func(p string) bool {
		asked := slices.ContainsFunc(c.asked, func(dir string) bool {
			return p == dir || isSample(dir+"/") && strings.HasPrefix(p, dir+"/")
		})
		if asked {
			paths = append(paths, p)
		}
		return asked
	})
	for _, p := range c.asked {
		if info, err := root.Stat(p); err == nil && info.IsDir() || slices.Contains(paths, p) {
			continue
		}
		paths = append(paths, p)
	}
	return paths
}

// takeSamples returns the samples that the files use and that were not read yet.
func (c *checkout) takeSamples(files []*File) []string {
	if len(c.samples) == 0 {
		return nil
	}
	used := map[string]bool{}
	for _, f := range files {
		for _, s := range f.steps() {
			if u := s.Uses; u != nil && (u.Kind == UsesLocal || u.Kind == UsesSelf) {
				used[u.Path] = true
			}
		}
	}
	var taken []string
	c.samples = slices.DeleteFunc(c.samples, func(p string) bool {
		if used[path.Dir(p)] {
			taken = append(taken, p)
		}
		return used[path.Dir(p)]
	})
	return taken
}

// steps returns the steps of a workflow's jobs or of an action.
func (f *File) steps() []*Step {
	var out []*Step
	if f.Workflow != nil {
		for _, j := range f.Workflow.Jobs {
			out = append(out, j.AllSteps()...)
		}
	}
	if f.Action != nil {
		out = append(out, f.Action.AllSteps()...)
	}
	return out
}

// narrow sets what of repo was asked for.
func (c *checkout) narrow(repo *Repository) {
	wanted := func(p string) bool {
		return slices.ContainsFunc(c.asked, func(asked string) bool {
			return asked == p || asked == "." || strings.HasPrefix(p, asked+"/")
		})
	}
	repo.Only = []string{}
	for _, f := range repo.Files {
		if wanted(f.Path) {
			repo.Only = append(repo.Only, f.Path)
		}
	}
	repo.Unread = slices.DeleteFunc(repo.Unread, func(u Unread) bool { return !wanted(u.Path) })
}

// A reading is a parsed file, or the reason why there is none.
type reading struct {
	path, reason string
	file         *File
}

// readAll reads the files at paths, as many at a time as there are processors.
// The results are in the order of paths.
func readAll(ctx context.Context, root *os.Root, paths []string) []reading {
	results := make([]reading, len(paths))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(paths)) {
		workers.Go(func() {
			for i := range next {
				results[i] = readFile(root, paths[i])
			}
		})
	}
	for i := range paths {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	workers.Wait()
	return results
}

func readFile(root *os.Root, p string) reading {
	source, why := readSource(root, p)
	if why != "" {
		return reading{path: p, reason: why}
	}
	return reading{path: p, file: Parse(p, source)}
}

// readSource reads a regular file of at most MaxFileBytes, or says why not. The
// kind is looked at before the file is opened: opening a named pipe would wait
// for a writer that never comes.
func readSource(root *os.Root, p string) (source []byte, why string) {
	info, err := root.Stat(p)
	switch {
	case err != nil:
		return nil, reason(err)
	case !info.Mode().IsRegular():
		return nil, "not a file but " + describeMode(info.Mode())
	case info.Size() > MaxFileBytes:
		return nil, fmt.Sprintf("%s; it has %d", tooLarge, info.Size())
	}
	f, err := root.Open(p)
	if err != nil {
		return nil, reason(err)
	}
	defer f.Close()
	source, err = io.ReadAll(io.LimitReader(f, MaxFileBytes+1))
	switch {
	case err != nil:
		return nil, reason(err)
	case len(source) > MaxFileBytes: // it grew since
		return nil, tooLarge
	}
	return source, ""
}

func describeMode(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a directory"
	case m&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "something else"
}
