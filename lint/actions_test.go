package lint

import (
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/workflows"
)

func TestParseActions(t *testing.T) {
	c, err := ParseConfig(ConfigPath, []byte("lint:\n  actions:\n    allow: [actions/*, 'acme/**@v1']\n    deny: [\"docker://**\"]\n"))
	if err != nil || !slices.Equal(c.Actions.Allow, []string{"actions/*", "acme/**@v1"}) || !slices.Equal(c.Actions.Deny, []string{"docker://**"}) {
		t.Errorf("%+v, %v", c, err)
	}
	for src, want := range map[string]string{
		"lint: { actions: [a] }":                          "lint.actions must be a mapping",
		"lint: { actions: { allow: a/b } }":               "lint.actions.allow must be a list",
		"lint: { actions: { alow: [a/b] } }":              `lint.actions has no key "alow"`,
		"lint: { actions: { deny: [''] } }":               "lint.actions.deny must be text",
		"lint: { actions: { deny: [actions] } }":          `"actions" names no repository`,
		"lint: { actions: { allow: ['a/b@'] } }":          `"a/b@" ends in @ without a ref`,
		"lint: { actions: { allow: ['a/[b'] } }":          `"a/[b" is no pattern`,
		"lint: { actions: { allow: [a/b], allow: [c] } }": `the key "allow" twice`,
	} {
		if _, err := ParseConfig(ConfigPath, []byte(src)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", src, err, want)
		}
	}
}

func TestActionPolicyFits(t *testing.T) {
	for _, c := range []struct {
		pattern, uses string
		want          bool
	}{
		{"some/tool", "some/tool@v1", true}, {"some/tool", "Some/Tool/path@v1", true}, {"some/tool/path", "some/tool@v1", false},
		{"some/tool/path", "some/tool/path@v1", true}, {"some/tool/*", "some/tool/path@v1", true}, {"some/tool/*", "some/tool/a/b@v1", false},
		{"some/*", "some/tool/a/b@v1", true}, {"some/**", "some/tool/a/b@v1", true}, {"*/tool", "some/tool@v1", true}, {"so/*", "some/tool@v1", false},
		{"SOME/tool@v1", "some/tool@v1", true}, {"some/tool@v1", "some/tool@V1", false}, {"some/tool@v*", "some/tool@v1.2", true},
		{"some/tool@*", "some/tool@releases/v1", true}, {"some/tool@releases/*", "some/tool@releases/v1", true}, {"**", "some/tool@v1", true},
		{"some/**", "docker://some/tool", false}, {"docker://**", "docker://some/tool:1", true}, {"docker://some/tool", "docker://some/tool:1", false},
		{"docker://Some/*", "docker://some/tool:1", true}, {"docker://**", "docker/login-action@v3", false},
	} {
		u := workflows.ParseUses(c.uses)
		if got := fits(c.pattern, u); got != c.want {
			t.Errorf("%s fits %s: %v, want %v", c.pattern, c.uses, got, c.want)
		}
		if _, forbidden := (ActionPolicy{Deny: []string{c.pattern}}).Forbids(u); forbidden != c.want {
			t.Errorf("deny %s: %s forbidden %v", c.pattern, c.uses, forbidden)
		}
		if _, forbidden := (ActionPolicy{Allow: []string{c.pattern}}).Forbids(u); forbidden == c.want {
			t.Errorf("allow %s: %s forbidden %v", c.pattern, c.uses, forbidden)
		}
		if _, forbidden := (ActionPolicy{Allow: []string{c.pattern}, Deny: []string{"some/**", "docker://**", "docker/*"}}).Forbids(u); !forbidden {
			t.Errorf("deny does not win over allow %s for %s", c.pattern, c.uses)
		}
	}
	if _, forbidden := (ActionPolicy{}).Forbids(workflows.ParseUses("some/tool@v1")); forbidden {
		t.Error("no policy forbids something")
	}
}
