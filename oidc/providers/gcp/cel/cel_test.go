package cel

import (
	"strings"
	"testing"
	"unicode/utf8"
)

var claims = Vars{
	"assertion": Object(map[string]Value{
		"sub": Text("repo:acme/app:ref:refs/heads/main"), "repository": Text("acme/app"), "ref": Text("refs/heads/main"),
		"exp": Number(42), "empty": Text(""), "open": Open("x"), "aud": Texts([]string{"a", "b"}),
	}),
	"attribute": Object(map[string]Value{"repo": Text("acme/app")}),
	"google":    Object(map[string]Value{"subject": Text("repo:acme/app:ref:refs/heads/main")}),
}

// The outcomes are those of cel-go 0.33.2 with its strings extension, but for the
// open ones and for extract(), which is Google's own.
func TestOutcomes(t *testing.T) {
	const any = True | False | Failed
	for src, want := range map[string]Outcome{
		`true`: True, `false`: False, `null`: Failed, `'true'`: Failed, `!false`: True, `!'x'`: Failed, `!!true`: True,
		// An absent claim is an error everywhere but in has().
		`assertion.environment == 'prod'`: Failed, `assertion.environment != 'prod'`: Failed, `!(assertion.environment == 'prod')`: Failed,
		`has(assertion.environment)`: False, `has(assertion.empty)`: True, `!has(assertion.environment)`: True,
		`has(assertion.environment) && assertion.environment == 'prod'`: False, `has(assertion.environment.x)`: Failed, `has(nobody.x)`: any,
		`'environment' in assertion`: False, `'ref' in assertion`: True, `assertion['environment'] == 'x'`: Failed, `assertion['ref'] == 'refs/heads/main'`: True,
		// && and || absorb an error when the other side decides.
		`assertion.x == 'a' || true`: True, `true || assertion.x == 'a'`: True, `assertion.x == 'a' || false`: Failed, `false && assertion.x == 'a'`: False,
		`assertion.x == 'a' && false`: False, `assertion.x == 'a' && true`: Failed, `'a' || true`: True, `'a' && true`: Failed, `1 / 0 == 1 || true`: True,
		`assertion.x == 'a' ? true : false`: Failed, `true ? true : assertion.x`: True, `false ? assertion.x : true`: True,
		// Types: a text never equals a number, numbers compare by worth.
		`'42' == 42`: False, `'42' != 42`: True, `assertion.exp == 42`: True, `assertion.exp == 42.0`: True, `42u == 42`: True, `'1' in [1]`: False,
		`null == 'a'`: False, `[1, 'a'] == [1, 'a']`: True, `[1] == ['1']`: False, `true == true`: True, `'a' < 'b'`: True, `'a' < 1`: Failed, `1 < 2.5`: True,
		`assertion.sub == 'repo:acme/app:*'`: False, `'Acme/app' == assertion.repository`: False,
		// Texts.
		`assertion.sub.matches('repo:acme/app')`: True, `assertion.sub.matches('^acme')`: False, `assertion.sub.matches('^repo:acme.app:ref:.*$')`: True,
		`assertion.ref.matches('(')`: Failed, `assertion.ref.matches('\\C')`: any, `assertion.exp.matches('4')`: Failed, `assertion.ref.startsWith('refs/heads/')`: True,
		`assertion.ref.endsWith('/main')`: True, `assertion.ref.contains('heads')`: True, `assertion.ref.startsWith(1)`: Failed,
		`'ABC'.lowerAscii() == 'abc'`: True, `'É'.lowerAscii() == 'é'`: False, `'a/b'.split('/')[1] == 'b'`: True, `'a/b'.split('/')[2] == 'b'`: Failed,
		`['a', 'b'].join('/') == 'a/b'`: True, `'aXa'.replace('X', '') == 'aa'`: True, `size('aé') == 2`: True, `'aé'.size() == 2`: True, `assertion.ref + '!' == 'refs/heads/main!'`: True,
		`'a' + 1 == 'a1'`: Failed, `assertion.ref.extract('refs/heads/{b}') == 'main'`: True, `assertion.sub.extract('repo:{o}/') == 'acme'`: True,
		`assertion.ref.extract('refs/tags/{t}') == ''`: True, `assertion.sub.extract('{r}:ref') == 'repo:acme/app'`: True, `assertion.sub.extract('repo') == ''`: any,
		`string(42) == '42'`: True, `string(42u) == '42'`: True, `string(null) == ''`: Failed, `string(true) == 'true'`: any, `string('a') == 'a'`: True, `int(4) == 4`: True, `int(4.5) == 4`: any, `int(null) == 4`: Failed,
		`size(b'aé') == 3`: True, `size([1]) == 1`: True, `size(assertion) == 1`: any, `size(1) == 1`: Failed, `size('a', 'b') == 1`: Failed, `[1][0] == 1`: True, `[1][0u] == 1`: any, `1[0] == 1`: Failed,
		`[1] + [2] == [1, 2]`: True, `1u + 1u == 2u`: any, `1 + 1u == 2`: Failed, `true < false`: any, `b'a' < b'b'`: True, `1 in assertion`: False, `'a' in [unread(1)]`: any, `assertion == assertion`: any,
		`pkg.Message{a: 1}.a == 1`: any, `.assertion.ref == 'refs/heads/main'`: True, `!-1`: Failed, `--1 == 1`: True, `assertion.ref.split('/', 2) == []`: any, `[assertion.exp].join() == '42'`: Failed, `int('42') == assertion.exp`: True, `int('x') == 1`: Failed,
		// Lists and macros.
		`assertion.repository in ['acme/app', 'x']`: True, `assertion.repository in []`: False, `assertion.repository in 'acme/app'`: Failed, `'a' in assertion.aud`: True,
		`['a', 'acme/app'].exists(r, r == assertion.repository)`: True, `['a'].all(r, assertion.repository.startsWith(r))`: True, `[].exists(x, x)`: False, `[].all(x, x)`: True,
		`[1, 2].exists(x, x == assertion.x || x == 2)`: True, `['a', assertion.x].exists(x, x == 'a')`: Failed, `assertion.ref.exists(x, true)`: any,
		// Arithmetic.
		`1 + 2 * 3 == 7`: True, `-5 % 3 == -2`: True, `7 / 2 == 3`: True, `9223372036854775807 + 1 == 0`: Failed, `-9223372036854775808 < 0`: True, `1 - 1 == 0`: True,
		// Literals.
		`"a\"b" == 'a"b'`: True, `'\x41\u00e9\101' == 'AéA'`: True, `r'\d' == '\\d'`: True, `'''a'b''' == "a'b"`: True, `0x2A == 42`: True, `1e3 == 1000`: True, `.5 == 0.5`: True,
		"true // and that is all": True, "assertion.ref ==\n'refs/heads/main'": True, `b'a' == 'a'`: False, `b'a' == b'a'`: True,
		// What is not read is open, and does not matter where the rest decides.
		`unread('a') == 'b'`: any, `unread('a') || true`: True, `unread('a') && false`: False, `assertion.ref.unread()`: any, `unread('a') && assertion.x == 'y'`: False | Failed,
		`assertion.open == 'a'`: any, `has(assertion.open)`: any, `timestamp('2026-01-01T00:00:00Z') < timestamp('2027-01-01T00:00:00Z')`: any, `{'a': 1}.a == 1`: any,
		`unread(1) ? true : true`: True | Failed, `unread(1) ? false : assertion.x == 'y'`: False | Failed, `[unread(1)].exists(x, true)`: any, `Message{a: 1}.a == 1`: any,
		`attribute.repo == 'acme/app' && google.subject.startsWith('repo:')`: True, `attribute.none == 'x'`: Failed,
	} {
		x, err := Parse(src)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		v := x.Evaluate(claims)
		if got := v.Outcome(); got != want {
			t.Errorf("%s is %03b (%s), want %03b", src, got, v.Why(), want)
		}
	}
}

