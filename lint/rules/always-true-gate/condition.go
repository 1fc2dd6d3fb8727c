package alwaystruegate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/workflows"
)

// A flaw is what makes a condition hold.
type flaw struct {
	span       workflows.Span
	what, next string
	confidence lint.Confidence
	title      string
	fix        []workflows.Edit
}

// judge returns the flaw of a condition.
func judge(f *workflows.File, cond *workflows.Scalar) (flaw, bool) {
	if cond == nil || len(cond.Exprs) == 0 {
		return flaw{}, false
	}
	if strings.Contains(cond.Value, "${{") {
		if len(cond.Exprs) > 1 || cond.Exprs[0].Start > 0 || cond.Exprs[0].End < len(cond.Value) {
			return textAround(f, cond), true
		}
	}
	root := cond.Exprs[0].Root
	switch {
	case root == nil:
		return flaw{}, false
	case holds(root) && asks(root):
		return flaw{
			span: cond.Exprs[0].Span, confidence: lint.HighConfidence,
			what: "this condition holds whatever is compared in it",
			next: "compare each alternative: a == 'x' || a == 'y'; and join what is excluded by &&: a != 'x' && a != 'y'",
		}, true
	}
	return partOfList(f, cond, root)
}

// textAround is the flaw of text beside ${{ }}, a line break too: together they are a
// text that is not empty, and every such text is true.
func textAround(f *workflows.File, cond *workflows.Scalar) flaw {
	first, last := cond.Exprs[0], cond.Exprs[len(cond.Exprs)-1]
	beside := "text beside ${{ }}"
	if len(cond.Exprs) == 1 && strings.TrimSpace(cond.Value[:first.Start]+cond.Value[last.End:]) == "" {
		beside = "the line break or space beside ${{ }}"
	}
	return flaw{
		span: workflows.Span{Start: first.Span.Start, End: last.Span.End}, confidence: lint.HighConfidence,
		what:  beside + " makes this condition a text, which is always true",
		next:  "write the whole condition without ${{ }}, or all of it inside",
		title: "take ${{ }} away", fix: bare(f, cond),
	}
}

// bare returns the edits that make the whole value one expression; nil when the result
// would be none, or not the same YAML.
func bare(f *workflows.File, cond *workflows.Scalar) []workflows.Edit {
	var edits []workflows.Edit
	var text strings.Builder
	at := 0
	for _, e := range cond.Exprs {
		inner := e.Text
		if b, ok := e.Root.(*workflows.Binary); ok && (b.Op == "||" || b.Op == "&&") && strings.TrimSpace(cond.Value[:e.Start]+cond.Value[e.End:]) != "" {
			inner = "(" + inner + ")"
		}
		if e.Root == nil || e.Span.End > len(f.Source) || !strings.Contains(string(f.Source[e.Span.Start:e.Span.End]), e.Text) {
			return nil // quoted or folded: its bytes are not its text
		}
		text.WriteString(cond.Value[at:e.Start] + inner)
		at = e.End
		edits = append(edits, workflows.Edit{Span: e.Span, New: inner})
	}
	text.WriteString(cond.Value[at:])
	whole := strings.TrimSpace(text.String())
	if _, err := workflows.ParseExpr(whole); err != nil || strings.Contains(whole, "${{") {
		return nil
	}
	if start := f.Source[cond.Span.Start]; !strings.ContainsRune("|>'\"", rune(start)) && strings.ContainsRune("!'\"[{&*#|>@`%", rune(whole[0])) {
		return nil // a plain value cannot begin so
	}
	return edits
}

// holds reports whether a condition is true whatever its contexts are.
func holds(n workflows.ExprNode) bool {
	switch n := n.(type) {
	case *workflows.Lit:
		return n.Kind == workflows.StringLiteral && n.Value != "" || n.Kind == workflows.BoolLiteral && n.Value == "true"
	case *workflows.Binary:
		switch n.Op {
		case "&&":
			return holds(n.X) && holds(n.Y)
		case "||":
			return holds(n.X) || holds(n.Y) || excludesEither(alternatives(nil, n))
		}
	}
	return false
}

