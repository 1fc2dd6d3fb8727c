package lint

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/workflows"
)

// A Suppression is one "# stint: ignore[…]" comment, or one entry of lint.ignore
// in the configuration, with what it did in this run.
//
// A comment behind a value covers the findings that start on its line, and those
// in the block scalar whose header the line is. A comment on a line of its own
// covers the node that starts on the next line of content, whole: a key with all
// below it, a step, a job. A '#' line inside a run: script belongs to the script
// and is no comment of the file.
type Suppression struct {
	// File and Span are its own place: the marker, or the entry.
	File *workflows.File
	Span workflows.Span
	// Rules has one entry a rule id, in the order written.
	Rules []SuppressedRule
	// Until is YYYY-MM-DD or "", Reason the text without its quotes.
	Until, Reason string
	// Problem says why it suppresses nothing, as a predicate for "it" in lower
	// case ("it has no end"); "" when it is sound.
	Problem string
	// Expired is set when its last day is over: then it suppresses nothing.
	Expired bool

	// inherited is set for one of a file that the configuration extends, which is for
	// many repositories: that it is of no use in one of them is no defect.
	inherited bool

	covers  workflows.Span    // findings that start here, in File
	glob    string            // or in the files that match, for the configuration's
	comment workflows.Comment // zero for the configuration's
	marker  marker
}

// A SuppressedRule is one rule id of a suppression.
type SuppressedRule struct {
	ID string
	// Known is set when there is such a rule.
	Known bool
	// Matched counts the findings that it took away, or would take away had it
	// not expired.
	Matched int
	// Judged is set when the rule looked at all that the suppression covers, so
	// that Matched == 0 means that it is of no use.
	Judged bool
}

// maxSuppressions is the largest number of suppressions read from one file: each
// is compared with each finding of the file.
const maxSuppressions = 500

// suppressions reads those of all files and of the configuration.
func (e *engine) suppressions() []*Suppression {
	var sups []*Suppression
	for _, f := range e.repo.Files {
		if !e.asked(f) {
			continue
		}
		own := fileSuppressions(f)
		if len(own) > maxSuppressions {
			own = own[:maxSuppressions]
			e.out.Failures = append(e.out.Failures,
				fmt.Sprintf("%s has over %d suppressions: those after were not read", f.Path, maxSuppressions))
		}
		sups = append(sups, own...)
	}
	sups = append(sups, e.opts.Config.ignores...)
	known := map[string]bool{}
	for _, r := range e.opts.Known {
		known[r.ID] = r.CheckSuppressions == nil
	}
	for i, s := range sups {
		c := *s // the configuration's are shared between runs
		c.Rules = slices.Clone(s.Rules)
		for k := range c.Rules {
			c.Rules[k].Known = known[c.Rules[k].ID]
		}
		c.Expired = c.Until != "" && c.Until < e.opts.Today
		if c.Problem == "" && e.opts.Strict {
			c.Problem = c.missing()
		}
		if c.Problem == "" {
			c.Problem = e.opts.Config.refuses(&c)
		}
		sups[i] = &c
	}
	return sups
}

// missing says which of the parts that strict asks for is not there.
func (s *Suppression) missing() string {
	switch {
	case s.Until == "" && s.Reason == "":
		return "it has no reason and no end"
	case s.Until == "":
		return "it has no end"
	case s.Reason == "":
		return "it has no reason"
	}
	return ""
}

// fileSuppressions returns the suppressions in the comments of a file, one more
// than the limit at most.
func fileSuppressions(f *workflows.File) []*Suppression {
	var sups []*Suppression
	for _, c := range f.Comments {
		if len(sups) > maxSuppressions {
			break
		}
		if bytes.Contains(f.Source[c.Span.Start:c.Span.End], []byte(markerWord)) {
			sups = append(sups, commentSuppressions(f, c)...)
		}
	}
	return sups
}

