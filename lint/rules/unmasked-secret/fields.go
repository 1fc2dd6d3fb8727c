package unmaskedsecret

import (
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// judgeFields reports expressions that take a field out of a secret:
// fromJSON(secrets.X).password.
func judgeFields(p *lint.Pass) {
	p.Jobs(func(job *reach.Job) {
		masked := maskedExpressions(job)
		judge := func(s *workflows.Scalar) {
			for _, e := range s.Exprs {
				if masked[e.Text] {
					continue
				}
				if l, ok := field(p, job, e); ok {
					f := l.finding()
					f.Span = e.Span
					p.Report(f)
				}
			}
		}
		job.Job.Scalars(judge)
		for _, e := range job.Job.Workflow.Env.All() {
			judge(e.Value)
		}
	})
}

// maskedExpressions returns the texts of the expressions that some step of the job
// asks the runner to mask.
func maskedExpressions(job *reach.Job) map[string]bool {
	out := map[string]bool{}
	for _, s := range job.Job.AllSteps() {
		if s.Run == nil || !masks(s.Run.Value) {
			continue
		}
		s.Scalars(func(v *workflows.Scalar) {
			for _, e := range v.Exprs {
				out[e.Text] = true
			}
		})
	}
	return out
}

// field returns the leak of an expression whose value is a field of a secret.
func field(p *lint.Pass, job *reach.Job, e *workflows.Expr) (leak, bool) {
	var found leak
	workflows.Walk(e.Root, func(n workflows.ExprNode) bool {
		switch n := n.(type) {
		case *workflows.Binary:
			return n.Op == "&&" || n.Op == "||" // what is only compared goes nowhere
		case *workflows.Not:
			return false
		case *workflows.Ref:
			if c := structured(p, job, n); c != nil && found.cred == nil {
				found = leak{job, c, "a field of the structured secret " + c.Name + " is used by itself"}
			}
		}
		return true
	})
	return found, found.cred != nil
}

// structured returns the secret of which a reference takes a field, nil for none and
// for fields that hold no secret.
func structured(p *lint.Pass, job *reach.Job, r *workflows.Ref) *reach.Credential {
	call, ok := r.Base.(*workflows.Call)
	if !ok || call.Func != "fromjson" || len(call.Args) != 1 || len(r.Parts) == 0 {
		return nil
	}
	if last := r.Parts[len(r.Parts)-1].Raw; platform.LookupSecret(last).Public || harmless(last) {
		return nil
	}
	var at *workflows.Ref
	workflows.Walk(call.Args[0], func(n workflows.ExprNode) bool {
		if ref, ok := n.(*workflows.Ref); ok && ref.Base == nil && at == nil {
			at = ref
		}
		return true
	})
	if at == nil {
		return nil
	}
	for _, c := range job.Standing() {
		if slices.Contains(c.Enters, reach.Site{File: p.File, Span: at.Span}) && !c.All {
			return c
		}
	}
	if len(at.Parts) == 2 && at.Parts[0].Name == "secrets" && at.Parts[1].Raw != "" {
		// Its name is that of something that is no secret; what has fields is one.
		return &reach.Credential{Kind: reach.StoredSecret, Name: at.Parts[1].Raw, Lifetime: reach.Standing, Writes: true}
	}
	return nil
}

// harmless reports whether a name is that of something that is no secret.
func harmless(name string) bool {
	words := strings.FieldsFunc(strings.ToLower(splitCamel(name)), func(r rune) bool { return r < 'a' || r > 'z' })
	if len(words) == 0 {
		return false
	}
	plain := []string{"id", "ids", "url", "uri", "endpoint", "region", "name", "host", "hostname", "project", "email", "account", "tenant", "type", "port", "zone", "bucket"}
	return slices.Contains(plain, words[len(words)-1])
}

// splitCamel puts a blank before each capital letter that follows a small one.
func splitCamel(name string) string {
	var b strings.Builder
	small := false
	for _, r := range name {
		capital := r >= 'A' && r <= 'Z'
		if capital && small {
			b.WriteByte(' ')
		}
		small = !capital
		b.WriteRune(r)
	}
	return b.String()
}
