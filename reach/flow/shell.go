package flow

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// Patterns for scripts that are kept as text.
var (
	psAssign   = regexp.MustCompile(`^\s*\$?(\w+)\s*\+?=[^=]`)
	psVariable = regexp.MustCompile(`(?i)\$\{?(?:env:)?(\w+)\}?|environ(?:\[|\.get\()['"](\w+)['"]|getenv\(['"](\w+)['"]`)
	// cmdVariable is what cmd puts the text of a variable in place of before it reads the
	// line, so that an & in the text begins a command.
	cmdVariable       = regexp.MustCompile(`%(\w+)(?::[^%\n]*)?%`)
	runnerFilePattern = regexp.MustCompile(`(GITHUB_OUTPUT|GITHUB_ENV|GITHUB_PATH)\b`)
	codeLine          = regexp.MustCompile(`(?i)\b(?:iex|invoke-expression)\b|\bos\.(?:system|popen)\(|\bsubprocess\.\w+\(.*shell\s*=\s*True`)
	outputName        = regexp.MustCompile(`["'` + "`" + `\s(]([A-Za-z_][\w-]*)(?:=|<<)`)
)

// command follows one command: assignments, writes to the runner's files, files, and code.
func (r *reader) command(c *workflows.Command) {
	for _, a := range c.Assigns {
		t := r.word(&a.Value)
		r.assigned(a.Name, a.Span)
		if r.always(c) {
			delete(r.vars, a.Name)
		}
		if len(t) > 0 {
			r.vars[a.Name] = merge(r.vars[a.Name], through(t, r.sc.file, a.Span, "through $"+a.Name))
		} else if c.Within == nil {
			delete(r.vars, a.Name)
		}
	}
	switch c.Name {
	case "read", "readarray", "mapfile":
		r.read(c)
	}
	r.writes(c)
	r.usesAsCode(c)
	r.tellsAgent(c)
	r.fetches(c)
	r.unpacks(c)
	r.dir = AfterCommand(r.dir, c)
}

// always reports whether an assignment is a statement of the script itself, which
// every run of it gets to.
func (r *reader) always(c *workflows.Command) bool {
	if len(c.Words) > 0 || c.Within != nil || r.step.Run.Prog == nil {
		return false
	}
	return slices.ContainsFunc(r.step.Run.Prog.Stmts, func(s *syntax.Stmt) bool {
		_, plain := s.Cmd.(*syntax.CallExpr)
		return plain && r.step.Run.SpanOf(offset(s.Pos()), offset(s.End())).Contains(c.Span)
	})
}

// read handles `read NAME <<< "$TEXT"`.
func (r *reader) read(c *workflows.Command) {
	t := r.redirected(c)
	if len(t) == 0 {
		return
	}
	for _, w := range c.Args() {
		if w.Const && !strings.HasPrefix(w.Text, "-") {
			r.assigned(w.Text, w.Span)
			r.vars[w.Text] = merge(r.vars[w.Text], t)
		}
	}
}

// redirected is the text that a command reads from its redirections.
func (r *reader) redirected(c *workflows.Command) []Taint {
	var t []Taint
	for i := range c.Redirs {
		if d := &c.Redirs[i]; strings.HasPrefix(d.Op, "<") {
			t = merge(t, r.word(&d.Target))
			if d.Op == "<" && d.Target.Const {
				t = merge(t, r.file(d.Target.Text))
			}
		}
	}
	return t
}

// word returns the taints of a word: its expressions, variables and substitutions.
func (r *reader) word(w *workflows.Word) []Taint {
	var out []Taint
	for _, e := range w.Exprs {
		out = merge(out, r.ev.expr(r.sc, r.step, e))
	}
	out = merge(out, r.variables(w))
	for _, c := range w.Commands {
		out = merge(out, r.result(c))
	}
	if r.ev.mode == asCode && namesPull(w.Text) {
		out = merge(out, r.ev.pull(r.sc, w.Span))
	}
	return out
}

