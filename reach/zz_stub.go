package reach

import (
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

func build(repo *workflows.Repository) *Graph   { return &Graph{Repository: repo} }
func (g *Graph) pairs() []Pair                  { return nil }
func (g *Graph) of(j *workflows.Job) *Job       { return nil }
func (g *Graph) users(a *workflows.File) []*Job { return nil }
func (g *Graph) hijack(name, ref string) []*Job { return nil }
func (j *Job) starter() platform.Starter        { return 0 }
func (j *Job) worstCode() *Code                 { return nil }
func (j *Job) standing() []*Credential          { return nil }
func (j *Job) grade() Severity                  { return 0 }
