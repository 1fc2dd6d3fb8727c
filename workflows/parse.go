package workflows

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Parse parses one file. path, relative to the repository root with forward
// slashes, decides the kind; where it says nothing (a file given by name,
// standard input) the content does. Parse never fails: what could not be read is
// in [File.Problems].
func Parse(path string, source []byte) *File {
	f := &File{Path: path, Kind: KindOf(path), Source: source}
	if root, ok := f.read(); ok {
		if f.Kind == KindUnknown {
			f.Kind = kindOfContent(root)
		}
		f.build(root)
	}
	slices.SortStableFunc(f.Problems, func(a, b Problem) int { return a.Span.Start - b.Span.Start })
	return f
}

// KindOf returns the kind of the file at a path relative to the repository root,
// and KindUnknown for a path that GitHub Actions does not read.
func KindOf(name string) Kind {
	dir, base := path.Split(name)
	ext := path.Ext(base)
	yes := ext == ".yml" || ext == ".yaml"
	switch {
	case dir == ".github/workflows/" && yes:
		return KindWorkflow
	case dir == ".github/workflows/" && base == "actions.lock":
		return KindLock
	case dir == ".github/" && yes && strings.TrimSuffix(base, ext) == "dependabot":
		return KindDependabot
	case yes && strings.TrimSuffix(base, ext) == "action":
		return KindAction
	}
	return KindUnknown
}

// kindOfContent judges a file whose path says nothing.
func kindOfContent(root node) Kind {
	_, jobs := root.get("jobs")
	_, on := root.get("on")
	_, runs := root.get("runs")
	switch {
	case jobs || on:
		return KindWorkflow
	case runs:
		return KindAction
	}
	return KindUnknown
}

// problem notes a part that could not be read, unless there are very many.
func (f *File) problem(at Span, message string) {
	switch n := len(f.Problems); {
	case n < MaxProblems:
		f.Problems = append(f.Problems, Problem{Span: at, Message: message})
	case n == MaxProblems:
		more := fmt.Sprintf("more than %d problems in this file; the others are not listed", MaxProblems)
		f.Problems = append(f.Problems, Problem{Span: at, Message: more})
	}
}

// lost notes that nothing of the file can be used.
func (f *File) lost(at Span, message string) {
	f.Problems = append(f.Problems, Problem{Span: at, Message: message, Whole: true})
}

// read reads the file's first document; ok is false when nothing can be used.
func (f *File) read() (root node, ok bool) {
	if len(f.Source) > MaxFileBytes {
		f.lost(Span{}, fmt.Sprintf("larger than %d MiB", MaxFileBytes>>20))
		return node{}, false
	}
	check := checkText(f.Source)
	f.index(check)
	if check.bad >= 0 {
		f.lost(Span{check.bad, check.bad + 1}, fmt.Sprintf("not text in line %d: %s", f.Position(check.bad).Line, check.why))
		return node{}, false
	}
	r := newReader(f, check)
	tree, err := loadYAML(r.src[r.end:])
	if err != nil {
		f.Problems = append(f.Problems, f.yamlProblem(r.src, err, r.lines))
		return node{}, false
	}
	root = r.document(tree)
	if root.kind == emptyNode {
		f.lost(Span{}, "empty file")
		return node{}, false
	}
	return root, true
}

// index prepares [File.Position].
func (f *File) index(check textCheck) {
	f.lines = lineStarts(f.Source)
	if check.wide {
		f.runes = countRunes(f.Source)
	}
}

// newReader returns a reader that stands behind the byte order mark.
func newReader(f *File, check textCheck) *reader {
	r := &reader{file: f, src: f.Source, lines: f.lines}
	for bytes.HasPrefix(r.src[r.end:], []byte(byteOrderMark)) {
		r.end += len(byteOrderMark)
	}
	if check.strayMark {
		// The library's scanner skips characters while such a mark is first in its
		// buffer, so a file could show it other keys than GitHub sees.
		r.src = bytes.ReplaceAll(f.Source, []byte(byteOrderMark), []byte(markStandIn))
	}
	if check.oddBreaks {
		r.lines = yamlLineStarts(r.src)
	}
	if r.end > 0 {
		r.lines = slices.Clone(r.lines)
		r.lines[0] = r.end
	}
	return r
}

// document reads the tree of the first document and the rest of the file.
func (r *reader) document(tree *yaml.Node) node {
	var root node
	if tree != nil {
		r.anchors = map[*yaml.Node]*node{}
		root = r.node(tree, 0, -1)
	}
	r.closeDocument()
	return root
}