// variables returns the taints of a word's variables that no check made plain.
func (r *reader) variables(w *workflows.Word) []Taint {
	var out []Taint
	for _, v := range w.Vars {
		if t := r.vars[v]; len(t) > 0 && !r.plain(v, w.Span) {
			out = merge(out, t)
		}
	}
	return out
}

// result is what a substituted command may print: the text of its words, of what it
// reads, of the pull request it asks for, unless it makes something harmless of it.
func (r *reader) result(c *workflows.Command) []Taint {
	if harmless(c) || !r.ev.st.spend(1) {
		return nil
	}
	if c.Name == "git" {
		return r.gitText(c)
	}
	var out []Taint
	for i := range c.Words {
		out = merge(out, r.word(&c.Words[i]))
		if c.Words[i].Const && i > c.NameAt {
			out = merge(out, r.operand(c, i))
		}
	}
	out = merge(out, r.redirected(c))
	switch {
	case c.Name == "jq" && !selectsText(c):
		out = slices.DeleteFunc(out, func(t Taint) bool { return t.Source != ArtifactSource && t.Source != TreeSource }) // any field of it is text
	case !textTools[c.Name]:
		out = guessed(out) // a program that was not read
	}
	out = merge(out, r.ghText(c))
	if readsEvent(c) {
		out = merge(out, r.payload(c))
	}
	if joinsLines(c) {
		out = oneLine(out)
	}
	return out
}

// lineBreaks matches what tr is told to delete or replace when that takes the line
// breaks away.
var lineBreaks = regexp.MustCompile(`\\n|\[:(?:space|cntrl):\]|\n`)

// joinsLines reports whether a command's output, behind what it is piped into, is one
// line whatever it is given.
func joinsLines(c *workflows.Command) bool {
	joined := false
	for ; c != nil; c = c.PipesInto {
		switch c.Name {
		case "tr":
			joined = deletesBreaks(c) || joined && !slices.ContainsFunc(c.Args(), func(w workflows.Word) bool { return !w.Const || lineBreaks.MatchString(w.Text) })
		case "head", "tail":
			words := commandText(c) + " "
			joined = joined || strings.Contains(words, " -1 ") || strings.Contains(words, " -n 1 ") || strings.Contains(words, " -n1 ")
		case "cut", "cat", "tee", "rev":
		default:
			joined = false // it may make lines of it again
		}
	}
	return joined
}

// deletesBreaks reports whether tr deletes line breaks, or puts something else in their
// place.
func deletesBreaks(c *workflows.Command) bool {
	args := c.Args()
	flags := len(args) > 0 && strings.HasPrefix(args[0].Text, "-")
	switch {
	case flags && args[0].Text == "-d" && len(args) == 2:
		return args[1].Const && lineBreaks.MatchString(args[1].Text)
	case flags || len(args) != 2:
		return false
	}
	return args[0].Const && lineBreaks.MatchString(args[0].Text) && args[1].Const && !lineBreaks.MatchString(args[1].Text)
}

func oneLine(in []Taint) []Taint {
	out := slices.Clone(in)
	for i := range out {
		out[i].OneLine = true
	}
	return out
}

// textTools print what they are given or a part of it.
var textTools = map[string]bool{
	"": true, "echo": true, "printf": true, "cat": true, "jq": true, "yq": true, "sed": true, "awk": true, "gawk": true, "grep": true, "egrep": true,
	"head": true, "tail": true, "cut": true, "tr": true, "tee": true, "sort": true, "uniq": true, "xargs": true, "basename": true, "dirname": true,
	"paste": true, "rev": true, "fold": true, "base64": true, "envsubst": true, "column": true, "nl": true, "tac": true, "read": true, "set": true,
}

