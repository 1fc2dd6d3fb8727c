package lint

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

const fullCommit = "0123456789abcdef0123456789abcdef01234567"

func config(t *testing.T, text string) *Config {
	t.Helper()
	c, err := ParseConfig(ConfigPath, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestParseExtends(t *testing.T) {
	for text, good := range map[string]bool{
		"acme/.github:stint.yml@" + fullCommit:            true,
		"a-b_c/x.y:deep/er/stint.yml@" + fullCommit:       true,
		"acme/.github:stint.yml@main":                     false,
		"acme/.github:stint.yml@" + fullCommit[:39]:       false,
		"acme/.github:stint.yml@" + fullCommit + "0":      false,
		"acme/..:stint.yml@" + fullCommit:                 false,
		"acme/.github:/etc/passwd@" + fullCommit:          false,
		"acme/.github:../stint.yml@" + fullCommit:         false,
		"acme/.github:a/../../stint.yml@" + fullCommit:    false,
		"acme/.github:a//b@" + fullCommit:                 false,
		"-acme/x:stint.yml@" + fullCommit:                 false,
		"acme/x/y:stint.yml@" + fullCommit:                false,
		"https://h/acme/x:stint.yml@" + fullCommit:        false,
		"acme/.github:stint.yml@" + fullCommit + "\nmore": false,
	} {
		x, ok := ParseExtends(text)
		if ok != good || ok && x.String() != text {
			t.Errorf("%q: %v %v", text, x, ok)
		}
	}
}

const extending = "version: 1\nextends: acme/.github:stint.yml@" + fullCommit + "\n"

// Each key that can be locked is refused at its line in the file that extends, and not
// when it is not locked.
func TestLockedKeysAreRefused(t *testing.T) {
	left := slices.Clone(lockable)
	for key, own := range map[string]string{
		"profile": "lint: { profile: 2026-01 }", "min-severity": "lint: { min-severity: high }", "strict": "lint: { strict: false }",
		"disable": "lint: { disable: [bad-word] }", "trusted-owners": "lint: { trusted-owners: [a] }", "actions": "lint: { actions: { allow: [a/b] } }",
		"ignore":         "lint: { ignore: [{ rule: bad-word, path: a }] }",
		"debt":           "debt: [{ secret: A }]",
		"rules.bad-word": "lint: { disable: [bad-word] }",
	} {
		c := config(t, extending+own+"\n")
		if _, err := c.Extend(config(t, "version: 1\n")); err != nil {
			t.Errorf("%s, not locked: %v", key, err)
		}
		_, err := c.Extend(config(t, "version: 1\nlocked: ["+key+"]\n"))
		var e *ConfigError
		if !errors.As(err, &e) || e.Line != 3 || !strings.Contains(e.Message, "is locked by") || e.Hint == "" {
			t.Errorf("%s: %v", key, err)
		}
		left = slices.DeleteFunc(left, func(k string) bool { return k == key })
	}
	if len(left) > 0 {
		t.Errorf("not tried: %v", left)
	}
}

func TestExtendJoins(t *testing.T) {
	theirs := config(t, "version: 1\nlint: { profile: 2026-01, min-severity: high, strict: true, disable: [b, a], trusted-owners: [x], actions: { allow: [a/b], deny: [c/d] }, ignore: [{ rule: a, path: b }] }\ndebt: [{ secret: THEIRS }]\n")
	c, err := config(t, extending+"lint: { min-severity: low, disable: [c, a], actions: { deny: [e/f] } }\ndebt: [{ secret: OURS }]\n").Extend(theirs)
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, s := range c.Settings() {
		from := map[bool]string{true: "own", false: "theirs"}[s.From == ConfigPath]
		switch {
		case strings.HasSuffix(s.From, " and "+ConfigPath):
			from = "both"
		case s.From == "default":
			from = "default"
		}
		got += s.Key + "=" + s.Value + " " + from + "\n"
	}
	want := `profile=2026-01 theirs
min-severity=low own
strict=true theirs
disable=a, b, c both
trusted-owners=x theirs
actions=allow a/b; deny c/d, e/f both
ignore=a in b theirs
debt=OURS own
`
	if got != want {
		t.Errorf("got\n%s", got)
	}
}

// A rule that is locked runs and reports, whatever the repository writes anywhere.
func TestALockedRuleRuns(t *testing.T) {
	const source = head + "      - run: bad! # stint: ignore[bad-word] until=2999-01-31 reason=\"ours\"\n"
	locked, err := config(t, extending+"lint: { profile: 2000-01 }\n").Extend(config(t, "version: 1\nlocked: [rules.bad-word]\n"))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		config *Config
		want   int
	}{
		"nothing is locked":         {config(t, extending), 0},
		"the rule is locked":        {locked, 1},
		"nobody knows":              {config(t, extending+"lint: { disable: [bad-word] }\n").Alone("no answer"), 1},
		"a lock of the file itself": {config(t, "version: 1\nlocked: [rules.bad-word]\n"), 0},
	} {
		r := Run(t.Context(), repository(ci, source), Options{Rules: []*Rule{words}, Config: test.config})
		if len(r.Findings) != test.want {
			t.Errorf("%s: %d findings, want %d", name, len(r.Findings), test.want)
		}
		if said := strings.Contains(strings.Join(r.NotChecked, "\n"), "was not read: no answer"); said != (name == "nobody knows") {
			t.Errorf("%s: not checked: %q", name, r.NotChecked)
		}
	}
}
