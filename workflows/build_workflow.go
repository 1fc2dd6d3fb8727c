package workflows

import "fmt"

// workflow builds a workflow file.
func (b *builder) workflow(root node) *Workflow {
	w := &Workflow{}
	var jobs field
	hasOn := false
	for _, f := range root.fields {
		switch f.key.Value {
		case "name":
			w.Name = b.text(f)
		case "run-name":
			w.RunName = b.text(f)
		case "on":
			hasOn, w.OnSpan = true, f.key.Span
			w.On = b.triggers(f)
		case "permissions":
			w.Permissions = b.permissions(f)
		case "env":
			w.Env = b.textMap(f)
		case "defaults":
			w.Shell, w.WorkingDirectory = b.defaults(f)
		case "concurrency":
			w.Concurrency = newValue(f.val)
		case "cache-mode":
			w.CacheMode = b.text(f)
		case "jobs":
			jobs, w.JobsSpan = f, f.key.Span
		default:
			w.Unknown = append(w.Unknown, newField(f))
		}
	}
	if !hasOn {
		b.missing(root, "on")
	}
	if jobs.key == nil {
		b.missing(root, "jobs")
	} else {
		w.Jobs = b.jobs(jobs, w)
	}
	return w
}

// missing notes a top-level key without which GitHub refuses the file.
func (b *builder) missing(root node, key string) {
	at := Span{root.span.Start, root.span.Start}
	if len(root.fields) > 0 {
		at = root.fields[0].key.Span
	}
	b.file.problem(at, fmt.Sprintf("%s is missing; GitHub refuses this file", key))
}

// triggers builds on: in its three forms.
func (b *builder) triggers(f field) []*Trigger {
	var out []*Trigger
	switch f.val.kind {
	case textNode:
		out = append(out, &Trigger{Event: f.val.scalar.Value, Span: f.val.span})
	case listNode:
		for _, s := range b.texts(f) {
			out = append(out, &Trigger{Event: s.Value, Span: s.Span})
		}
	case mapNode:
		b.in("on", func() {
			for _, e := range f.val.fields {
				out = append(out, b.trigger(e))
			}
		})
	case emptyNode:
		b.wrong(f, "text, a list or a mapping")
	}
	return out
}

// trigger builds one event of the mapping form.
func (b *builder) trigger(f field) *Trigger {
	t := &Trigger{Event: f.key.Value, Span: f.key.Span}
	if f.val.kind == emptyNode {
		return t
	}
	if f.key.Value == "schedule" {
		t.Cron = b.schedules(f)
		return t
	}
	fields := b.fields(f)
	b.in(f.key.Value, func() {
		for _, e := range fields {
			b.filter(t, e)
		}
	})
	return t
}

// filter reads one key below an event. Keys that are not filters are left alone:
// GitHub adds some, and none of them makes an event weaker for our rules.
func (b *builder) filter(t *Trigger, f field) {
	switch f.key.Value {
	case "types":
		t.Types = b.texts(f)
	case "branches":
		t.Branches = b.texts(f)
	case "branches-ignore":
		t.BranchesIgnore = b.texts(f)
	case "tags":
		t.Tags = b.texts(f)
	case "tags-ignore":
		t.TagsIgnore = b.texts(f)
	case "paths":
		t.Paths = b.texts(f)
	case "paths-ignore":
		t.PathsIgnore = b.texts(f)
	case "workflows":
		t.Workflows = b.texts(f)
	case "inputs":
		t.Inputs = b.inputs(f)
	case "secrets":
		t.Secrets = b.inputs(f)
	case "outputs":
		t.Outputs = b.outputs(f)
	}
}

// schedules builds the cron lines of the schedule event.
func (b *builder) schedules(f field) []*Scalar {
	if f.val.kind != listNode {
		b.wrong(f, "a list")
		return nil
	}
	var out []*Scalar
	for _, item := range f.val.items {
		for _, e := range b.fields(field{key: f.key, val: item}) {
			if s := b.text(e); e.key.Value == "cron" && s != nil {
				out = append(out, s)
			}
		}
	}
	return out
}

// inputs builds declared inputs or secrets.
func (b *builder) inputs(f field) []*Input {
	if f.val.kind == emptyNode {
		return nil
	}
	var out []*Input
	fields := b.fields(f)
	b.in(f.key.Value, func() {
		for _, e := range fields {
			out = append(out, b.input(e))
		}
	})
	return out
}

// input builds one declared input; it may be empty.
func (b *builder) input(f field) *Input {
	in := &Input{Name: f.key, Span: f.span()}
	if f.val.kind == emptyNode {
		return in
	}
	fields := b.fields(f)
	b.in(f.key.Value, func() {
		for _, e := range fields {
			switch e.key.Value {
			case "type":
				in.Type = b.text(e).String()
			case "default":
				in.Default = b.text(e)
			case "required":
				in.Required = b.text(e).String() == "true"
			case "options":
				in.Options = b.texts(e)
			}
		}
	})
	return in
}

// outputs builds declared outputs; the value of one that has none is empty.
func (b *builder) outputs(f field) []Entry {
	if f.val.kind == emptyNode {
		return nil
	}
	var out []Entry
	fields := b.fields(f)
	b.in(f.key.Value, func() {
		for _, e := range fields {
			value := &Scalar{Span: Span{e.key.Span.End, e.key.Span.End}}
			if v, ok := e.val.get("value"); ok && v.kind == textNode {
				value = v.scalar
			}
			out = append(out, Entry{e.key, value})
		}
	})
	return out
}

// permissions builds a permissions: block in either form.
func (b *builder) permissions(f field) *Permissions {
	p := &Permissions{Span: f.val.span, KeySpan: f.key.Span}
	switch f.val.kind {
	case textNode:
		p.All = f.val.scalar
	case mapNode:
		b.in(f.key.Value, func() {
			for _, e := range f.val.fields {
				p.Scopes = append(p.Scopes, Entry{e.key, b.textOrEmpty(e)})
			}
		})
	default:
		// The default holds then, as if nothing were stated.
		b.wrong(f, "text or a mapping")
		return nil
	}
	return p
}

// defaults returns the shell and working directory of defaults.run.
func (b *builder) defaults(f field) (shell, dir *Scalar) {
	if f.val.kind == emptyNode {
		return nil, nil
	}
	fields := b.fields(f)
	b.in(f.key.Value, func() {
		for _, e := range fields {
			if e.key.Value != "run" || e.val.kind == emptyNode {
				continue
			}
			for _, r := range b.fields(e) {
				switch r.key.Value {
				case "shell":
					shell = b.text(r)
				case "working-directory":
					dir = b.text(r)
				}
			}
		}
	})
	return shell, dir
}