// harmless reports whether a command's output cannot carry text of anybody's
// choice: counts, digests, and deletion of all but a listed set of characters.
func harmless(c *workflows.Command) bool {
	switch c.Name {
	case "wc", "sha256sum", "sha1sum", "md5sum", "sha512sum", "date", "stat", "test", "[", "true", "false":
		return true
	case "grep", "egrep":
		if hasFlag(c, "-c", "-q", "--count", "--quiet") || onlyNumbers(c) {
			return true
		}
	case "tr":
		if hasFlag(c, "-cd", "-dc", "--complement") {
			return true
		}
	}
	return c.PipesInto != nil && harmless(c.PipesInto)
}

func hasFlag(c *workflows.Command, flags ...string) bool {
	return slices.ContainsFunc(c.Args(), func(w workflows.Word) bool { return slices.Contains(flags, w.Text) })
}

var (
	onlyMatching = regexp.MustCompile(`^-[EPFhisw]*o[EPFhisw]*$|^--only-matching$`)
	plainOption  = regexp.MustCompile(`^-(?:[EPFhisow]+|m[0-9]+)$|^--only-matching$`)
	// numeric matches patterns of whose matches an outsider chooses no more than digits,
	// hexadecimal ones too, and dots: other letters would make words.
	numeric = regexp.MustCompile(`^(?:(?:\[(?:0-9|a-f|[0-9.])+\]|\\[dKb.]|[\w#/:=, -])(?:[+*?]|\{[0-9,]+\})?|[()^$])+$`)
)

// onlyNumbers reports whether grep prints nothing but matches that hold numbers. Its
// pattern stands behind options that take no word.
func onlyNumbers(c *workflows.Command) bool {
	args := c.Args()
	i := slices.IndexFunc(args, func(w workflows.Word) bool { return !plainOption.MatchString(w.Text) })
	if i < 0 || !slices.ContainsFunc(args[:i], func(w workflows.Word) bool { return onlyMatching.MatchString(w.Text) }) {
		return false
	}
	return args[i].Const && !strings.HasPrefix(args[i].Text, "-") && numeric.MatchString(args[i].Text)
}

// textFields are the fields of GitHub's API that hold free text.
var textFields = regexp.MustCompile(`(?i)\b(?:title|body|bodyText|message|messageHeadline|messageBody|headRefName|head_ref|comments?|reviews|description|files?|path|filename|label|commits)\b|head\.(?:ref|label)\b`)

// headFields are those that name a commit or branch of a pull request.
var headFields = regexp.MustCompile(`headRefOid|headRefName|headRepository|head\.(?:sha|ref|repo)|\.head\b|potentialMergeCommit|merge_commit_sha|mergeCommit`)

// selectsText reports whether a jq filter may yield free text.
func selectsText(c *workflows.Command) bool {
	for _, w := range c.Args() {
		if strings.HasPrefix(w.Text, "-") {
			continue
		}
		filter := strings.TrimSpace(w.Text)
		return !w.Const || filter == "." || !strings.HasPrefix(filter, ".") || textFields.MatchString(filter)
	}
	return true
}

// ghText is what gh tells of the issue or pull request at hand.
func (r *reader) ghText(c *workflows.Command) []Taint {
	if c.Name != "gh" {
		return nil
	}
	words := commandText(c)
	pull := strings.Contains(words, "gh pr view") || strings.Contains(words, "/pulls/")
	issue := strings.Contains(words, "gh issue view") || strings.Contains(words, "/issues/")
	switch {
	case r.ev.mode == asCode && pull && headFields.MatchString(words):
		return r.ev.fetched(r.sc, "github.event.pull_request.head.sha", c.Span)
	case r.ev.mode == asText && listing.MatchString(words):
		return r.listed(words, c.Span)
	case r.ev.mode == asText && strings.Contains(words, "gh pr diff"):
		return r.ev.text(r.sc, "the diff of the pull request", onIssuesAndPulls(r.sc), c.Span)
	case r.ev.mode == asCode || !pull && !issue || strings.Contains(words, "/permission"):
		return nil
	}
	fields := words
	if strings.Contains(words, " view") && !strings.Contains(words, "--json") {
		return r.ev.fetched(r.sc, fieldPath("body", pull), c.Span) // it prints all of it
	}
	if i := strings.Index(words, "jq"); i >= 0 {
		fields = words[i:]
	} else if i := strings.Index(words, "--json"); i >= 0 {
		fields = words[i+len("--json"):]
	}
	if m := textFields.FindString(fields); m != "" {
		return r.ev.fetched(r.sc, fieldPath(m, pull), c.Span)
	}
	return nil
}

