package workflows

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

const smallWorkflow = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: a\n"

// tree writes files below a new directory. A path that ends in a slash is a
// directory, a text that starts with "-> " a link.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		parent := filepath.Dir(path)
		if strings.HasSuffix(name, "/") {
			parent = path
		}
		if err := os.MkdirAll(parent, 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		target, link := strings.CutPrefix(text, "-> ")
		switch {
		case strings.HasSuffix(name, "/"):
		case link:
			err = os.Symlink(target, path)
		default:
			err = os.WriteFile(path, []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// listing shows what a source yields, a line each, with dir written as D.
func listing(t *testing.T, dir string, source Source) string {
	t.Helper()
	var b strings.Builder
	for repo, err := range source.Repositories(context.Background()) {
		if err != nil {
			var open *OpenError
			if !errors.As(err, &open) || open.NextStep() == "" || strings.Contains(err.Error(), "\n") {
				t.Errorf("not an error of two lines: %v", err)
			}
			fmt.Fprintf(&b, "error %s: %s\n", open.Path, open.Reason)
			continue
		}
		fmt.Fprintf(&b, "%s %s\n", repo.Root, repo.Name)
		for _, f := range repo.Files {
			asked := ""
			if repo.Only != nil && repo.Asked(f.Path) {
				asked = " asked"
			}
			fmt.Fprintf(&b, "  %s%s\n", f.Path, asked)
		}
		for _, u := range repo.Unread {
			fmt.Fprintf(&b, "  unread %s: %s\n", u.Path, u.Reason)
		}
	}
	return strings.ReplaceAll(filepath.ToSlash(b.String()), filepath.ToSlash(dir), "D")
}

func expect(t *testing.T, got string, want ...string) {
	t.Helper()
	if text := strings.Join(want, "\n") + "\n"; got != text {
		t.Errorf("got\n%swant\n%s", got, text)
	}
}

const gitConfig = "[core]\n\tbare = false\n[remote \"fork\"]\n\turl = https://github.com/else/x\n[remote \"origin\"]\n\turl = https://x:canary@github.com/Acme/Site.git\n"

func TestOpenRepository(t *testing.T) {
	dir := tree(t, map[string]string{
		".git/config":                             gitConfig,
		".git/action.yml":                         "name: no",
		".github/workflows/b.yml":                 smallWorkflow,
		".github/workflows/a.yaml":                smallWorkflow,
		".github/workflows/.hidden.yml":           smallWorkflow,
		".github/workflows/notes.txt":             "no",
		".github/workflows/deep/c.yml":            smallWorkflow,
		".github/workflows/actions.lock":          lockFile,
		".github/dependabot.yml":                  "version: 2\n",
		".github/actions/setup/action.yaml":       "runs: {using: composite, steps: []}\n",
		".github/actions/setup/action.yml":        "runs: {using: composite, steps: []}\n",
		"action.yml":                              "runs: {using: node24, main: a.js}\n",
		"node_modules/x/action.yml":               "name: no",
		"templates/new/.github/workflows/x.yml":   smallWorkflow,
		"templates/new/action.yml":                "runs: {using: node24, main: a.js}\n",
		"vendor/checkout/.git":                    "gitdir: ../../.git/modules/x\n",
		"vendor/checkout/.github/workflows/v.yml": smallWorkflow,
		"vendor/checkout/action.yml":              "runs: {using: node24, main: a.js}\n",
	})
	own := []string{"D Acme/Site", "  .github/actions/setup/action.yaml", "  .github/actions/setup/action.yml", "  .github/dependabot.yml",
		"  .github/workflows/.hidden.yml", "  .github/workflows/a.yaml", "  .github/workflows/actions.lock", "  .github/workflows/b.yml",
		"  action.yml", "  templates/new/action.yml"}
	nested := []string{"D/vendor/checkout ", "  .github/workflows/v.yml", "  action.yml"}
	got := listing(t, dir, Open([]string{dir}, nil))
	expect(t, got, append(slices.Clone(own), nested...)...)
	if strings.Contains(got, "canary") {
		t.Error("a password of a remote is shown")
	}

	asked := slices.Clone(own)
	for i, line := range asked {
		if strings.HasPrefix(line, "  .github/actions/") || line == "  .github/workflows/b.yml" {
			asked[i] = line + " asked"
		}
	}
	paths := []string{filepath.Join(dir, ".github", "workflows", "b.yml"), filepath.Join(dir, ".github", "actions")}
	expect(t, listing(t, dir, Open(paths, nil)), asked...)

	// The whole of it is asked for when one path is its root.
	expect(t, listing(t, dir, Open(append(paths, dir), nil)), append(slices.Clone(own), nested...)...)

	for repo := range Open([]string{dir}, nil).Repositories(context.Background()) {
		if repo.Name != "" {
			if repo.Lock() == nil || repo.File("action.yml") == nil || repo.File("absent.yml") != nil || !repo.Asked("action.yml") {
				t.Error("files are not found by their path")
			}
			if f := repo.Action(".github/actions/setup"); f == nil || filepath.Base(f.Path) != "action.yml" {
				t.Error("action.yml does not come before action.yaml")
			}
			if repo.Action("") != repo.File("action.yml") || repo.Action("vendor/checkout") != nil {
				t.Error("actions are not found by their directory")
			}
		}
	}
}

func TestOpenSeveralRepositories(t *testing.T) {
	dir := tree(t, map[string]string{
		"b/.github/workflows/ci.yml":     smallWorkflow,
		"a/.github/workflows/ci.yml":     smallWorkflow,
		"a/sub/.github/workflows/no.yml": smallWorkflow,
		"c/deep/er/.git/HEAD":            "ref: x\n",
		"c/deep/er/action.yml":           "runs: {using: node24, main: a.js}\n",
		"c/readme":                       "",
	})
	want := []string{"D/a ", "  .github/workflows/ci.yml", "D/b ", "  .github/workflows/ci.yml", "D/c/deep/er ", "  action.yml"}
	expect(t, listing(t, dir, Open([]string{dir}, nil)), want...)

	// The order of the paths is the order of the results, each once.
	expect(t, listing(t, dir, Open([]string{filepath.Join(dir, "b"), dir}, nil)),
		"D/b ", "  .github/workflows/ci.yml", "D/a ", "  .github/workflows/ci.yml", "D/c/deep/er ", "  action.yml")
}

func TestOpenLooseFiles(t *testing.T) {
	dir := tree(t, map[string]string{
		"ci.yml":     smallWorkflow,
		"tool.yml":   "runs: {using: composite, steps: []}\n",
		"other.yml":  smallWorkflow,
		"none/x.txt": "",
	})
	got := listing(t, dir, Open([]string{filepath.Join(dir, "ci.yml"), filepath.Join(dir, "tool.yml")}, nil))
	expect(t, got, "D ", "  ci.yml asked", "  tool.yml asked")
	for repo := range Open([]string{filepath.Join(dir, "ci.yml"), filepath.Join(dir, "tool.yml")}, nil).Repositories(context.Background()) {
		if repo.Files[0].Workflow == nil || repo.Files[1].Action == nil {
			t.Error("files without a place are not judged by their content")
		}
	}
	expect(t, listing(t, dir, Open([]string{filepath.Join(dir, "none")}, nil)), "D/none ")
	expect(t, listing(t, dir, Open([]string{filepath.Join(dir, "absent"), dir}, nil)), "error D/absent: no such file or directory", "D ")
}

func TestOpenFromInside(t *testing.T) {
	dir := tree(t, map[string]string{
		".github/workflows/ci.yml": smallWorkflow, "pkg/x/action.yml": "runs: {using: node24, main: a.js}\n", "pkg/y/z": "",
	})
	t.Chdir(filepath.Join(dir, "pkg", "x"))
	expect(t, listing(t, dir, Open([]string{"."}, nil)), "../.. ", "  .github/workflows/ci.yml", "  pkg/x/action.yml asked")
	expect(t, listing(t, dir, Open([]string{"../../.github/workflows/ci.yml"}, nil)), "../.. ", "  .github/workflows/ci.yml asked", "  pkg/x/action.yml")
	t.Chdir(filepath.Join(dir, ".github", "workflows"))
	expect(t, listing(t, dir, Open([]string{"ci.yml"}, nil)), "../.. ", "  .github/workflows/ci.yml asked", "  pkg/x/action.yml")
	t.Chdir(dir)
	expect(t, listing(t, dir, Open([]string{".github/workflows"}, nil)), ". ", "  .github/workflows/ci.yml asked", "  pkg/x/action.yml")
}

// Examples in testdata are no part of a repository until something uses them.
func TestOpenSamples(t *testing.T) {
	uses := func(dir string) string { return strings.Replace(smallWorkflow, "run: a", "uses: ./"+dir, 1) }
	composite := func(dir string) string { return "runs: {using: composite, steps: [{uses: $/" + dir + "}]}\n" }
	dir := tree(t, map[string]string{
		".git/config":                                   gitConfig,
		".github/workflows/a.yml":                       uses("x/testdata/used"),
		"x/testdata/used/action.yml":                    composite("testdata/deep/inner"),
		"testdata/deep/inner/action.yaml":               composite("x/testdata/used"),
		"testdata/unused/action.yml":                    composite("testdata/unused2"),
		"testdata/unused2/action.yml":                   composite("testdata/unused"),
		"mytestdata/action.yml":                         composite("a"),
		"testdata/case/before/.github/workflows/b.yml":  uses("act"),
		"testdata/case/before/act/action.yml":           composite("act"),
		"testdata/case/after/.github/workflows/b.yml":   smallWorkflow,
		"testdata/checkout/.git":                        "gitdir: x\n",
		"testdata/checkout/testdata/unused/action.yml":  composite("a"),
		"testdata/checkout/.github/workflows/other.yml": smallWorkflow,
	})
	own := []string{"D Acme/Site", "  .github/workflows/a.yml", "  mytestdata/action.yml", "  testdata/deep/inner/action.yaml", "  x/testdata/used/action.yml"}
	expect(t, listing(t, dir, Open([]string{dir}, nil)), append(slices.Clone(own), "D/testdata/checkout ", "  .github/workflows/other.yml")...)

	// A sample that is named, by itself or by a directory, is read.
	below := func(p string) string { return filepath.Join(dir, filepath.FromSlash(p)) }
	for _, p := range []string{"testdata/unused", "testdata/unused/action.yml"} {
		expect(t, listing(t, dir, Open([]string{below(p)}, nil)),
			append(slices.Clone(own[:4]), "  testdata/unused/action.yml asked", "  testdata/unused2/action.yml", own[4])...)
	}

	// One that is a repository in itself is read as that.
	expect(t, listing(t, dir, Open([]string{below("testdata/case")}, nil)), "D/testdata/case/after ", "  .github/workflows/b.yml",
		"D/testdata/case/before ", "  .github/workflows/b.yml", "  act/action.yml")
}

func TestOpenBadFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need a privilege on Windows")
	}
	outside := tree(t, map[string]string{"secret.yml": "canary", "workflows/x.yml": smallWorkflow})
	dir := tree(t, map[string]string{
		".github/workflows/dir.yml/":     "",
		".github/workflows/good.yml":     smallWorkflow,
		".github/workflows/inside.yml":   "-> good.yml",
		".github/workflows/loop.yml":     "-> loop.yml",
		".github/workflows/dangling.yml": "-> absent.yml",
		".github/workflows/outside.yml":  "-> " + filepath.Join(outside, "secret.yml"),
		".github/workflows/upwards.yml":  "-> ../../../secret.yml",
		".github/workflows/large.yml":    "# " + strings.Repeat("x", MaxFileBytes),
		".github/workflows/null.yml":     "-> /dev/null",
		"a/action.yml":                   "runs: {using: node24, main: a.js}\n",
		"a/loop":                         "-> ../a",
		"out":                            "-> " + outside,
	})
	makePipe(t, filepath.Join(dir, ".github/workflows/pipe.yml"))
	got := listing(t, dir, Open([]string{dir}, nil))
	expect(t, got, "D ",
		"  .github/workflows/good.yml", "  .github/workflows/inside.yml", "  a/action.yml",
		"  unread .github/workflows/dangling.yml: no such file or directory",
		"  unread .github/workflows/dir.yml: not a file but a directory",
		fmt.Sprintf("  unread .github/workflows/large.yml: larger than 4194304 bytes, the most that is read; it has %d", MaxFileBytes+2),
		"  unread .github/workflows/loop.yml: too many levels of symbolic links",
		"  unread .github/workflows/null.yml: a link out of the repository, which is not followed",
		"  unread .github/workflows/outside.yml: a link out of the repository, which is not followed",
		"  unread .github/workflows/pipe.yml: not a file but a named pipe",
		"  unread .github/workflows/upwards.yml: a link out of the repository, which is not followed")

	// Where the directory itself is a link.
	dir = tree(t, map[string]string{".github/workflows": "-> ../ci", "ci/x.yml": smallWorkflow})
	expect(t, listing(t, dir, Open([]string{dir}, nil)), "D ", "  .github/workflows/x.yml")
	dir = tree(t, map[string]string{".github/workflows": "-> " + filepath.Join(outside, "workflows")})
	expect(t, listing(t, dir, Open([]string{dir}, nil)), "D ", "  unread .github/workflows: a link out of the repository, which is not followed")
}

func TestOpenUnreadable(t *testing.T) {
	if os.Getuid() == 0 || runtime.GOOS == "windows" {
		t.Skip("root reads everything")
	}
	dir := tree(t, map[string]string{".github/workflows/a.yml": smallWorkflow, "closed/action.yml": ""})
	for _, name := range []string{".github/workflows/a.yml", "closed"} {
		if err := os.Chmod(filepath.Join(dir, name), 0); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Chmod(filepath.Join(dir, name), 0o755) })
	}
	expect(t, listing(t, dir, Open([]string{dir}, nil)), "D ", "  unread .github/workflows/a.yml: permission denied", "  unread closed: permission denied")
}

