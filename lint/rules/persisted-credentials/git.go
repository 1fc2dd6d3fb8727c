package persistedcredentials

import (
	"regexp"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// remote are the git commands that speak to a remote and so may use the credential.
var remote = []string{"push", "fetch", "pull", "clone", "ls-remote", "submodule", "lfs", "remote", "subtree", "svn"}

// pushers are commands that use git's credential to publish; of those in pushing, the
// subcommands do.
var (
	pushers = []string{"mike", "gh-pages", "semantic-release", "release-it", "standard-version", "bumpver", "bump2version", "cz", "pre-commit"}
	pushing = map[string][]string{"mkdocs": {"gh-deploy"}, "lerna": {"version", "publish"}}
)

// usesGit reports whether a step works with git's credential, as far as its action
// and commands are known.
func usesGit(s *workflows.Step) bool {
	if s.Uses != nil {
		info, _ := platform.LookupAction(s.Uses.FullName())
		return info.Git
	}
	return s.Run != nil && (slices.ContainsFunc(s.Run.Commands, gitRemote) || s.Run.Commands == nil && strings.Contains(s.Run.Value, "git "))
}

func gitRemote(c *workflows.Command) bool {
	if slices.Contains(pushers, c.Name) || slices.ContainsFunc(c.Args(), func(w workflows.Word) bool { return slices.Contains(pushing[c.Name], w.Text) }) {
		return true
	}
	if c.Name != "git" {
		return false
	}
	args := c.Args()
	for len(args) > 1 && strings.HasPrefix(args[0].Text, "-") {
		if args[0].Text == "-C" || args[0].Text == "-c" {
			args = args[1:]
		}
		args = args[1:]
	}
	return len(args) > 0 && (!args[0].Const || slices.Contains(remote, args[0].Text))
}

// hidingAction reports whether an action may use the credential out of sight: an
// agent, one that is not known or is given a script, a local one that is no list of steps.
func hidingAction(p *lint.Pass, s *workflows.Step) bool {
	u := s.Uses
	if u == nil {
		return false
	}
	if u.Kind == workflows.UsesLocal || u.Kind == workflows.UsesSelf {
		f := p.Repository.Action(u.Path)
		return f == nil || f.Action == nil || len(f.Action.Steps) == 0
	}
	info, known := platform.LookupAction(u.FullName())
	return !known || info.Agent || slices.ContainsFunc(s.With.All(), func(e workflows.Entry) bool {
		return info.Inputs[strings.ToLower(e.Key.Value)] == platform.RoleScript
	})
}

// hidingScript reports whether a step's script may: one that was not read, or that
// runs scripts of the tree or an agent.
func hidingScript(s *workflows.Step) bool {
	return s.Run != nil && (s.Run.Shell != workflows.ShellPOSIX || s.Run.Err != nil || slices.ContainsFunc(s.Run.Commands, hidden))
}

// runners run whatever a file of the tree says.
var runners = []string{
	"sh", "bash", "zsh", "dash", "source", ".", "node", "deno", "ruby", "perl", "php", "pwsh", "make", "gmake", "just", "task", "rake", "mage", "invoke", "fab",
}

// releasing are parts of the names of tasks that push: "npm run release".
var releasing = []string{"release", "publish", "deploy", "version", "bump", "tag", "push", "changelog", "docs", "sync", "update", "commit", "pages", "post"}

// hidden reports whether a command runs a script that may call git. What builds and
// tests in the usual way does not: npm ci, npm test, go build, cargo, pytest, mvn.
func hidden(c *workflows.Command) bool {
	words := c.Line
	info, ok := platform.LookupCommand(words)
	switch {
	case c.Name == "eval":
		return true
	case !ok:
		return c.Name == "" && len(c.Words) > 0
	case info.Does == "agent", c.Name == "docker" && slices.Contains(words, "run"):
		return true
	case !info.Runs || info.Does == "install":
		return false
	case strings.HasPrefix(c.Name, "python"):
		return len(words) < 2 || !strings.HasPrefix(words[1], "-")
	case strings.Contains(words[0], "/") && c.Name != "gradlew" && c.Name != "mvnw":
		return true
	}
	start := words[:min(maxRunnerWords, len(words))]
	return slices.ContainsFunc(start, func(w string) bool { return slices.Contains(runners, w) || scriptFile.MatchString(w) }) ||
		slices.ContainsFunc(words[1:], releases)
}

// maxRunnerWords is how far into a command a runner's name is looked for (bundle exec rake).
const maxRunnerWords = 3

// scriptFile matches a file that a runner is given (bun run scripts/x.ts); not the tests of pytest.
var scriptFile = regexp.MustCompile(`(?i)^[^-][\w./-]*\.(ts|mts|js|mjs|cjs|sh|rb|ps1)$`)

func releases(word string) bool {
	return slices.ContainsFunc(releasing, func(part string) bool { return strings.Contains(strings.ToLower(word), part) })
}