// fieldPath returns the context that holds the same text as a field of the API.
func fieldPath(field string, pull bool) string {
	field = strings.ToLower(field)
	switch {
	case !pull && field == "title":
		return "github.event.issue.title"
	case !pull:
		return "github.event.issue.body"
	}
	switch field {
	case "title":
		return "github.event.pull_request.title"
	case "headrefname", "head_ref", "head.ref", "head.label", "label":
		return "github.event.pull_request.head.ref"
	}
	return "github.event.pull_request.body"
}

// gitText is what git tells of commits that may be an outsider's: messages, names of files.
func (r *reader) gitText(c *workflows.Command) []Taint {
	words := commandText(c)
	foreign := r.sc.foreign || !slices.ContainsFunc(r.sc.events, func(e Event) bool { return e.Text == platform.StartAnyone })
	switch {
	case r.ev.mode == asCode && (strings.Contains(words, "rev-parse") || strings.Contains(words, "ls-remote")):
		var out []Taint
		for i := range c.Words {
			out = merge(out, r.word(&c.Words[i]))
		}
		return out
	case r.ev.mode == asCode || !foreign:
		return nil
	case strings.Contains(words, "--name-only"), strings.Contains(words, "--name-status"), strings.Contains(words, "git ls-files"):
		return r.ev.changed(r.sc, "the names of changed files", c.Span)
	case (strings.Contains(words, "git log") || strings.Contains(words, "git show")) && messageFormat.MatchString(words):
		return r.ev.changed(r.sc, "the messages of commits", c.Span)
	}
	return nil
}

// messageFormat finds the formats of git that print what a commit's author wrote.
var messageFormat = regexp.MustCompile(`(?:--format|--pretty)[= ](?:format:)?\S*%(?:s|B|b|an|ae|cn|D|d)`)

func commandText(c *workflows.Command) string {
	words := []string{c.Name}
	for _, w := range c.Args() {
		words = append(words, w.Text)
	}
	return strings.Join(words, " ")
}

// readsEvent reports whether a command reads the event's payload file.
func readsEvent(c *workflows.Command) bool {
	reads := func(w *workflows.Word) bool {
		return slices.Contains(w.Vars, "GITHUB_EVENT_PATH") ||
			slices.ContainsFunc(w.Exprs, func(e *workflows.Expr) bool { return strings.EqualFold(e.Text, "github.event_path") })
	}
	for i := range c.Words {
		if reads(&c.Words[i]) {
			return true
		}
	}
	return slices.ContainsFunc(c.Redirs, func(d workflows.Redir) bool { return reads(&d.Target) })
}

// payload is the taint of what a command such as jq selects from the payload;
// the selected path is looked up when it is constant.
func (r *reader) payload(c *workflows.Command) []Taint {
	ref := &workflows.Ref{Parts: []workflows.Part{{Name: "github"}, {Name: "event"}}, Span: c.Span}
	for _, w := range c.Args() {
		if !w.Const || !strings.HasPrefix(w.Text, ".") {
			continue
		}
		for _, p := range strings.Split(strings.Trim(w.Text, ". "), ".") {
			ref.Parts = append(ref.Parts, workflows.Part{Name: strings.ToLower(p)})
		}
		break
	}
	return r.ev.source(r.sc, ref)
}

