package platform

import "strings"

// RunsPackage returns the package that a command fetches from its registry and runs
// at once (npx --yes x, pnpm dlx x, uvx x), as it is named there, and the registry.
// It is "" for a runner that takes what the workspace has installed, as npx does where
// it finds it. Source: the runners' documentation, 2026-11.
func RunsPackage(words []string) (name, registry string) {
	if len(words) < 2 {
		return "", ""
	}
	for _, r := range packageRunners {
		if rest, ok := cutWords(words, r.words); ok {
			fetches := r.always || hasFlag(rest, "-y") || hasFlag(rest, "--yes") || hasFlag(rest, "-p") || hasFlag(rest, "--package")
			rest = skipFlags(rest)
			if len(rest) == 0 || !fetches && strings.LastIndexByte(rest[0], '@') < 1 {
				return "", ""
			}
			return rest[0], r.registry
		}
	}
	return "", ""
}

// packageRunners run a package by name; those that are not always set look into the
// workspace first, unless a version or a flag says otherwise.
var packageRunners = []struct {
	words    []string
	registry string
	always   bool
}{
	{[]string{"npx"}, "npm", false},
	{[]string{"npm", "exec"}, "npm", false},
	{[]string{"npm", "x"}, "npm", false},
	{[]string{"bunx"}, "npm", false},
	{[]string{"bun", "x"}, "npm", false},
	{[]string{"pnpm", "dlx"}, "npm", true},
	{[]string{"pnpx"}, "npm", true},
	{[]string{"yarn", "dlx"}, "npm", true},
	{[]string{"npm", "create"}, "npm", true},
	{[]string{"uvx"}, "pypi", true},
	{[]string{"uv", "tool", "run"}, "pypi", true},
	{[]string{"pipx", "run"}, "pypi", true},
}

func cutWords(words, prefix []string) ([]string, bool) {
	if len(words) < len(prefix) {
		return nil, false
	}
	for i, w := range prefix {
		if words[i] != w {
			return nil, false
		}
	}
	return words[len(prefix):], true
}
