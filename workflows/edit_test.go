package workflows

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
)

const editable = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: acme/build@v1 # ä\n"

func parseWorkflow(source string) *File { return Parse(".github/workflows/x.yml", []byte(source)) }

func TestApply(t *testing.T) {
	at := func(s string) Span {
		i := strings.Index(editable, s)
		return Span{i, i + len(s)}
	}
	point := func(i int) Span { return Span{i, i} }
	tests := []struct {
		name  string
		edits []Edit
		want  string // "" for an error
		err   string
	}{
		{"none", nil, editable, ""},
		{"replace, in any order", []Edit{{at("v1"), "v2"}, {at("push"), "pull_request"}},
			strings.NewReplacer("v1", "v2", "push", "pull_request").Replace(editable), ""},
		{"insert at both ends", []Edit{{point(len(editable)), "# end\n"}, {point(0), "# start\n"}}, "# start\n" + editable + "# end\n", ""},
		{"insert beside a replacement", []Edit{{at("v1"), "v2"}, {point(at("v1").Start), "x-"}, {point(at("v1").End), "-y"}},
			strings.Replace(editable, "v1", "x-v2-y", 1), ""},
		{"delete", []Edit{{at(" # ä"), ""}}, strings.Replace(editable, " # ä", "", 1), ""},

		{"overlap", []Edit{{at("acme/build"), "x/y"}, {at("build@v1"), "z@v1"}}, "", "overlap in line 6"},
		{"same place twice", []Edit{{at("v1"), "v2"}, {at("v1"), "v2"}}, "", "overlap in line 6"},
		{"insert inside a replacement", []Edit{{at("v1"), "v2"}, {point(at("v1").Start + 1), "x"}}, "", "overlap"},
		{"two insertions at one point", []Edit{{point(0), "a"}, {point(0), "b"}}, "", "two insertions meet in line 1"},
		{"outside", []Edit{{Span{0, len(editable) + 1}, ""}}, "", "outside the file"},
		{"before", []Edit{{Span{-1, 0}, ""}}, "", "outside the file"},
		{"backwards", []Edit{{Span{5, 4}, ""}}, "", "outside the file"},
		{"broken YAML", []Edit{{at("push"), "[push"}}, "", "would not parse: line"},
		{"nothing left", []Edit{{Span{0, len(editable)}, ""}}, "", "would not parse"},
		{"a key twice", []Edit{{at("runs-on: ubuntu-latest"), "runs-on: x\n    runs-on: y"}}, "", "would not parse: line 5: the key"},
		{"a NUL", []Edit{{at("v1"), "\x00"}}, "", "would not parse"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := parseWorkflow(editable)
			got, err := Apply(f, test.edits)
			if string(f.Source) != editable {
				t.Fatal("the file itself was changed")
			}
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) || got != nil {
					t.Errorf("result %q and error %v, want an error with %q", got, err, test.err)
				}
				return
			}
			if err != nil || string(got) != test.want {
				t.Errorf("error %v\n got %q\nwant %q", err, got, test.want)
			}
		})
	}
}

// A broken file can be edited as long as it gets no worse.
func TestApplyToAFileWithProblems(t *testing.T) {
	broken := strings.Replace(editable, "on: push\n", "on: push\nenv: [a]\n", 1)
	f := parseWorkflow(broken)
	if len(f.Problems) == 0 {
		t.Fatal("the file should have a problem")
	}
	i := strings.Index(broken, "v1")
	if got, err := Apply(f, []Edit{{Span{i, i + 2}, "v2"}}); err != nil || !strings.Contains(string(got), "@v2") {
		t.Errorf("%v\n%s", err, got)
	}
	if _, err := Apply(f, []Edit{{Span{0, 0}, "jobs: 3\n"}}); err == nil {
		t.Error("a new problem is accepted")
	}
}

// Whatever the edits, the result is a refusal or exactly the edited bytes.
func TestApplyProperty(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	files := []string{editable, strings.ReplaceAll(editable, "\n", "\r\n"), "\ufeff" + editable, "on: {push: }\njobs: {}\n", ": [", ""}
	pieces := []string{"", "x", "\n", " ", "# c\n", "é", "v2", ": ", "\t", "- ", "'", "\x00"}
	applied := 0
	for range 4_000 {
		f := parseWorkflow(files[random.IntN(len(files))])
		var edits []Edit
		for range random.IntN(4) {
			start := random.IntN(len(f.Source)+3) - 1
			edits = append(edits, Edit{Span{start, start + random.IntN(6) - 1}, pieces[random.IntN(len(pieces))]})
		}
		if checkApply(t, f, edits) {
			applied++
		}
	}
	if applied < 500 {
		t.Errorf("only %d of the edits were applied: the test shows little", applied)
	}
}

// checkApply applies the edits and compares the result with the file byte by byte.
func checkApply(t *testing.T, f *File, edits []Edit) bool {
	t.Helper()
	before := bytes.Clone(f.Source)
	got, err := Apply(f, edits)
	if !bytes.Equal(before, f.Source) {
		t.Fatal("the file itself was changed")
	}
	if err != nil {
		if got != nil {
			t.Fatal("an error and a result")
		}
		return false
	}
	kept := len(before)
	added := 0
	for _, e := range edits {
		kept -= e.Span.Len()
		added += len(e.New)
	}
	if len(got) != kept+added {
		t.Fatalf("%d bytes, want %d kept and %d new\nedits %v", len(got), kept, added, edits)
	}
	checkKeptBytes(t, before, got, edits)
	after := Parse(f.Path, got)
	if len(after.Problems) > len(f.Problems) || after.Kind != f.Kind {
		t.Fatalf("the result reads worse: %v", after.Problems)
	}
	return true
}

// checkKeptBytes walks through both texts byte by byte.
func checkKeptBytes(t *testing.T, before, got []byte, edits []Edit) {
	t.Helper()
	j := 0
	for i := 0; i <= len(before); {
		var replaced *Edit
		for k := range edits {
			e := &edits[k]
			switch {
			case e.Span == (Span{i, i}):
				if !bytes.HasPrefix(got[j:], []byte(e.New)) {
					t.Fatalf("the insertion at %d is missing in %q", i, got)
				}
				j += len(e.New)
			case e.Span.Start == i:
				replaced = e
			}
		}
		switch {
		case replaced != nil:
			if !bytes.HasPrefix(got[j:], []byte(replaced.New)) {
				t.Fatalf("the replacement at %d is missing in %q", i, got)
			}
			j += len(replaced.New)
			i = replaced.Span.End
			continue
		case i < len(before) && got[j] != before[i]:
			t.Fatalf("byte %d was changed", i)
		}
		i++
		j++
	}
}

func FuzzApply(f *testing.F) {
	f.Add([]byte(editable), 4, 8, "pull_request", 20, 20, "x")
	f.Add([]byte("a: b\r\n"), 0, 0, "# c\r\n", 3, 4, "")
	f.Fuzz(func(t *testing.T, source []byte, a, b int, first string, c, d int, second string) {
		file := Parse(".github/workflows/x.yml", source)
		checkApply(t, file, []Edit{{Span{a, b}, first}, {Span{c, d}, second}})
	})
}
