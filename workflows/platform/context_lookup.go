package platform

import (
	"slices"
	"strings"
)

// A contextLine is a line of the tables with its path in parts.
type contextLine struct {
	Context
	parts []string
}

var contexts = slices.Concat(splitContexts(contextTable, "*"), splitContexts(payloadTable, element))

// element is the part that a "*" of the payload's table becomes: an element of a
// list, while the "*" of steps.* is any name.
const element = "#"

func splitContexts(table []Context, star string) []contextLine {
	lines := make([]contextLine, 0, len(table))
	for _, c := range table {
		parts := strings.Split(c.Path, ".")
		for i, part := range parts {
			if part == "*" {
				parts[i] = star
			}
		}
		lines = append(lines, contextLine{c, parts})
	}
	return lines
}

// anyIndex makes a computed index (commits[], secrets.[]) any part of the path.
var anyIndex = strings.NewReplacer(".[]", ".*", "[]", ".*")

// lookupContext looks for a line of the path itself, then for lines below it (the
// path names an object), then for the nearest line above it, and last for a
// payload's field by its own name.
func lookupContext(path string) Context {
	path = strings.ToLower(path)
	parts := strings.Split(anyIndex.Replace(path), ".")
	if found, ok := contextAt(parts); ok {
		return found.named(path)
	}
	if above, ok := contextAbove(parts); ok {
		return above.named(path)
	}
	return Context{Path: path, Shape: leafShape(parts), Source: docsPayload}
}

// named returns the line as the answer for path, with events of its own.
func (c Context) named(path string) Context {
	c.Path = path
	c.Events = slices.Clone(c.Events)
	return c
}

// contextAt returns the worst of the lines at and below the path. A line of
// exactly this path decides alone.
func contextAt(parts []string) (Context, bool) {
	exact := !slices.Contains(parts, "*")
	var worst Context
	found := false
	for _, line := range contexts {
		if len(line.parts) < len(parts) || !fits(line.parts, parts) {
			continue
		}
		if exact && len(line.parts) == len(parts) {
			return line.Context, true
		}
		worst, found = worse(worst, line.Context, found), true
	}
	return worst, found
}

// contextAbove returns the nearest line whose path is a prefix of the given one,
// and the worst of several.
func contextAbove(parts []string) (Context, bool) {
	var nearest Context
	longest := 0
	for _, line := range contexts {
		if size := len(line.parts); size >= max(longest, 1) && size < len(parts) && fits(line.parts, parts) {
			nearest, longest = worse(nearest, line.Context, size == longest), size
		}
	}
	return nearest, longest > 0
}

// fits reports whether a line's parts and a path's agree as far as both go.
func fits(line, path []string) bool {
	for i := range min(len(line), len(path)) {
		switch {
		case line[i] == path[i] || line[i] == "*" || path[i] == "*":
		case line[i] == element && isNumber(path[i]):
		default:
			return false
		}
	}
	return true
}

// severity orders shapes for whole objects. Text goes before secrets, since an
// object with both (github) is an injection first: the token in it is masked.
var severity = map[Shape]int{ShapeFixed: 0, ShapeUnknown: 1, ShapeWriter: 2, ShapeFlow: 3, ShapeCaller: 4, ShapeSecret: 5, ShapeText: 6}

// worse joins two lines of one object: the worse shape, and the events of both
// where both are text.
func worse(a, b Context, hasA bool) Context {
	switch {
	case !hasA || severity[b.Shape] > severity[a.Shape]:
		return b
	case severity[b.Shape] < severity[a.Shape]:
		return a
	case len(a.Events) == 0 || len(b.Events) == 0:
		a.Events = nil
		return a
	}
	a.Events = slices.Concat(a.Events, b.Events)
	slices.Sort(a.Events)
	a.Events = slices.Compact(a.Events)
	return a
}

// leafShape judges a field of the payload by its own name.
func leafShape(parts []string) Shape {
	if len(parts) < 3 || parts[0] != "github" || parts[1] != "event" {
		return ShapeUnknown
	}
	leaf := parts[len(parts)-1]
	if strings.HasSuffix(leaf, "_url") || strings.HasSuffix(leaf, "_at") || strings.HasSuffix(leaf, "_id") {
		return ShapeFixed
	}
	return leafTable[leaf]
}
