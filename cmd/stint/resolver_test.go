package main

import (
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/workflows"
)

// The token is the public API's, or none.
func TestResolverToken(t *testing.T) {
	for _, test := range []struct {
		env  map[string]string
		want string
	}{
		{nil, ""},
		{map[string]string{"GITHUB_TOKEN": "one", "GH_TOKEN": "two"}, "one"},
		{map[string]string{"GH_TOKEN": "two"}, "two"},
		{map[string]string{"GH_TOKEN": "two", "GITHUB_SERVER_URL": "https://github.com"}, "two"},
		{map[string]string{"GITHUB_TOKEN": "one", "GITHUB_SERVER_URL": "https://git.example.com"}, ""},
	} {
		c, ok := newResolver(world{getenv: func(name string) string { return test.env[name] }}).(*resolver)
		if !ok || c.Token != test.want || c.API != "" || c.Server != "" {
			t.Errorf("%v: %+v", test.env, c)
		}
	}
}

// Images are looked up by nobody in particular, through the transport that judges where it
// connects; an image of the machine itself is not asked for.
func TestResolverAsksOnlyPublicRegistries(t *testing.T) {
	r := newResolver(world{getenv: func(string) string { return "token" }})
	if c := r.(*resolver); c.images.Transport != nil {
		t.Errorf("the transport for images is %T", c.images.Transport)
	}
	if _, err := r.Digest(t.Context(), "127.0.0.1:1/team/tool:1"); err == nil || !strings.Contains(err.Error(), "not a public one") {
		t.Errorf("a registry on loopback: %v", err)
	}
}

// A job's repository is that of its workspace and of no other directory, and what the
// files tell goes first.
func TestIdentify(t *testing.T) {
	dir := t.TempDir()
	onGitHub := map[string]string{"GITHUB_REPOSITORY": "acme/site", "GITHUB_WORKSPACE": dir + "/", "GITHUB_SERVER_URL": publicServer}
	without := func(name, value string) map[string]string {
		env := maps.Clone(onGitHub)
		env[name] = value
		return env
	}
	for _, test := range []struct {
		env        map[string]string
		repo       workflows.Repository
		name, host string
	}{
		{onGitHub, workflows.Repository{Root: dir}, "acme/site", "github.com"},
		{onGitHub, workflows.Repository{Root: dir, Name: "acme/other", Host: "ghe.example.com"}, "acme/other", "ghe.example.com"},
		{onGitHub, workflows.Repository{Root: filepath.Join(dir, "sub")}, "", ""},
		{onGitHub, workflows.Repository{Root: "stdin"}, "", ""},
		{without("GITHUB_SERVER_URL", "https://ghe.example.com"), workflows.Repository{Root: dir}, "", ""},
		{without("GITHUB_SERVER_URL", ""), workflows.Repository{Root: dir}, "", ""},
		{without("GITHUB_WORKSPACE", ""), workflows.Repository{Root: dir}, "", ""},
		{without("GITHUB_REPOSITORY", ""), workflows.Repository{Root: dir}, "", ""},
	} {
		identify(world{getenv: func(name string) string { return test.env[name] }}, &test.repo)
		if test.repo.Name != test.name || test.repo.Host != test.host {
			t.Errorf("%v in %v: %q on %q", test.repo.Root, test.env, test.repo.Name, test.repo.Host)
		}
	}
}

// The network is asked by those who say so, with one resolver for the whole run.
func TestWhoAsksTheNetwork(t *testing.T) {
	w := world{getenv: func(string) string { return "" }, now: time.Now}
	for _, test := range []struct {
		o               lintOptions
		resolver, rules bool
	}{
		{lintOptions{}, false, false},
		{lintOptions{offline: true}, false, false},
		{lintOptions{online: true}, true, true},
		{lintOptions{diff: true}, true, false},
		{lintOptions{fix: "safe"}, true, false},
		{lintOptions{fix: "safe", offline: true}, false, false},
		{lintOptions{fix: "unsafe", online: true}, true, true},
	} {
		opts, err := test.o.engine(w)
		if err != nil || (opts.Resolver != nil) != test.resolver || opts.Online != test.rules {
			t.Errorf("%+v: resolver %v, online %t, %v", test.o, opts.Resolver, opts.Online, err)
		}
	}
	if _, err := (lintOptions{online: true, offline: true}).engine(w); statusOf(err) != exitUsage {
		t.Errorf("--online --offline: %v", err)
	}
}
