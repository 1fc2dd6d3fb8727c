package workflows

// Scalars calls visit for every scalar of the step that may hold an expression,
// in no particular order, those of steps nested in parallel: not included.
func (s *Step) Scalars(visit func(*Scalar)) {
	for _, v := range []*Scalar{s.Name, s.If, s.Shell, s.WorkingDirectory, s.ContinueOnError, s.Timeout, s.Background} {
		some(v, visit)
	}
	if s.Uses != nil {
		some(s.Uses.Scalar, visit)
	}
	if s.Run != nil {
		some(s.Run.Scalar, visit)
	}
	s.With.scalars(visit)
	s.Env.scalars(visit)
	for _, f := range s.Unknown {
		f.Value.scalars(visit)
	}
}

// Scalars calls visit for every scalar of the job that may hold an expression and
// for those of all its steps; the workflow's own env: is not included.
func (j *Job) Scalars(visit func(*Scalar)) {
	for _, v := range []*Scalar{j.Name, j.If, j.Shell, j.WorkingDirectory, j.Timeout, j.ContinueOnError, j.CacheMode, j.InheritSecrets} {
		some(v, visit)
	}
	if j.RunsOn != nil {
		each(j.RunsOn.Labels, visit)
		some(j.RunsOn.Group, visit)
	}
	if j.Environment != nil {
		some(j.Environment.Name, visit)
		some(j.Environment.URL, visit)
	}
	if j.Uses != nil {
		some(j.Uses.Scalar, visit)
	}
	for _, m := range []*Map{j.Env, j.Outputs, j.With, j.Secrets} {
		m.scalars(visit)
	}
	j.Strategy.scalars(visit)
	j.Concurrency.scalars(visit)
	j.Container.scalars(visit)
	for _, c := range j.Services {
		c.scalars(visit)
	}
	for _, f := range j.Unknown {
		f.Value.scalars(visit)
	}
	for _, s := range j.AllSteps() {
		s.Scalars(visit)
	}
}

func some(v *Scalar, visit func(*Scalar)) {
	if v != nil {
		visit(v)
	}
}

func each(list []*Scalar, visit func(*Scalar)) {
	for _, v := range list {
		some(v, visit)
	}
}

func (m *Map) scalars(visit func(*Scalar)) {
	if m == nil {
		return
	}
	some(m.Whole, visit)
	for _, e := range m.Entries {
		some(e.Value, visit)
	}
}

func (v *Value) scalars(visit func(*Scalar)) {
	if v == nil {
		return
	}
	some(v.Scalar, visit)
	for _, i := range v.Items {
		i.scalars(visit)
	}
	for _, f := range v.Fields {
		f.Value.scalars(visit)
	}
}

func (s *Strategy) scalars(visit func(*Scalar)) {
	if s == nil {
		return
	}
	some(s.Whole, visit)
	for _, r := range s.Rows {
		r.Value.scalars(visit)
	}
	s.Include.scalars(visit)
	s.Exclude.scalars(visit)
}

func (c *Container) scalars(visit func(*Scalar)) {
	if c == nil {
		return
	}
	for _, v := range []*Scalar{c.Image, c.Username, c.Password, c.Options} {
		some(v, visit)
	}
	c.Env.scalars(visit)
}
