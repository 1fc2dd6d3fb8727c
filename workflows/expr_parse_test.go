package workflows

import (
	"fmt"
	"strings"
	"testing"
)

// show writes a tree with the source of each node.
func show(n ExprNode, text string) string {
	src := func(s Span) string { return "‹" + text[s.Start:s.End] + "›" }
	switch n := n.(type) {
	case *Lit:
		return fmt.Sprintf("lit%d:%s%s", n.Kind, n.Value, src(n.Span))
	case *Ref:
		var b strings.Builder
		if n.Base != nil {
			b.WriteString("(" + show(n.Base, text) + ")")
		}
		for _, p := range n.Parts {
			if p.Index != nil {
				b.WriteString("[" + show(p.Index, text) + "]")
				continue
			}
			b.WriteString("/" + p.Name)
			if p.Raw != p.Name {
				b.WriteString("=" + p.Raw)
			}
		}
		return b.String() + src(n.Span)
	case *Call:
		args := make([]string, len(n.Args))
		for i, a := range n.Args {
			args[i] = show(a, text)
		}
		return n.Func + "(" + strings.Join(args, ", ") + ")" + src(n.Span)
	case *Not:
		return "not(" + show(n.X, text) + ")" + src(n.Span)
	case *Binary:
		return "{" + show(n.X, text) + n.Op + show(n.Y, text) + "}" + src(n.Span)
	}
	return fmt.Sprintf("%T", n)
}

