package terraform

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Limits of one document's expressions.
const (
	maxDepth = 60
	maxSteps = 100_000
	maxText  = 1 << 20
)

// A values reads the expressions of one document. Values are nil, bool, string,
// json.Number, []any and map[string]any.
type values struct {
	module *module
	// unresolved lists the expressions that have placeholders, as written.
	unresolved []string
	steps      int
	busy       []string // references that are being resolved
	// used collects the addresses that were followed.
	used map[string]bool
}

func (m *module) values() *values { return &values{module: m, used: map[string]bool{}} }

// attribute reads an attribute of a block, nil when it is not there.
func (v *values) attribute(body *hclsyntax.Body, name string) any {
	attr := body.Attributes[name]
	if attr == nil {
		return nil
	}
	return v.value(attr.Expr, 0)
}

// text reads an attribute that is a string.
func (v *values) text(body *hclsyntax.Body, name string) string {
	return textOf(v.attribute(body, name))
}

// list reads an attribute that is a list of strings, or one string.
func (v *values) list(body *hclsyntax.Body, name string) []string {
	return listOf(v.attribute(body, name))
}

func textOf(a any) string {
	switch t := a.(type) {
	case nil:
		return ""
	case string:
		return t
	case json.Number:
		return t.String()
	case bool:
		return fmt.Sprint(t)
	}
	b, err := json.Marshal(a)
	if err != nil {
		return ""
	}
	return string(b)
}

func listOf(a any) []string {
	switch t := a.(type) {
	case nil:
		return nil
	case []any:
		list := make([]string, len(t))
		for i, item := range t {
			list[i] = textOf(item)
		}
		return list
	}
	return []string{textOf(a)}
}

// placeholder stands for an expression: one name for the same text.
func (v *values) placeholder(e hclsyntax.Expression) string {
	text := v.source(e.Range())
	i := slices.Index(v.unresolved, text)
	if i < 0 {
		i = len(v.unresolved)
		v.unresolved = append(v.unresolved, text)
	}
	return fmt.Sprintf("unresolved-%d", i+1)
}

func (v *values) source(r hcl.Range) string {
	const most = 120
	src := v.module.files[r.Filename]
	if r.End.Byte > len(src) || r.Start.Byte > r.End.Byte {
		return "expression"
	}
	text := strings.Join(strings.Fields(string(src[r.Start.Byte:r.End.Byte])), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// value reads an expression.
func (v *values) value(e hclsyntax.Expression, depth int) any {
	if v.steps++; depth > maxDepth || v.steps > maxSteps {
		return v.placeholder(e)
	}
	switch x := e.(type) {
	case *hclsyntax.LiteralValueExpr:
		return literal(x.Val)
	case *hclsyntax.TemplateExpr:
		return v.template(x, depth)
	case *hclsyntax.TemplateWrapExpr:
		return v.value(x.Wrapped, depth+1)
	case *hclsyntax.ParenthesesExpr:
		return v.value(x.Expression, depth+1)
	case *hclsyntax.TupleConsExpr:
		list := make([]any, len(x.Exprs))
		for i, item := range x.Exprs {
			list[i] = v.value(item, depth+1)
		}
		return list
	case *hclsyntax.ObjectConsExpr:
		m := make(map[string]any, len(x.Items))
		for _, item := range x.Items {
			m[textOf(v.value(item.KeyExpr, depth+1))] = v.value(item.ValueExpr, depth+1)
		}
		return m
	case *hclsyntax.ObjectConsKeyExpr:
		if key := hcl.ExprAsKeyword(x.Wrapped); key != "" && !x.ForceNonLiteral {
			return key
		}
		return v.value(x.Wrapped, depth+1)
	case *hclsyntax.FunctionCallExpr:
		return v.call(x, depth)
	case *hclsyntax.ScopeTraversalExpr:
		return v.reference(x, depth)
	}
	return v.placeholder(e)
}

func literal(val cty.Value) any {
	switch {
	case val.IsNull():
		return nil
	case val.Type() == cty.String:
		return val.AsString()
	case val.Type() == cty.Bool:
		return val.True()
	case val.Type() == cty.Number:
		f := val.AsBigFloat()
		if i, accuracy := f.Int(nil); accuracy == big.Exact && i.BitLen() < 256 {
			return json.Number(i.String())
		}
		return json.Number(f.Text('g', 17))
	}
	return nil
}

func (v *values) template(x *hclsyntax.TemplateExpr, depth int) any {
	var b strings.Builder
	for _, part := range x.Parts {
		b.WriteString(textOf(v.value(part, depth+1)))
		if b.Len() > maxText {
			return v.placeholder(x)
		}
	}
	return b.String()
}

// call runs the functions that policies are put together with.
func (v *values) call(x *hclsyntax.FunctionCallExpr, depth int) any {
	if x.ExpandFinal {
		return v.placeholder(x)
	}
	before := len(v.unresolved)
	args := make([]any, len(x.Args))
	for i, a := range x.Args {
		args[i] = v.value(a, depth+1)
	}
	if got, ok := apply(x.Name, args); ok {
		return got
	}
	v.unresolved = v.unresolved[:before]
	return v.placeholder(x)
}

func apply(name string, args []any) (any, bool) {
	switch {
	case name == "jsonencode" && len(args) == 1:
		b, err := json.Marshal(args[0])
		return string(b), err == nil
	case name == "join" && len(args) == 2:
		return strings.Join(listOf(args[1]), textOf(args[0])), true
	case (name == "tolist" || name == "toset" || name == "compact" || name == "distinct") && len(args) == 1:
		list, ok := args[0].([]any)
		return list, ok
	case name == "concat":
		var all []any
		for _, a := range args {
			if list, ok := a.([]any); ok {
				all = append(all, list...)
			} else {
				all = append(all, a) // a list that is not known is one placeholder
			}
		}
		return all, true
	case name == "merge":
		all := map[string]any{}
		for _, a := range args {
			m, ok := a.(map[string]any)
			if !ok {
				return nil, false
			}
			for k, item := range m {
				all[k] = item
			}
		}
		return all, true
	case name == "replace" && len(args) == 3 && !strings.HasPrefix(textOf(args[1]), "/"):
		return strings.ReplaceAll(textOf(args[0]), textOf(args[1]), textOf(args[2])), true
	case name == "trimprefix" && len(args) == 2:
		return strings.TrimPrefix(textOf(args[0]), textOf(args[1])), true
	case (name == "tostring" || name == "lower" || name == "trimspace") && len(args) == 1:
		text := textOf(args[0])
		switch name {
		case "lower":
			text = strings.ToLower(text)
		case "trimspace":
			text = strings.TrimSpace(text)
		}
		return text, true
	case name == "format" && len(args) > 0:
		return format(textOf(args[0]), args[1:])
	}
	return nil, false
}

// format knows %s, %v and %d, which are all that policies use.
func format(pattern string, args []any) (any, bool) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(pattern, "%")
		b.WriteString(before)
		switch {
		case !found:
			return b.String(), len(args) == 0
		case strings.HasPrefix(after, "%"):
			b.WriteByte('%')
		case after != "" && strings.ContainsRune("svd", rune(after[0])) && len(args) > 0:
			b.WriteString(textOf(args[0]))
			args = args[1:]
		default:
			return nil, false
		}
		pattern = after[1:]
	}
}

