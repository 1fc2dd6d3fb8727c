package platform

import (
	"cmp"
	"path"
	"slices"
	"strings"
)

// A commandLine judges commands that begin with Words. A word that ends in "*" fits
// by its beginning; flags between the words are passed over, so that "az login" is
// found in "az --only-show-errors login".
type commandLine struct {
	words string
	CommandInfo
}

type splitCommand struct {
	words []string
	CommandInfo
}

func (c splitCommand) String() string { return strings.Join(c.words, " ") }

// commandIndex holds the lines by their first word, the longest first and of those
// the ones without a star.
var commandIndex = indexCommands(publishCommands, loginCommands, deployCommands, installCommands, fetchCommands, agentCommands, checkoutCommands, buildCommands)

func indexCommands(tables ...[]commandLine) map[string][]splitCommand {
	index := map[string][]splitCommand{}
	for _, table := range tables {
		for _, line := range table {
			words := strings.Fields(line.words)
			index[words[0]] = append(index[words[0]], splitCommand{words, line.CommandInfo})
		}
	}
	for _, lines := range index {
		slices.SortStableFunc(lines, func(a, b splitCommand) int {
			return cmp.Or(len(b.words)-len(a.words), strings.Count(a.String(), "*")-strings.Count(b.String(), "*"))
		})
	}
	return index
}

// maxWrappers bounds the commands in front of a command (sudo env nice …) and maxWords
// the words of one that are looked at.
const (
	maxWrappers = 8
	maxWords    = 512
)

func lookupCommand(words []string) (CommandInfo, bool) {
	words = unwrap(words[:min(len(words), maxWords)])
	if len(words) == 0 {
		return CommandInfo{}, false
	}
	for _, line := range commandIndex[strings.ToLower(words[0])] {
		if begins(words, line.words) {
			return line.refine(words), true
		}
	}
	if isScriptPath(words[0]) {
		return CommandInfo{Does: "build", Runs: true}, true
	}
	return CommandInfo{}, false
}

// CommandEnv returns the environment variables by which a command takes a stored key.
// A subcommand that has no line is given those of its tool, which reads them for every
// one: gh pr list, aws sts get-caller-identity.
func CommandEnv(words []string) []string {
	if info, ok := lookupCommand(words); ok {
		return info.Env
	}
	words = unwrap(words[:min(len(words), maxWords)])
	if len(words) == 0 {
		return nil
	}
	var env []string
	for _, line := range commandIndex[strings.ToLower(words[0])] {
		for _, name := range line.Env {
			if !slices.Contains(env, name) {
				env = append(env, name)
			}
		}
	}
	return env
}

// wrappers run the command that follows them. The value says how many words of
// their own, beside flags, come first.
var wrappers = map[string]int{
	"sudo": 0, "env": 0, "nice": 0, "nohup": 0, "time": 0, "command": 0, "exec": 0, "doas": 0, "ionice": 0, "setsid": 0, "stdbuf": 0, "catchsegv": 0,
	"xvfb-run": 0, "dbus-run-session": 0, "timeout": 1, "gtimeout": 1, "retry": 0, "corepack": 0, "builtin": 0,
	"npx": 0, "bunx": 0, "pnpx": 0, "uvx": 0, "pipx run": 0, "pnpm dlx": 0, "yarn dlx": 0, "pnpm exec": 0, "npm exec": 0, "yarn exec": 0, "bun x": 0, "uv run": 0, "uv tool run": 0, "poetry run": 0, "pdm run": 0, "hatch run": 0, "pipenv run": 0, "rye run": 0, "pixi run": 0,
	"bundle exec": 0, "mise exec": 0, "mise x": 0, "direnv exec": 1, "devbox run": 0, "dotenv": 0, "doppler run": 0, "op run": 0, "infisical run": 0, "aws-vault exec": 1, "python -m": 0, "python3 -m": 0, "py -m": 0,
}

// unwrap removes directories and endings from the command's name, and the commands
// in front of it. Where nothing known follows a package runner, the runner itself
// counts.
func unwrap(words []string) []string {
	for range maxWrappers {
		words = skipAssignments(words)
		if len(words) == 0 {
			return nil
		}
		if name := commandName(words[0]); name != words[0] {
			words = append([]string{name}, words[1:]...)
		}
		rest, ok := unwrapOne(words)
		if !ok {
			return words
		}
		words = rest
	}
	return words
}

// wrapperNames are the first words of wrappers.
var wrapperNames = firstWords(wrappers)

