// Package stint_test holds the layout of the module against its source: who may import whom, what comes from outside,
// and how long and how well introduced a package is. The table is the design: to change it is to decide something.
package stint_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// layout says what each package may import beside the standard library. A star stands for one element of a path, alone
// it stands for all of ours; a package takes the row that names it, else the row with a star. No arrow runs up.
const layout = `
package                        | of ours                                                       | from outside
-------------------------------|---------------------------------------------------------------|-------------------------------
workflows/platform             |                                                               |
workflows/platform/refresh     | workflows/platform                                            |
workflows                      |                                                               | actionlint yaml sh-syntax
workflows/git                  | workflows                                                     |
workflows/github               | workflows                                                     | go-github
workflows/github/githubtest    |                                                               |
workflows/oci                  | workflows                                                     |
reach/flow                     | workflows workflows/platform                                  | sh-syntax
reach                          | workflows workflows/platform reach/flow                       |
lint                           | workflows reach                                               | yaml doublestar sync diff
lint/linttest                  | workflows reach lint                                          | go-internal txtar
lint/rules/*                   | workflows workflows/platform reach reach/flow lint            |
lint/rules/gen                 |                                                               |
lint/rules                     | lint lint/rules/*                                             |
lint/report                    | workflows reach lint                                          | sarif
oidc                           |                                                               |
oidc/grant                     | oidc                                                          | yaml
oidc/spiffe                    | oidc                                                          | spiffe grpc
oidc/lease                     | oidc oidc/grant                                               |
oidc/broker                    | oidc oidc/grant oidc/lease                                    |
oidc/trust                     | oidc oidc/grant                                               |
oidc/trust/trusttest           | oidc oidc/grant oidc/trust                                    |
oidc/trust/terraform           | oidc/trust                                                    | hcl cty
oidc/trust/cloudformation      | oidc/trust                                                    | yaml
oidc/providertest              | oidc oidc/grant oidc/sandbox                                  |
oidc/providers/wire            | oidc                                                          |
oidc/fulcio                    | oidc oidc/providers/wire                                      |
oidc/fulcio/fulciotest         | oidc oidc/providertest                                        |
oidc/providers/registry        | oidc oidc/grant oidc/trust oidc/providers/wire                |
oidc/providers/registry/registrytest | oidc oidc/grant oidc/providertest oidc/providers/registry |
oidc/providers/*               | oidc oidc/grant oidc/trust oidc/providers/wire oidc/providers/registry |
oidc/providers/aws             | oidc oidc/grant oidc/trust oidc/providers/wire oidc/providers/aws/policy | aws-sdk smithy
oidc/providers/aws/policy      |                                                               |
oidc/providers/gcp             | oidc oidc/grant oidc/trust oidc/providers/wire oidc/providers/gcp/cel | oauth2 yaml
oidc/providers/gcp/cel         |                                                               |
oidc/providers/azure           | oidc oidc/grant oidc/trust oidc/providers/wire                | azure-sdk
oidc/providers/vault           | oidc oidc/grant oidc/trust oidc/providers/wire                | vault-api
oidc/providers/github          | oidc oidc/grant oidc/trust oidc/providers/wire                | yaml
oidc/providers/sigstore        | oidc oidc/grant oidc/trust oidc/providers/wire oidc/fulcio    |
oidc/providers/gen             |                                                               |
oidc/providers                 | oidc oidc/grant oidc/trust oidc/providers/*                   |
oidc/receipt                   | oidc                                                          |
oidc/receipt/seal              | oidc oidc/fulcio oidc/receipt                                 | sigstore
oidc/receipt/reconcile         | oidc oidc/receipt                                             |
oidc/sandbox                   | oidc oidc/grant oidc/providers/* oidc/providers/aws/policy    | jose yaml
org                            | workflows workflows/platform workflows/github reach lint lint/report | bbolt
org/posture                    | workflows/github workflows/platform reach org                 |
org/report                     | workflows workflows/platform reach org                        | sarif
migrate                        | workflows reach reach/flow lint oidc/grant oidc/trust         | yaml diff
scripts/integration            |                                                               |
cmd/stint                      | *                                                             | cobra pflag yaml sys term go-internal
`