// writes follows what a command writes to files, the runner's own above all.
func (r *reader) writes(c *workflows.Command) {
	for i := range c.Redirs {
		d := &c.Redirs[i]
		if strings.HasPrefix(d.Op, ">") || strings.HasPrefix(d.Op, "&>") {
			r.writeTo(c, &d.Target)
		}
	}
	if c.PipesInto != nil && c.PipesInto.Name == "tee" {
		for _, w := range c.PipesInto.Args() {
			r.writeTo(c, &w)
		}
	}
	if len(c.Args()) > 0 && strings.HasPrefix(c.Args()[0].Text, "::set-output name=") {
		name, _, _ := strings.Cut(strings.TrimPrefix(c.Args()[0].Text, "::set-output name="), "::")
		t, fixed := r.printed(c)
		r.flow.setOutput(name, t, fixed)
	}
}

// writeTo follows what a command prints into one file.
func (r *reader) writeTo(c *workflows.Command, file *workflows.Word) {
	target := runnerFile(file)
	if target == "" {
		if t := r.result(c); len(t) > 0 && file.Const && file.Text != "/dev/null" {
			r.flow.saved[CleanDir(file.Text)] = merge(r.flow.saved[CleanDir(file.Text)], t)
		}
		return
	}
	t, fixed := r.printed(c)
	for _, l := range printedLines(c) {
		if b, ok := r.open[target]; ok {
			r.blockLine(target, b, l, t, c)
			continue
		}
		name, value, ok := strings.Cut(l, "=")
		if n, end, isBlock := strings.Cut(l, "<<"); isBlock && (!ok || len(n) < len(name)) {
			r.open[target] = block{strings.TrimSpace(n), strings.TrimSpace(end)}
			continue
		}
		switch {
		case target == "GITHUB_PATH", !ok, strings.ContainsRune(name, notConstant):
			r.printedOutput(target, "", t, fixed, c.Span)
		case strings.ContainsRune(value, notConstant):
			r.printedOutput(target, strings.TrimSpace(name), t, false, c.Span)
			if target == "GITHUB_OUTPUT" {
				r.flow.clobber(t)
			}
		default:
			r.printedOutput(target, strings.TrimSpace(name), nil, true, c.Span)
		}
	}
}

// blockLine takes a line of a value of several lines, or its end.
func (r *reader) blockLine(target string, b block, line string, t []Taint, c *workflows.Command) {
	switch {
	case strings.TrimSpace(line) == b.end:
		delete(r.open, target)
	case len(t) > 0 && target == "GITHUB_ENV" && strings.ContainsRune(line, notConstant) && strings.ContainsRune(b.end, notConstant):
		// An end that changes with every run cannot be written into the text.
		r.flow.env = append(r.flow.env, named{b.name, t})
	case strings.ContainsRune(line, notConstant):
		r.printedOutput(target, b.name, t, false, c.Span)
	default:
		r.printedOutput(target, b.name, nil, true, c.Span)
	}
}

// notConstant stands in a word's text for a part that is not constant.
const notConstant = '\uFFFD'

// runnerFile returns the variable of one of the runner's files.
func runnerFile(w *workflows.Word) string {
	for _, v := range w.Vars {
		switch v {
		case "GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH":
			return v
		}
	}
	for _, e := range w.Exprs {
		switch strings.ToLower(e.Text) {
		case "github.env":
			return "GITHUB_ENV"
		case "github.output":
			return "GITHUB_OUTPUT"
		case "github.path":
			return "GITHUB_PATH"
		}
	}
	return ""
}

// printed returns the taints of what a command prints, and whether it is constant.
func (r *reader) printed(c *workflows.Command) (t []Taint, fixed bool) {
	switch c.Name {
	case "echo", "printf", "cat":
		fixed = true
		args := c.Args()
		for i := range args {
			t = merge(t, r.word(&args[i]))
			fixed = fixed && args[i].Const && c.Name != "cat"
			if c.Name == "cat" && args[i].Const {
				t = merge(t, r.file(args[i].Text))
			}
		}
		for _, d := range c.Redirs {
			fixed = fixed && (!strings.HasPrefix(d.Op, "<") || strings.HasPrefix(d.Op, "<<") && d.Target.Const)
		}
		return merge(t, r.redirected(c)), fixed
	}
	return r.result(c), false
}