func TestWhatIsNoExpression(t *testing.T) {
	for src, where := range map[string]string{
		``: "character 1", `a ==`: "character 5", `a = b`: "character 3", `'a`: "character 1", "'a\nb'": "character 1", `(a`: "character 3", `a b`: "character 3",
		`a.`: "character 3", `f(a,)`: "character 5", `[a`: "character 3", `{'a'}`: "character 5", `'\q'`: "character 2", `'\xZZ'`: "character 2", `'\ud800'`: "character 2",
		`99999999999999999999`: "character 1", `9223372036854775808`: "character 1", `a & b`: "character 3", `has(a)`: "character 1", `[1].all(x.y, true)`: "character 5",
		`for`: "character 1", `a ? b`: "character 6", "\xff": "UTF-8", strings.Repeat("(", 300): "deeper", strings.Repeat("!", 300) + "a": "deeper",
		strings.Repeat("a", MaxBytes+1): "longer", `assertion.sub == "x`: "character 18",
	} {
		x, err := Parse(src)
		if err == nil || !strings.Contains(err.Error(), where) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.40q: %v, %v", src, x, err)
		}
	}
}

// Nothing that fits into a condition takes long or much.
func TestWorkIsBounded(t *testing.T) {
	list := "[" + strings.Repeat("1,", 300) + "1]"
	for _, src := range []string{
		list + ".all(a, " + list + ".all(b, " + list + ".all(c, " + list + ".all(d, a == a))))",
		"'" + strings.Repeat("a", 100) + "'" + strings.Repeat(".replace('a', 'aaaaaaaaaaaaaaaaaaaa')", 50) + " == ''",
		"'" + strings.Repeat("a,", 2000) + "'.split(',').join('" + strings.Repeat("x", 500) + "') == ''",
	} {
		x, err := Parse(src)
		if err != nil {
			t.Fatal(err)
		}
		if got := x.Evaluate(claims).Outcome(); !got.Can(True) || !got.Can(False) {
			t.Errorf("%.60s is %03b", src, got)
		}
	}
}