func TestOpenStdin(t *testing.T) {
	for source, kind := range map[string]Kind{smallWorkflow: KindWorkflow, "runs: {using: node24, main: a.js}\n": KindAction} {
		for repo, err := range Open([]string{"-"}, strings.NewReader(source)).Repositories(context.Background()) {
			if err != nil || len(repo.Files) != 1 || repo.Files[0].Kind != kind || !repo.Asked(repo.Files[0].Path) {
				t.Errorf("%+v, %v", repo, err)
			}
		}
	}
	endless := io.MultiReader(strings.NewReader("x"), endlessReader{})
	expect(t, listing(t, "/nowhere", Open([]string{"-"}, endless)), "stdin ", "  unread stdin: larger than 4194304 bytes, the most that is read")
	failing := io.MultiReader(strings.NewReader("x"), failingReader{})
	expect(t, listing(t, "/nowhere", Open([]string{"-"}, failing)), "error -: broken")
}

type endlessReader struct{}

func (endlessReader) Read(p []byte) (int, error) {
	return copy(p, bytes.Repeat([]byte("x"), len(p))), nil
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errors.New("broken\npipe") }

// A file may go between the listing and the reading.
func TestOpenVanishingFile(t *testing.T) {
	dir := tree(t, map[string]string{".github/workflows/a.yml": smallWorkflow, ".github/workflows/b.yml": smallWorkflow})
	found, err := discover(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, ".github/workflows/a.yml")); err != nil {
		t.Fatal(err)
	}
	repo, err := found[0].read(context.Background())
	if err != nil || len(repo.Files) != 1 || len(repo.Unread) != 1 || repo.Unread[0].Reason != "no such file or directory" {
		t.Errorf("%+v, %v", repo, err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := found[0].read(context.Background()); err == nil {
		t.Error("a directory that is gone is read")
	}
}

func TestOpenLimits(t *testing.T) {
	files := map[string]string{".github/workflows/a.yml": smallWorkflow, strings.Repeat("d/", MaxDirDepth-1) + "action.yml": "runs: {}\n",
		strings.Repeat("d/", MaxDirDepth) + "action.yml": "runs: {}\n"}
	dir := tree(t, files)
	got := listing(t, dir, Open([]string{dir}, nil))
	if !strings.Contains(got, "unread "+strings.Repeat("d/", MaxDirDepth-1)+"d: directories more than 100 deep are not searched") ||
		strings.Count(got, "action.yml") != 1 {
		t.Errorf("got\n%s", got)
	}

	o := owner{checkout: &checkout{}, path: "."}
	for i := range MaxFiles + 10 {
		o.add(fmt.Sprintf("%d.yml", i))
	}
	if len(o.files) != MaxFiles || len(o.unread) != 1 || !strings.Contains(o.unread[0].Reason, "more than 20000 files") {
		t.Errorf("%d files, unread %v", len(o.files), o.unread)
	}
}

func TestOpenStops(t *testing.T) {
	dir := tree(t, map[string]string{"a/.github/workflows/a.yml": smallWorkflow, "b/.github/workflows/a.yml": smallWorkflow})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	count := 0
	for repo, err := range Open([]string{dir}, nil).Repositories(ctx) {
		if count++; count == 1 && (repo == nil || err != nil) || count == 2 && !errors.Is(err, context.Canceled) {
			t.Errorf("%d: %+v, %v", count, repo, err)
		}
		cancel()
	}
	if count != 2 {
		t.Errorf("%d results", count)
	}
	for range Open([]string{dir}, nil).Repositories(context.Background()) {
		break
	}
}

func TestNameOfRemote(t *testing.T) {
	for remote, want := range map[string]string{
		"https://github.com/Acme/Site.git": "github.com Acme/Site", "https://GitHub.com/acme/site/": "github.com acme/site",
		"https://t:canary@ghe.example.com/acme/site": "ghe.example.com acme/site", "https://github.com@example.com/acme/site": "example.com acme/site",
		"git@github.com:acme/site.git": "github.com acme/site", "github.com:acme/a.b": "github.com acme/a.b", "x@github.com@example.com:acme/site": "example.com acme/site",
		"ssh://git@github.com/acme/site.git": "github.com acme/site", "ssh://git@github.com:22/acme/site.git": "github.com:22 acme/site",
		// Not in a form that says who is asked.
		"git://github.com/acme/site": " acme/site", "http://github.com/acme/site": " acme/site", "file://github.com/acme/site": " acme/site", "ext::github.com/acme/site": " ",
		"": " ", "/srv/git/site.git": " ", "../site.git": " ", "C:/git/site": " ", "file:///srv/site.git": " ", "https://host/a/b/c": " ", "https://host/a": " ",
		"https://host/a%20b/c": " ", "https://github.com/acme%2fsite": "github.com acme/site", "https://%zz/a/b": " ", "git@host:a b/c": " ", "user@host/x:a/b": " ",
	} {
		host, name := nameOfRemote(remote)
		if got := host + " " + name; got != want {
			t.Errorf("%q is named %q, want %q", remote, got, want)
		}
	}
	if url := originURL("[remote \"origin\"]\n\tfetch = x\n[branch \"a\"]\n\turl = https://x/a/b\n"); url != "" {
		t.Errorf("the url of another section is taken: %q", url)
	}
}
