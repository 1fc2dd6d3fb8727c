package workflows

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// An Edit replaces the bytes of Span by New. An empty Span inserts.
type Edit struct {
	Span Span
	New  string
}

// Apply returns src with all edits applied, or an error and no result: edits
// that overlap or lie outside src, two insertions at one point, and a result
// that no longer parses as f's kind or has more problems than f are refused.
// Bytes outside the edits are unchanged.
func Apply(f *File, edits []Edit) ([]byte, error) {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b Edit) int {
		return cmp.Or(cmp.Compare(a.Span.Start, b.Span.Start), cmp.Compare(a.Span.End, b.Span.End))
	})
	if err := checkEdits(f, edits); err != nil {
		return nil, err
	}
	out := splice(f.Source, edits)
	if err := checkResult(f, Parse(f.Path, out)); err != nil {
		return nil, err
	}
	return out, nil
}

// checkEdits takes edits sorted by place.
func checkEdits(f *File, edits []Edit) error {
	for i, e := range edits {
		if e.Span.Start < 0 || e.Span.End < e.Span.Start || e.Span.End > len(f.Source) {
			return fmt.Errorf("an edit of bytes %d to %d lies outside the file, which has %d", e.Span.Start, e.Span.End, len(f.Source))
		}
		if i == 0 {
			continue
		}
		last := edits[i-1]
		switch {
		case e.Span.Start < last.Span.End:
			return fmt.Errorf("two edits overlap in line %d", f.Position(e.Span.Start).Line)
		case e.Span.Len() == 0 && last.Span == e.Span:
			return fmt.Errorf("two insertions meet in line %d", f.Position(e.Span.Start).Line)
		}
	}
	return nil
}

func splice(src []byte, edits []Edit) []byte {
	var out strings.Builder
	at := 0
	for _, e := range edits {
		out.Write(src[at:e.Span.Start])
		out.WriteString(e.New)
		at = e.Span.End
	}
	out.Write(src[at:])
	return []byte(out.String())
}

// checkResult refuses an edited file that reads worse than before.
func checkResult(before, after *File) error {
	if after.Kind != before.Kind {
		return fmt.Errorf("the edited file is no longer the kind of file that it was")
	}
	if len(after.Problems) <= len(before.Problems) && lost(after) == lost(before) {
		return nil
	}
	for _, p := range after.Problems {
		if !slices.ContainsFunc(before.Problems, func(q Problem) bool { return p.Message == q.Message }) {
			return fmt.Errorf("the edited file would not parse: line %d: %s", after.Position(p.Span.Start).Line, p.Message)
		}
	}
	return fmt.Errorf("the edited file would have more problems than before")
}

func lost(f *File) bool {
	return slices.ContainsFunc(f.Problems, func(p Problem) bool { return p.Whole })
}
