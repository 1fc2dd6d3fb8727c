package policy

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// slowMatch is the definition, without any cleverness.
func slowMatch(p pattern, s []rune) bool {
	if len(p) == 0 {
		return len(s) == 0
	}
	switch p[0].kind {
	case anyRun, variable:
		for i := range len(s) + 1 {
			if slowMatch(p[1:], s[i:]) {
				return true
			}
		}
		return false
	case anyOne:
		return len(s) > 0 && slowMatch(p[1:], s[1:])
	}
	return len(s) > 0 && s[0] == p[0].char && slowMatch(p[1:], s[1:])
}

func FuzzMatch(f *testing.F) {
	for _, seed := range [][2]string{
		{"repo:birch/*", "repo:birch/press"}, {"a*b*c", "aXbXbc"}, {"*?*", ""}, {"**a", "aaa"}, {"?", "é"},
		{"${*}", "*"}, {"${x}b", "ab"}, {"a*ab*b", "aaabab"}, {"${", "${"}, {"*.*", "\xff.\xfe"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, text, subject string) {
		if len(text) > 12 || len(subject) > 20 {
			t.Skip("the oracle is exponential")
		}
		for _, syn := range []syntax{{true, true}, {true, false}, {false, false}} {
			p := compile(text, syn)
			got := p.match(subject, false)
			want := slowMatch(p, []rune(subject))
			if (got != no) != want {
				t.Errorf("%+v: %q against %q: %v, the definition says %v", syn, text, subject, got, want)
			}
			if (got == unknown) != (want && p.hasVariable()) {
				t.Errorf("%+v: %q against %q: %v", syn, text, subject, got)
			}
		}
		plain := compile(text, syntax{})
		if utf8.ValidString(text) && utf8.ValidString(subject) && (plain.match(subject, false) == yes) != (text == subject) {
			t.Errorf("without wildcards %q and %q compare wrong", text, subject)
		}
		if plain.match(subject, false) == yes && plain.match(strings.ToUpper(subject), true) == no && isASCII(subject) {
			t.Errorf("%q does not match itself in upper case", subject)
		}
	})
}

func isASCII(s string) bool { return strings.IndexFunc(s, func(r rune) bool { return r > 127 }) < 0 }

// TestMatchIsNotExponential: the longest pattern that a document can hold against
// the longest token ends.
func TestMatchIsNotExponential(t *testing.T) {
	t.Parallel()
	p := compile(strings.Repeat("*a", 2000)+"b", syntax{wildcards: true})
	if p.match(strings.Repeat("a", 20_000), false) != no {
		t.Error("it matched")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Principal":{"Federated":["x","y"]},"Action":"sts:*","Condition":{"StringLike":{"h.x:sub":["repo:a/*"]},"Null":{"aws:x":true}}}]}`))
	f.Add([]byte(`{"Statement":{"Effect":"Deny","NotAction":["a:b"],"NotResource":"arn:aws:s3:::${x}/*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2026-01-01T00:00:00Z"},"NumericEquals":{"a:n":[1,2e3]}}}}`))
	f.Add([]byte(`{"Statement":[{"Effect":"Allow","NotPrincipal":"*","Action":[],"Condition":{"ForAnyValue:IpAddressIfExists":{"aws:SourceIp":"::/0"}}}]}`))
	f.Add([]byte(`{"Statement":[{"Effect":"Allow","Effect":"Deny"}]}`))
	request := Request{
		Principal: Caller{"Federated", []string{"x"}}, Action: "sts:AssumeRoleWithWebIdentity", Resource: "arn:aws:s3:::b/k",
		Context: map[string][]string{"h.x:sub": {"repo:a/b"}, "aws:currenttime": {"2026-06-01T00:00:00Z"}, "aws:SourceIp": {"10.0.0.1", "::1"}, "a:n": {"1"}},
		Unknown: ServiceKey,
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, kind := range []Kind{Trust, Identity} {
			d, err := Parse(kind, b)
			if err != nil {
				if strings.ContainsAny(err.Error(), "\x1b\x00\n") {
					t.Errorf("control characters in %q", err)
				}
				continue
			}
			got := d.Evaluate(request)
			if got.Statement >= len(d.Statements) || got.Outcome == Allow && d.Statements[got.Statement].Effect != EffectAllow {
				t.Errorf("decision %+v of %d statements", got, len(d.Statements))
			}
			for _, n := range d.Notes {
				if n.Statement < 0 || n.Statement >= len(d.Statements) || n.Text == "" {
					t.Errorf("note %+v", n)
				}
			}
		}
	})
}