// asks reports whether a condition looks at anything: what is true on purpose does not.
func asks(n workflows.ExprNode) bool {
	found := false
	workflows.Walk(n, func(n workflows.ExprNode) bool {
		r, ok := n.(*workflows.Ref)
		found = found || ok && r.Base == nil
		return !found
	})
	return found
}

func alternatives(out []workflows.ExprNode, n workflows.ExprNode) []workflows.ExprNode {
	if b, ok := n.(*workflows.Binary); ok && b.Op == "||" {
		return alternatives(alternatives(out, b.X), b.Y)
	}
	return append(out, n)
}

// excludesEither reports a != 'x' || a != 'y': one of them always holds.
func excludesEither(list []workflows.ExprNode) bool {
	excluded := map[string]string{}
	for _, n := range list {
		b, ok := n.(*workflows.Binary)
		if !ok || b.Op != "!=" {
			continue
		}
		ref, okRef := b.X.(*workflows.Ref)
		lit, okLit := b.Y.(*workflows.Lit)
		if !okRef || !okLit || ref.Path() == "" {
			continue
		}
		if other, seen := excluded[ref.Path()]; seen && !strings.EqualFold(other, lit.Value) {
			return true
		}
		excluded[ref.Path()] = lit.Value
	}
	return false
}

// chosen are the contexts that somebody names as he likes: an outsider, or with a
// branch or tag who may not yet push to those that the text lists.
var chosen = []string{
	"github.actor", "github.triggering_actor", "github.head_ref", "github.ref", "github.ref_name", "github.event.sender.login", "github.event.comment.user.login",
	"github.event.issue.user.login", "github.event.pull_request.user.login", "github.event.pull_request.head.ref", "github.event.workflow_run.head_branch",
}

// partOfList is the flaw of contains('a b', name): it looks for a part of the text, and
// whoever is called like a part of it, or of two names with what stands between, is in.
func partOfList(f *workflows.File, cond *workflows.Scalar, root workflows.ExprNode) (found flaw, ok bool) {
	workflows.Walk(root, func(n workflows.ExprNode) bool {
		c, isCall := n.(*workflows.Call)
		if ok || !isCall || c.Func != "contains" || len(c.Args) != 2 {
			return !ok
		}
		list, isText := c.Args[0].(*workflows.Lit)
		ref, isRef := c.Args[1].(*workflows.Ref)
		if isText && isRef && list.Kind == workflows.StringLiteral && slices.Contains(chosen, ref.Path()) {
			ok = true
			found = flaw{
				span: c.Span, confidence: lint.MediumConfidence,
				what:  fmt.Sprintf("contains looks for %s as a part of the text '%s', and who is called like a part of it passes", ref.Path(), list.Value),
				next:  "look in a list: contains(fromJSON('[\"a\", \"b\"]'), name)",
				title: "look in a list", fix: asList(f, cond, list),
			}
		}
		return !ok
	})
	return found, ok
}

// asList replaces the text by a list of its words, where YAML and expression quote alike.
func asList(f *workflows.File, cond *workflows.Scalar, list *workflows.Lit) []workflows.Edit {
	quoted := "'" + list.Value + "'"
	if list.Span.End > len(f.Source) || string(f.Source[list.Span.Start:list.Span.End]) != quoted || strings.ContainsRune(list.Value, '"') || strings.ContainsRune("'\"", rune(f.Source[cond.Span.Start])) {
		return nil
	}
	words := strings.FieldsFunc(list.Value, func(r rune) bool { return strings.ContainsRune(" ,;\n\t|", r) })
	return []workflows.Edit{{Span: list.Span, New: `fromJSON('["` + strings.Join(words, `", "`) + `"]')`}}
}