// printedText is what echo and printf print as far as it is constant.
func printedText(c *workflows.Command) string {
	var words []string
	for _, w := range c.Args() {
		if len(words) > 0 || !strings.HasPrefix(w.Text, "-") {
			words = append(words, w.Text)
		}
	}
	text := strings.Join(words, " ")
	if c.Name == "printf" {
		text, _, _ = strings.Cut(text, " ")
		text = strings.ReplaceAll(text, "%s", string(notConstant))
		text = strings.TrimSuffix(text, `\n`)
	}
	return text
}

// printedLines returns the lines that a command prints, or one of unknown text.
func printedLines(c *workflows.Command) []string {
	for _, d := range c.Redirs {
		if strings.HasPrefix(d.Op, "<<") && d.Op != "<<<" {
			return strings.Split(strings.TrimRight(d.Target.Text, "\n"), "\n")
		}
	}
	switch c.Name {
	case "echo", "printf":
		return strings.Split(strings.ReplaceAll(printedText(c), `\n`, "\n"), "\n")
	}
	return []string{string(notConstant)}
}

// interpreters run text that they are given after one of these flags.
var interpreters = map[string][]string{
	"sh": {"-c", "-ec", "-lc"}, "bash": {"-c", "-ec", "-lc", "-xc", "-exc"}, "dash": {"-c"}, "zsh": {"-c", "-lc"}, "ksh": {"-c"},
	"python": {"-c"}, "python3": {"-c"}, "node": {"-e", "--eval", "-p"}, "perl": {"-e"}, "ruby": {"-e"}, "php": {"-r"},
	"pwsh": {"-c", "-Command", "-command"}, "su": {"-c"},
}

// usesAsCode finds text that the script itself runs: eval, sh -c, a shell's input,
// a command on another host.
func (r *reader) usesAsCode(c *workflows.Command) {
	args := c.Args()
	flags, known := interpreters[c.Name]
	switch {
	case c.Name == "eval":
	case c.Name == "ssh" && len(args) > 1:
		args = args[1:]
	case known:
		r.feeds(c)
		args = afterFlag(args, flags)
	case c.Name == "docker" || c.Name == "podman" || c.Name == "xargs":
		args = nestedShell(args)
	default:
		return
	}
	for i := range args {
		r.asCode(&args[i])
	}
}

// afterFlag returns the word after one of the flags.
func afterFlag(args []workflows.Word, flags []string) []workflows.Word {
	i := slices.IndexFunc(args, func(w workflows.Word) bool { return slices.Contains(flags, w.Text) })
	if i < 0 || i+1 >= len(args) {
		return nil
	}
	return args[i+1 : i+2]
}

// nestedShell returns the code of `docker exec x sh -c CODE` and the like.
func nestedShell(args []workflows.Word) []workflows.Word {
	for i, w := range args {
		if flags, ok := interpreters[path.Base(w.Text)]; ok {
			return afterFlag(args[i+1:], flags)
		}
	}
	return nil
}

// feeds finds text that a shell reads from its input: a heredoc or here string.
func (r *reader) feeds(c *workflows.Command) {
	if slices.ContainsFunc(c.Args(), func(w workflows.Word) bool { return w.Text != "-" && !strings.HasPrefix(w.Text, "-") }) {
		return // it runs a file and the text is that file's input
	}
	for i := range c.Redirs {
		if d := &c.Redirs[i]; strings.HasPrefix(d.Op, "<<") {
			r.asCode(&d.Target)
		}
	}
}

// asCode records a word whose variables carry text; its expressions are sinks of
// their own.
func (r *reader) asCode(w *workflows.Word) {
	if t := r.variables(w); len(t) > 0 {
		r.flow.code = append(r.flow.code, codeUse{w.Span, t})
	}
}
