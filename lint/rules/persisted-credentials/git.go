package persistedcredentials

import (
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// remote are the git commands that speak to a remote and so may use the credential.
var remote = []string{"push", "fetch", "pull", "clone", "ls-remote", "submodule", "lfs", "remote", "subtree", "svn"}

// pushers are commands that use git's credential to publish.
var pushers = []string{"mkdocs", "mike", "gh-pages", "semantic-release", "lerna", "release-it", "standard-version", "bumpver", "bump2version", "cz", "pre-commit"}

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
	if slices.Contains(pushers, c.Name) {
		return true
	}
	if c.Name != "git" {
		return false
	}
	return slices.ContainsFunc(c.Args(), func(w workflows.Word) bool { return !w.Const || slices.Contains(remote, w.Text) })
}

// hidingAction reports whether an action may use the credential out of sight: an
// agent, one that is not known, a local one that is no list of steps.
func hidingAction(p *lint.Pass, u *workflows.Uses) bool {
	if u == nil {
		return false
	}
	if u.Kind == workflows.UsesLocal || u.Kind == workflows.UsesSelf {
		f := p.Repository.Action(u.Path)
		return f == nil || f.Action == nil || len(f.Action.Steps) == 0
	}
	info, known := platform.LookupAction(u.FullName())
	return !known || info.Agent
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
	words := reach.CommandWords(c)
	info, ok := platform.LookupCommand(words)
	switch {
	case !ok:
		return c.Name == "" && len(c.Words) > 0
	case info.Does == "agent":
		return true
	case !info.Runs || info.Does == "install":
		return false
	case strings.HasPrefix(c.Name, "python"):
		return len(words) < 2 || !strings.HasPrefix(words[1], "-")
	case slices.Contains(runners, c.Name) || strings.Contains(words[0], "/") && c.Name != "gradlew" && c.Name != "mvnw":
		return true
	}
	return slices.ContainsFunc(words[1:], func(w string) bool {
		return slices.ContainsFunc(releasing, func(part string) bool { return strings.Contains(strings.ToLower(w), part) })
	})
}
