package unpinnedimage

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// unpinnedValue returns the first value without a digest that an image can have, "" when
// all have one. It is known when all values of every expression are.
func unpinnedValue(image *workflows.Scalar, job *reach.Job) (name string, known bool) {
	if job == nil {
		return "", false
	}
	texts := []string{strings.TrimPrefix(image.Value, dockerScheme)}
	for _, e := range image.Exprs {
		values := valuesOf(e.Root, job.Job.Strategy)
		if len(values) == 0 {
			return "", false
		}
		var next []string
		for _, text := range texts {
			for _, v := range values {
				if len(next) < maxImages {
					next = append(next, strings.Replace(text, image.Value[e.Start:e.End], v, 1))
				}
			}
		}
		texts = next
	}
	for _, text := range texts {
		if text != "" && !strings.Contains(text, "@sha256:") && !strings.Contains(text, "${{") {
			return text, true
		}
	}
	return "", true
}

// maxImages bounds the images that the values of expressions are put together to.
const maxImages = 256

// valuesOf returns the texts that an expression can have where the file says them all:
// literals, values of the matrix, format() of these, and a choice among them.
func valuesOf(n workflows.ExprNode, s *workflows.Strategy) []string {
	switch n := n.(type) {
	case *workflows.Lit:
		return []string{n.Value}
	case *workflows.Ref:
		if n.Base == nil && len(n.Parts) >= 2 && n.Parts[0].Name == "matrix" {
			return matrixValues(s, n.Parts[1:])
		}
	case *workflows.Call:
		if n.Func == "format" && len(n.Args) > 0 {
			return formatted(n.Args, s)
		}
	case *workflows.Binary: // a && b || c: what decides is no value of it
		left, ok := n.X.(*workflows.Binary)
		if n.Op == "||" && ok && left.Op == "&&" {
			yes, no := valuesOf(left.Y, s), valuesOf(n.Y, s)
			if len(yes) > 0 && len(no) > 0 {
				return append(slices.Clip(yes), no...)
			}
		}
	}
	return nil
}

// formatted returns the results of format() over all values of its arguments.
func formatted(args []workflows.ExprNode, s *workflows.Strategy) []string {
	texts := valuesOf(args[0], s)
	for i, arg := range args[1:] {
		values := valuesOf(arg, s)
		var next []string
		for _, text := range texts {
			for _, v := range values {
				if len(next) < maxImages {
					next = append(next, strings.ReplaceAll(text, fmt.Sprintf("{%d}", i), v))
				}
			}
		}
		texts = next
	}
	return texts
}

// matrixValues returns the constant values of matrix.a.b, those of include: too.
func matrixValues(s *workflows.Strategy, parts []workflows.Part) []string {
	if s == nil {
		return nil
	}
	var out []string
	add := func(v *workflows.Value) {
		for _, part := range parts[1:] {
			v = fieldFold(v, part.Name)
		}
		if text, ok := v.Text().Const(); ok {
			out = append(out, text)
		}
	}
	for _, row := range s.Rows {
		if strings.EqualFold(row.Key.Value, parts[0].Name) {
			for _, v := range row.Value.Items {
				add(v)
			}
		}
	}
	if s.Include != nil {
		for _, item := range s.Include.Items {
			if v := fieldFold(item, parts[0].Name); v != nil {
				add(v)
			}
		}
	}
	return out
}

func fieldFold(v *workflows.Value, name string) *workflows.Value {
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