// outside gives the paths behind the names of the last column; a name covers what lies below its path.
var outside = map[string]string{
	"actionlint":  "github.com/rhysd/actionlint",
	"aws-sdk":     "github.com/aws/aws-sdk-go-v2",
	"bbolt":       "go.etcd.io/bbolt",
	"azure-sdk":   "github.com/Azure/azure-sdk-for-go/sdk",
	"cobra":       "github.com/spf13/cobra",
	"cty":         "github.com/zclconf/go-cty",
	"diff":        "github.com/rogpeppe/go-internal/diff",
	"doublestar":  "github.com/bmatcuk/doublestar/v4",
	"go-github":   "github.com/google/go-github",
	"go-internal": "github.com/rogpeppe/go-internal",
	"grpc":        "google.golang.org/grpc",
	"hcl":         "github.com/hashicorp/hcl/v2",
	"jose":        "github.com/go-jose/go-jose/v4",
	"jsonschema":  "github.com/santhosh-tekuri/jsonschema/v6",
	"net-html":    "golang.org/x/net/html",
	"oauth2":      "golang.org/x/oauth2",
	"pflag":       "github.com/spf13/pflag",
	"sh-syntax":   "mvdan.cc/sh/v3/syntax",
	"sarif":       "github.com/owenrumney/go-sarif/v3",
	"sigstore":    "github.com/sigstore",
	"smithy":      "github.com/aws/smithy-go",
	"spiffe":      "github.com/spiffe/go-spiffe/v2",
	"sync":        "golang.org/x/sync",
	"sys":         "golang.org/x/sys",
	"timestamp":   "github.com/digitorus/timestamp",
	"term":        "golang.org/x/term",
	"txtar":       "golang.org/x/tools/txtar",
	"vault-api":   "github.com/hashicorp/vault/api",
	"yaml":        "go.yaml.in/yaml/v4",
}

// oneImporter names what exactly one row may list: its API moves, and one package of ours is to feel it.
var oneImporter = []string{"actionlint", "go-github", "aws-sdk", "jose", "sigstore", "cobra"}

// Tests may import these as well, by the part of the tower that they stand in: what lies below, the harnesses, and
// what looks at our work from outside, as a cloud's own SDK does at the sandbox. No test reaches into the other half.
var (
	testOurs = map[string][]string{
		"lint":      {"workflows", "workflows/platform", "reach", "reach/flow", "lint/linttest", "lint/rules", "lint/rules/*"},
		"oidc":      {"oidc/trust", "oidc/trust/trusttest", "oidc/sandbox", "oidc/providertest", "oidc/providers", "oidc/providers/*", "oidc/providers/aws/policy", "oidc/providers/registry/registrytest", "oidc/fulcio/fulciotest"},
		"org":       {"workflows/github/githubtest", "lint/rules"},
		"workflows": {"workflows/github/githubtest"},
		"migrate":   {"lint/rules", "oidc/providers"},
		"scripts":   {"oidc", "oidc/*", "oidc/providers/*", "oidc/receipt/*"},
	}
	testOutside = map[string][]string{
		"workflows": {"yaml", "go-internal", "txtar"},
		"reach":     {"go-internal", "txtar"},
		"lint":      {"yaml", "go-internal", "txtar", "jsonschema"},
		"org":       {"net-html"},
		"oidc":      {"yaml", "go-internal", "txtar", "jsonschema", "jose", "aws-sdk", "smithy", "grpc", "timestamp", "hcl", "cty", "sh-syntax"},
		"cmd":       {"yaml", "go-internal", "txtar", "jsonschema", "aws-sdk"},
		"migrate":   {"go-internal", "txtar"},
		"scripts":   {"aws-sdk"},
	}
)

const (
	module       = "github.com/stint-dev/stint"
	maxFileLines = 600 // of a hand-written file
	maxMainLines = 50  // of cmd/stint/main.go
)

// vagueNames do not say what belongs into a package, so that in the end everything does.
var vagueNames = []string{"util", "utils", "helper", "helpers", "common", "misc", "shared", "base", "lib"}

func TestImportsFollowTheTable(t *testing.T) {
	rows := parseLayout(t)
	for _, file := range sourceFiles(t) {
		r, ok := rows.find(file.pkg)
		if !ok {
			t.Errorf("%s: package %q has no row in the table of layout_test.go", file.path, file.pkg)
			continue
		}
		for _, spec := range file.syntax.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if !r.permits(imported, file.isTest()) {
				t.Errorf("%s: %s may not import %s", file.position(spec), file.pkg, imported)
			}
		}
	}
}

// The compiler refuses a circle of imports; this refuses a table that would permit one.
func TestTableHasNoCircle(t *testing.T) {
	rows := parseLayout(t)
	var visit func(r row, trail []string)
	visit = func(r row, trail []string) {
		if slices.Contains(trail, r.pkg) {
			t.Fatalf("the table permits a circle: %s", strings.Join(append(trail, r.pkg), " → "))
		}
		for _, next := range rows {
			if next.pkg != r.pkg && r.permits(module+"/"+next.pkg, false) {
				visit(next, append(slices.Clone(trail), r.pkg))
			}
		}
	}
	for _, r := range rows {
		visit(r, nil)
	}
}

