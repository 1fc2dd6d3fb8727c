package workflows

import (
	"maps"
	"slices"
)

// SetWorkflowPermissions returns the edits after which the workflow's
// permissions are exactly the given scopes; none at all is written as {}. A new
// block goes before jobs:.
func (f *File) SetWorkflowPermissions(scopes map[string]Access) (edits []Edit, ok bool) {
	w := f.Workflow
	if w == nil || w.JobsSpan.IsZero() {
		return nil, false
	}
	if w.Permissions != nil {
		return f.setPermissions(w.Permissions, scopes)
	}
	if f.lineStart(w.JobsSpan.Start) != w.JobsSpan.Start || f.startsInBrackets() {
		return nil, false
	}
	at := f.aboveComments(w.JobsSpan.Start)
	lineBreak := f.lineBreak()
	return []Edit{{Span{at, at}, f.block(permissionsEntry(scopes), "") + lineBreak + lineBreak}}, true
}

// SetJobPermissions returns the edits after which the job's own permissions are
// exactly the given scopes. A new block goes behind runs-on:, or behind the uses:
// of a call. Mind that a block sets what it does not name to none.
func (f *File) SetJobPermissions(j *Job, scopes map[string]Access) (edits []Edit, ok bool) {
	if j.Permissions != nil {
		return f.setPermissions(j.Permissions, scopes)
	}
	return f.addJobKey(j, permissionsEntry(scopes))
}

// SetJobCacheMode returns the edits after which the job's own cache-mode is mode.
func (f *File) SetJobCacheMode(j *Job, mode string) (edits []Edit, ok bool) {
	if j.CacheMode != nil {
		return one(f.replaceScalar(j.Span, j.CacheMode, mode))
	}
	return f.addJobKey(j, yamlEntry{key: "cache-mode", text: mode})
}

// addJobKey puts a key that the job does not have behind runs-on:, or behind the
// uses: of a call.
func (f *File) addJobKey(j *Job, e yamlEntry) ([]Edit, bool) {
	var anchor Span
	switch {
	case j.RunsOn != nil:
		anchor = j.RunsOn.Span
	case j.Uses != nil:
		anchor = j.Uses.Span
	}
	body, ok := f.valueStart(j.IDSpan)
	if !ok || anchor.IsZero() || !j.Span.Contains(anchor) || !j.Span.Contains(Span{body, body}) {
		return nil, false
	}
	if f.Source[body] == '{' {
		return []Edit{{Span{anchor.End, anchor.End}, ", " + e.flow()}}, true
	}
	indent, ok := f.indentOf(body)
	if !ok {
		return nil, false
	}
	return one(f.insertLineAfter(anchor.End, indent, e))
}

// levelNames are the levels as workflow files write them.
var levelNames = map[Access]string{AccessNone: "none", AccessRead: "read", AccessWrite: "write"}

func permissionsEntry(scopes map[string]Access) yamlEntry {
	e := yamlEntry{key: "permissions"}
	for _, scope := range slices.Sorted(maps.Keys(scopes)) {
		e.entries = append(e.entries, yamlEntry{key: scope, text: levelNames[scopes[scope]]})
	}
	return e
}

// setPermissions changes a block entry by entry, so that comments stay, or as a
// whole where it has none to keep.
func (f *File) setPermissions(p *Permissions, scopes map[string]Access) ([]Edit, bool) {
	if p.All != nil || len(p.Scopes) == 0 || f.isFlow(p.Span) || len(scopes) == 0 {
		return f.replacePermissions(p, scopes)
	}
	var edits []Edit
	var kept []Entry
	for _, entry := range p.Scopes {
		level, wanted := scopes[entry.Key.Value]
		var edit Edit
		ok := true
		switch {
		case !wanted:
			edit, ok = f.removeLines(Span{entry.Key.Span.Start, f.endOfEntry(p.Span, entry)})
		case entry.Value.Value != levelNames[level]:
			edit, ok = f.replaceScalar(p.Span, entry.Value, levelNames[level])
		}
		if !ok {
			return nil, false
		}
		if wanted {
			kept = append(kept, entry)
		}
		if edit != (Edit{}) {
			edits = append(edits, edit)
		}
	}
	return f.addScopes(p, scopes, kept, edits)
}

// addScopes adds the scopes that kept entries do not have behind the last of them.
func (f *File) addScopes(p *Permissions, scopes map[string]Access, kept []Entry, edits []Edit) ([]Edit, bool) {
	if len(kept) == 0 {
		return f.replacePermissions(p, scopes)
	}
	missing := maps.Clone(scopes)
	for _, entry := range kept {
		delete(missing, entry.Key.Value)
	}
	if len(missing) == 0 {
		return edits, true
	}
	added, ok := f.addEntries(p.Span, &Map{Entries: kept, Span: p.Span}, permissionsEntry(missing).entries)
	return append(edits, added...), ok
}

// replacePermissions writes the block anew behind its key.
func (f *File) replacePermissions(p *Permissions, scopes map[string]Access) ([]Edit, bool) {
	colon, ok := f.afterColon(p.KeySpan)
	if !ok || p.Span.Start < colon {
		return nil, false
	}
	e := permissionsEntry(scopes)
	indent, block := f.indentOf(p.KeySpan.Start)
	if !block || f.startsInBrackets() {
		return []Edit{{Span{colon, p.Span.End}, " " + flowMap(e.entries)}}, true
	}
	if !f.endsLine(p.Span.End) {
		return nil, false
	}
	text := f.block(e, indent)
	return []Edit{{Span{colon, p.Span.End}, text[len(e.key)+len(":"):]}}, true
}

// startsInBrackets reports whether the whole file is one flow mapping, as JSON is.
func (f *File) startsInBrackets() bool {
	for i := 0; i < len(f.Source); i++ {
		switch f.Source[i] {
		case ' ', '\t', '\r', '\n', 0xEF, 0xBB, 0xBF:
		case '{':
			return true
		default:
			return false
		}
	}
	return false
}

// aboveComments returns the start of the block of comment lines that stands right
// above the line starting at an offset, or the offset when there is none.
func (f *File) aboveComments(line int) int {
	for line > 0 {
		previous := f.lineStart(line - 1)
		if f.Source[previous] != '#' {
			break
		}
		line = previous
	}
	return line
}

// valueStart returns where the value of a key begins, behind line breaks and
// comments; ok is false for values with anchors, tags and aliases.
func (f *File) valueStart(key Span) (offset int, ok bool) {
	i, ok := f.afterColon(key)
	if !ok {
		return 0, false
	}
	for i < len(f.Source) {
		switch c := f.Source[i]; {
		case c == '#':
			i = f.lineEnd(i)
		case isBlank(c) || c == '\r' || c == '\n':
			i++
		default:
			return i, c != '&' && c != '*' && c != '!'
		}
	}
	return 0, false
}
