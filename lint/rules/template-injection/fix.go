package templateinjection

import (
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach/flow"
	"github.com/stint-dev/stint/workflows"
)

// maxMoves is how many expressions of one step a fix moves; a person wrote no more.
const maxMoves = 100

// fixes moves the expressions of the step through env. All of a step are moved by
// one fix, which each of its findings carries: insertions into one env: could not
// stand beside each other.
func fixes(f *workflows.File, in *injection, all []*injection) []lint.Fix {
	if in.sink.Expr == nil || len(all) > maxMoves {
		return nil
	}
	safe := true
	var moves []workflows.Move
	names := map[string]string{}
	for _, other := range all {
		if other.sink.Expr == nil || other.strict != in.strict {
			continue
		}
		m := workflows.Move{Expr: other.sink.Expr, Name: nameFor(in.sink, other.sink.Expr, names)}
		edits, ok := move(f, in.sink, []workflows.Move{m})
		if !ok {
			if other == in {
				return nil
			}
			continue
		}
		moves = append(moves, m)
		safe = safe && oneWord(other, edits)
	}
	edits, ok := move(f, in.sink, moves)
	if !ok {
		return nil
	}
	return []lint.Fix{{Title: "pass the text through env", Safe: safe, Edits: edits}}
}

func move(f *workflows.File, s *flow.Sink, moves []workflows.Move) ([]workflows.Edit, bool) {
	if s.Step.Run != nil {
		return f.MoveToEnv(s.Step, moves)
	}
	for _, e := range s.Step.With.All() {
		if slices.Contains(e.Value.Exprs, s.Expr) && strings.EqualFold(e.Key.Value, "script") && s.Step.Uses.FullName() == "actions/github-script" {
			return f.MoveToProcessEnv(s.Step, e.Value, moves)
		}
	}
	return nil, false
}

// oneWord reports whether a correct workflow means one word by the value, so that
// quotes around it change nothing: lists of files, and inputs that may hold several
// arguments, are split where no quotes stand.
func oneWord(in *injection, edits []workflows.Edit) bool {
	quotes := slices.ContainsFunc(edits, func(e workflows.Edit) bool {
		return e.Span == in.sink.Expr.Span && strings.HasPrefix(strings.TrimPrefix(e.New, `\`), `"`)
	})
	return !quotes || strings.HasPrefix(in.taint.Source, "github.") && !in.taint.Guess
}

// nameFor returns a variable's name for an expression, the same for the same text:
// a variable of the step's env: that has the value already, or one made of the
// expression that the script does not use.
func nameFor(s *flow.Sink, e *workflows.Expr, names map[string]string) string {
	if name := names[e.Text]; name != "" {
		return name
	}
	for _, v := range s.Step.Env.All() {
		if len(v.Value.Exprs) == 1 && v.Value.Exprs[0].Text == e.Text && v.Value.Value == "${{ "+e.Text+" }}" {
			names[e.Text] = v.Key.Value
			return v.Key.Value
		}
	}
	script := scriptText(s.Step)
	base := variableName(e)
	name := base
	for n := '2'; taken(name, names) || holdsWord(script, name) || s.Step.Env.Get(name) != nil; n++ {
		if n > '9' {
			break // refused by the edit
		}
		name = base + "_" + string(n)
	}
	names[e.Text] = name
	return name
}

func taken(name string, names map[string]string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

// scriptText is the step's script without its expressions.
func scriptText(s *workflows.Step) string {
	script := s.With.Get("script")
	if s.Run != nil {
		script = s.Run.Scalar
	}
	if script == nil {
		return ""
	}
	var b strings.Builder
	at := 0
	for _, e := range script.Exprs {
		b.WriteString(script.Value[at:e.Start])
		at = e.End
	}
	return b.String() + script.Value[at:]
}

// holdsWord reports whether a name stands in text as a word of its own.
func holdsWord(text, name string) bool {
	return slices.Contains(strings.FieldsFunc(text, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}), name)
}

// variableName makes a name of the last parts of the first context in an
// expression: ISSUE_TITLE, HEAD_REF, INPUTS_NAME.
func variableName(e *workflows.Expr) string {
	refs := e.Refs()
	if len(refs) == 0 {
		return "VALUE"
	}
	var parts []string
	for _, p := range refs[0].Parts {
		if p.Name != "" && p.Name != "*" && p.Name != "outputs" && p.Name != "github" && p.Name != "event" && p.Name != "steps" && p.Name != "needs" && p.Name != "env" {
			parts = append(parts, p.Name)
		}
	}
	parts = parts[max(0, len(parts)-2):]
	name := strings.ToUpper(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.Join(parts, "_")))
	if name == "" || name[0] >= '0' && name[0] <= '9' || reserved[name] || strings.HasPrefix(name, "GITHUB_") || strings.HasPrefix(name, "RUNNER_") {
		return "VALUE_" + name
	}
	return name
}

// reserved are variables that mean something to every program.
var reserved = map[string]bool{
	"PATH": true, "HOME": true, "IFS": true, "ENV": true, "BASH_ENV": true, "SHELL": true, "USER": true, "PWD": true, "TMPDIR": true, "LANG": true,
	"CI": true, "NODE_OPTIONS": true, "LD_PRELOAD": true, "PS4": true, "HOSTNAME": true,
}
