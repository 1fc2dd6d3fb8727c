package platform

import (
	"slices"
	"strings"
)

// CacheReadOnlyDate is the day since which runs that outsiders start get a token that
// only reads caches. Source: GitHub changelog, 2026-06-26.
const CacheReadOnlyDate = "2026-06-26"

// A CacheMode is a value of cache-mode. Source: GitHub changelog, 2026-09-10.
type CacheMode string

// Cache modes. Where no file states one, runs that outsiders start read and all
// others write; a stated write wins over that.
const (
	CacheRead      CacheMode = "read"
	CacheWrite     CacheMode = "write"
	CacheWriteOnly CacheMode = "write-only"
	CacheNone      CacheMode = "none"
)

// Writes reports whether a run with the mode can save entries.
func (m CacheMode) Writes() bool { return m == CacheWrite || m == CacheWriteOnly }

// Reads reports whether a run with the mode restores entries.
func (m CacheMode) Reads() bool { return m != CacheNone && m != CacheWriteOnly }

// ownCacheEvents run in a scope of their own (a pull request's merge ref, a queue's
// branch, a tag), whose entries runs of the default branch do not restore. Source:
// docs.github.com, dependency caching reference, "restrictions for accessing a cache", 2026-11.
var ownCacheEvents = []string{
	"pull_request", "pull_request_review", "pull_request_review_comment", "merge_group",
	"release", "delete", "deployment", "deployment_status",
}

// SharesCache reports whether a run of the event may be in the scope of the default
// branch, whose entries all branches and tags restore.
func SharesCache(event string) bool { return !slices.Contains(ownCacheEvents, strings.ToLower(event)) }

// CacheReadOnly reports whether runs of the event get the token that only reads: those
// in the default branch's scope that anyone starts. A workflow_run does after a fork's run.
func CacheReadOnly(event string) bool {
	e, ok := LookupEvent(event)
	return ok && e.Starter == StartAnyone
}

// A CacheStore is where an action takes a cache from.
type CacheStore int

// Cache stores.
const (
	NoCache       CacheStore = iota
	PlatformCache            // the cache of GitHub Actions
	OtherCache               // a registry, a bucket, a runner vendor's service: no event makes it read-only
)

// A cacheLine says when an action restores a cache. With neither when nor unless it
// always does.
type cacheLine struct {
	name string
	// when is the input that switches it on, unless the one that switches it off:
	// by its value off, "true" where that is empty.
	when, unless, off string
	// since is the first release with the cache on by itself; in earlier ones it has
	// to be switched on, or does not exist where on is "".
	since version
	on    string
	store CacheStore
}

