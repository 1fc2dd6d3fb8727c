package githubtest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// maxCheckoutFile is the largest file of a checkout that is served.
const maxCheckoutFile = 8 << 20

// Checkouts makes an organization of the directories in dir, each a repository with its
// files on disk, which are read when they are asked for; .git is left out.
func Checkouts(name, dir string) (*Organization, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	org := &Organization{Name: name, Settings: settingsOf()}
	for i, e := range entries {
		if !e.IsDir() {
			continue
		}
		r := &Repository{ID: int64(1000 + i), Name: e.Name(), Visibility: "public", Branch: "main", Head: sum("head " + e.Name()),
			Pushed: start.Add(-time.Duration(i+1) * time.Hour), Files: map[string]*File{}, Settings: map[string]any{}}
		r.NodeID = nodeID(r.ID)
		if err := r.load(filepath.Join(dir, e.Name())); err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name(), err)
		}
		org.Repositories = append(org.Repositories, r)
	}
	return org, nil
}

func (r *Repository) load(dir string) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(filepath.ToSlash(strings.TrimPrefix(path, dir)), "/")
		switch {
		case e.IsDir() && e.Name() == ".git":
			return filepath.SkipDir
		case e.Type() == fs.ModeSymlink:
			to, err := os.Readlink(path)
			if err != nil {
				return err
			}
			r.Files[name] = Link(to)
		case e.Type().IsRegular():
			if info, err := e.Info(); err != nil || info.Size() > maxCheckoutFile {
				return err
			}
			r.Files[name] = &File{Content: func() []byte { b, _ := os.ReadFile(path); return b }}
		}
		return nil
	})
}
