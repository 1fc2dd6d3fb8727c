package workflows

import (
	"maps"
	"slices"
	"strings"
)

// A Setting is an entry to be written: a key, its text and, where a comment can
// follow, a comment without its '#'.
type Setting struct{ Key, Text, Comment string }

// SwapStepWith returns the edits that put new inputs in the place of old ones in a
// step's with:. The new ones stand where the first old one stood; with no new ones
// the old go, and with: itself when nothing is left. Names are compared without
// regard to case. It is refused when none of the old is there or a new one is.
func (f *File) SwapStepWith(s *Step, old []string, new []Setting) (edits []Edit, ok bool) {
	return f.swapEntries(s, s.With, s.WithSpan, old, new)
}

// RemoveStepEnv returns the edits that take variables out of a step's env:, and
// env: itself when nothing is left. It is refused when none of them is there.
func (f *File) RemoveStepEnv(s *Step, names []string) (edits []Edit, ok bool) {
	if s.Env == nil {
		return nil, false
	}
	key, ok := f.keyOf(s.Span, s.Env, "env")
	if !ok {
		return nil, false
	}
	return f.swapEntries(s, s.Env, key, names, nil)
}

// keyOf finds the key inside outer whose value is the mapping m: the nearest one
// before it.
func (f *File) keyOf(outer Span, m *Map, name string) (Span, bool) {
	if !outer.Contains(m.Span) {
		return Span{}, false // an alias
	}
	before := strings.TrimRight(string(f.Source[outer.Start:m.Span.Start]), " \t\r\n")
	if !strings.HasSuffix(before, name+":") {
		return Span{}, false
	}
	start := outer.Start + len(before) - len(name) - len(":")
	return Span{start, start + len(name)}, true
}

// swapEntries replaces entries of a mapping of a step.
func (f *File) swapEntries(s *Step, m *Map, key Span, old []string, new []Setting) ([]Edit, bool) {
	if m == nil || m.Whole != nil || !s.Span.Contains(m.Span) || !s.Span.Contains(key) {
		return nil, false
	}
	var gone []int
	for i, e := range m.Entries {
		if !m.Span.Contains(e.Key.Span) || !e.inPlace(m.Span) {
			return nil, false // merged in, or an alias
		}
		if slices.ContainsFunc(old, func(name string) bool { return strings.EqualFold(name, e.Key.Value) }) {
			gone = append(gone, i)
		}
	}
	present := func(n Setting) bool { return m.Get(n.Key) != nil }
	switch {
	case len(gone) == 0 || slices.ContainsFunc(new, present):
		return nil, false
	case len(gone) == len(m.Entries) && len(new) == 0:
		return f.removeKey(s, Span{key.Start, f.endOfMap(m)})
	case f.isFlow(m.Span):
		return f.swapFlow(m, gone, new), true
	}
	return f.swapBlock(m, gone, new)
}

// endOfMap returns where a mapping of a step ends: behind its bracket, or its last value.
func (f *File) endOfMap(m *Map) int {
	if f.isFlow(m.Span) {
		return m.Span.End
	}
	return m.Entries[len(m.Entries)-1].Value.Span.End
}

// removeKey removes a key with all below it from a step that has other keys.
func (f *File) removeKey(s *Step, entry Span) ([]Edit, bool) {
	if f.isFlow(s.Span) {
		comma := strings.LastIndexByte(string(f.Source[s.Span.Start:entry.Start]), ',')
		if comma < 0 || strings.TrimSpace(string(f.Source[s.Span.Start+comma+1:entry.Start])) != "" {
			return nil, false
		}
		return []Edit{{Span{s.Span.Start + comma, entry.End}, ""}}, true
	}
	if entry.Start != s.Span.Start {
		return one(f.removeLines(entry))
	}
	return f.removeFirstKey(s, entry)
}

// removeFirstKey removes the key that stands behind the dash of a step: the next
// key moves up to the dash.
func (f *File) removeFirstKey(s *Step, entry Span) ([]Edit, bool) {
	indent, ok := f.indentOf(entry.Start)
	if !ok || !f.endsLine(entry.End) {
		return nil, false
	}
	next := f.lineEnd(entry.End) + len(f.lineBreak())
	if next >= s.Span.End || !strings.HasPrefix(string(f.Source[next:]), indent) || f.Source[next+len(indent)] == '#' {
		return nil, false
	}
	return []Edit{{Span{entry.Start, next + len(indent)}, ""}}, true
}

// swapFlow edits a mapping in brackets.
func (f *File) swapFlow(m *Map, gone []int, new []Setting) []Edit {
	var texts []string
	for _, n := range new {
		texts = append(texts, yamlEntry{key: n.Key, text: n.Text}.flow())
	}
	var edits []Edit
	for i := 0; i < len(gone); i++ {
		first, last := gone[i], gone[i]
		for i+1 < len(gone) && gone[i+1] == last+1 { // neighbours go as one
			i++
			last = gone[i]
		}
		span := Span{m.Entries[first].Key.Span.Start, m.Entries[last].Value.Span.End}
		switch {
		case len(texts) > 0:
			edits = append(edits, Edit{span, strings.Join(texts, ", ")})
			texts = nil
			continue
		case first > 0:
			span.Start = m.Entries[first-1].Value.Span.End
		default:
			span.End = m.Entries[last+1].Key.Span.Start
		}
		edits = append(edits, Edit{span, ""})
	}
	return edits
}

// swapBlock edits a mapping in lines.
func (f *File) swapBlock(m *Map, gone []int, new []Setting) ([]Edit, bool) {
	var edits []Edit
	for n, i := range gone {
		e := m.Entries[i]
		entry := Span{e.Key.Span.Start, e.Value.Span.End}
		if n > 0 || len(new) == 0 {
			edit, ok := f.removeLines(entry)
			if !ok {
				return nil, false
			}
			edits = append(edits, edit)
			continue
		}
		indent, ok := f.indentOf(entry.Start)
		if !ok || !f.endsLine(entry.End) {
			return nil, false
		}
		edits = append(edits, Edit{entry, f.settings(new, indent, f.lineEnd(entry.End) == entry.End)})
	}
	return edits, true
}

// settings writes entries as lines; the last one's comment is left out when a
// comment is there already.
func (f *File) settings(new []Setting, indent string, free bool) string {
	var b strings.Builder
	for i, n := range new {
		if i > 0 {
			b.WriteString(f.lineBreak() + indent)
		}
		b.WriteString(f.block(yamlEntry{key: n.Key, text: n.Text}, indent))
		if n.Comment != "" && (free || i+1 < len(new)) {
			b.WriteString(" # " + n.Comment)
		}
	}
	return b.String()
}

// AllowJob returns the edits after which the job's token has at least the given
// level of a scope, with all that it had; nil when it has that already. It is
// refused for read-all, which cannot be written together with a scope, and for a
// job on the default permissions, which the file does not show and a block would
// take away.
func (f *File) AllowJob(j *Job, scope string, level Access) (edits []Edit, ok bool) {
	have := j.EffectivePermissions()
	switch {
	case have.Unread || have.Origin == OriginDefault:
		return nil, false
	case have.Of(scope) >= level:
		return nil, true
	case have.All != AccessNone:
		return nil, false
	}
	scopes := maps.Clone(have.Scopes)
	scopes[scope] = level
	return f.SetJobPermissions(j, scopes)
}