// cacheLines are the actions that restore caches. Sources: action.yml and README of
// each, 2026-11.
var cacheLines = indexBy([]cacheLine{
	{name: "actions/cache", unless: "lookup-only"},
	{name: "actions/cache/restore", unless: "lookup-only"},
	{name: "swatinem/rust-cache", unless: "lookup-only"},
	{name: "useblacksmith/cache", unless: "lookup-only", store: OtherCache},
	{name: "runs-on/cache", unless: "lookup-only", store: OtherCache},
	{name: "actions/setup-node", when: "cache"},
	{name: "actions/setup-python", when: "cache"},
	{name: "actions/setup-java", when: "cache"},
	{name: "actions/setup-dotnet", when: "cache"},
	{name: "useblacksmith/setup-node", when: "cache", store: OtherCache},
	{name: "useblacksmith/setup-python", when: "cache", store: OtherCache},
	{name: "actions/setup-go", unless: "cache", off: "false", since: version{major: 4, parts: 1}, on: "cache"},
	{name: "astral-sh/setup-uv", unless: "enable-cache", off: "false", since: version{major: 5, parts: 1}, on: "enable-cache"},
	{name: "ruby/setup-ruby", when: "bundler-cache"},
	{name: "gradle/actions/setup-gradle", unless: "cache-disabled"},
	{name: "gradle/gradle-build-action", unless: "cache-disabled"},
	{name: "jdx/mise-action", unless: "cache", off: "false"},
	{name: "prefix-dev/setup-pixi", unless: "cache", off: "false"},
	{name: "golangci/golangci-lint-action", unless: "skip-cache"},
	{name: "actions-rust-lang/setup-rust-toolchain", unless: "cache", off: "false"},
	{name: "denoland/setup-deno", when: "cache"},
	{name: "oven-sh/setup-bun", unless: "no-cache"},
	{name: "mamba-org/setup-micromamba", when: "cache-environment"},
	{name: "msys2/setup-msys2", unless: "cache", off: "false"},
	{name: "pnpm/action-setup", when: "cache"},
	{name: "voidzero-dev/setup-vp", when: "cache"},
	{name: "subosito/flutter-action", when: "cache"},
	{name: "graalvm/setup-graalvm", when: "cache"},
	{name: "mlugg/setup-zig", unless: "use-cache", off: "false"},
	{name: "moonrepo/setup-toolchain", unless: "cache", off: "false"},
	{name: "pyo3/maturin-action", when: "sccache"},
	{name: "bahmutov/npm-install"},
	{name: "ramsey/composer-install", unless: "ignore-cache"},
	{name: "r-lib/actions/setup-r-dependencies", unless: "cache", off: "false"},
	{name: "julia-actions/cache"},
	{name: "coursier/cache-action"},
	{name: "hendrikmuhs/ccache-action"},
	{name: "chocobo1/setup-ccache-action"},
	{name: "awalsh128/cache-apt-pkgs-action"},
	{name: "determinatesystems/magic-nix-cache-action"},
	{name: "homebrew/actions/cache-homebrew-prefix"},
	{name: "docker/setup-qemu-action", unless: "cache-image", off: "false", since: version{major: 3, minor: 3, parts: 2}},
	{name: "tanstack/config/.github/setup"},
}, func(l cacheLine) string { return l.name })

// RestoresCache returns where a step of the action (owner/repo[/path], lower case) at
// ref, with the version in the comment behind a commit ("" for none), takes a cache
// from. input returns the value of an input, "" when it is not set, and false where an
// expression decides; then the author has decided it for some runs, and it is NoCache.
func RestoresCache(action, ref, comment string, input func(name string) (string, bool)) CacheStore {
	switch action {
	case "docker/build-push-action", "docker/bake-action":
		return layers(input)
	case "docker/setup-buildx-action":
		// It caches the release it downloads, and downloads one only when told which.
		if v, _ := input("version"); v == "" {
			return NoCache
		}
		return cacheLine{unless: "cache-binary", off: "false"}.judge(input)
	}
	l, ok := cacheLines[action]
	if !ok {
		return NoCache
	}
	if v, ok := usedVersion(ref, comment); ok && l.since.parts > 0 && v.top().compare(l.since) < 0 {
		if l.on == "" {
			return NoCache
		}
		l.when, l.unless = l.on, ""
	}
	return l.judge(input)
}

func (l cacheLine) judge(input func(string) (string, bool)) CacheStore {
	store := max(l.store, PlatformCache)
	if name := l.when + l.unless; name != "" {
		v, ok := input(name)
		switch {
		case !ok:
			return NoCache
		case l.when != "" && (v == "" || strings.EqualFold(v, "false")):
			return NoCache
		case l.unless != "" && strings.EqualFold(v, orTrue(l.off)):
			return NoCache
		}
	}
	return store
}

func orTrue(off string) string {
	if off == "" {
		return "true"
	}
	return off
}

// layers judges cache-from of the image builders: an image by its name, or type=….
// Source: docs.docker.com/build/cache/backends, 2026-11.
func layers(input func(string) (string, bool)) CacheStore {
	v, _ := input("cache-from")
	switch {
	case v == "" || strings.Contains(v, "type=local"):
		return NoCache
	case strings.Contains(v, "type=gha"):
		return PlatformCache
	}
	return OtherCache
}

// usedVersion returns the version that a ref names, or for a commit the one in the
// comment behind it.
func usedVersion(ref, comment string) (version, bool) {
	if v, ok := parseVersion(strings.TrimPrefix(ref, "refs/tags/")); ok && !isCommit(ref) {
		return v, true
	}
	first, _, _ := strings.Cut(strings.TrimSpace(comment), " ")
	return parseVersion(first)
}