func firstWords(lines map[string]int) map[string]bool {
	names := map[string]bool{}
	for line := range lines {
		name, _, _ := strings.Cut(line, " ")
		names[name] = true
	}
	return names
}

func unwrapOne(words []string) ([]string, bool) {
	if !wrapperNames[strings.ToLower(words[0])] {
		return nil, false
	}
	for size := min(3, len(words)); size > 0; size-- {
		own, ok := wrappers[strings.ToLower(strings.Join(words[:size], " "))]
		if !ok {
			continue
		}
		rest := skipFlags(words[size:])
		rest = rest[min(own, len(rest)):]
		if rest = skipAssignments(rest); len(rest) == 0 || strings.HasPrefix(rest[0], "-") {
			return nil, false
		}
		if name, version, ok := cutVersion(rest[0]); ok && version != "" {
			rest = append([]string{name}, rest[1:]...)
		}
		return rest, true
	}
	return nil, false
}

// cutVersion cuts the version off a package that a runner is given: npx name@1, npx
// @scope/name@latest.
func cutVersion(word string) (name, version string, ok bool) {
	if at := strings.LastIndexByte(word, '@'); at > 0 && !strings.Contains(word[at:], "/") {
		return word[:at], word[at+1:], true
	}
	return word, "", false
}

// skipFlags passes over flags; a value of its own after a short flag (sudo -u root)
// is passed over where the flag is known to take one.
func skipFlags(words []string) []string {
	for len(words) > 0 && strings.HasPrefix(words[0], "-") {
		takesValue := slices.Contains(flagsWithValue, words[0]) && len(words) > 1
		words = words[1:]
		if takesValue {
			words = words[1:]
		}
	}
	return words
}

// flagsWithValue are flags of wrappers and tools that stand before the subcommand
// and take the next word.
var flagsWithValue = []string{
	"-u", "-g", "-k", "-s", "--user", "--group", "--signal", "--kill-after", "-p", "--package", "--from", "--with", "--python", "--extra",
	"-C", "--cwd", "--dir", "--prefix", "--directory", "--project", "--manifest-path", "--context", "-f", "--file", "-n", "--namespace", "--filter", "-F", "-w", "--workspace",
	"--profile", "--region", "--output", "--endpoint-url", "--kubeconfig", "--config", "--registry", "-R", "--repo", "-chdir", "--rcfile",
}

func skipAssignments(words []string) []string {
	for len(words) > 0 {
		name, _, ok := strings.Cut(words[0], "=")
		if !ok || name == "" || strings.ContainsAny(name, "-/.$") {
			break
		}
		words = words[1:]
	}
	return words
}

// commandName removes the directory and the ending of Windows from a command's
// name; a path into the workspace stays as it is, unless it is a known wrapper script
// or what a package manager installed (node_modules/.bin, .venv/bin, vendor/bin).
func commandName(word string) string {
	word = strings.TrimSuffix(strings.TrimSuffix(word, ".exe"), ".cmd")
	if dir, base := path.Split(word); strings.HasPrefix(word, "/") || strings.HasPrefix(word, "~/") || packageDir(dir) {
		return base
	}
	if base := strings.TrimPrefix(strings.TrimPrefix(word, "./"), ".\\"); base != word {
		switch strings.TrimSuffix(base, ".bat") {
		case "gradlew", "mvnw":
			return strings.TrimSuffix(base, ".bat")
		}
	}
	return word
}

// packageDir reports whether a package manager puts commands into the directory.
func packageDir(dir string) bool {
	return strings.HasSuffix(dir, "/.bin/") || strings.HasSuffix(dir, "venv/bin/") || strings.HasSuffix(dir, "vendor/bin/")
}

// isScriptPath reports whether a command is a file of the workspace.
func isScriptPath(word string) bool {
	if strings.ContainsAny(word, "$`{") || strings.Contains(word, "://") {
		return false
	}
	if strings.HasPrefix(word, "./") || strings.HasPrefix(word, "../") || strings.HasPrefix(word, ".\\") {
		return true
	}
	return strings.Contains(word, "/") && !strings.HasPrefix(word, "/")
}

// begins reports whether the words of a command start with want, flags between passed over.
func begins(words, want []string) bool {
	rest := words[1:]
	for _, w := range want[1:] {
		if strings.HasPrefix(w, "-") {
			if !hasFlag(rest, w) {
				return false
			}
			continue
		}
		rest = skipFlags(rest)
		if len(rest) == 0 || !fitsWord(strings.ToLower(rest[0]), w) {
			return false
		}
		rest = rest[1:]
	}
	return true
}

