package workflows

import "slices"

// NarrowEnv returns the edits that move variables from the env: of a job, or for a
// nil job of the workflow, to the env: of the given steps; env: itself goes when
// nothing is left in it. It is refused when one of the variables is not there or a
// step has it with another value.
func (f *File) NarrowEnv(j *Job, names []string, steps []*Step) (edits []Edit, ok bool) {
	if f.Workflow == nil {
		return nil, false
	}
	m, outer := f.Workflow.Env, Span{0, len(f.Source)}
	if j != nil {
		m, outer = j.Env, j.Span
	}
	vars, gone := take(m, names)
	if len(vars) == 0 || len(vars) != len(names) || f.isFlow(outer) {
		return nil, false
	}
	if edits, ok = f.dropEntries(outer, m, gone); !ok {
		return nil, false
	}
	for _, s := range steps {
		more, ok := f.setStepEnv(s, vars)
		if !ok {
			return nil, false
		}
		edits = append(edits, more...)
	}
	return edits, true
}

// take returns the named entries of a mapping and their indexes.
func take(m *Map, names []string) (vars []yamlEntry, gone []int) {
	for i, e := range m.All() {
		if slices.Contains(names, e.Key.Value) {
			vars = append(vars, yamlEntry{key: e.Key.Value, text: e.Value.Value})
			gone = append(gone, i)
		}
	}
	return vars, gone
}

// dropEntries removes entries of an env: that stands in lines of its own inside outer.
func (f *File) dropEntries(outer Span, m *Map, gone []int) ([]Edit, bool) {
	key, ok := f.keyOf(outer, m, "env")
	for _, e := range m.Entries {
		if !m.Span.Contains(e.Key.Span) || !e.inPlace(m.Span) {
			return nil, false // merged in, or an alias
		}
	}
	switch {
	case !ok:
		return nil, false
	case len(gone) == len(m.Entries):
		return one(f.removeLines(Span{key.Start, f.endOfMap(m)}))
	case f.isFlow(m.Span):
		return f.swapFlow(m, gone, nil), true
	}
	return f.swapBlock(m, gone, nil)
}
