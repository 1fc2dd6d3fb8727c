package flow

import (
	"regexp"
	"slices"
	"strings"

	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// A write is one place of a script that sets an output.
type write struct {
	value string // what it is set to, or the text of what makes it
	fixed bool
	at    int // in the script
}

// costOfScript is what reading a script for one output takes of the budget.
const costOfScript = 50

// scriptOutput returns what a script may set an output to. One that asks for the
// person's rights says no to an outsider.
func (g guard) scriptOutput(s *workflows.Step, name string) ([]value, bool) {
	if !g.st.spend(costOfScript) {
		return nil, false
	}
	if f := g.st.script(g.sc, s, asText); f != nil && len(f.lines) > 0 && !f.after[strings.ToLower(name)] {
		return nil, false // a line of somebody's text may set it
	}
	text, writes := g.written(s, name)
	asked := platform.AsksRights(text)
	if s.Run != nil && asksForOwner(s) {
		asked = -1
	}
	if asked >= 0 && g.person.powerless() {
		return answered(text, name, asked, writes)
	}
	if len(writes) == 0 {
		return nil, false
	}
	out := []value{str("")}
	for _, w := range writes {
		switch {
		case w.fixed:
			out = append(out, str(w.value))
		case s.Run == nil && jsTruth.MatchString(w.value):
			out = append(out, str("true"), str("false"))
		default:
			return nil, false
		}
	}
	return bounded(out)
}

// written returns a step's script and its writes of an output, those that the guard
// tells are not reached left out.
func (g guard) written(s *workflows.Step, name string) (string, []write) {
	if s.Run != nil {
		return s.Run.Value, shellWrites(s.Run, name)
	}
	script := s.With.Get("script")
	js := branches{g: g, step: s, text: script.Value}
	return script.Value, slices.DeleteFunc(javascriptWrites(script, name), func(w write) bool { return js.reached(w.at) == no })
}

// setsAnything finds a write whose name is made when the script runs.
var setsAnything = regexp.MustCompile(`setOutput\(\s*[^'"\s` + "`" + `]`)

func javascriptWrites(script *workflows.Scalar, name string) []write {
	js := &jsReader{script: script}
	var out []write
	add := func(at, start int) {
		t := strings.TrimSpace(js.statement(start).text)
		inner, fixed := strings.Trim(t, "'\"`"), jsConstant.MatchString(t)
		out = append(out, write{inner, fixed, at})
	}
	for _, m := range jsWrite.FindAllStringSubmatchIndex(script.Value, maxStatements) {
		if script.Value[m[2]:m[3]] == "setOutput" && equalFold(script.Value[m[4]:m[5]], name) {
			add(m[0], m[1])
		}
	}
	if equalFold(name, "result") {
		for _, m := range jsReturn.FindAllStringSubmatchIndex(script.Value, maxStatements) {
			add(m[0], m[2])
		}
	}
	if at := setsAnything.FindStringIndex(script.Value); at != nil {
		out = append(out, write{at: at[0]})
	}
	return out
}

// jsConstant matches the literals that an output is set to.
var jsConstant = regexp.MustCompile(`^(?:'[^'\n\\]*'|"[^"\n\\]*"|` + "`[^`$\\\\]*`" + `|true|false|\d+)$`)

// jsTruth matches what yields true or false, whatever is in it.
var jsTruth = regexp.MustCompile(`^(?:!!?[\w.$]+|Boolean\([^()]*\)|[\w.$]+ *[=!]==? *[\w.$'"-]+|[\w.$\[\]'", ]+\.(?:includes|startsWith|endsWith|some|every)\([^()?]*\))$`)

// shellWrites reads what a shell script prints into GITHUB_OUTPUT.
func shellWrites(run *workflows.Script, name string) []write {
	var out []write
	at := 0
	for _, c := range run.Commands {
		targets := slices.ContainsFunc(c.Redirs, func(d workflows.Redir) bool { return runnerFile(&d.Target) == "GITHUB_OUTPUT" })
		if tee := c.PipesInto; tee != nil && tee.Name == "tee" {
			targets = targets || slices.ContainsFunc(tee.Args(), func(w workflows.Word) bool { return runnerFile(&w) == "GITHUB_OUTPUT" })
		}
		if !targets {
			continue
		}
		named := constants(run, c)
		for _, l := range printedLines(c) {
			key, text, ok := strings.Cut(l, "=")
			known := ok && !strings.ContainsRune(key, notConstant)
			if known && !equalFold(strings.TrimSpace(key), name) {
				continue
			}
			if i := strings.Index(run.Value[at:], key+"="); known && i >= 0 {
				at += i
			}
			if known && text == string(notConstant) && len(named) > 0 {
				for _, n := range named {
					out = append(out, write{n, true, at})
				}
				continue
			}
			if !known || strings.ContainsRune(text, notConstant) {
				line, _, _ := strings.Cut(run.Value[at:], "\n")
				out = append(out, write{line, false, at})
				continue
			}
			out = append(out, write{strings.TrimSpace(text), true, at})
		}
	}
	return out
}

// constants returns what the one variable that a command prints is set to in its
// script, when every value is constant; nil when one is not.
func constants(run *workflows.Script, c *workflows.Command) []string {
	name := ""
	for _, w := range c.Args() {
		if len(w.Exprs)+len(w.Commands) > 0 || len(w.Vars) > 1 || len(w.Vars) == 1 && name != "" {
			return nil
		}
		if len(w.Vars) == 1 {
			name = w.Vars[0]
		}
	}
	var out []string
	for _, other := range run.Commands {
		if slices.Contains([]string{"read", "readarray", "mapfile", "source", ".", "eval"}, other.Name) {
			return nil
		}
		for _, a := range other.Assigns {
			if a.Name != name {
				continue
			}
			if !a.Value.Const {
				return nil
			}
			out = append(out, a.Value.Text)
		}
	}
	return out
}

// answered returns what an outsider gets of a script that asks for rights at an
// offset. A write before that, or of something else, is no answer.
func answered(text, name string, asked int, writes []write) ([]value, bool) {
	if len(writes) == 0 {
		return denials, !setsOthers(text) || equalFold(name, "result")
	}
	reverse := deniesByName.MatchString(name)
	out := []value{str("")}
	for _, w := range writes {
		switch stopped := w.at > asked && stops.MatchString(text[asked:w.at]); {
		case w.at < asked:
			return nil, false
		case w.fixed && denies(str(w.value)) != reverse:
			out = append(out, str(w.value))
		case w.fixed && (affirms(w.value) || stopped):
		case w.fixed || reverse:
			return nil, false
		case stopped && !isAnswer(w.value):
		case jsBoolean.MatchString(w.value) && isAnswer(w.value):
			out = append(out, str("false"))
		case isAnswer(w.value):
			out = append(out, denials...)
		default:
			return nil, false
		}
	}
	if reverse {
		out = out[1:] // it is set for those who are refused
	}
	return bounded(out)
}

// setsOthers reports whether a script sets outputs of its own, so that one that it
// is not seen to set is none of its answers.
func setsOthers(text string) bool {
	return strings.Contains(text, "setOutput(") || strings.Contains(text, "GITHUB_OUTPUT")
}

var (
	// deniesByName matches outputs that say no when they are set.
	deniesByName = regexp.MustCompile(`(?i)skip|den(?:y|ied)|block|reject|refus|unauth|not[-_]?allowed|forbid|external|outsid|fork|fail`)
	// stops matches what ends a script before a write.
	stops = regexp.MustCompile(`(?m)\breturn\b|\bexit\s+\d|process\.exit\(|\bthrow\b`)
	// answers matches the names under which scripts keep whether somebody has rights.
	answers = regexp.MustCompile(`(?i)perm|allow|auth|member|collab|role|access|admin|trust|maintain|writ|approv`)
)

func isAnswer(text string) bool { return answers.MatchString(text) }

func affirms(text string) bool {
	switch strings.ToLower(text) {
	case "true", "yes", "1", "ok", "allowed", "authorized", "success", "granted", "admin", "write", "maintain":
		return true
	}
	return false
}