// hasFlag reports whether flag is among the words, also as flag=value.
func hasFlag(words []string, flag string) bool {
	for _, w := range words {
		if w == flag || strings.HasPrefix(w, flag) && len(w) > len(flag) && w[len(flag)] == '=' {
			return true
		}
	}
	return false
}

// harmlessFlags make a publishing or deploying command do nothing outside.
var harmlessFlags = []string{"--dry-run", "--dryrun", "-dry-run", "--dry_run", "--snapshot", "--what-if", "--whatif", "-WhatIf", "--noop", "--no-push"}

// scriptlessFlags keep an install from running scripts, lockFlags to the lock file
// and unlockFlags away from it; resolveFlags look for newer versions than it has.
var (
	scriptlessFlags = []string{"--ignore-scripts", "--mode=skip-build", "--no-scripts", "--only-binary=:all:", "--no-build"}
	lockFlags       = []string{"--frozen-lockfile", "--immutable", "--locked", "--frozen", "--require-hashes", "--deployment", "--deploy", "--locked-mode", "--check-locked", "-lockfile=readonly"}
	resolveFlags    = []string{"-U", "--upgrade", "-upgrade", "--resolution", "--update", "--force-evaluate"}
	unlockFlags     = []string{"--no-frozen-lockfile", "--no-lockfile", "--fix-lockfile", "--no-immutable", "-g", "--global"}
)

// refine reads the flags of a command that change what its line says.
func (c splitCommand) refine(words []string) CommandInfo {
	info := c.CommandInfo
	info.Env = slices.Clone(info.Env)
	switch info.Does {
	case "publish", "deploy":
		info.DryRun = setsAny(words, harmlessFlags) || copiesLocally(words)
	case "install":
		info.Runs = info.Runs && !setsAny(words, scriptlessFlags)
		info.Locked = (info.Locked && !c.hasArgument(words) || info.Opens != "crates" && setsAny(words, lockFlags)) && !setsAny(words, unlockFlags)
		info.Locked = info.Locked || namesVersion(info.Opens, words)
		info.KeepsLock = info.KeepsLock && !info.Locked && !setsAny(words, unlockFlags) && !setsAny(words, resolveFlags)
	}
	return info
}

// copiesLocally reports whether rsync or scp names no other machine (HOST:PATH, or an
// address, or a remote shell).
func copiesLocally(words []string) bool {
	if words[0] != "rsync" && words[0] != "scp" {
		return false
	}
	return !slices.ContainsFunc(words[1:], func(w string) bool {
		before, _, ok := strings.Cut(w, ":")
		return w == "-e" || strings.HasPrefix(w, "--rsh") || ok && !strings.HasPrefix(w, "-") && !strings.Contains(before, "/")
	})
}

// namesVersion reports whether an install names a version whose dependencies are
// fixed by it: a Go module's by its go.sum and the checksum database (one that is named
// without a version is the workspace's own), a crate's by its own lock file where that
// is asked for.
func namesVersion(opens string, words []string) bool {
	exact := func(w string) bool {
		_, version, ok := strings.Cut(w, "@")
		version = strings.TrimPrefix(version, "v")
		// What only the run will know is taken for a version: it has a name that says so.
		return ok && (version != "" && version[0] >= '0' && version[0] <= '9' || strings.HasPrefix(version, "\uFFFD"))
	}
	switch opens {
	case "go":
		return !slices.ContainsFunc(words, func(w string) bool { return strings.Contains(w, "@") && !exact(w) })
	case "crates":
		return hasFlag(words, "--locked") && (hasFlag(words, "--version") || hasFlag(words, "--vers") || slices.ContainsFunc(words, exact))
	}
	return false
}

// hasArgument reports whether a word that is no flag follows those of the line: the
// name of a package, which is in no lock file.
func (c splitCommand) hasArgument(words []string) bool {
	rest := words[1:]
	for range c.words[1:] {
		if rest = skipFlags(rest); len(rest) > 0 {
			rest = rest[1:]
		}
	}
	return len(skipFlags(rest)) > 0
}

// setsAny reports whether one of the flags is given and not switched off by its value.
func setsAny(words, flags []string) bool {
	return slices.ContainsFunc(flags, func(f string) bool {
		return hasFlag(words, f) && !slices.Contains(words, f+"=false") && !slices.Contains(words, f+"=none")
	})
}
