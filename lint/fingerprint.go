package lint

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/stint-dev/stint/workflows"
)

// fingerprintVersion is part of every fingerprint: a change of the recipe makes
// all of them new at once instead of some by chance.
const fingerprintVersion = "stint/1"

// setFingerprints gives each finding a name that outlives edits elsewhere, for
// baselines and for those who track findings between runs. It is made of the rule,
// the file's path, the job and step by what people call them, the first line of
// the finding's own text without its comment, and a number that only tells
// findings apart in which all of this is equal. So it stays when lines move, when
// other jobs, steps and findings change or go, and when the severity or the
// wording of the message does; it changes when the text at fault, the name of its
// job or step, or the file's name changes.
//
// Findings must be in total order.
func setFingerprints(fs []Finding) {
	seen := map[string]int{}
	for i := range fs {
		key := identity(&fs[i])
		h := sha256.New()
		io.WriteString(h, key)
		fmt.Fprintf(h, "%d", seen[key])
		seen[key]++
		fs[i].Fingerprint = hex.EncodeToString(h.Sum(nil)[:16])
	}
}

// identity returns what makes the finding itself, unambiguously joined.
func identity(f *Finding) string {
	job, step := place(f.File, f.Span)
	var b strings.Builder
	for _, part := range []string{fingerprintVersion, f.Rule.ID, f.File.Path, job, step, ownText(f)} {
		b.WriteString(strconv.Quote(part))
	}
	return b.String()
}

// place names the job and the innermost step that hold the span, "" where none
// does. The job comes from the place and not from Finding.Job: text that several
// jobs share must not be named by whichever of them is worst today.
func place(f *workflows.File, s workflows.Span) (job, step string) {
	if s.IsZero() {
		return "", ""
	}
	switch {
	case f.Workflow != nil:
		for _, j := range f.Workflow.Jobs {
			if j.Span.Contains(s) {
				return j.ID, stepName(j.AllSteps(), s)
			}
		}
	case f.Action != nil:
		return "", stepName(f.Action.AllSteps(), s)
	}
	return "", ""
}

// stepName returns what people call the last step that holds the span; an inner
// step comes after the parallel: block that holds it. A step without id and name
// is called by what it uses, without the ref, and a nameless script by nothing:
// the finding's own text tells it apart.
func stepName(steps []*workflows.Step, s workflows.Span) string {
	name := ""
	for _, st := range steps {
		if !st.Span.Contains(s) {
			continue
		}
		switch {
		case st.ID != nil:
			name = "id " + st.ID.Value
		case st.Name != nil:
			name = "name " + st.Name.Value
		case st.Uses != nil:
			uses, _, _ := strings.Cut(st.Uses.Value, "@")
			name = "uses " + uses
		default:
			name = "step"
		}
	}
	return name
}

// ownText returns the first line of the finding's text with white space folded
// and its comment cut off; a finding without a place is known by its message, and
// one whose text is a credential by its place alone: a short one could be guessed
// from its hash.
func ownText(f *Finding) string {
	switch {
	case f.Span.IsZero():
		return f.Message
	case f.Redact:
		return ""
	}
	end := f.Span.End
	for _, c := range f.File.Comments {
		if c.Span.Start >= f.Span.Start {
			end = min(end, c.Span.Start)
			break
		}
	}
	text := strings.TrimSpace(string(f.File.Source[f.Span.Start:end]))
	text, _, _ = strings.Cut(text, "\n")
	return strings.Join(strings.Fields(text), " ")
}
