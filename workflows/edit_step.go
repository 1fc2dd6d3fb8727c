package workflows

// SetStepWith returns the edits that give an input of a step's action a value:
// it changes the entry, adds one to with:, or adds with: behind uses:. The edits
// are nil when the value is there already.
func (f *File) SetStepWith(s *Step, key, value string) (edits []Edit, ok bool) {
	if s.Uses == nil || !s.Span.Contains(s.UsesSpan) {
		return nil, false
	}
	e := yamlEntry{key: key, text: value}
	with := yamlEntry{key: "with", entries: []yamlEntry{e}}
	switch {
	case len(s.With.All()) > 0:
		return f.setEntry(s.Span, s.With, e)
	case !s.WithSpan.IsZero():
		return f.fillEmpty(s.Span, s.WithSpan, with)
	}
	return one(f.addStepKey(s, s.Uses.Scalar, with))
}

// SetStepEnv returns the edits that give a step an environment variable: it adds
// one to env:, or adds env: before run: or behind uses:. It is refused when the
// variable is there with another value.
func (f *File) SetStepEnv(s *Step, name, value string) (edits []Edit, ok bool) {
	return f.setStepEnv(s, []yamlEntry{{key: name, text: value}})
}

// setStepEnv adds several variables at once: insertions at one place must be one
// edit.
func (f *File) setStepEnv(s *Step, vars []yamlEntry) (edits []Edit, ok bool) {
	var missing []yamlEntry
	for _, v := range vars {
		switch present := s.Env.Get(v.key); {
		case present == nil:
			missing = append(missing, v)
		case present.Value != v.text:
			return nil, false
		}
	}
	env := yamlEntry{key: "env", entries: missing}
	switch {
	case len(missing) == 0:
		return nil, true
	case s.Env != nil && s.Env.Whole != nil:
		return nil, false
	case s.Env != nil && (len(s.Env.Entries) > 0 || f.isFlow(s.Env.Span)):
		return f.addEntries(s.Span, s.Env, missing)
	case s.Run != nil && !f.isFlow(s.Span) && s.Span.Contains(s.RunSpan):
		return one(f.insertLineBefore(s.RunSpan.Start, env))
	case s.Run != nil:
		return one(f.addStepKey(s, s.Run.Scalar, env))
	case s.Uses != nil:
		return one(f.addStepKey(s, s.Uses.Scalar, env))
	}
	return nil, false
}

func one(e Edit, ok bool) ([]Edit, bool) {
	if !ok {
		return nil, false
	}
	return []Edit{e}, true
}

// addStepKey adds a key to a step behind the value of another of its keys.
func (f *File) addStepKey(s *Step, after *Scalar, e yamlEntry) (Edit, bool) {
	if !s.Span.Contains(after.Span) {
		return Edit{}, false // an alias
	}
	end := after.Span.End
	if f.isFlow(s.Span) {
		return Edit{Span{end, end}, ", " + e.flow()}, true
	}
	indent, ok := f.indentOf(s.Span.Start)
	if !ok {
		return Edit{}, false
	}
	return f.insertLineAfter(end, indent, e)
}

// setEntry changes or adds an entry of a mapping inside the value at outer.
func (f *File) setEntry(outer Span, m *Map, e yamlEntry) ([]Edit, bool) {
	present := m.Get(e.key)
	switch {
	case m.Whole != nil:
		return nil, false
	case present == nil:
		return f.addEntries(outer, m, []yamlEntry{e})
	case present.Value == e.text:
		return nil, true
	}
	return one(f.replaceScalar(outer, present, e.text))
}

// replaceScalar writes another text in place of a scalar.
func (f *File) replaceScalar(outer Span, s *Scalar, text string) (Edit, bool) {
	if !outer.Contains(s.Span) || s.Span.Len() == 0 || s.Style == Literal || s.Style == Folded {
		return Edit{}, false
	}
	// What is safe inside brackets is safe outside them too.
	return Edit{s.Span, yamlText(text, true)}, true
}

// addEntries adds entries to a mapping as one edit.
func (f *File) addEntries(outer Span, m *Map, entries []yamlEntry) ([]Edit, bool) {
	if !outer.Contains(m.Span) {
		return nil, false
	}
	var all Edit
	for i, e := range entries {
		edit, ok := f.addEntry(m.Span, m.Entries, e)
		if !ok {
			return nil, false
		}
		if i > 0 && f.isFlow(m.Span) && len(m.Entries) == 0 {
			edit.New = ", " + edit.New
		}
		all = Edit{edit.Span, all.New + edit.New}
	}
	return []Edit{all}, true
}

// fillEmpty writes the entries of e under a key that has no value or {}.
func (f *File) fillEmpty(outer, key Span, e yamlEntry) ([]Edit, bool) {
	colon, ok := f.afterColon(key)
	if !ok || !outer.Contains(key) {
		return nil, false
	}
	at := colon
	for at < len(f.Source) && isBlank(f.Source[at]) {
		at++
	}
	if end, empty := f.emptyBraces(at); empty {
		return []Edit{{Span{at, end}, flowMap(e.entries)}}, true
	}
	if !f.endsLine(colon) || f.isFlow(outer) {
		return nil, false
	}
	indent, ok := f.indentOf(key.Start)
	if !ok {
		return nil, false
	}
	at = f.lineEnd(colon)
	text := f.block(e, indent)
	return []Edit{{Span{at, at}, text[len(e.key)+len(":"):]}}, true
}

// emptyBraces returns the end of the {} at an offset.
func (f *File) emptyBraces(at int) (end int, ok bool) {
	if at >= len(f.Source) || f.Source[at] != '{' {
		return 0, false
	}
	for end = at + 1; end < len(f.Source) && isBlank(f.Source[end]); end++ {
	}
	if end == len(f.Source) || f.Source[end] != '}' {
		return 0, false
	}
	return end + 1, true
}