// What every account of AWS has in place of names that no file holds.
const noAccount = "000000000000"

// reference follows local, var and the module's own blocks.
func (v *values) reference(x *hclsyntax.ScopeTraversalExpr, depth int) any {
	names := traversalNames(x.Traversal)
	if len(names) < 2 {
		return v.placeholder(x)
	}
	key := strings.Join(names, ".")
	if slices.Contains(v.busy, key) {
		return v.placeholder(x)
	}
	v.busy = append(v.busy, key)
	defer func() { v.busy = v.busy[:len(v.busy)-1] }()

	var e hclsyntax.Expression
	switch names[0] {
	case "local":
		e = v.module.locals[names[1]]
	case "var":
		e = v.module.variables[names[1]]
	default:
		if got, ok := v.known(names); ok {
			return got
		}
	}
	if e == nil {
		return v.placeholder(x)
	}
	got := v.value(e, depth+1)
	for _, name := range names[2:] {
		m, ok := got.(map[string]any)
		if !ok || m[name] == nil {
			return v.placeholder(x)
		}
		got = m[name]
	}
	if got == nil {
		return v.placeholder(x)
	}
	return got
}

// traversalNames are the names of a reference; indexes of counted blocks are left out.
func traversalNames(t hcl.Traversal) []string {
	var names []string
	for _, step := range t {
		switch s := step.(type) {
		case hcl.TraverseRoot:
			names = append(names, s.Name)
		case hcl.TraverseAttr:
			names = append(names, s.Name)
		case hcl.TraverseIndex:
			if s.Key.Type() == cty.String {
				names = append(names, s.Key.AsString())
			}
		}
	}
	return names
}

// known gives the attributes of blocks that can be told from the files.
func (v *values) known(names []string) (any, bool) {
	data := names[0] == "data"
	if data {
		names = names[1:]
	}
	if len(names) < 3 {
		return nil, false
	}
	kind, attribute := names[0], names[2]
	address := kind + "." + names[1]
	if data {
		address = "data." + address
	}
	v.used[address] = true
	b := v.module.blocks[address]
	switch kind + "." + attribute {
	case "aws_caller_identity.account_id":
		return noAccount, true
	case "aws_partition.partition":
		return "aws", true
	case "aws_iam_policy_document.json":
		if b == nil {
			return nil, false
		}
		return v.policyDocument(b), true
	case "aws_iam_openid_connect_provider.arn":
		return "arn:aws:iam::" + noAccount + ":oidc-provider/" + v.providerName(b), true
	case "aws_iam_openid_connect_provider.url":
		return v.providerName(b), true
	case "google_iam_workload_identity_pool.name", "google_iam_workload_identity_pool.workload_identity_pool_id":
		return v.pool(names[1], b, attribute == "name"), true
	}
	return nil, false
}

const gitHubProvider = "token.actions.githubusercontent.com"

// providerName is the name of an OpenID provider, GitHub's where the files do not
// say: the keys of the conditions must agree with it in any case.
func (v *values) providerName(b *block) string {
	if b == nil {
		return gitHubProvider
	}
	url := strings.TrimPrefix(v.text(b.body, "url"), "https://")
	if url == "" || strings.HasPrefix(url, "unresolved-") {
		return gitHubProvider
	}
	return url
}
