package workflows

// Stubs, to be replaced by the uses, script, permissions, source and edit work.

func (l *Lock) pinned(w string, u *Uses) (Pin, bool) { return Pin{}, false }
func (u *Uses) name() string                         { return "" }
func (u *Uses) fullName() string                     { return "" }
func parseUses(s string) *Uses                       { return &Uses{} }
func (c *Command) args() []Word                      { return nil }
func (e Effective) of(scope string) Access           { return 0 }
func (e Effective) writes() []string                 { return nil }
func (j *Job) effectivePermissions() Effective       { return Effective{} }
func (j *Job) effectiveEnv(s *Step) []Entry          { return nil }
func (r *Repository) file(path string) *File         { return nil }
func (r *Repository) action(dir string) *File        { return nil }
func (r *Repository) lock() *Lock                    { return nil }
func apply(f *File, edits []Edit) ([]byte, error)    { return nil, nil }
func parseScript(s *Scalar, shell Shell) *Script     { return &Script{Scalar: s, Shell: shell} }
func parseLock(v *Value) (*Lock, []Problem)          { return nil, nil }
