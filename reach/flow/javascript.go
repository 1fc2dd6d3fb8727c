package flow

import (
	"regexp"
	"slices"
	"strings"

	"github.com/stint-dev/stint/workflows"
)

// githubScript is the action whose script sets outputs by core.setOutput.
const githubScript = "actions/github-script"

func isGithubScript(s *workflows.Step) bool {
	return s.Uses != nil && s.Uses.FullName() == githubScript && s.With.Get("script") != nil
}

// isJSON reports whether an expression yields JSON: by toJSON, or as the result of a
// script, which is encoded so unless result-encoding says string.
func (sc *scope) isJSON(e *workflows.Expr) bool {
	switch n := e.Root.(type) {
	case *workflows.Call:
		return n.Func == "tojson"
	case *workflows.Ref:
		if len(n.Parts) != 4 || n.Path() != "steps."+n.Parts[1].Name+".outputs.result" {
			return false
		}
		s := sc.stepByID(n.Parts[1].Name)
		return s != nil && isGithubScript(s) && s.With.Get("result-encoding") == nil
	}
	return false
}

// insideString reports whether a string is open at the end of JavaScript text.
func insideString(text string) bool {
	quote := byte(0)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0 && (c == quote || c == '\n' && quote != '`'):
			quote = 0
		case quote == 0 && (c == '\'' || c == '"' || c == '`'):
			quote = c
		}
	}
	return quote != 0
}

// The parts of JavaScript that are read. It is no parser: a name means the same in
// the whole script, and a value carries what the text of its statement names.
var (
	jsWrite   = regexp.MustCompile(`core\.(setOutput|exportVariable)\(\s*['"` + "`" + `]([\w.-]+)['"` + "`" + `]\s*,`)
	jsReturn  = regexp.MustCompile(`(?m)^\s*return\s+(\S)`)
	jsPath    = regexp.MustCompile(`[A-Za-z_$][\w$]*(?:\??\.[A-Za-z_$][\w$]*|\??\.?\[['"][\w-]+['"]\])*`)
	jsBoolean = regexp.MustCompile(`^!|[=!]==?|^(?:Number|parseInt|Boolean)\(|\.(?:includes|startsWith|endsWith|test|some|every|length|indexOf)\b(?:\([^()]*\))?[\s)]*$`)
	jsString  = regexp.MustCompile(`'[^'\n]*'|"[^"\n]*"`)
	jsExport  = regexp.MustCompile(`\bcore\.(addPath|exportVariable)\(\s*|\b(?:append|write)File(?:Sync)?\(\s*process\.env\.(GITHUB_ENV|GITHUB_PATH|GITHUB_OUTPUT)\s*,`)
	jsExec    = regexp.MustCompile(`\b(?:execSync|child_process\.exec|eval)\(`)
	jsFetch   = regexp.MustCompile(`\b(pulls|issues)\.get\(`)
)

// javascript reads a script of actions/github-script.
func (r *reader) javascript(script *workflows.Scalar) {
	js := &jsReader{reader: r, script: script, alias: map[string]string{"context.payload": "github.event"}}
	if js.carries = js.readsText(); js.carries {
		for _, a := range assignments(script.Value) {
			js.assign(a.target, js.statement(a.value))
		}
	}
	for _, m := range jsWrite.FindAllStringSubmatchIndex(script.Value, maxStatements) {
		name := script.Value[m[4]:m[5]]
		t := js.taints(js.statement(m[1]))
		if script.Value[m[2]:m[3]] == "setOutput" {
			r.flow.setOutput(name, t, false)
		} else {
			r.printedOutput("GITHUB_ENV", name, t, false, script.SpanOf(m[0], m[1]))
		}
	}
	js.exports()
	if callsArchive(script.Value) {
		r.flow.saved[archiveKey] = r.ev.artifact(r.sc, r.span())
	}
	for _, m := range jsExec.FindAllStringIndex(script.Value, maxStatements) {
		js.runs(js.statement(m[1]))
	}
	for _, m := range jsReturn.FindAllStringSubmatchIndex(script.Value, maxStatements) {
		r.flow.setOutput("result", js.taints(js.statement(m[2])), false)
	}
}

