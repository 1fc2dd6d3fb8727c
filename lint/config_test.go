package lint

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/reach"
)

func TestParseConfig(t *testing.T) {
	c, err := ParseConfig(ConfigPath, []byte(`version: 1
grants: { a: { b: [c] } }
lint:
  profile: 2026-11
  min-severity: medium
  strict: true
  disable: [z-rule, a-rule]
  trusted-owners: [Acme, "bc"]
  ignore:
    - { rule: x, path: "**/old.yml", reason: "why", until: 2027-01-31 }
    - rule: y
      path: a.yml
debt:
  - { secret: NPM_TOKEN, owner: "@acme/web", reason: not yet, until: 2027-01-31 }
  - secret: BARE
own-key: 1
`))
	if err != nil {
		t.Fatal(err)
	}
	if c.Profile != "2026-11" || *c.MinSeverity != reach.Medium || !c.Strict {
		t.Errorf("got %+v", c)
	}
	if !slices.Equal(c.Disable, []string{"a-rule", "z-rule"}) || !slices.Equal(c.TrustedOwners, []string{"acme", "bc"}) {
		t.Errorf("disable %q, trusted owners %q", c.Disable, c.TrustedOwners)
	}
	if want := []Key{{"grants", 2}, {"own-key", 16}}; !slices.Equal(c.Other, want) {
		t.Errorf("other keys %v, want %v", c.Other, want)
	}
	d := c.Debt[0]
	if d.Secret != "NPM_TOKEN" || d.Owner != "@acme/web" || d.Reason != "not yet" || d.Until != "2027-01-31" || c.Debt[1].Secret != "BARE" {
		t.Errorf("debt %+v", c.Debt)
	}
	if got := c.File.Text(c.Debt[1].Span); got != "secret: BARE" {
		t.Errorf("the second debt is at %q", got)
	}
	if got := c.File.Text(c.ignores[1].Span); got != "rule: y" {
		t.Errorf("the second ignore is at %q", got)
	}
}

func TestEmptyConfigs(t *testing.T) {
	for _, src := range []string{"", "# only a comment\n", "version: 1\n", "grants: {}\n", "lint: {}\n", "debt: []\n", "\xef\xbb\xbfversion: 1\r\n", "x: &a 1\ny: *a\n"} {
		if _, err := ParseConfig(ConfigPath, []byte(src)); err != nil {
			t.Errorf("%q: %v", src, err)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	for _, test := range []struct{ src, want string }{
		{"lint: [", "the file is not YAML"},
		{"a: 1\n---\nb: 2\n", "more than one YAML document"},
		{"- a\n", ":1: the file must be a mapping"},
		{"just text", ":1: the file must be a mapping"},
		{"version: 2", `:1: version "2" is not known`},
		{"lint:\nversion: 1", ":1: lint must be a mapping"},
		{"version: 1\nlint:\n  min-severty: low", `:3: lint has no key "min-severty"`},
		{"lint: { strict: true, strict: true }", `:1: lint has the key "strict" twice`},
		{"lint: {}\nlint: {}", `:2: the file has the key "lint" twice`},
		{"lint: { [a]: 1 }", ":1: lint has a key that is no name"},
		{"lint: { <<: *x }", "the file is not YAML"},
		{"a: &x {strict: true}\nlint: { <<: *x }", `:2: lint has no key "<<"`},
		{"lint: { strict: yes }", ":1: lint.strict must be true or false"},
		{"lint: { min-severity: hot }", `:1: lint.min-severity "hot" is no severity`},
		{"lint: { profile: 2026 }", `:1: lint.profile "2026" is no profile`},
		{"lint: { profile: [2026] }", ":1: lint.profile must be text"},
		{"lint: { disable: x }", ":1: lint.disable must be a list"},
		{"lint:\n  disable:\n    - a\n    - [b]", ":4: lint.disable must be text"},
		{"lint: { trusted-owners: [ '' ] }", ":1: lint.trusted-owners must be text"},
		{"lint: { ignore: [x] }", ":1: lint.ignore must be a mapping"},
		{"lint: { ignore: [{ rule: x }] }", ":1: an entry of lint.ignore needs rule and path"},
		{"lint: { ignore: [{ rule: x, path: '[' }] }", `:1: lint.ignore.path "[" is no pattern`},
		{"lint: { ignore: [{ rule: x, path: a, until: soon }] }", `:1: lint.ignore.until "soon" is no date`},
		{"lint: { ignore: [{ rule: x, path: a, why: b }] }", `:1: lint.ignore has no key "why"`},
		{"debt: x", ":1: debt must be a list"},
		{"debt:\n  - { owner: x }", ":2: an entry of debt needs the name of a secret"},
		{"debt: [{ secret: x, until: 31.1.2027 }]", `:1: debt.until "31.1.2027" is no date`},
		{"debt: [{ secret: ~ }]", ":1: debt.secret must be text"},
		{"debt: [{ secret: x, note: y }]", `:1: debt has no key "note"`},
		{"a: &a [*a]\ndebt: *a", ":1: debt must be a mapping"},
		{strings.Repeat("#", MaxConfigBytes+1), "more than the 262144 that are read"},
	} {
		_, err := ParseConfig(ConfigPath, []byte(test.src))
		var ce *ConfigError
		if !errors.As(err, &ce) {
			t.Errorf("%.40q: got %v, want a ConfigError", test.src, err)
			continue
		}
		if !strings.HasPrefix(err.Error(), ConfigPath) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.40q: %q, want %q", test.src, err, test.want)
		}
		if ce.NextStep() == "" || strings.ContainsAny(err.Error()+ce.NextStep(), "\n\r\x1b") {
			t.Errorf("%.40q: the error is not two clean lines: %q, %q", test.src, err, ce.NextStep())
		}
	}
}

func TestCheckRules(t *testing.T) {
	c, err := ParseConfig(ConfigPath, []byte("lint:\n  disable: [a]\n  ignore:\n    - { rule: b, path: x }\n"))
	if err != nil {
		t.Fatal(err)
	}
	a, b := &Rule{ID: "a"}, &Rule{ID: "b"}
	if err := c.CheckRules([]*Rule{a, b}); err != nil {
		t.Error(err)
	}
	if err := c.CheckRules([]*Rule{a}); err == nil || err.Error() != ConfigPath+`:4: there is no rule "b"` {
		t.Errorf("got %v", err)
	}
	if err := (&Config{}).CheckRules(nil); err != nil {
		t.Error(err)
	}
}

// Whatever the bytes, there is a configuration or an error that says where.
func FuzzParseConfig(f *testing.F) {
	f.Add("version: 1\nlint: { ignore: [{ rule: x, path: a }] }\ndebt: [{ secret: a }]\n")
	f.Add("lint: &a { disable: [*a] }")
	f.Fuzz(func(t *testing.T, src string) {
		c, err := ParseConfig(ConfigPath, []byte(src))
		if (c == nil) == (err == nil) {
			t.Fatalf("%v, %v", c, err)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%q", err)
		}
		if c == nil {
			return
		}
		for _, s := range c.ignores {
			c.File.Text(s.Span)
		}
		for _, d := range c.Debt {
			c.File.Text(d.Span)
		}
	})
}
