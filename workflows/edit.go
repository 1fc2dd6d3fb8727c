package workflows

// An Edit replaces the bytes of Span by New. An empty Span inserts.
type Edit struct {
	Span Span
	New  string
}

// Apply returns src with all edits applied, or an error and no result: edits
// that overlap or lie outside src, two insertions at one point, and a result
// that no longer parses as f's kind are refused. Bytes outside the edits are
// unchanged.
func Apply(f *File, edits []Edit) ([]byte, error) { return apply(f, edits) }
