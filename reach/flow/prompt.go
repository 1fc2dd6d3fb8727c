package flow

import (
	"regexp"
	"strings"

	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// tellsAgent records the text that an agent's command is given: by its words and the
// files that they name, by its input, and by what is piped into it.
func (r *reader) tellsAgent(c *workflows.Command) {
	if isAgent(c) {
		t := r.redirected(c)
		for i := c.NameAt + 1; i < len(c.Words); i++ {
			w := &c.Words[i]
			t = merge(t, r.word(w))
			if w.Const {
				t = merge(t, r.flow.saved[CleanDir(strings.TrimPrefix(w.Text, "@"))])
			}
		}
		r.prompted(c, t)
	}
	for into := c.PipesInto; into != nil; into = into.PipesInto {
		if isAgent(into) {
			t, _ := r.printed(c)
			r.prompted(into, t)
		}
	}
}

func (r *reader) prompted(c *workflows.Command, t []Taint) {
	if len(t) > 0 {
		r.flow.prompts = append(r.flow.prompts, codeUse{c.Span, t})
	}
}

func isAgent(c *workflows.Command) bool {
	info, _ := platform.LookupCommand(c.Line)
	return info.Does == "agent"
}

// written is the text that steps before left in a file.
func (st *state) written(sc *scope, s *workflows.Step, name *workflows.Scalar) []Taint {
	var out []Taint
	if file, ok := name.Const(); ok {
		for _, f := range st.before(sc, s, asText) {
			out = merge(out, f.saved[CleanDir(file)])
		}
	}
	return out
}

// listing matches the commands that list issues and pull requests.
var listing = regexp.MustCompile(`^gh (?:issue list|pr list|search (?:issues|prs))\b`)

// listed is the text of issues or pull requests that a script lists: anybody's,
// whatever starts the run.
func (r *reader) listed(words string, at workflows.Span) []Taint {
	_, fields, chosen := strings.Cut(words, "--json")
	if i := strings.Index(fields, "jq"); i >= 0 {
		fields = fields[i:]
	}
	if chosen && !textFields.MatchString(fields) || strings.Contains(words, "--author") {
		return nil
	}
	t := Taint{Source: "the text of listed issues or pull requests", Who: platform.StartAnyone, Start: platform.StartAnyone}
	t.Hops = []Hop{{File: r.sc.file, Span: at, Text: "written by " + setBy(t)}}
	return []Taint{t}
}
