package workflows

// action builds an action.yml.
func (b *builder) action(root node) *Action {
	a := &Action{}
	hasRuns := false
	for _, f := range root.fields {
		switch f.key.Value {
		case "name":
			a.Name = b.text(f)
		case "description":
			a.Description = b.text(f)
		case "inputs":
			a.Inputs = b.inputs(f)
		case "outputs":
			a.Outputs = b.outputs(f)
		case "runs":
			hasRuns = true
			b.runs(a, f)
		default:
			a.Unknown = append(a.Unknown, newField(f))
		}
	}
	if !hasRuns {
		b.missing(root, "runs")
	}
	return a
}

// runs builds the part of an action that says what it executes.
func (b *builder) runs(a *Action, f field) {
	fields := b.fields(f)
	b.in(f.key.Value, func() {
		for _, e := range fields {
			switch e.key.Value {
			case "using":
				a.Using = b.text(e)
			case "main":
				a.Main = b.text(e)
			case "pre":
				a.Pre = b.text(e)
			case "post":
				a.Post = b.text(e)
			case "image":
				a.Image = b.text(e)
			case "entrypoint":
				a.Entrypoint = b.text(e)
			case "args":
				a.Args = b.texts(e)
			case "env":
				a.Env = b.textMap(e)
			case "steps":
				a.Steps = b.steps(e, shellContext{})
			default:
				a.Unknown = append(a.Unknown, newField(e))
			}
		}
	})
}
