package migrate

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers"
	"github.com/stint-dev/stint/oidc/trust"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

var update = flag.Bool("update", false, "write the expected parts of the archives anew")

const (
	commit   = "1111111111111111111111111111111111111111"
	afterDir = "after/"
	saidName = "said"
)

// An archive is a repository before a migration, what the files are after it, below
// after/, and what is said. Lines of its comment "key: value" set options.
type archive struct {
	path string
	*txtar.Archive
	opts Options
}

func readArchive(t *testing.T, path string) *archive {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	a := &archive{path: path, Archive: txtar.Parse(b), opts: testOptions()}
	for line := range strings.Lines(string(a.Comment)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		switch {
		case strings.HasPrefix(line, "#") || !ok:
		case key == "value":
			name, text, _ := strings.Cut(value, "=")
			a.opts.Values[name] = text
		case key == "repository":
			a.opts.Repository = trust.Repository{Name: value}
		default:
			t.Fatalf("%s: no setting %q", path, key)
		}
	}
	if b := a.file(grant.Path); b != nil {
		a.opts.Grants = b
	}
	return a
}

func testOptions() Options {
	return Options{
		Ref: commit, Version: "v1.0.0", Owner: "@acme", Today: "2026-11-22",
		Repository: trust.Repository{Name: "acme/site", OwnerID: "1001", ID: "2001"},
		Values:     map[string]string{}, Providers: providers.Names(), Lock: providers.LockOf,
		Check: func(g *grant.Grant) error {
			_, err := providers.New(g, providers.Options{})
			return err
		},
	}
}

func (a *archive) file(name string) []byte {
	if i := slices.IndexFunc(a.Files, func(f txtar.File) bool { return f.Name == name }); i >= 0 {
		return a.Files[i].Data
	}
	return nil
}

// graph builds the graph of what is there before.
func (a *archive) graph() *reach.Graph {
	repo := &workflows.Repository{Root: ".", Name: a.opts.Repository.Name}
	for _, f := range a.Files {
		if strings.HasPrefix(f.Name, ".github/workflows/") || strings.HasSuffix(f.Name, "action.yml") && !strings.HasPrefix(f.Name, afterDir) {
			repo.Files = append(repo.Files, workflows.Parse(f.Name, f.Data))
		}
	}
	slices.SortFunc(repo.Files, func(a, b *workflows.File) int { return strings.Compare(a.Path, b.Path) })
	return reach.Build(repo)
}

// compare holds changes and text against the archive, or writes it anew.
func (a *archive) compare(t *testing.T, changes []*Change, said string) {
	t.Helper()
	want := slices.DeleteFunc(slices.Clone(a.Files), func(f txtar.File) bool { return !strings.HasPrefix(f.Name, afterDir) && f.Name != saidName })
	var got []txtar.File
	for _, c := range changes {
		got = append(got, txtar.File{Name: afterDir + c.Path, Data: c.After})
	}
	got = append(got, txtar.File{Name: saidName, Data: []byte(said)})
	if *update {
		a.Files = append(slices.DeleteFunc(a.Files, func(f txtar.File) bool { return strings.HasPrefix(f.Name, afterDir) || f.Name == saidName }), got...)
		if err := os.WriteFile(a.path, txtar.Format(a.Archive), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if a, b := txtar.Format(&txtar.Archive{Files: got}), txtar.Format(&txtar.Archive{Files: want}); !bytes.Equal(a, b) {
		t.Errorf("got\n%s\nwant\n%s", a, b)
	}
}

// said prints notes as the archives have them.
func said(p *Plan) string {
	var b strings.Builder
	fmt.Fprintf(&b, "moved %d, grants %s\n", p.Moved, strings.Join(p.Grants, " "))
	for _, n := range p.Notes {
		fmt.Fprintf(&b, "%s:%d %s: %s: %s", n.Path, n.Line, n.Kind, n.About, n.Text)
		if n.Next != "" {
			b.WriteString(" -> " + n.Next)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestActions(t *testing.T) {
	paths, _ := filepath.Glob("testdata/action/*.txtar")
	if len(paths) < 5 {
		t.Fatalf("only %d archives", len(paths))
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			a := readArchive(t, path)
			plan, err := Actions(a.graph(), a.opts)
			if err != nil {
				a.compare(t, nil, "error: "+err.Error()+"\n")
				return
			}
			a.compare(t, plan.Changes, said(plan))
			for _, c := range plan.Changes {
				checkChange(t, c)
			}
		})
	}
}

// checkChange holds a change against what holds for all of them: it reads well.
func checkChange(t *testing.T, c *Change) {
	t.Helper()
	if c.Path == grant.Path {
		if _, err := grant.Parse(c.Path, c.After, grant.Options{Providers: providers.Names()}); err != nil {
			t.Error(err)
		}
		if _, err := lint.ParseConfig(c.Path, c.After); err != nil {
			t.Error(err)
		}
		return
	}
	if f := workflows.Parse(c.Path, c.After); len(f.Problems) > 0 {
		t.Errorf("%s: %v", c.Path, f.Problems)
	}
}
