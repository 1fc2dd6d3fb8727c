package wormindicator

import (
	"slices"
	"strings"

	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// A cargo is what a text carries that is worth stealing.
type cargo struct {
	// all is set for every secret at once; env for the whole environment of a step
	// that holds secrets; found for what a search for tokens turned up; token for
	// a token of the job itself (an id-token, what a checkout left for git).
	all, env, found, token bool
	// names are the secrets that are there by name.
	names []string
	// coded is set when the text was encoded, so that the log does not mask it.
	coded bool
	// blob is the length of a constant base 64 text.
	blob int
}

// maxCargoNames bounds the secrets that are told apart: more than any message
// lists, and few enough that a file made to be slow is not.
const maxCargoNames = 64

// maxCargoFiles bounds the files of a job that are followed, for the same reason.
const maxCargoFiles = 256

func (c cargo) with(d cargo) cargo {
	for _, n := range d.names {
		if len(c.names) < maxCargoNames && !slices.Contains(c.names, n) {
			c.names = append(slices.Clip(c.names), n)
		}
	}
	return cargo{c.all || d.all, c.env || d.env, c.found || d.found, c.token || d.token, c.names, c.coded || d.coded, max(c.blob, d.blob)}
}

// mass reports whether it is more than a task would need: all secrets, the whole
// environment, or what a search turned up.
func (c cargo) mass() bool { return c.all || c.found || c.env && len(c.names) > 0 }

// empty reports whether there is nothing to steal in it.
func (c cargo) empty() bool { return !c.all && !c.found && !c.token && len(c.names) == 0 }

// ofExprs returns the secrets that the expressions name.
func ofExprs(exprs []*workflows.Expr) (c cargo) {
	for _, e := range exprs {
		for _, r := range e.Refs() {
			if len(r.Parts) == 0 || r.Parts[0].Name != "secrets" {
				continue
			}
			switch {
			case len(r.Parts) == 1 || r.Parts[1].Name == "*":
				c.all = true
			case r.Parts[1].Name != "" && r.Parts[1].Name != "github_token" && !platform.LookupSecret(r.Parts[1].Raw).Public:
				c = c.with(cargo{names: []string{r.Parts[1].Raw}})
			}
		}
	}
	return c
}

// A tracer follows cargo through the scripts of one job.
type tracer struct {
	vars   map[string]cargo  // of the step
	consts map[string]string // constant values of variables
	files  map[string]cargo  // of the job
	// fetched are the files of the job that came from the network.
	fetched map[string]bool
	// looped is what commands in the words of a loop encode.
	looped cargo
	// source returns the bytes of the file at a place.
	source func(workflows.Span) string
	// writers are the commands that pipe into a command.
	writers map[*workflows.Command][]*workflows.Command
	known   map[*workflows.Command]cargo
}

// enter begins a step with its environment.
func (t *tracer) enter(env []workflows.Entry, s *workflows.Script) {
	t.vars, t.consts, t.looped = map[string]cargo{}, map[string]string{}, cargo{}
	t.writers, t.known = map[*workflows.Command][]*workflows.Command{}, map[*workflows.Command]cargo{}
	for _, e := range env {
		t.vars[e.Key.Value] = ofExprs(e.Value.Exprs)
		if text, ok := e.Value.Const(); ok {
			t.consts[e.Key.Value] = text
		}
	}
	for _, c := range s.Commands {
		if c.PipesInto != nil {
			t.writers[c.PipesInto] = append(t.writers[c.PipesInto], c)
		}
	}
}

// follow takes note of what a command sets and writes.
func (t *tracer) follow(c *workflows.Command) {
	for _, a := range c.Assigns {
		t.vars[a.Name] = t.vars[a.Name].with(t.word(a.Value))
		if a.Value.Const {
			t.consts[a.Name] = a.Value.Text
		}
	}
	out := t.output(c)
	for _, r := range c.Redirs {
		if strings.HasPrefix(r.Op, ">") || r.Op == "&>" {
			t.write(r.Target, out)
		}
	}
	if out.coded && c.Within == nil && c.PipesInto == nil && len(c.Redirs) == 0 {
		t.looped = t.looped.with(out)
	}
	switch c.Name {
	case "curl", "wget":
		for i, w := range c.Args() {
			if flag := w.Text; i+1 < len(c.Args()) && (strings.HasPrefix(flag, "-") && !strings.HasPrefix(flag, "--") && strings.HasSuffix(strings.ToLower(flag), "o") || flag == "--output") {
				t.fetched[cleanPath(t.text(c.Args()[i+1]))] = true
			}
		}
	case "tee":
		for _, w := range c.Args() {
			t.write(w, out)
		}
	case "tar", "zip", "7z", "gzip", "gpg", "openssl", "cp", "mv", "xz", "zstd":
		var in cargo
		for _, w := range c.Args() {
			in = in.with(t.file(w))
		}
		for _, w := range c.Args() {
			if !in.empty() && !strings.HasPrefix(w.Text, "-") {
				t.write(w, in)
			}
		}
	}
}

func (t *tracer) write(w workflows.Word, c cargo) {
	t.keep(t.text(w), c)
}

// keep takes note of what a file holds.
func (t *tracer) keep(name string, c cargo) {
	if name != "" && name != "/dev/null" && (!c.empty() || c.blob > 0) && len(t.files) < maxCargoFiles {
		t.files[cleanPath(name)] = t.files[cleanPath(name)].with(c)
	}
}

// file returns what a file holds, or the files below a directory.
func (t *tracer) file(w workflows.Word) cargo {
	name := strings.TrimSuffix(cleanPath(t.text(w)), "/")
	c := t.files[name]
	if name != "" && !w.Const {
		return c
	}
	var below []string
	for f := range t.files {
		if strings.HasPrefix(f, name+"/") {
			below = append(below, f)
		}
	}
	slices.Sort(below)
	for _, f := range below {
		c = c.with(t.files[f])
	}
	return c
}

// cleanPath gives the spellings of one path that are common one form.
func cleanPath(name string) string {
	if rest, ok := strings.CutPrefix(name, "$HOME/"); ok {
		return "~/" + rest
	}
	return strings.TrimPrefix(name, "./")
}

// text returns the word's text with variables of known value filled in.
func (t *tracer) text(w workflows.Word) string {
	if w.Const || len(w.Exprs) > 0 || strings.Count(w.Text, "\ufffd") != len(w.Vars) {
		return w.Text
	}
	text := w.Text
	for _, v := range w.Vars {
		value, ok := t.consts[v]
		if !ok {
			value = "$" + v
		}
		text = strings.Replace(text, "\ufffd", value, 1)
	}
	return text
}

// word returns what a word carries.
func (t *tracer) word(w workflows.Word) cargo {
	c := ofExprs(w.Exprs)
	for _, v := range w.Vars {
		c = c.with(t.vars[v])
	}
	if strings.Contains(t.source(w.Span), "${!") {
		c = c.with(t.everything()) // the variable that another one names
	}
	for _, inner := range w.Commands {
		c = c.with(t.output(inner))
	}
	c.blob = blobSize(t.text(w))
	return c
}

// input returns what a command reads: the pipe, files and here documents.
func (t *tracer) input(c *workflows.Command) (in cargo) {
	for _, w := range t.writers[c] {
		in = in.with(t.output(w))
	}
	for _, r := range c.Redirs {
		switch r.Op {
		case "<":
			in = in.with(t.file(r.Target))
		case "<<", "<<-", "<<<":
			in = in.with(t.word(r.Target))
		}
	}
	return in
}

// The commands whose output is what they read.
var (
	filters  = []string{"cat", "head", "tail", "tr", "cut", "sort", "uniq", "sed", "awk", "jq", "fold", "paste", "tee", "column", "strings", "nl", "python", "python3", "node", "grep", "egrep", "zcat", "gunzip"}
	encoders = []string{"base64", "base32", "xxd", "od", "hexdump", "openssl", "gpg", "rev", "gzip", "xz", "zstd", "bzip2", "basenc", "uuencode", "tar", "zip"}
)

// output returns what a command writes to its standard output.
func (t *tracer) output(c *workflows.Command) cargo {
	if out, ok := t.known[c]; ok {
		return out
	}
	t.known[c] = cargo{} // a here document may hold a command that reads it
	out := t.compute(c)
	t.known[c] = out
	return out
}

func (t *tracer) compute(c *workflows.Command) (out cargo) {
	switch {
	case c.Name == "echo" || c.Name == "printf":
		for _, w := range c.Args() {
			out = out.with(t.word(w))
		}
		return out
	case platform.DumpsEnvironment(c.Line):
		return t.everything()
	case c.Name == "printenv":
		for _, w := range c.Args() {
			out = out.with(t.vars[w.Text])
		}
		return out
	case sweepsMachine(c):
		return cargo{found: true}
	case asksIDToken(c) || readsGitCredential(c):
		return cargo{token: true}
	case !slices.Contains(filters, c.Name) && !slices.Contains(encoders, c.Name):
		return cargo{}
	}
	out = t.input(c)
	for _, w := range c.Args() {
		out = out.with(t.file(w))
		if c.Name == "jq" {
			out = out.with(t.word(w)) // --arg and --argjson
		}
	}
	switch {
	case searchesTokens(c):
		out.found = true
	case slices.Contains(encoders, c.Name) && !decodes(c):
		out.coded = true
	}
	return out
}

// everything is what all variables of the step carry.
func (t *tracer) everything() (out cargo) {
	for _, v := range t.vars {
		out = out.with(v)
	}
	out.env, out.blob = true, 0
	slices.Sort(out.names)
	return out
}

// asksIDToken reports whether a command asks for the job's id-token itself.
func asksIDToken(c *workflows.Command) bool {
	return mentions(c, "ACTIONS_ID_TOKEN_REQUEST_URL")
}

func mentions(c *workflows.Command, variable string) bool {
	return slices.ContainsFunc(c.Words, func(w workflows.Word) bool { return slices.Contains(w.Vars, variable) })
}

// readsGitCredential reports whether a command prints the header that a checkout
// left in git's configuration.
func readsGitCredential(c *workflows.Command) bool {
	return c.Name == "git" && slices.ContainsFunc(c.Args(), func(w workflows.Word) bool { return strings.HasPrefix(w.Text, "--get") }) &&
		slices.ContainsFunc(c.Args(), func(w workflows.Word) bool { return strings.HasSuffix(strings.ToLower(w.Text), "extraheader") })
}

// sweepsMachine reports whether a scanner for secrets is sent over the whole machine
// instead of the repository.
func sweepsMachine(c *workflows.Command) bool {
	if c.Name != "trufflehog" && c.Name != "gitleaks" && c.Name != "noseyparker" {
		return false
	}
	return slices.ContainsFunc(c.Args(), func(w workflows.Word) bool {
		return slices.Contains([]string{"/", "~", "~/", "/home", "/home/runner", "/root", "/etc", "/proc"}, w.Text) || w.Text == "\ufffd" && slices.Equal(w.Vars, []string{"HOME"})
	})
}

// tokenBeginnings are how well-known tokens begin, as a search for them has it.
var tokenBeginnings = []string{"AKIA", "ASIA", "ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "sk-ant-", "sk-proj-", "sk-or-", "AIza", "xox", "npm_", "SG.", "SG\\.", "hf_", "pypi-", "PRIVATE KEY", "sk_live_"}

// searchesTokens reports whether a command looks for tokens of two services or more.
func searchesTokens(c *workflows.Command) bool {
	if c.Name != "grep" && c.Name != "egrep" && c.Name != "rg" {
		return false
	}
	n := 0
	for _, b := range tokenBeginnings {
		if slices.ContainsFunc(c.Args(), func(w workflows.Word) bool { return strings.Contains(w.Text, b) }) {
			n++
		}
	}
	return n >= 2
}

// decodes reports whether an encoder is told to decode.
func decodes(c *workflows.Command) bool {
	return slices.ContainsFunc(c.Args(), func(w workflows.Word) bool {
		switch w.Text {
		case "-d", "-D", "--decode", "-di", "-id", "-r", "--decompress", "--decrypt":
			return true
		}
		return false
	})
}

// blobSize returns the length of the longest run of base 64 in a text.
func blobSize(text string) int {
	longest, run := 0, 0
	for i := range len(text) {
		switch b := text[i]; {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9', b == '+', b == '/', b == '=':
			run++
		case b == '\n' && run > 0: // wrapped
		default:
			run = 0
		}
		longest = max(longest, run)
	}
	return longest
}