func TestSetsOfOutcomes(t *testing.T) {
	single := []Outcome{True, False, Failed}
	and := func(a, b Outcome) Outcome {
		switch {
		case a == False || b == False:
			return False
		case a == True && b == True:
			return True
		}
		return Failed
	}
	for a := Outcome(1); a < 8; a++ {
		for b := Outcome(1); b < 8; b++ {
			var want Outcome
			for _, x := range single {
				for _, y := range single {
					if a.Can(x) && b.Can(y) {
						want |= and(x, y)
					}
				}
			}
			if got := a.and(b); got != want {
				t.Errorf("%03b && %03b is %03b, want %03b", a, b, got, want)
			}
			if got := a.or(b); got != a.not().and(b.not()).not() {
				t.Errorf("%03b || %03b is %03b", a, b, got)
			}
		}
	}
}

func TestQuote(t *testing.T) {
	for _, s := range []string{"", "a", "it's", `back\slash`, "tab\tline\n", "é", "\x7f", `"`} {
		x, err := Parse(Quote(s))
		if err != nil {
			t.Errorf("%q: %v", s, err)
			continue
		}
		if got, ok := x.Evaluate(nil).AsText(); !ok || got != s {
			t.Errorf("%q reads as %q", s, got)
		}
	}
}

// An expression is read or refused, each part of it is a piece of the text, and a
// claim more never makes a plain comparison hold that had failed for another one.
func FuzzParse(f *testing.F) {
	for _, src := range []string{
		`assertion.repository_owner_id == '1001' && assertion.ref in ['a', "b"]`, `!has(assertion.environment) || assertion.sub.matches(r'^repo:\w+$')`,
		`[1, -2.5e3, 0x1fu].exists(x, x > 0) ? {'a': b'\x00'} : T{a: null}`, "'''x''' // c\n", "`a-b`.c[0](1)", `assertion.sub.extract('repo:{o}/').lowerAscii().split('/')[0] + 'a' == string(1)`,
	} {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		x, err := Parse(src)
		if err != nil {
			if text := err.Error(); text == "" || strings.ContainsAny(text, "\n\x1b") {
				t.Errorf("the error of %q is %q", src, text)
			}
			return
		}
		if !utf8.ValidString(src) || !isPiece(x.Root, src) {
			t.Errorf("%q has a part that is not in it", src)
		}
		first, again := x.Evaluate(claims).Outcome(), x.Evaluate(claims).Outcome()
		if first == 0 || first != again {
			t.Errorf("%q is %03b, then %03b", src, first, again)
		}
		whole, err := Parse("(" + src + "\n)")
		if err == nil && whole.Evaluate(claims).Outcome() != first {
			t.Errorf("%q is another thing in parentheses", src)
		}
	})
}

func isPiece(n *Node, src string) bool {
	if !strings.Contains(src, n.Source) {
		return false
	}
	for _, arg := range n.Args {
		if !isPiece(arg, n.Source) && !strings.Contains(src, arg.Source) {
			return false
		}
	}
	return true
}