func commentSuppressions(f *workflows.File, c workflows.Comment) []*Suppression {
	var sups []*Suppression
	covers := covered(f.Source, c)
	for _, m := range parseMarkers(string(f.Source[c.Span.Start:c.Span.End])) {
		s := &Suppression{
			File: f, Span: workflows.Span{Start: c.Span.Start + m.start, End: c.Span.Start + m.end},
			Until: m.until, Reason: m.reason, Problem: m.problem,
			covers: covers, comment: c, marker: m,
		}
		for _, id := range m.ids {
			s.Rules = append(s.Rules, SuppressedRule{ID: id})
		}
		sups = append(sups, s)
	}
	return sups
}

// suppress returns the findings that no suppression takes away, and counts the
// others. All that match count as matched, so that two that cover one finding are
// both of use.
func (e *engine) suppress(fs []Finding, sups []*Suppression) []Finding {
	byFile := map[*workflows.File][]*Suppression{}
	var global []*Suppression
	for _, s := range sups {
		if s.glob == "" {
			byFile[s.File] = append(byFile[s.File], s)
		} else {
			global = append(global, s)
		}
	}
	var left []Finding
	for _, f := range fs {
		taken := false
		for _, s := range byFile[f.File] {
			taken = s.match(&f) || taken
		}
		for _, s := range global {
			taken = s.match(&f) || taken
		}
		if taken {
			e.out.Suppressed++
			e.out.suppressed = append(e.out.suppressed, f)
		} else {
			left = append(left, f)
		}
	}
	return left
}

// match counts f when the suppression is about it and reports whether it may take
// it away.
func (s *Suppression) match(f *Finding) bool {
	if s.glob == "" {
		if f.Span.IsZero() || f.Span.Start < s.covers.Start || f.Span.Start >= s.covers.End {
			return false
		}
	} else if !matchPath(s.glob, f.File.Path) {
		return false
	}
	for i := range s.Rules {
		if s.Rules[i].ID == f.Rule.ID {
			s.Rules[i].Matched++
			return s.Problem == "" && !s.Expired
		}
	}
	return false
}

// judge sets SuppressedRule.Judged. A suppression is called useless only when its
// rule ran and saw everything: not when the run is offline and the rule is not,
// when the rule broke, or when the file could not be read whole.
func (e *engine) judge(sups []*Suppression) {
	ran := map[string]bool{}
	for _, r := range e.opts.Rules {
		ran[r.ID] = e.ctx.Err() == nil && !e.gaps[gap{r.ID, nil}]
	}
	for _, s := range sups {
		whole := e.readWhole(s)
		for i := range s.Rules {
			id := s.Rules[i].ID
			s.Rules[i].Judged = whole && ran[id] && !e.gapsIn(id, s)
		}
	}
}

// readWhole reports whether all that the suppression covers was read.
func (e *engine) readWhole(s *Suppression) bool {
	if s.glob == "" {
		return len(s.File.Problems) == 0
	}
	for _, f := range e.repo.Files {
		if matchPath(s.glob, f.Path) && (len(f.Problems) > 0 || !e.asked(f)) {
			return false
		}
	}
	return e.wholeRepository()
}

func (e *engine) gapsIn(rule string, s *Suppression) bool {
	if s.glob == "" {
		return e.gaps[gap{rule, s.File}]
	}
	for g := range e.gaps {
		if g.rule == rule {
			return true
		}
	}
	return false
}

// covered returns the bytes in which findings must start to be covered by a
// comment. It goes by lines and indentation and not by the parsed tree, so that
// it means the same in a file of which only parts could be read.
func covered(src []byte, c workflows.Comment) workflows.Span {
	first := lineAt(src, c.Span.Start)
	if c.OwnLine {
		first = nextContent(src, first)
		return workflows.Span{Start: first.Start, End: blockEnd(src, first, indent(src, first))}
	}
	if base, ok := blockScalarHeader(src, workflows.Span{Start: first.Start, End: c.Span.Start}); ok {
		return workflows.Span{Start: first.Start, End: blockEnd(src, first, base)}
	}
	return first
}

// lineAt returns the line that holds the offset, with its line break.
func lineAt(src []byte, offset int) workflows.Span {
	s := workflows.Span{Start: bytes.LastIndexByte(src[:offset], '\n') + 1, End: len(src)}
	if n := bytes.IndexByte(src[offset:], '\n'); n >= 0 {
		s.End = offset + n + 1
	}
	return s
}