func TestParseExpr(t *testing.T) {
	tests := []struct{ text, want string }{
		{"github.ref", "/github/ref‹github.ref›"},
		{" GitHub.Event.Issue ", "/github=GitHub/event=Event/issue=Issue‹GitHub.Event.Issue›"},
		{"a.*.b", "/a/*/b‹a.*.b›"},
		{"a . b", "/a/b‹a . b›"},
		{"secrets['My_Token']", "/secrets/my_token=My_Token‹secrets['My_Token']›"},
		{"secrets[ ( 'x' ) ].y", "/secrets/x/y‹secrets[ ( 'x' ) ].y›"},
		{"a[0].b", "/a[lit1:0‹0›]/b‹a[0].b›"},
		{"a[matrix.x]", "/a[/matrix/x‹matrix.x›]‹a[matrix.x]›"},
		{"a[b[c]][d]", "/a[/b[/c‹c›]‹b[c]›][/d‹d›]‹a[b[c]][d]›"},
		{"true", "lit2:true‹true›"},
		{"null", "lit3:null‹null›"},
		{"'it''s }} ok'", "lit0:it's }} ok‹'it''s }} ok'›"},
		{"0xFF", "lit1:0xFF‹0xFF›"},
		{"1.5.a", "(lit1:1.5‹1.5›)/a‹1.5.a›"},
		{"0e0.a", "(lit1:0e0‹0e0›)/a‹0e0.a›"},
		{"-1.5e-3", "lit1:-1.5e-3‹-1.5e-3›"},
		{"fromJSON(x).y", "(fromjson(/x‹x›)‹fromJSON(x)›)/y‹fromJSON(x).y›"},
		{"always()", "always()‹always()›"},
		{"contains( (a), 'b' )", "contains(/a‹a›, lit0:b‹'b'›)‹contains( (a), 'b' )›"},
		{"f(g(), (h))", "f(g()‹g()›, /h‹h›)‹f(g(), (h))›"},
		{"!a", "not(/a‹a›)‹!a›"},
		{"!(a || b)", "not({/a‹a›||/b‹b›}‹a || b›)‹!(a || b)›"},
		{"!!a", "not(not(/a‹a›)‹!a›)‹!!a›"},
		{"a && b || c", "{{/a‹a›&&/b‹b›}‹a && b›||/c‹c›}‹a && b || c›"},
		{"a && (b || c)", "{/a‹a›&&{/b‹b›||/c‹c›}‹b || c›}‹a && (b || c)›"},
		{"((a && b) || c) && d", "{{{/a‹a›&&/b‹b›}‹a && b›||/c‹c›}‹(a && b) || c›&&/d‹d›}‹((a && b) || c) && d›"},
		{"(a).b", "/a/b‹(a).b›"},
		{"((a || b)).c", "({/a‹a›||/b‹b›}‹a || b›)/c‹((a || b)).c›"},
		{"(a)[(b)]", "/a[/b‹b›]‹(a)[(b)]›"},
		{"a == 'x' && b != 1", "{{/a‹a›==lit0:x‹'x'›}‹a == 'x'›&&{/b‹b›!=lit1:1‹1›}‹b != 1›}‹a == 'x' && b != 1›"},
		{"a<b", "{/a‹a›</b‹b›}‹a<b›"},
		{"a<=b", "{/a‹a›<=/b‹b›}‹a<=b›"},
		{"a >= (1)", "{/a‹a›>=lit1:1‹1›}‹a >= (1)›"},
		{"((((a))))", "/a‹a›"},
		{"a\n &&\t b", "{/a‹a›&&/b‹b›}‹a\n &&\t b›"},
		{"github['event']['é'].x", "/github/event/é/x‹github['event']['é'].x›"},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			n, err := ParseExpr(test.text)
			if err != nil {
				t.Fatal(err)
			}
			if got := show(n, test.text); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestParseExprErrors(t *testing.T) {
	for _, text := range []string{
		"", " ", "a.", "a..b", ".a", "a b", "a &&", "a & b", "a = b", "'open", `"double"`, "f(", "f(a,)", "a[", "a[]",
		"(a", "a)", "a }} b", "}}", "1x", "a.1", "a.-b", "\x00", "$x", "é", "a,b", "${{ a }}",
		strings.Repeat("(", MaxDepth+1) + "a" + strings.Repeat(")", MaxDepth+1),
		strings.Repeat("a[", MaxDepth+1) + "0" + strings.Repeat("]", MaxDepth+1),
		"'" + strings.Repeat("x", MaxExprBytes) + "'",
	} {
		if n, err := ParseExpr(text); err == nil || n != nil {
			t.Errorf("%.40q was accepted as %T", text, n)
		}
	}
}

// TestDeepExpr walks trees as deep as their limit lets them be.
func TestDeepExpr(t *testing.T) {
	for _, text := range []string{
		strings.Repeat("(", MaxDepth) + "a" + strings.Repeat(")", MaxDepth),
		strings.Repeat("!", MaxExprBytes-1) + "a",
		strings.Repeat("a&&", MaxExprBytes/3-1) + "a",
		strings.Repeat("a==", MaxExprBytes/3-1) + "a",
		"contains('" + strings.Repeat("(", 2*MaxDepth) + "', a)",
		"a" + strings.Repeat(".b", MaxExprBytes/2-1),
		"a" + strings.Repeat("['b']", MaxExprBytes/5-1),
	} {
		n, err := ParseExpr(text)
		if err != nil {
			t.Errorf("%.40q: %v", text, err)
		}
		count := 0
		Walk(n, func(ExprNode) bool { count++; return true })
		if count == 0 {
			t.Errorf("%.40q: nothing walked", text)
		}
	}
}

// TestFindExprs holds which ${{ }} a text has. «» mark them in the source.
func TestFindExprs(t *testing.T) {
	tests := []struct{ name, source, want string }{
		{"one", "a: x «${{ github.ref }}» y\n", "github.ref"},
		{"two", "a: «${{a}}»«${{ b }}»\n", "a|b"},
		{"end in a string", "a: «${{ '}}' }}» }}\n", "'}}'"},
		{"escaped quote in a string", "a: «${{ 'it''s }}' }}» }}\n", "'it''s }}'"},
		{"not closed", "a: x «${{ a»\n", "a: ${{ is not closed by }}"},
		{"open string", "a: «${{ 'a }}» b }}\n", "'a: got unexpected EOF while lexing end of string literal, expecting '''"},
		{"empty", "a: «${{ }}»\n", ": unexpected end of input while parsing variable access"},
		{"in a literal block", "a: |\n  b «${{ c }}»\n  «${{\n    d\n  }}»\n", "c|d"},
		{"in a folded block", "a: >\n  b «${{ c ||\n  d }}»\n", "c || d"},
		{"in single quotes", "a: 'x''«${{ ''b'' }}»'\n", "'b'"},
		{"in double quotes", "a: \"\\t«${{ b }}»\\n\"\n", "b"},
		{"written in escapes", "a: \"«\\x24{{ b }}»\"\n", "b"},
		{"multi-byte", "a: ü«${{ 'ö' }}»ß\n", "'ö'"},
		{"none", "a: $ {{ b }} $(( 1 ))\n", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f, _, root := readText(strings.NewReplacer("«", "", "»", "").Replace(test.source))
			var got, places []string
			for _, e := range root.fields[0].val.scalar.Exprs {
				text := e.Text
				if e.Err != nil {
					text, _, _ = strings.Cut(text+": "+e.Err.Error(), ", function call")
				}
				got, places = append(got, text), append(places, f.Text(e.Span))
				if inner := root.fields[0].val.scalar.Value[e.Start:e.End]; !strings.HasPrefix(inner, "${{") {
					t.Errorf("value range %q", inner)
				}
			}
			if strings.Join(got, "|") != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if want := marked(test.source); fmt.Sprint(places) != fmt.Sprint(want) {
				t.Errorf("places %q, want %q", places, want)
			}
		})
	}
}

// marked returns what stands between « and ».
func marked(s string) []string {
	var out []string
	for _, part := range strings.Split(s, "«")[1:] {
		out = append(out, part[:strings.Index(part, "»")])
	}
	return out
}

func TestExprPlaces(t *testing.T) {
	f, _, root := readText("a: 'x ${{ contains(github.event[''issue''].title, ''y'') && !a }}'\n")
	var got []string
	Walk(root.fields[0].val.scalar.Exprs[0].Root, func(n ExprNode) bool {
		got = append(got, f.Text(n.Range()))
		return true
	})
	want := "contains(github.event[''issue''].title, ''y'') && !a|contains(github.event[''issue''].title, ''y'')|" +
		"github.event[''issue''].title|''y''|!a|a"
	if strings.Join(got, "|") != want {
		t.Errorf("got %q", got)
	}
}

func TestRefs(t *testing.T) {
	n, err := ParseExpr("fromJSON(needs.x.outputs.y).z[github.event.a] || !(secrets[format('{0}', env.B)] == inputs.c.*.d)")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range (&Expr{Root: n}).Refs() {
		got = append(got, r.Path())
	}
	if want := "[needs.x.outputs.y github.event.a secrets[] env.b inputs.c.*.d]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if (*Expr)(nil).Refs() != nil || (&Expr{}).Refs() != nil {
		t.Error("refs of nothing")
	}
	if path := (&Ref{Base: &Call{}}).Path(); path != "" {
		t.Errorf("path on a base: %q", path)
	}
	count := 0
	Walk(n, func(ExprNode) bool { count++; return false })
	if count != 1 {
		t.Errorf("walk went on after false: %d", count)
	}
}

