package report

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// mask stands for each character of a credential that a report may not show.
const mask = '*'

// minRedactedBytes is the shortest text that is masked wherever it stands. A
// shorter one is masked at its own place only: as part of other words it tells
// nothing, and masking it there would make a report unreadable.
const minRedactedBytes = 6

// A redactor is a Handler that shows the next one no text that a finding asked to
// keep out. It stands before every format, so that none can forget to.
type redactor struct{ Handler }

// Repository passes the result on without the texts.
func (h redactor) Repository(r *lint.Result) error {
	clean, ok := cleanerOf(r)
	if !ok {
		return h.Handler.Repository(r)
	}
	shown := *r
	shown.Findings = slices.Clone(r.Findings)
	for i := range shown.Findings {
		clean.finding(&shown.Findings[i])
	}
	shown.Old = slices.Clone(r.Old)
	for i := range shown.Old {
		clean.finding(&shown.Old[i])
	}
	shown.NotChecked = clean.all(r.NotChecked)
	shown.Failures = clean.all(r.Failures)
	return h.Handler.Repository(&shown)
}

// Mask returns text without what the findings of the result ask to keep out. It is
// for what is shown beside a report, such as a patch.
func Mask(r *lint.Result, text string) string {
	if clean, ok := cleanerOf(r); ok {
		return clean.Replace(text)
	}
	return text
}

// A cleaner takes texts out of what a result says.
type cleaner struct {
	*strings.Replacer
	texts []string
}

// cleanerOf returns the cleaner for a result, and false when there is nothing to do.
func cleanerOf(r *lint.Result) (cleaner, bool) {
	texts := redactedTexts(r)
	var pairs []string
	for _, t := range texts {
		pairs = append(pairs, t, strings.Repeat(string(mask), 3))
	}
	return cleaner{strings.NewReplacer(pairs...), texts}, len(texts) > 0
}

// redactedTexts returns the lines of the texts to mask, the longest first: of two
// that begin alike the whole of the longer one is to go.
func redactedTexts(r *lint.Result) []string {
	var texts []string
	for _, at := range r.Redacted {
		for line := range strings.Lines(at.File.Text(at.Span)) {
			if line = strings.TrimSpace(line); len(line) >= minRedactedBytes {
				texts = append(texts, line)
			}
		}
	}
	slices.SortFunc(texts, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return slices.Compact(texts)
}

func (c cleaner) all(list []string) []string {
	out := slices.Clone(list)
	for i := range out {
		out[i] = c.Replace(out[i])
	}
	return out
}

// finding cleans a copy of a finding. What the graph shares is copied first.
func (c cleaner) finding(f *lint.Finding) {
	f.Message, f.Next = c.Replace(f.Message), c.Replace(f.Next)
	f.Related = slices.Clone(f.Related)
	for i := range f.Related {
		f.Related[i].Text = c.Replace(f.Related[i].Text)
	}
	if f.Code != nil {
		code := *f.Code
		code.Name, code.Why = c.Replace(code.Name), c.Replace(code.Why)
		f.Code = &code
	}
	f.Exposure.Credentials = slices.Clone(f.Exposure.Credentials)
	for i, known := range f.Exposure.Credentials {
		credential := *known
		credential.Name = c.Replace(credential.Name)
		f.Exposure.Credentials[i] = &credential
	}
	f.Fixes = slices.DeleteFunc(slices.Clone(f.Fixes), c.writes)
}

// writes reports whether the fix writes a text anew, as one does that moves a
// line. It cannot be shown with a mask in it: it would put the mask into the file.
func (c cleaner) writes(fix lint.Fix) bool {
	return slices.ContainsFunc(fix.Edits, func(e workflows.Edit) bool {
		return slices.ContainsFunc(c.texts, func(t string) bool { return strings.Contains(e.New, t) })
	})
}

// masks are what is to be kept out of source lines.
type masks struct {
	sites []reach.Site
	texts []string
}

func masksOf(r *lint.Result) masks { return masks{r.Redacted, redactedTexts(r)} }

// line returns the characters of a line of a file as it is shown: those at
// redacted places, and copies of their text, are masked one by one, so that
// columns stay what they are.
func (m masks) line(f *workflows.File, line int) []rune {
	text := []rune(workflows.Printable(f.LineText(line)))
	for _, at := range m.sites {
		start, end := f.Position(at.Span.Start), f.Position(at.Span.End)
		if at.File != f || line < start.Line || line > end.Line {
			continue
		}
		from, to := 0, len(text)
		if line == start.Line {
			from = min(start.Column-1, len(text))
		}
		if line == end.Line {
			to = min(end.Column-1, len(text))
		}
		for i := from; i < to; i++ {
			if text[i] != ' ' {
				text[i] = mask
			}
		}
	}
	shown := string(text)
	for _, t := range m.texts {
		t = workflows.Printable(t)
		shown = strings.ReplaceAll(shown, t, strings.Repeat(string(mask), utf8.RuneCountInString(t)))
	}
	return []rune(shown)
}