// nextContent returns the first line after the given one that is neither blank
// nor a comment nor a document marker; at the end of the file it is empty.
func nextContent(src []byte, line workflows.Span) workflows.Span {
	for line.End < len(src) {
		line = lineAt(src, line.End)
		if text := content(src, line); text != "" && text != "---" {
			return line
		}
	}
	return workflows.Span{Start: len(src), End: len(src)}
}

// content returns the line's text without surrounding white space, "" for a comment.
func content(src []byte, line workflows.Span) string {
	text := string(bytes.TrimSpace(src[line.Start:line.End]))
	if strings.HasPrefix(text, "#") {
		return ""
	}
	return text
}

// indent returns the number of spaces the line starts with.
func indent(src []byte, line workflows.Span) int {
	text := src[line.Start:line.End]
	return len(text) - len(bytes.TrimLeft(text, " "))
}

func startsItem(text string) bool { return text == "-" || strings.HasPrefix(text, "- ") }

// blockEnd returns where the node that starts on the given line ends: before the
// next line of content that is not indented deeper than base. The items of a
// sequence may stand right below their key.
func blockEnd(src []byte, first workflows.Span, base int) int {
	end := first.End
	item := startsItem(content(src, first))
	for line := first; ; {
		line = nextContent(src, line)
		if line.Start >= len(src) {
			return end
		}
		below := indent(src, line) == base && !item && startsItem(content(src, line))
		if indent(src, line) <= base && !below {
			return end
		}
		end = line.End
	}
}

// blockScalarHeader reports whether the text in front of a comment ends in the
// header of a block scalar (| or >, with indicators), and the column of its key.
func blockScalarHeader(src []byte, before workflows.Span) (column int, ok bool) {
	text := string(src[before.Start:before.End])
	fields := strings.Fields(text)
	if len(fields) == 0 {
		return 0, false
	}
	head := strings.TrimRight(fields[len(fields)-1], "+-123456789")
	if head != "|" && head != ">" {
		return 0, false
	}
	key := strings.TrimLeft(text, " ")
	for strings.HasPrefix(key, "- ") {
		key = strings.TrimLeft(key[1:], " ")
	}
	return len(text) - len(key), true
}

// Removal returns the edits that take the given rule ids out of the comment, and
// the marker with its last id; nothing else that is in the comment is touched. It
// returns nil for an entry of the configuration.
func (s *Suppression) Removal(ids ...string) []workflows.Edit {
	if s.comment.Span.IsZero() {
		return nil
	}
	var keep []string
	for _, id := range s.marker.ids {
		if !slices.Contains(ids, id) {
			keep = append(keep, id)
		}
	}
	base := s.comment.Span.Start
	if len(keep) > 0 {
		list := workflows.Span{Start: base + s.marker.list[0], End: base + s.marker.list[1]}
		return []workflows.Edit{{Span: list, New: strings.Join(keep, ", ")}}
	}
	return []workflows.Edit{{Span: s.segment()}}
}

// segment returns the bytes to delete for the whole marker: with its '#' and the
// space around it, and the whole line when nothing else is on it.
func (s *Suppression) segment() workflows.Span {
	src, c := s.File.Source, s.comment.Span
	start := c.Start + strings.LastIndexByte(string(src[c.Start:s.Span.Start]), '#')
	rest := strings.TrimLeft(string(src[s.Span.End:c.End]), " \t")
	switch {
	case strings.HasPrefix(rest, "#"): // another marker takes its place
		return workflows.Span{Start: start, End: c.End - len(rest)}
	case start > c.Start || !s.comment.OwnLine:
		before := src[:start]
		return workflows.Span{Start: len(bytes.TrimRight(before, " \t")), End: s.Span.End}
	}
	return lineAt(src, c.Start)
}

// wholeRepository reports whether all of the repository was read and is reported.
func (e *engine) wholeRepository() bool { return len(e.repo.Unread) == 0 && e.repo.Only == nil }
