package report

import (
	"math"
	"strings"

	"github.com/stint-dev/stint/org"
)

// coverageWidth is that of the bar of coverage, in its own units.
const coverageWidth = 600

// A coverage says how much of the organization the page speaks of.
type coverage struct {
	Sentence string
	Complete bool
	Title    string
	Parts    []coveragePart
}

type coveragePart struct {
	Name, Label, Count string
	X, Width           float64
}

// statuses are the parts of the bar, with what they are called.
var statuses = []struct {
	status org.Status
	label  string
}{
	{org.StatusOK, "read whole"}, {org.StatusEmpty, "nothing to read"}, {org.StatusOld, "known from an earlier run"},
	{org.StatusDenied, "denied, whole or in part"}, {org.StatusFailed, "failed"},
}

func (b *builder) coverage() coverage {
	d := b.doc
	c := coverage{Complete: d.Coverage.Complete, Sentence: b.coverageSentence()}
	total := max(1, d.Coverage.Repositories)
	var parts []string
	x := 0.0
	for _, s := range statuses {
		n := d.Coverage.By[s.status]
		if n <= 0 {
			continue
		}
		width := math.Max(3, coverageWidth*float64(n)/float64(total)) // what is there is seen
		c.Parts = append(c.Parts, coveragePart{string(s.status), s.label, thousands(n), x, width})
		parts = append(parts, thousands(n)+" "+s.label)
		x += width
	}
	for i := range c.Parts { // widened parts may have grown past the end
		c.Parts[i].X *= coverageWidth / x
		c.Parts[i].Width *= coverageWidth / x
	}
	c.Title = strings.Join(parts, ", ")
	return c
}

// notKnown says which code of the jobs is not known beside the files.
func (b *builder) notKnown() string {
	text := ""
	if n := len(b.doc.Coverage.ActionsNotRead); n > 0 {
		text += " Not read: " + count(n, "action") + " of its own that it uses."
	}
	unresolved := 0
	for _, r := range b.doc.Refs {
		if r.Why != "" {
			unresolved++
		}
	}
	if unresolved > 0 {
		text += " Of " + count(unresolved, "ref") + " of actions the commit is not known."
	}
	return text
}

func (b *builder) coverageSentence() string {
	d := b.doc
	all := d.Coverage.Repositories
	read := d.Coverage.By[org.StatusOK] + d.Coverage.By[org.StatusEmpty]
	unread := 0
	for i := range d.Repositories {
		if g := b.group(i); g != nil {
			unread += len(g.unread)
		}
	}
	files := ""
	if unread > 0 {
		files = " " + count(unread, "file") + " could not be read whole."
	}
	files += b.notKnown()
	switch {
	case all == 0:
		return "There is no repository to speak of."
	case d.Coverage.By[org.StatusEmpty] == all:
		return "There is no workflow, action, dependabot or lock file to judge." + files
	case d.Coverage.Complete && all == 1:
		return "The repository was read whole." + files
	case d.Coverage.Complete:
		return "All " + thousands(all) + " repositories were read." + files
	case all == 1 && read == 1:
		return "The repository was not read whole: the numbers are lower bounds." + files
	case read == all:
		return thousands(read) + " of " + count(all, "repository") + " were read, and the run was not complete: the numbers are lower bounds." + files
	}
	others := "the other " + thousands(all-read) + " hold"
	if all-read == 1 {
		others = "the other one holds"
	}
	return thousands(read) + " of " + count(all, "repository") + " were read. What " + others +
		" now is not known, so the numbers are lower bounds." + files
}
