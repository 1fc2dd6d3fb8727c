package platform

import (
	"strings"
	"testing"
)

func TestRestoresCache(t *testing.T) {
	const commit = "0123456789abcdef0123456789abcdef01234567"
	for _, c := range []struct {
		action, ref, comment, inputs string
		want                         CacheStore
	}{
		{"actions/cache", "v5", "", "", PlatformCache},
		{"actions/cache", "v5", "", "lookup-only=true", NoCache},
		{"actions/cache", "v5", "", "lookup-only=false", PlatformCache},
		{"actions/cache/restore", commit, "", "", PlatformCache},
		{"actions/cache/save", "v5", "", "", NoCache},
		{"actions/setup-node", "v6", "", "", NoCache},
		{"actions/setup-node", "v6", "", "cache=npm", PlatformCache},
		{"actions/setup-node", "v6", "", "cache=?", NoCache},
		{"actions/setup-go", "v6", "", "", PlatformCache},
		{"actions/setup-go", "v6", "", "cache=False", NoCache},
		{"actions/setup-go", "v3.5.0", "", "", NoCache},
		{"actions/setup-go", "v3.5.0", "", "cache=true", PlatformCache},
		{"actions/setup-go", commit, "v3.5.0", "", NoCache},
		{"actions/setup-go", commit, "v5.1.0 from last year", "", PlatformCache},
		{"actions/setup-go", commit, "", "", PlatformCache},
		{"astral-sh/setup-uv", "v4", "", "", NoCache},
		{"astral-sh/setup-uv", "v5", "", "", PlatformCache},
		{"docker/setup-qemu-action", "v3", "", "", PlatformCache},
		{"docker/setup-qemu-action", "v3.2.0", "", "", NoCache},
		{"docker/setup-qemu-action", "v3.2.0", "", "cache-image=true", NoCache},
		{"docker/setup-buildx-action", "v3", "", "", NoCache},
		{"docker/setup-buildx-action", "v3", "", "version=v0.20.0", PlatformCache},
		{"docker/setup-buildx-action", "v3", "", "version=v0.20.0 cache-binary=false", NoCache},
		{"docker/build-push-action", "v6", "", "", NoCache},
		{"docker/build-push-action", "v6", "", "cache-from=type=gha", PlatformCache},
		{"docker/build-push-action", "v6", "", "cache-from=type=local,src=/tmp", NoCache},
		{"docker/build-push-action", "v6", "", "cache-from=o/r:cache", OtherCache},
		{"runs-on/cache", "v4", "", "", OtherCache},
		{"somebody/cache", "v1", "", "", NoCache},
	} {
		input := func(name string) (string, bool) {
			for _, f := range strings.Fields(c.inputs) {
				if v, ok := strings.CutPrefix(f, name+"="); ok {
					return v, v != "?"
				}
			}
			return "", true
		}
		if got := RestoresCache(c.action, c.ref, c.comment, input); got != c.want {
			t.Errorf("RestoresCache(%s@%s # %s, %s) = %d, want %d", c.action, c.ref, c.comment, c.inputs, got, c.want)
		}
	}
}

func TestCacheEvents(t *testing.T) {
	for event, want := range map[string]struct{ shares, readOnly bool }{
		"push": {true, false}, "schedule": {true, false}, "workflow_dispatch": {true, false},
		"pull_request_target": {true, true}, "issue_comment": {true, true}, "Workflow_Run": {true, true},
		"pull_request": {false, false}, "release": {false, false}, "merge_group": {false, false},
	} {
		if SharesCache(event) != want.shares || CacheReadOnly(event) != want.readOnly {
			t.Errorf("%s: shares %v, read-only %v; want %v", event, SharesCache(event), CacheReadOnly(event), want)
		}
	}
	for m, want := range map[CacheMode]struct{ reads, writes bool }{
		"": {true, false}, CacheRead: {true, false}, CacheWrite: {true, true}, CacheWriteOnly: {false, true}, CacheNone: {false, false},
	} {
		if m.Reads() != want.reads || m.Writes() != want.writes {
			t.Errorf("cache-mode %q: reads %v, writes %v; want %v", m, m.Reads(), m.Writes(), want)
		}
	}
}

func TestCacheTable(t *testing.T) {
	for name, l := range cacheLines {
		if name != strings.ToLower(name) || strings.Count(name, "/") == 0 {
			t.Errorf("%s: not owner/repo[/path] in lower case", name)
		}
		if l.when != "" && l.unless != "" || l.off != "" && l.unless == "" || l.on != "" && l.since.parts == 0 {
			t.Errorf("%s: its fields contradict each other", name)
		}
	}
}
