package github

import (
	"errors"
	"strings"
	"testing"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providertest"
)

func TestNewRefuses(t *testing.T) {
	const (
		repos  = "repositories: [site]"
		rights = "permissions: { contents: write }"
		octo   = "scope: acme/site, identity: release, " + rights
		app    = "app: Iv1.abc, installation: \"77\""
		key    = "key-file: /etc/app.pem"
	)
	rows := map[string]struct{ ttl, block, want string }{
		"neither":            {"1h", "git: true", "one of identity and app"},
		"both":               {"1h", octo + ", app: a", "one of identity and app"},
		"unknown key":        {"1h", octo + ", role: x", "role"},
		"short":              {"15m", octo, "lives an hour"},
		"scope":              {"1h", "scope: a/b/c, identity: r, " + rights, "scope"},
		"identity":           {"1h", "scope: a, identity: ../r, " + rights, "identity"},
		"octo without right": {"1h", "scope: a/b, identity: r", "permissions is missing"},
		"octo of an owner":   {"1h", "scope: a, identity: r, " + rights, "repositories"},
		"octo with a key":    {"1h", octo + ", " + key, "the server has the key"},
		"open line":          {"1h", octo + ", endpoint: \"http://octo.example\"", "open line"},
		"owner's url":        {"1h", octo + ", audience: \"https://github.com/a\"", "every token"},
		"api":                {"1h", octo + ", api: \"http://github.example/api/v3\"", "open line"},
		"path of api":        {"1h", octo + ", api: \"https://github.example/api/v4\"", "without user"},
		"no repositories":    {"1h", app + ", " + key + ", " + rights, "repositories"},
		"no permissions":     {"1h", app + ", " + key + ", " + repos, "permissions is missing"},
		"empty permissions":  {"1h", app + ", " + key + ", permissions: {}, " + repos, "permissions is missing"},
		"level":              {"1h", app + ", " + key + ", permissions: { contents: all }, " + repos, "levels are"},
		"owner in name":      {"1h", app + ", " + key + ", " + rights + ", repositories: [acme/site]", "acme/site"},
		"twice":              {"1h", app + ", " + key + ", " + rights + ", repositories: [site, site]", "twice"},
		"no key":             {"1h", app + ", " + rights + ", " + repos, "one of key-file and key-command"},
		"two keys":           {"1h", app + ", " + key + ", key-command: [/k], " + rights + ", " + repos, "one of key-file and key-command"},
		"key in the tree":    {"1h", app + ", key-file: app.pem, " + rights + ", " + repos, "the job can write"},
		"program in path":    {"1h", app + ", key-command: [aws, kms], " + rights + ", " + repos, "path of a program"},
		"installation":       {"1h", "app: a, installation: x, " + key + ", " + rights + ", " + repos, "not a number"},
		"id":                 {"1h", "app: \"a b\", installation: \"1\", " + key + ", " + rights + ", " + repos, "not the id"},
		"app with a scope":   {"1h", app + ", scope: a/b, " + key + ", " + rights + ", " + repos, "no octo-sts server"},
		"audience of an app": {"1h", app + ", audience: \"x y\", " + key + ", " + rights + ", " + repos, "audience"},
	}
	for name, row := range rows {
		g := providertest.Grant(t, Name, row.ttl, "{ "+row.block+" }")
		p, err := New(g.Targets[0], g, Options{})
		var e *oidc.Error
		if !errors.As(err, &e) || !strings.Contains(e.Message, row.want) || e.Hint == "" || p != nil {
			t.Errorf("%s: %v %+v", name, p, err)
		}
	}
}

func TestAPIAddresses(t *testing.T) {
	for text, want := range map[string]string{
		"https://api.github.com": "https://api.github.com", "https://api.acme.ghe.com/": "https://api.acme.ghe.com",
		"https://github.example/api/v3": "https://github.example/api/v3", "https://github.example/api/v3/": "https://github.example/api/v3",
	} {
		if u, err := parseAPI(text); err != nil || u.String() != want {
			t.Errorf("%s is %v, %v", text, u, err)
		}
	}
}
