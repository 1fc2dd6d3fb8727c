package linttest

import (
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/workflows"
)

// good is a rule whose metadata is in order.
func good() *lint.Rule {
	return &lint.Rule{
		ID: "a-rule", Title: "a defect", Since: "2026-11", Confidence: lint.HighConfidence, Tags: []string{"NHI7:2025"},
		Readme: "# a-rule\n\n## What\n\n## Why\n\n## Fix\n\n## References\n", Check: func(*lint.Pass) {},
	}
}

func TestMetadataProblems(t *testing.T) {
	if ps := metadataProblems(good(), "a-rule"); len(ps) > 0 {
		t.Errorf("a rule in order: %q", ps)
	}
	for want, spoil := range map[string]func(*lint.Rule){
		"not the name of the directory": func(r *lint.Rule) { r.ID = "b-rule"; r.Readme = strings.Replace(r.Readme, "a-rule", "b-rule", 1) },
		"Title is not one line":         func(r *lint.Rule) { r.Title = "a defect." },
		"start in lower case":           func(r *lint.Rule) { r.Title = "A defect" },
		"Since":                         func(r *lint.Rule) { r.Since = "2026-13" },
		"Confidence":                    func(r *lint.Rule) { r.Confidence = 0 },
		"no Check":                      func(r *lint.Rule) { r.Check = nil },
		"Tags is empty":                 func(r *lint.Rule) { r.Tags = nil },
		"the tag NHI11:2025":            func(r *lint.Rule) { r.Tags = append(r.Tags, "NHI11:2025") },
		"start with # a-rule":           func(r *lint.Rule) { r.Readme = "#" + r.Readme },
		"section ## Why":                func(r *lint.Rule) { r.Readme = strings.Replace(r.Readme, "## Why", "## Wherefore", 1) },
		"section ## References":         func(r *lint.Rule) { r.Readme = "# a-rule\n\n## References\n\n## What\n\n## Why\n\n## Fix\n" },
	} {
		r := good()
		spoil(r)
		if ps := metadataProblems(r, "a-rule"); len(ps) != 1 || !strings.Contains(ps[0], want) {
			t.Errorf("%s: got %q", want, ps)
		}
	}
	odd := good()
	odd.ID, odd.Readme = "A_rule", strings.Replace(odd.Readme, "a-rule", "A_rule", 1)
	if ps := metadataProblems(odd, "A_rule"); !slices.Contains(ps, "ID is not kebab case") {
		t.Errorf("got %q", ps)
	}
}

func TestBlocks(t *testing.T) {
	bs, err := blocks("text\n```yaml bad\na: 1\n```\n```yaml\nb: 1\n```\n```go bad\n```\n~~~\n```yaml good fixed\r\nc: 1\n-- x.yml --\nd: 1\n```\n")
	if err != nil || len(bs) != 2 {
		t.Fatalf("%v, %v", bs, err)
	}
	if !bs[0].is("bad") || bs[0].line != 2 || string(bs[0].files()[examplePath]) != "a: 1\n" {
		t.Errorf("first: %+v", bs[0])
	}
	if !bs[1].is("fixed") || string(bs[1].files()["x.yml"]) != "d: 1\n" || len(bs[1].files()) != 2 {
		t.Errorf("second: %+v", bs[1])
	}
	if _, err := blocks("```yaml bad\n"); err == nil {
		t.Error("a block without an end is accepted")
	}
}

func TestParseArchive(t *testing.T) {
	a, err := parseArchive([]byte("# Prose.\nstrict: true\nrepository: acme/app\n-- a.yml --\na\n-- want --\nw\n-- fixed/a.yml --\nb\n"))
	if err != nil || a.settings["strict"] != "true" || a.settings["repository"] != "acme/app" || a.want != "w\n" ||
		string(a.files["a.yml"]) != "a\n" || string(a.fixed["a.yml"]) != "b\n" {
		t.Errorf("%+v, %v", a, err)
	}
	for _, src := range []string{"Prose\n-- a.yml --\n", "strikt: true\n", "-- a.yml --\na\n-- a.yml --\nb\n"} {
		if _, err := parseArchive([]byte(src)); err == nil {
			t.Errorf("%q is accepted", src)
		}
	}
}