func TestTheTwoHalvesMeetOnlyInTheCommand(t *testing.T) {
	for _, r := range parseLayout(t) {
		for _, pattern := range r.ours {
			if r.pkg != "cmd/stint" && r.pkg != "migrate" && (top(r.pkg) == "oidc") != (top(pattern) == "oidc") {
				t.Errorf("the table lets %s import %s across the halves", r.pkg, pattern)
			}
		}
	}
}

func TestMovingAPIsHaveOneImporter(t *testing.T) {
	rows := parseLayout(t)
	for _, name := range oneImporter {
		var importers []string
		for _, r := range rows {
			if slices.Contains(r.outside, name) {
				importers = append(importers, r.pkg)
			}
		}
		if len(importers) != 1 {
			t.Errorf("%s is imported by %v, want one package", name, importers)
		}
	}
}

func TestTableTellsRightFromWrong(t *testing.T) {
	rows := parseLayout(t)
	cases := []struct {
		pkg, imported string
		code, tests   bool // permitted in the package, in its tests
	}{
		{"reach", "strings", true, true},
		{"reach", module + "/workflows", true, true},
		{"reach", module + "/lint", false, false},
		{"reach", module + "/reach", false, true}, // an external test imports its own package
		{"reach", "github.com/rhysd/actionlint", false, false},
		{"reach", "example.com/something", false, false},
		{"workflows", "github.com/rhysd/actionlint", true, true},
		{"workflows", "github.com/rhysd/actionlints", false, false},
		{"workflows", module + "/workflows/platform", false, false},
		{"lint", module + "/lint/linttest", false, true},
		{"lint", module + "/oidc", false, false},
		{"lint", module + "/oidc/sandbox", false, false},
		{"lint/rules/unpinned-action", module + "/lint", true, true},
		{"lint/rules/unpinned-action", module + "/lint/report", false, false},
		{"lint/rules/unpinned-action", module + "/lint/rules/shared-token", false, true},
		{"lint/rules", module + "/lint/rules/shared-token", true, true},
		{"oidc/grant", module + "/oidc/lease", false, false},
		{"oidc/lease", module + "/oidc/sandbox", false, true},
		{"oidc/lease", module + "/lint/linttest", false, false},
		{"oidc/providers/aws", "github.com/aws/aws-sdk-go-v2/service/sts", true, true},
		{"oidc/providers/vault", "github.com/aws/aws-sdk-go-v2/service/sts", false, true},
		{"lint", "github.com/aws/aws-sdk-go-v2/service/sts", false, false},
		{"oidc/providers/aws/policy", module + "/oidc", false, false},
		{"oidc/sandbox", module + "/oidc/providers/aws/policy", true, true},
		{"cmd/stint", module + "/oidc/lease", true, true},
		{"cmd/stint", "github.com/rhysd/actionlint", false, false},
	}
	for _, c := range cases {
		r, ok := rows.find(c.pkg)
		if !ok {
			t.Errorf("%s has no row", c.pkg)
			continue
		}
		if got := r.permits(c.imported, false); got != c.code {
			t.Errorf("%s imports %s: permitted is %v, want %v", c.pkg, c.imported, got, c.code)
		}
		if got := r.permits(c.imported, true); got != c.tests {
			t.Errorf("the tests of %s import %s: permitted is %v, want %v", c.pkg, c.imported, got, c.tests)
		}
	}
	for _, pkg := range []string{"elsewhere", "cmd/other", "lint/other", "workflows/platform/other", "oidc/providers/aws/policy/more"} {
		if r, ok := rows.find(pkg); ok {
			t.Errorf("%s has no place in the layout, yet takes the row of %s", pkg, r.pkg)
		}
	}
}

func TestFilesFitAReader(t *testing.T) {
	for _, file := range sourceFiles(t) {
		limit := maxFileLines
		if file.path == "cmd/stint/main.go" {
			limit = maxMainLines
		}
		if file.lines > limit && !ast.IsGenerated(file.syntax) {
			t.Errorf("%s has %d lines, more than %d: split it by what it is about", file.path, file.lines, limit)
		}
	}
}

func TestPackagesSayWhatBelongsIntoThem(t *testing.T) {
	comments := map[string][]string{} // by package: the files that introduce it
	for _, file := range sourceFiles(t) {
		if i := slices.IndexFunc(strings.Split(file.pkg, "/"), func(s string) bool { return slices.Contains(vagueNames, s) }); i >= 0 {
			t.Errorf("%s: the name of package %q says nothing", file.path, file.pkg)
		}
		if file.isTest() && file.pkg != "." {
			continue
		}
		comments[file.pkg] = append(comments[file.pkg], file.introduces(t)...)
	}
	for _, pkg := range slices.Sorted(maps.Keys(comments)) {
		if n := len(comments[pkg]); n != 1 && pkg != "." {
			t.Errorf("package %q has %d package comments, want one %v", pkg, n, comments[pkg])
		}
	}
}

