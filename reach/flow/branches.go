package flow

import (
	"regexp"
	"strings"

	"github.com/stint-dev/stint/workflows"
)

// branches tells which parts of a JavaScript text run under the guard's event: those
// in if, else if and else whose conditions compare the event with literals.
type branches struct {
	g    guard
	step *workflows.Step
	text string
}

// An arm is one part of an if statement: what stands between two offsets.
type arm struct {
	start, end int
	cond       string // "" for else
	// before are the conditions of the arms before it.
	before []string
}

// reached tells whether the arms around an offset run.
func (b branches) reached(at int) truth {
	out := yes
	arms := b.g.st.armsOf(b.step, b.text)
	if !b.g.st.spend(len(arms)) {
		return unknown
	}
	for _, a := range arms {
		if at <= a.start || a.end <= at {
			continue
		}
		for _, c := range a.before {
			out = and(out, not(b.holds(c)))
		}
		if a.cond != "" {
			out = and(out, b.holds(a.cond))
		}
	}
	return out
}

func and(x, y truth) truth {
	switch {
	case x == no || y == no:
		return no
	case x == yes && y == yes:
		return yes
	}
	return unknown
}

var armHead = regexp.MustCompile(`(?:(\belse)\s+)?\bif\s*\(|\belse\s*\{`)

// armsOf returns the arms of a step's script, found once.
func (st *state) armsOf(s *workflows.Step, text string) []arm {
	arms, ok := st.arms[s]
	if !ok {
		arms = findArms(text)
		st.arms[s] = arms
	}
	return arms
}

// maxBranched bounds the bytes of a script whose arms are looked for.
const maxBranched = 16_000

// findArms returns the arms of a script, outermost first. One whose brackets do not
// match has none: its writes may all be reached.
func findArms(text string) []arm {
	var out []arm
	closed := map[int][]string{} // conditions of the chain that ended at an offset
	if len(text) > maxBranched {
		return nil
	}
	for _, m := range armHead.FindAllStringSubmatchIndex(text, maxStatements) {
		a, body := arm{}, m[1]-1
		chained := m[2] >= 0 || strings.HasPrefix(text[m[0]:m[1]], "else")
		if chained {
			a.before = closed[len(strings.TrimRight(text[:m[0]], " \t\r\n"))]
		}
		if text[body] == '(' {
			end := matching(text, body)
			if end < 0 {
				return nil
			}
			a.cond = strings.TrimSpace(text[body+1 : end])
			body = end + 1 + len(text[end+1:]) - len(strings.TrimLeft(text[end+1:], " \t\r\n"))
		}
		if chained && a.before == nil || body >= len(text) || text[body] != '{' {
			continue // an arm without braces, or one after such
		}
		end := matching(text, body)
		if end < 0 {
			return nil
		}
		if a.cond != "" {
			closed[end+1] = append(append([]string{}, a.before...), a.cond)
		}
		a.start, a.end = body, end
		out = append(out, a)
	}
	return out
}

// matching returns the offset of the bracket that closes the one at an offset, -1
// for none.
func matching(text string, open int) int {
	depth, quote := 0, byte(0)
	for i := open; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0 && (c == quote || c == '\n' && quote != '`'):
			quote = 0
		case quote != 0:
		case c == '\'' || c == '"' || c == '`':
			quote = c
		case strings.IndexByte("([{", c) >= 0:
			depth++
		case strings.IndexByte(")]}", c) >= 0:
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

var (
	comparison = regexp.MustCompile(`^([\w.?$]+)\s*([=!]==?)\s*(?:'([^']*)'|"([^"]*)")$`)
	inclusion  = regexp.MustCompile(`^\[([^\[\]]*)\]\.includes\(([\w.?$]+)\)$`)
)

// holds evaluates one comparison; everything else is unknown.
func (b branches) holds(cond string) truth {
	if !b.g.st.spend(1) {
		return unknown
	}
	if m := comparison.FindStringSubmatch(cond); m != nil {
		t := unknown
		if values, ok := b.named(m[1]); ok {
			t = all(values, func(v value) bool { return v.text == m[3]+m[4] })
		}
		if m[2][0] == '!' {
			return not(t)
		}
		return t
	}
	if m := inclusion.FindStringSubmatch(cond); m != nil {
		if values, ok := b.named(m[2]); ok {
			return all(values, func(v value) bool {
				return strings.Contains(m[1], "'"+v.text+"'") || strings.Contains(m[1], `"`+v.text+`"`)
			})
		}
	}
	return unknown
}

// named returns what a name of the script may be: the event, its type, or a variable
// of the step's environment.
func (b branches) named(name string) ([]value, bool) {
	if _, value, ok := strings.Cut(b.text, "const "+name+" = "); ok {
		value, _, _ = strings.Cut(value, "\n")
		name = strings.TrimRight(value, "; \t\r")
	}
	switch name {
	case "context.eventName":
		return []value{str(b.g.event)}, true
	case "context.payload.action":
		return b.g.value(&workflows.Ref{Parts: []workflows.Part{{Name: "github"}, {Name: "event"}, {Name: "action"}}})
	}
	variable, ok := strings.CutPrefix(name, "process.env.")
	if !ok {
		return nil, false
	}
	for _, e := range b.step.Env.All() {
		if e.Key.Value == variable {
			return b.g.in(b.g.sc).anyText(e.Value)
		}
	}
	return nil, false
}
