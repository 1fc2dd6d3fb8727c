package secretincommand

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// A place is where a command or an action puts a secret so that others read it.
type place struct {
	what, next string
	ceiling    *reach.Severity
	strict     bool
}

var (
	medium = reach.Medium
	low    = reach.Low
)

// The places, in the order of judgement.
var (
	toImage   = place{what: "becomes a build argument, which stays readable in the history of the image or of its build cache", next: "use a secret mount (--secret, or secrets: of the action) and RUN --mount=type=secret"}
	toAgent   = place{what: "is part of an agent's prompt, and so of what the agent may repeat", next: "keep it out of the prompt; give a tool that needs it the variable alone"}
	inClear   = place{what: "is sent over http without encryption", next: "use https"}
	toSummary = place{what: "is written to the job's summary, which masks only its exact text", next: "write what the reader needs to know instead", ceiling: &medium}
	inAddress = place{what: "is part of an address, which servers and proxies on the way write to their logs", next: "send it in a header, read from a variable or a file", ceiling: &low, strict: true}
	inRemote  = place{what: "is part of a remote's address, which git keeps in its configuration and shows in its messages", next: "let git ask a credential helper, or gh auth setup-git", ceiling: &low, strict: true}
)

// judgeInput reports inputs of actions that keep what they are given.
func judgeInput(p *lint.Pass, h holding) {
	if h.Holder != reach.HeldByInput || h.Step.Uses == nil {
		return
	}
	info, _ := platform.LookupAction(h.Step.Uses.FullName())
	switch info.Inputs[strings.ToLower(h.Name)] {
	case platform.RoleImage:
		place := toImage
		place.tell(p, h.job, h.Expr.Span, []*reach.Credential{h.Credential})
	case platform.RolePrompt:
		toAgent.tell(p, h.job, h.Expr.Span, []*reach.Credential{h.Credential})
	}
}

func (x place) tell(p *lint.Pass, job *reach.Job, at workflows.Span, creds []*reach.Credential, related ...lint.Related) {
	e, code, loss := job.Loss(creds)
	var names []string
	for _, c := range creds {
		names = append(names, c.Name)
	}
	p.Report(lint.Finding{
		Span: at, Job: job, Code: code, Exposure: e, Ceiling: x.ceiling, Strict: x.strict, Confidence: lint.MediumConfidence,
		Message: fmt.Sprintf("%s %s; %s", strings.Join(names, ", "), x.what, loss), Next: x.next, Related: related,
	})
}

// A taking is a command of the file that takes secrets.
type taking struct {
	step    *workflows.Step
	command *workflows.Command
	uses    []reach.Use
}

// judgePlaces reports the commands of a job that put secrets where others read them.
func judgePlaces(p *lint.Pass, job *reach.Job) {
	for _, t := range takings(p, job) {
		var creds []*reach.Credential
		for _, u := range t.uses {
			if !slices.Contains(creds, u.Credential) {
				creds = append(creds, u.Credential)
			}
		}
		if x, ok := t.place(); ok {
			x.tell(p, job, t.command.Span, creds)
			continue
		}
		if file := t.writes(); file != "" {
			judgeFile(p, job, t, file, creds)
		}
	}
	judgeDumps(p, job)
}

// takings returns the commands that take secrets in the steps of the file.
func takings(p *lint.Pass, job *reach.Job) []taking {
	uses := p.Graph.Uses(job)
	var out []taking
	for _, s := range p.Graph.RunSteps(job) {
		if s.File != p.File || s.Step.Run == nil {
			continue
		}
		for _, u := range uses {
			if !u.Reaches(s) {
				continue
			}
			for _, c := range u.Takers(s.Step) {
				i := slices.IndexFunc(out, func(t taking) bool { return t.command == c })
				if i < 0 {
					i = len(out)
					out = append(out, taking{step: s.Step, command: c})
				}
				out[i].uses = append(out[i].uses, u)
			}
		}
	}
	return out
}

// holds reports whether a word has the value of one of the secrets.
func (t taking) holds(w workflows.Word) bool {
	return slices.ContainsFunc(t.uses, func(u reach.Use) bool {
		if u.Holder == reach.HeldByScript {
			return slices.Contains(w.Exprs, u.Expr)
		}
		return slices.Contains(w.Vars, u.Name)
	})
}

// place judges a command by its words and redirections.
func (t taking) place() (place, bool) {
	c := t.command
	words := c.Line
	info, _ := platform.LookupCommand(words)
	switch {
	case t.buildArgument():
		return toImage, true
	case info.Does == "agent":
		return toAgent, true
	case info.Does == "fetch" && slices.ContainsFunc(words, clearAddress):
		return inClear, true
	case t.summary():
		return toSummary, true
	case c.Name == "git" && slices.ContainsFunc(c.Words, t.addressed):
		return inRemote, true
	case info.Does == "fetch" && slices.ContainsFunc(c.Words, func(w workflows.Word) bool { return t.addressed(w) && behindHost(w.Text) }):
		return inAddress, true
	}
	return place{}, false
}

// builders are the commands that build images from a Dockerfile.
var builders = []string{"docker", "podman", "buildah", "nerdctl"}

// buildArgument reports whether the secret is given to an image's build as an argument.
func (t taking) buildArgument() bool {
	args := t.command.Args()
	if !slices.Contains(builders, t.command.Name) {
		return false
	}
	for i, w := range args {
		if !strings.HasPrefix(w.Text, "--build-arg") {
			continue
		}
		if t.holds(w) || w.Text == "--build-arg" && i+1 < len(args) && t.holds(args[i+1]) {
			return true
		}
	}
	return false
}

// clearAddress reports whether a word is an address of another host without encryption.
func clearAddress(word string) bool {
	rest, ok := strings.CutPrefix(strings.ToLower(word), "http://")
	host, _, _ := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		host = host[at+1:]
	}
	host, _, _ = strings.Cut(host, ":")
	local := host == "localhost" || host == "0.0.0.0" || strings.HasPrefix(host, "127.") || strings.HasSuffix(host, ".localhost") || strings.HasSuffix(host, ".internal")
	return ok && !local && strings.Contains(host, ".")
}

// addressed reports whether the secret is a part of an address, and not all of it.
func (t taking) addressed(w workflows.Word) bool {
	scheme := strings.Index(w.Text, "://")
	return scheme > 0 && !strings.Contains(w.Text[:scheme], " ") && strings.Contains(w.Text[scheme:], "\uFFFD") && t.holds(w)
}

// behindHost reports whether something unknown stands behind the host of an address,
// where servers log it; what stands before the host is sent as a header.
func behindHost(text string) bool {
	_, rest, _ := strings.Cut(text, "://")
	slash := strings.IndexByte(rest, '/')
	return slash >= 0 && strings.Contains(rest[slash:], "\uFFFD")
}

// summary reports whether what the command prints goes to the job's summary.
func (t taking) summary() bool {
	named := func(w workflows.Word) bool { return slices.Contains(w.Vars, "GITHUB_STEP_SUMMARY") }
	prints := slices.Contains([]string{"echo", "printf", "cat"}, t.command.Name)
	for c := t.command; c != nil && prints; c = c.PipesInto {
		if slices.ContainsFunc(c.Redirs, func(r workflows.Redir) bool { return named(r.Target) }) || c.Name == "tee" && slices.ContainsFunc(c.Words, named) {
			return true
		}
		prints = c.PipesInto != nil && c.PipesInto.Name == "tee"
	}
	return false
}