// exports follows what else sets the environment of later steps: a variable of any name,
// a directory of programs, and the runner's files themselves.
func (js *jsReader) exports() {
	text := js.script.Value
	for _, m := range jsExport.FindAllStringSubmatchIndex(text, maxStatements) {
		value := js.statement(m[1])
		target, name := "GITHUB_ENV", ""
		switch {
		case m[4] >= 0: // a file
			target = text[m[4]:m[5]]
			if n := outputName.FindStringSubmatch(value.text); n != nil {
				name = n[1]
			}
		case text[m[2]:m[3]] == "addPath":
			target = "GITHUB_PATH"
		default:
			variable, _, _ := strings.Cut(value.text, ",")
			if strings.ContainsAny(variable, "'\"`") {
				continue // a name of the script's own
			}
			value = statement{variable, value.start, value.start + len(variable)}
		}
		js.printedOutput(target, name, js.taints(value), false, js.script.SpanOf(m[0], value.end))
	}
}

// runs records a call that runs its first argument as code; expressions in it are
// sinks of their own.
func (js *jsReader) runs(call statement) {
	if cut := strings.LastIndex(call.text, ", {"); cut >= 0 {
		call.text, call.end = call.text[:cut], call.start+cut // its options
	}
	if !js.carries {
		return
	}
	at := js.script.SpanOf(call.start, call.end)
	if t := js.names(call.text, at); len(t) > 0 {
		js.flow.code = append(js.flow.code, codeUse{at, t})
	}
}

// readsText reports whether the script names anything that text could come from. Most
// do not, and need not be followed.
func (js *jsReader) readsText() bool {
	if len(js.script.Exprs) > 0 || len(js.vars) > 0 || len(js.flow.saved) > 0 {
		return true
	}
	text := js.script.Value
	return strings.Contains(text, "payload") || strings.Contains(text, "pull") || strings.Contains(text, "issues.") ||
		callsArchive(text) || readsFile.MatchString(text)
}

// maxStatements bounds what is read of one script, maxStatement the bytes of one
// statement.
const (
	maxStatements = 2_000
	maxStatement  = 4_000
)

type jsReader struct {
	*reader
	script *workflows.Scalar
	// alias maps names to the context that they stand for.
	alias map[string]string
	// carries is set when any of its values can carry text.
	carries bool
}

// A statement is the rest of one, from and to offsets in the script.
type statement struct {
	text       string
	start, end int
}

// statement returns the text from start to the end of the statement, or of the
// argument that it stands in.
func (js *jsReader) statement(start int) statement {
	text := js.script.Value[start:min(len(js.script.Value), start+maxStatement)]
	depth, quote := 0, byte(0)
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quote != 0:
			if c == '\\' {
				i++
			} else if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"' || c == '`':
			quote = c
		case c == '(' || c == '[' || c == '{':
			depth++
		case c == ')' || c == ']' || c == '}':
			if depth--; depth < 0 {
				return statement{text[:i], start, start + i}
			}
		case depth == 0 && (c == ';' || c == '\n' && !continues(text[i+1:])):
			return statement{text[:i], start, start + i}
		}
	}
	return statement{text, start, start + len(text)}
}

// continues reports whether the next line goes on with the statement.
func continues(rest string) bool {
	rest = strings.TrimLeft(rest, " \t\r")
	return rest != "" && strings.IndexByte(".?:|&+", rest[0]) >= 0
}

// assign records what a name, or the names of a destructuring, stand for.
func (js *jsReader) assign(target string, value statement) {
	path := js.path(value.text)
	if strings.HasPrefix(target, "[") { // parts of one list
		for _, name := range jsPath.FindAllString(target, -1) {
			js.bind(name, path, value)
		}
		return
	}
	if !strings.HasPrefix(target, "{") {
		js.bind(target, path, value)
		return
	}
	for _, field := range strings.Split(strings.Trim(target, "{} \n"), ",") {
		name, local, renamed := strings.Cut(field, ":")
		name = strings.TrimSpace(name)
		if !renamed {
			local = name
		}
		local, _, _ = strings.Cut(strings.TrimSpace(local), " ")
		inner := path
		if path != "" && name != "data" {
			inner = path + "." + strings.ToLower(name)
		}
		js.bind(local, inner, value)
	}
}

