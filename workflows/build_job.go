package workflows

import "fmt"

// jobs builds the jobs of a workflow.
func (b *builder) jobs(f field, w *Workflow) []*Job {
	fields := b.fields(f)
	out := make([]*Job, 0, len(fields))
	b.in(f.key.Value, func() {
		for _, e := range fields {
			job := &Job{ID: e.key.Value, IDSpan: e.key.Span, Span: e.span(), Workflow: w}
			out = append(out, job)
			if e.val.kind != mapNode {
				b.wrong(e, "a mapping")
				continue
			}
			b.in(e.key.Value, func() { b.job(job, e) })
		}
	})
	if f.val.kind == mapNode && len(fields) == 0 {
		b.file.problem(f.key.Span, "jobs is empty; GitHub refuses this file")
	}
	return out
}

// job builds one job.
func (b *builder) job(j *Job, f field) {
	var steps field
	for _, e := range f.val.fields {
		if e.key.Value == "steps" {
			steps, j.StepsSpan = e, e.key.Span
			continue
		}
		if !b.jobRun(j, e) && !b.jobContext(j, e) && !b.jobCall(j, e) {
			j.Unknown = append(j.Unknown, newField(e))
		}
	}
	// Steps come last: the shell of their scripts depends on the other keys.
	if steps.key != nil {
		j.Steps = b.steps(steps, shellContext{j.Shell, j.Workflow.Shell, j.RunsOn})
	}
	switch calls := hasKey(f.val.fields, "uses"); {
	case !calls && steps.key == nil:
		b.file.problem(j.IDSpan, fmt.Sprintf("%s has neither steps nor uses; GitHub refuses this file", b.where()))
	case !calls && !hasKey(f.val.fields, "runs-on"):
		b.file.problem(j.IDSpan, fmt.Sprintf("%s has no runs-on; GitHub refuses this file", b.where()))
	}
}

// jobRun reads the keys that say when and where a job runs.
func (b *builder) jobRun(j *Job, f field) bool {
	switch f.key.Value {
	case "name":
		j.Name = b.text(f)
	case "needs":
		j.Needs = b.texts(f)
	case "runs-on":
		j.RunsOn = b.runsOn(f)
	case "if":
		j.If = b.condition(f)
	case "strategy":
		j.Strategy = b.strategy(f)
	case "container":
		j.Container = b.container(f, "")
	case "services":
		j.Services = b.services(f)
	case "concurrency":
		j.Concurrency = newValue(f.val)
	case "timeout-minutes":
		j.Timeout = b.text(f)
	case "continue-on-error":
		j.ContinueOnError = b.text(f)
	default:
		return false
	}
	return true
}

// jobContext reads the keys that say what a job has.
func (b *builder) jobContext(j *Job, f field) bool {
	switch f.key.Value {
	case "environment":
		j.Environment = b.environment(f)
	case "permissions":
		j.Permissions = b.permissions(f)
	case "env":
		j.Env = b.textMap(f)
	case "defaults":
		j.Shell, j.WorkingDirectory = b.defaults(f)
	case "outputs":
		j.Outputs = b.textMap(f)
	case "cache-mode":
		j.CacheMode = b.text(f)
	default:
		return false
	}
	return true
}

// jobCall reads the keys of a call of a reusable workflow.
func (b *builder) jobCall(j *Job, f field) bool {
	switch f.key.Value {
	case "uses":
		if j.Uses = b.uses(f); j.Uses != nil {
			j.Uses.Workflow = true
		}
	case "with":
		j.With = b.textMap(f)
	case "secrets":
		if f.val.kind == textNode && len(f.val.scalar.Exprs) == 0 {
			j.InheritSecrets = f.val.scalar
			if j.InheritSecrets.Value != "inherit" {
				b.wrong(f, `a mapping or "inherit"`)
			}
			return true
		}
		j.Secrets = b.textMap(f)
	default:
		return false
	}
	return true
}

// condition builds an if:, which is an expression with or without ${{ }}.
func (b *builder) condition(f field) *Scalar {
	if s := b.text(f); s != nil {
		return bareExpr(s)
	}
	return nil
}

// runsOn builds runs-on in its three forms.
func (b *builder) runsOn(f field) *RunsOn {
	r := &RunsOn{Span: f.val.span}
	switch f.val.kind {
	case textNode, listNode:
		r.Labels = b.texts(f)
	case mapNode:
		b.in(f.key.Value, func() {
			for _, e := range f.val.fields {
				switch e.key.Value {
				case "group":
					r.Group = b.text(e)
				case "labels":
					r.Labels = b.texts(e)
				}
			}
		})
	default:
		b.wrong(f, "text, a list or a mapping")
		return nil
	}
	return r
}

// environment builds the deployment environment in either form.
func (b *builder) environment(f field) *Environment {
	e := &Environment{Span: f.val.span}
	switch f.val.kind {
	case textNode:
		e.Name = f.val.scalar
	case mapNode:
		b.in(f.key.Value, func() {
			for _, k := range f.val.fields {
				switch k.key.Value {
				case "name":
					e.Name = b.text(k)
				case "url":
					e.URL = b.text(k)
				}
			}
		})
	default:
		if f.val.kind == listNode {
			b.wrong(f, "text or a mapping")
		}
		return nil
	}
	return e
}

// strategy builds the matrix of a strategy.
func (b *builder) strategy(f field) *Strategy {
	if f.val.kind == emptyNode {
		return nil
	}
	s := &Strategy{Span: f.val.span}
	if s.Whole = whole(f.val); s.Whole != nil {
		return s
	}
	fields := b.fields(f)
	b.in(f.key.Value, func() {
		for _, e := range fields {
			if e.key.Value == "matrix" && e.val.kind != emptyNode {
				b.matrix(s, e)
			}
		}
	})
	return s
}

// matrix reads the rows of a matrix.
func (b *builder) matrix(s *Strategy, f field) {
	if s.Whole = whole(f.val); s.Whole != nil {
		return
	}
	for _, e := range b.fields(f) {
		switch e.key.Value {
		case "include":
			s.Include = newValue(e.val)
		case "exclude":
			s.Exclude = newValue(e.val)
		default:
			s.Rows = append(s.Rows, newField(e))
		}
	}
}

// services builds the service containers of a job.
func (b *builder) services(f field) []*Container {
	if f.val.kind == emptyNode || whole(f.val) != nil {
		return nil
	}
	var out []*Container
	fields := b.fields(f)
	b.in(f.key.Value, func() {
		for _, e := range fields {
			if c := b.container(e, e.key.Value); c != nil {
				out = append(out, c)
			}
		}
	})
	return out
}

// container builds a container in either form.
func (b *builder) container(f field, name string) *Container {
	c := &Container{Name: name, Span: f.val.span}
	switch f.val.kind {
	case textNode:
		c.Image = f.val.scalar
		return c
	case emptyNode:
		return nil
	}
	fields := b.fields(f)
	b.in(f.key.Value, func() {
		for _, e := range fields {
			switch e.key.Value {
			case "image":
				c.Image = b.text(e)
			case "env":
				c.Env = b.textMap(e)
			case "options":
				c.Options = b.text(e)
			case "credentials":
				credentials := b.textMap(e)
				c.Username, c.Password = credentials.Get("username"), credentials.Get("password")
			}
		}
	})
	return c
}
