package lint

import (
	"fmt"
	"slices"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/stint-dev/stint/workflows"
)

// A Repair is what the chosen fixes make of the files of a repository.
type Repair struct {
	// Files are those that change, in the order of their first finding.
	Files []*RepairedFile
	// Skipped are the fixes that were chosen and not applied, in order of findings.
	Skipped []SkippedFix
}

// A RepairedFile is one file before and after.
type RepairedFile struct {
	File   *workflows.File
	Source []byte // the new bytes
	// Applied are the findings that were mended, and Titles the fixes used.
	Applied []Finding
	Titles  []string
}

// A SkippedFix is a fix that was not applied and why, in one line. Another run
// over the mended files may apply it.
type SkippedFix struct {
	Finding Finding
	Why     string
}

// Mend chooses one fix for each finding that has any, the first safe one, or the
// first of all when there is none and unsafe is set, and applies them in the order
// of the findings: a fix that overlaps an earlier one, or that would leave a file
// that does not parse, is skipped. Nothing is written.
func Mend(findings []Finding, unsafe bool) *Repair {
	r := &Repair{}
	plans := map[*workflows.File]*plan{}
	var order []*plan
	for _, f := range findings {
		fix, ok := choose(f.Fixes, unsafe)
		if !ok {
			continue
		}
		p := plans[f.File]
		if p == nil {
			p = &plan{file: f.File}
			plans[f.File] = p
			order = append(order, p)
		}
		p.wanted = append(p.wanted, chosen{f, fix})
	}
	for _, p := range order {
		if done := p.carryOut(r); done != nil {
			r.Files = append(r.Files, done)
		}
	}
	return r
}

func choose(fixes []Fix, unsafe bool) (Fix, bool) {
	for _, f := range fixes {
		if f.Safe && len(f.Edits) > 0 {
			return f, true
		}
	}
	if unsafe && len(fixes) > 0 && len(fixes[0].Edits) > 0 {
		return fixes[0], true
	}
	return Fix{}, false
}

// A plan is the fixes of one file.
type plan struct {
	file   *workflows.File
	wanted []chosen
}

type chosen struct {
	finding Finding
	fix     Fix
}

// carryOut applies what can be applied together.
func (p *plan) carryOut(r *Repair) *RepairedFile {
	done := &RepairedFile{File: p.file}
	var kept []chosen
	kept, done.Source = p.add(r, nil, nil, p.fitting(r))
	if len(kept) == 0 {
		return nil
	}
	for _, c := range kept {
		done.Applied = append(done.Applied, c.finding)
		done.Titles = append(done.Titles, c.fix.Title)
	}
	return done
}

// add adds the fixes of more to those in kept, which made src, and returns what
// is kept and made then. All at once is tried first; when that does not parse,
// each half, down to the one fix to skip.
func (p *plan) add(r *Repair, kept []chosen, src []byte, more []chosen) ([]chosen, []byte) {
	all := slices.Concat(kept, more)
	made, err := workflows.Apply(p.file, editsOf(all))
	switch {
	case err == nil:
		return all, made
	case len(more) == 1:
		r.skip(more[0], "it cannot be applied: "+oneLine(err.Error()))
		return kept, src
	}
	half := len(more) / 2
	kept, src = p.add(r, kept, src, more[:half])
	return p.add(r, kept, src, more[half:])
}

// fitting returns the fixes that do not touch the bytes of an earlier one. A fix
// with exactly the edits of an earlier one is done with it.
func (p *plan) fitting(r *Repair) []chosen {
	var kept []chosen
	for _, c := range p.wanted {
		if other := overlapping(kept, c.fix.Edits); other != nil {
			line := p.file.Position(other.finding.Span.Start).Line
			r.skip(c, fmt.Sprintf("it overlaps the fix of %s on line %d", other.finding.Rule.ID, line))
			continue
		}
		kept = append(kept, c)
	}
	return kept
}

func (r *Repair) skip(c chosen, why string) {
	r.Skipped = append(r.Skipped, SkippedFix{Finding: c.finding, Why: why})
}

// overlapping returns the first of the kept fixes that stands in the way of edits.
func overlapping(kept []chosen, edits []workflows.Edit) *chosen {
	for i := range kept {
		for _, a := range kept[i].fix.Edits {
			for _, b := range edits {
				if a != b && touches(a.Span, b.Span) {
					return &kept[i]
				}
			}
		}
	}
	return nil
}

// touches reports whether two edits may not stand together: they share bytes, or
// one inserts where the other begins or ends and their order would be anybody's guess.
func touches(a, b workflows.Span) bool {
	if a.Len() == 0 || b.Len() == 0 {
		return a.Start <= b.End && b.Start <= a.End
	}
	return a.Start < b.End && b.Start < a.End
}

// editsOf returns the edits of all fixes, each once.
func editsOf(cs []chosen) []workflows.Edit {
	seen := map[workflows.Edit]bool{}
	var edits []workflows.Edit
	for _, c := range cs {
		for _, e := range c.fix.Edits {
			if !seen[e] {
				seen[e] = true
				edits = append(edits, e)
			}
		}
	}
	return edits
}

// Diff returns the change as a unified diff that patch -p1 and git apply take. It
// holds the file's bytes as they are: whoever prints it to a terminal must strip
// control characters.
func (f *RepairedFile) Diff() []byte {
	return diff.Diff("a/"+f.File.Path, f.File.Source, "b/"+f.File.Path, f.Source)
}