// introduces gives the file's path if it carries the package comment, and complains of one that opens in no known way.
func (f sourceFile) introduces(t *testing.T) []string {
	t.Helper()
	doc := f.syntax.Doc.Text()
	if doc == "" {
		return nil
	}
	opening := "Package " + f.syntax.Name.Name + " "
	if f.syntax.Name.Name == "main" {
		opening = "Command " + path.Base(f.pkg) + " "
	}
	if !strings.HasPrefix(doc, opening) {
		t.Errorf("%s: the package comment does not open with %q", f.path, opening)
	}
	return []string{f.path}
}

// row is one line of the table.
type row struct {
	pkg           string
	ours, outside []string
}

type table []row

// find gives the row of a package: by its name, else by a pattern. The root holds tests of the whole, which read files
// and import nothing of ours.
func (rows table) find(pkg string) (row, bool) {
	if pkg == "." {
		return row{pkg: pkg}, true
	}
	i := slices.IndexFunc(rows, func(r row) bool { return r.pkg == pkg })
	if i < 0 {
		i = slices.IndexFunc(rows, func(r row) bool { return matches(r.pkg, pkg) })
	}
	if i < 0 {
		return row{}, false
	}
	return rows[i], true
}

// permits says whether the package of the row, or its tests, may import a path.
func (r row) permits(imported string, test bool) bool {
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		return true // the standard library
	}
	ours, outsiders := r.ours, r.outside
	if test {
		ours = slices.Concat(ours, testOurs[top(r.pkg)], []string{r.pkg})
		outsiders = slices.Concat(outsiders, testOutside[top(r.pkg)])
	}
	if pkg, ok := strings.CutPrefix(imported, module+"/"); ok {
		return slices.ContainsFunc(ours, func(pattern string) bool { return pattern == "*" || matches(pattern, pkg) })
	}
	return slices.ContainsFunc(outsiders, func(name string) bool {
		return imported == outside[name] || strings.HasPrefix(imported, outside[name]+"/")
	})
}

// matches says whether a pattern, with a star for one element of a path, names the package.
func matches(pattern, pkg string) bool {
	ok, err := path.Match(pattern, pkg)
	return err == nil && ok
}

// top gives the first element of a package path, which is the part of the tower it belongs to.
func top(pkg string) string {
	first, _, _ := strings.Cut(pkg, "/")
	return first
}

func parseLayout(t *testing.T) table {
	t.Helper()
	var rows table
	for _, line := range strings.Split(strings.TrimSpace(layout), "\n")[2:] {
		cells := strings.Split(line, "|")
		if len(cells) != 3 {
			t.Fatalf("a row of the table has %d cells, want 3: %s", len(cells), line)
		}
		r := row{pkg: strings.TrimSpace(cells[0]), ours: strings.Fields(cells[1]), outside: strings.Fields(cells[2])}
		for _, name := range r.outside {
			if outside[name] == "" {
				t.Fatalf("the table names %q, which has no path", name)
			}
		}
		if slices.ContainsFunc(rows, func(other row) bool { return other.pkg == r.pkg }) {
			t.Fatalf("the table has two rows for %s", r.pkg)
		}
		rows = append(rows, r)
	}
	return rows
}

// sourceFile is one Go file of the module, for whatever system it is.
type sourceFile struct {
	path   string // from the root, with slashes
	pkg    string // its directory, "." for the root
	lines  int
	set    *token.FileSet
	syntax *ast.File // imports and the package comment only
}

func (f sourceFile) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

func (f sourceFile) position(node ast.Node) string {
	return fmt.Sprintf("%s:%d", f.path, f.set.Position(node.Pos()).Line)
}

// sourceFiles parses all Go files of the module, leaving out what the go command leaves out.
func sourceFiles(t *testing.T) []sourceFile {
	t.Helper()
	var files []sourceFile
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		switch base := entry.Name(); {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && (base == "testdata" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_")):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(base, ".go"):
			return nil
		}
		file, err := parseSource(name)
		files = append(files, file)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 2 {
		t.Fatalf("found %d Go files: the test does not run at the root of the module", len(files))
	}
	return files
}

func parseSource(name string) (sourceFile, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return sourceFile{}, err
	}
	set := token.NewFileSet()
	syntax, err := parser.ParseFile(set, name, text, parser.ImportsOnly|parser.ParseComments)
	slashed := filepath.ToSlash(name)
	return sourceFile{slashed, path.Dir(slashed), strings.Count(string(text), "\n"), set, syntax}, err
}
