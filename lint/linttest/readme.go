package linttest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/workflows"
)

// examplePath is where the yaml blocks of a README are put when they name no file.
const examplePath = ".github/workflows/example.yml"

// A block is one fenced example of a README: ```yaml bad or ```yaml good. A
// further word "fixed" behind good says that it is, byte for byte, what the fixes
// make of the bad block before it; "unsafe" that this takes the unsafe ones. Lines
// "-- path --" in a block start further files, as in txtar archives.
type block struct {
	line  int // of the fence, from 1
	words []string
	text  string
}

func (b block) is(word string) bool { return slices.Contains(b.words, word) }

// blocks returns the fenced yaml blocks that are marked bad or good.
func blocks(readme string) ([]block, error) {
	var found []block
	var open *block
	n := 0
	for l := range strings.Lines(readme) {
		n++
		info, fence := strings.CutPrefix(strings.TrimRight(l, " \r\n"), "```")
		switch {
		case fence && open == nil:
			open = &block{line: n, words: strings.Fields(info)}
		case fence:
			if open.is("yaml") && (open.is("bad") || open.is("good")) {
				found = append(found, *open)
			}
			open = nil
		case open != nil:
			open.text += l
		}
	}
	if open != nil {
		return nil, fmt.Errorf("the block that starts on line %d has no end", open.line)
	}
	return found, nil
}

// files returns the files of a block.
func (b block) files() map[string][]byte {
	a := txtar.Parse([]byte(b.text))
	files := map[string][]byte{}
	if len(bytes.TrimSpace(a.Comment)) > 0 {
		files[examplePath] = a.Comment
	}
	for _, f := range a.Files {
		files[f.Name] = f.Data
	}
	return files
}

// checkReadme runs the rule on the README's blocks: bad must fire, good must not,
// and fixes must make of a bad block one on which the rule does not fire.
func checkReadme(t *testing.T, rule *lint.Rule) {
	t.Helper()
	bs, err := blocks(rule.Readme)
	if err != nil {
		t.Fatalf("README.md: %v", err)
	}
	var made map[string][]byte // by the fixes of the last bad block
	bad, good := 0, 0
	for _, b := range bs {
		s := newSetup(t, b.files())
		s.strict = rule.Audience == lint.Strict
		s.unsafe = fixedWithUnsafe(bs, b)
		res := s.check(t, rule)
		switch {
		case b.is("bad"):
			bad++
			if len(of(rule, res)) == 0 {
				t.Errorf("README.md:%d: the bad block does not fire", b.line)
			}
			made = s.mend(t, rule, res)
		case len(of(rule, res)) > 0:
			t.Errorf("README.md:%d: the good block fires:\n%s", b.line, render(res))
			fallthrough
		default:
			good++
		}
		if b.is("fixed") {
			want := b.files()
			delete(want, networkFile)
			compareFixed(t, fmt.Sprintf("README.md:%d", b.line), want, made)
		}
	}
	if bad == 0 || good == 0 {
		t.Errorf("README.md: it has %d yaml bad and %d yaml good blocks, want one of each at least", bad, good)
	}
}

// fixedWithUnsafe reports whether the block after b asks for unsafe fixes.
func fixedWithUnsafe(bs []block, b block) bool {
	i := slices.IndexFunc(bs, func(o block) bool { return o.line > b.line })
	return i >= 0 && bs[i].is("unsafe")
}

// An Example is a bad block of a rule's README as a repository.
type Example struct {
	Name       string // for messages: the rule and the line of the block
	Repository *workflows.Repository
	Config     *lint.Config // nil when the block has none
}

// BadExamples returns the bad blocks of a rule's README.
func BadExamples(t *testing.T, rule *lint.Rule) []Example {
	t.Helper()
	bs, err := blocks(rule.Readme)
	if err != nil {
		t.Fatalf("%s: README.md: %v", rule.ID, err)
	}
	var found []Example
	for _, b := range bs {
		if b.is("bad") {
			s := newSetup(t, b.files())
			found = append(found, Example{fmt.Sprintf("%s/README.md:%d", rule.ID, b.line), s.repo, s.config})
		}
	}
	return found
}