// checkExpr parses a text by each way that could read it and compares.
func checkExpr(t *testing.T, text string) {
	t.Helper()
	place := func(start, end int) Span { return Span{start, end} }
	n, err := ParseExpr(text)
	tree, treeErr := parseTree(text, place)
	if path := parsePath(text, place); path != nil {
		if treeErr != nil || show(path, text) != show(tree, text) {
			t.Errorf("%q is a path %s but %v", text, show(path, text), treeErr)
		}
	}
	if err != nil {
		return
	}
	whole := Span{0, len(text)}
	Walk(n, func(n ExprNode) bool {
		if s := n.Range(); s.Len() <= 0 || !whole.Contains(s) {
			t.Errorf("%q: %T at %v", text, n, s)
		} else if _, err := ParseExpr(text[s.Start:s.End]); err != nil {
			t.Errorf("%q: the text of a node, %q, is no expression: %v", text, text[s.Start:s.End], err)
		}
		return true
	})
}

func FuzzParseExpr(f *testing.F) {
	for _, text := range []string{
		"github.ref", "a.*.b", "secrets['X']", "!(a || b) && c == 'it''s'", "f(g(), (h))[0].x", "-1.5e-3", "0xAB", "a[b[c]]", "((a)).b", "a <= b", "1e5", "a-b.c-d",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) < 256 { // every node is parsed again
			checkExpr(t, text)
		}
	})
}