// A file that does not parse spoils its archive, unless that is what it is about.
func TestProblems(t *testing.T) {
	broken, odd := "on: push: x\n", "on: push\njobs:\n  a: 7\n"
	about := good()
	about.ID = unparsedRule
	for _, test := range []struct {
		path, src, want string
		rule            *lint.Rule
		problems        int
	}{
		{examplePath, broken, "", good(), 1},
		{examplePath, odd, "", good(), 1},
		{examplePath, broken, "", about, 0},
		{examplePath, broken, examplePath + ":1:1 info unparsed-file no YAML\n", good(), 0},
		{examplePath, "on: push\njobs: { a: { runs-on: x, steps: [run: y] } }\n", "", good(), 0},
		{".github/workflows/actions.lock", "version: v9\n", "", good(), 0},
	} {
		s := newSetup(t, map[string][]byte{test.path: []byte(test.src)})
		if ps := s.problems(test.rule, test.want); len(ps) != test.problems {
			t.Errorf("%s, %q, wanting %q: %q", test.path, test.src, test.want, ps)
		}
	}
}

func TestDifferences(t *testing.T) {
	const got = "a.yml:1:2 high r every secret goes\nb.yml:1:1 low r x\nnot-checked: r: offline\nsuppressed: 2\n"
	for _, test := range []struct{ want, differences string }{
		{got, ""},
		{"a.yml:1:2 high r secret\n\nb.yml:1:1 low r\nnot-checked: offline\nsuppressed: 2\n", ""},
		{"b.yml:1:1 low r x\nnot-checked: r: offline\nsuppressed: 2", "unexpected: a.yml:1:2 high r every secret goes"},
		{got + "c.yml:1:1 low r x", "missing: c.yml:1:1 low r x"},
		{strings.Replace(got, "high", "low", 1), "missing: a.yml:1:2 low r every secret goes|unexpected: a.yml:1:2 high r every secret goes"},
		{strings.Replace(got, "every", "each", 1), "missing: a.yml:1:2 high r each secret goes|unexpected: a.yml:1:2 high r every secret goes"},
		{strings.Replace(got, "2\n", "3\n", -1), "missing: suppressed: 3|unexpected: suppressed: 2"},
		{"", "unexpected: a.yml:1:2 high r every secret goes|unexpected: b.yml:1:1 low r x|unexpected: not-checked: r: offline|unexpected: suppressed: 2"},
		{"a.yml:1:2 high\n" + got, "missing: a.yml:1:2 high"},
	} {
		if d := strings.Join(differences(test.want, got), "|"); d != test.differences {
			t.Errorf("want %q: %q, want %q", test.want, d, test.differences)
		}
	}
}

// The archive that -update writes is one that the next run agrees with.
func TestUpdatedArchive(t *testing.T) {
	a, err := parseArchive([]byte("# Prose.\n-- b.yml --\nb\n-- want --\nold\n-- fixed/gone.yml --\nx\n"))
	if err != nil {
		t.Fatal(err)
	}
	out := string(a.updated("new\n", map[string][]byte{"b.yml": []byte("B\n")}))
	if want := "# Prose.\n-- b.yml --\nb\n-- want --\nnew\n-- fixed/b.yml --\nB\n"; out != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}

func TestFormProblems(t *testing.T) {
	f := workflows.Parse(examplePath, []byte("on: push\njobs: {}\n"))
	fine := lint.Finding{Rule: good(), File: f, Span: workflows.Span{End: 2}, Message: "a token can be taken", Next: "remove it"}
	for _, message := range []string{fine.Message, "GITHUB_TOKEN can be taken", "the list ends here…", "*.yml is wide"} {
		fine.Message = message
		if ps := formProblems(fine); len(ps) > 0 {
			t.Errorf("%q: %q", message, ps)
		}
	}
	for want, spoil := range map[string]func(*lint.Finding){
		"next step is empty": func(f *lint.Finding) { f.Next = "" },
		"space around":       func(f *lint.Finding) { f.Message += " " },
		"one line":           func(f *lint.Finding) { f.Message = "a\nb" },
		"full stop":          func(f *lint.Finding) { f.Message = "a token." },
		"upper case":         func(f *lint.Finding) { f.Message = "A token" },
		"no title":           func(f *lint.Finding) { f.Fixes = []lint.Fix{{Edits: []workflows.Edit{{New: "# x\n"}}}} },
		"no edits":           func(f *lint.Finding) { f.Fixes = []lint.Fix{{Title: "x"}} },
		"cannot be applied": func(f *lint.Finding) {
			f.Fixes = []lint.Fix{{Title: "x", Edits: []workflows.Edit{{Span: workflows.Span{End: 999}}}}}
		},
		"the message is not ": func(f *lint.Finding) { f.Message = "a \x1b[0m" },
	} {
		spoilt := fine
		spoil(&spoilt)
		if ps := formProblems(spoilt); len(ps) != 1 || !strings.Contains(ps[0], want) {
			t.Errorf("%s: got %q", want, ps)
		}
	}
}
