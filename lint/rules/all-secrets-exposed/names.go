package allsecretsexposed

import (
	"slices"
	"strconv"
	"strings"

	"github.com/stint-dev/stint/workflows"
)

// maxNames bounds the names that one expression may stand for.
const maxNames = 64

// namesOf returns the names that an index of secrets can have, sorted, when the
// file alone says which: literals, matrix rows, choice inputs, and format() and
// conditions of these.
func namesOf(j *workflows.Job, index workflows.ExprNode) ([]string, bool) {
	names, ok := texts(j, index)
	if !ok || len(names) == 0 {
		return nil, false
	}
	slices.Sort(names)
	return slices.Compact(names), true
}

// texts returns every text that an expression can have.
func texts(j *workflows.Job, n workflows.ExprNode) ([]string, bool) {
	switch n := n.(type) {
	case *workflows.Lit:
		return []string{n.Value}, n.Kind == workflows.StringLiteral
	case *workflows.Binary:
		return condition(j, n)
	case *workflows.Call:
		if n.Func == "format" && len(n.Args) > 0 {
			return formatted(j, n.Args)
		}
	case *workflows.Ref:
		return values(j, n)
	}
	return nil, false
}

// condition follows a && b || c: what stands before && only decides.
func condition(j *workflows.Job, n *workflows.Binary) ([]string, bool) {
	switch n.Op {
	case "||":
		left, ok := texts(j, n.X)
		right, also := texts(j, n.Y)
		return append(left, right...), ok && also
	case "&&":
		return texts(j, n.Y)
	}
	return nil, false
}

// formatted fills each combination of values into a format.
func formatted(j *workflows.Job, args []workflows.ExprNode) ([]string, bool) {
	out, ok := texts(j, args[0])
	for i, a := range args[1:] {
		fill, known := texts(j, a)
		if !ok || !known || len(out)*len(fill) > maxNames {
			return nil, false
		}
		var next []string
		for _, o := range out {
			for _, f := range fill {
				next = append(next, strings.ReplaceAll(o, "{"+strconv.Itoa(i)+"}", f))
			}
		}
		out = next
	}
	return out, ok
}

// values returns the values of matrix.<name>, matrix.<name>.<field> or a choice input.
func values(j *workflows.Job, r *workflows.Ref) ([]string, bool) {
	path := strings.Split(r.Path(), ".")
	switch {
	case path[0] == "matrix" && (len(path) == 2 || len(path) == 3):
		return matrix(j.Strategy, path[1:])
	case path[0] == "inputs" && len(path) == 2:
		return choices(j.Workflow, path[1])
	}
	return nil, false
}

// matrix returns the constant values of a row, with those that include: adds.
func matrix(s *workflows.Strategy, path []string) (out []string, ok bool) {
	if s == nil || s.Whole != nil {
		return nil, false
	}
	constant := true
	add := func(v *workflows.Value) {
		for _, name := range path[1:] {
			v = field(v, name)
		}
		text, known := v.Text().Const()
		out, constant = append(out, text), constant && known
	}
	for _, row := range s.Rows {
		if !strings.EqualFold(row.Key.Value, path[0]) {
			continue
		}
		constant = constant && row.Value.Scalar == nil // matrix: { x: ${{ … }} }
		for _, item := range row.Value.Items {
			add(item)
		}
	}
	if s.Include != nil {
		constant = constant && s.Include.Scalar == nil
		for _, item := range s.Include.Items {
			if v := field(item, path[0]); v != nil {
				add(v)
			}
		}
	}
	return out, constant && len(out) > 0 && len(out) <= maxNames
}

func field(v *workflows.Value, name string) *workflows.Value {
	if v == nil {
		return nil
	}
	for _, f := range v.Fields {
		if strings.EqualFold(f.Key.Value, name) {
			return f.Value
		}
	}
	return nil
}

// choices returns the options of an input that every trigger declares as a choice.
func choices(w *workflows.Workflow, name string) ([]string, bool) {
	var out []string
	for _, t := range w.On {
		for _, in := range t.Inputs {
			if !strings.EqualFold(in.Name.Value, name) {
				continue
			}
			if in.Type != "choice" {
				return nil, false
			}
			for _, o := range in.Options {
				text, ok := o.Const()
				if !ok {
					return nil, false
				}
				out = append(out, text)
			}
		}
	}
	return out, len(out) > 0
}