func (js *jsReader) bind(name, path string, value statement) {
	if path != "" {
		js.alias[name] = path
		return
	}
	if t := js.taints(value); len(t) > 0 {
		js.vars["js "+name] = merge(js.vars["js "+name], t)
	}
}

// path returns the context that a value stands for as a whole, or "".
func (js *jsReader) path(text string) string {
	text = strings.TrimSpace(text)
	if m := jsFetch.FindStringSubmatch(text); m != nil && strings.Contains(text, "await") {
		return "github.event." + map[string]string{"pulls": "pull_request", "issues": "issue"}[m[1]]
	}
	if cut := strings.IndexAny(text, "|"); cut >= 0 {
		text = text[:cut]
	} else if cut := strings.Index(text, "??"); cut >= 0 {
		text = text[:cut]
	}
	text = strings.TrimSpace(text)
	if jsPath.FindString(text) != text || text == "" {
		return ""
	}
	return js.resolve(text)
}

// jsMethods are methods of strings and lists: what they return is made of the same text.
var jsMethods = map[string]bool{
	"trim": true, "trimStart": true, "trimEnd": true, "toString": true, "replace": true, "replaceAll": true, "split": true, "slice": true, "substring": true,
	"substr": true, "toLowerCase": true, "toUpperCase": true, "match": true, "matchAll": true, "map": true, "filter": true, "join": true, "find": true,
	"concat": true, "pop": true, "shift": true, "at": true, "flatMap": true, "reduce": true, "normalize": true, "padEnd": true, "repeat": true,
}

// resolve translates a path of names to the context that it stands for, or "".
func (js *jsReader) resolve(text string) string {
	parts := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(".?[]'\"", r) })
	for n := min(2, len(parts)); n > 0; n-- {
		base, ok := js.alias[strings.Join(parts[:n], ".")]
		if !ok {
			continue
		}
		for _, p := range parts[n:] {
			if jsMethods[p] {
				break
			}
			if p != "data" {
				base += "." + strings.ToLower(p)
			}
		}
		return base
	}
	return ""
}

// taints returns what the text of a value carries.
func (js *jsReader) taints(value statement) []Taint {
	if !js.carries {
		return nil
	}
	text := strings.TrimSpace(value.text)
	if _, after, ok := strings.Cut(text, " ? "); ok {
		text = after // the condition of a ternary carries nothing
	}
	if jsBoolean.MatchString(text) {
		return nil
	}
	var out []Taint
	for _, e := range js.script.Exprs {
		if e.Start >= value.start && e.Start < value.end {
			out = merge(out, js.ev.expr(js.sc, js.step, e))
		}
	}
	at := js.script.SpanOf(value.start, value.end)
	out = merge(out, js.names(text, at))
	if js.ev.mode == asCode && namesPull(text) {
		out = merge(out, js.ev.pull(js.sc, at))
	}
	return merge(out, js.artifactText(text))
}

// names returns what the names in text carry, but for those in plain strings.
func (js *jsReader) names(text string, at workflows.Span) []Taint {
	var out []Taint
	for _, name := range jsPath.FindAllString(jsString.ReplaceAllString(text, "''"), maxStatements) {
		out = merge(out, js.named(name, at))
	}
	return out
}

// named returns what a name or path of names carries.
func (js *jsReader) named(name string, at workflows.Span) []Taint {
	if v, ok := strings.CutPrefix(name, "process.env."); ok {
		return js.vars[v]
	}
	if path := js.resolve(name); path != "" {
		for _, fixed := range []string{".length", ".number", ".id"} {
			if strings.HasSuffix(path, fixed) {
				return nil
			}
		}
		return js.field(path, at)
	}
	first, _, _ := strings.Cut(name, ".")
	return js.vars["js "+strings.TrimSuffix(first, "?")]
}

// field returns what a path of the payload, or of what was asked of the API, carries.
func (js *jsReader) field(path string, at workflows.Span) []Taint {
	ref := &workflows.Ref{Span: at}
	for _, p := range strings.Split(path, ".") {
		ref.Parts = append(ref.Parts, workflows.Part{Name: p})
	}
	if t := js.ev.source(js.sc, ref); len(t) > 0 {
		return t
	}
	if slices.Contains([]string{"github.event.pull_request", "github.event.issue", "github.event"}, path) {
		return nil
	}
	return js.ev.fetched(js.sc, path, at)
}
