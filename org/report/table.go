package report

import (
	"cmp"
	"slices"
)

// A cellKind says how a cell is shown and sorted.
type cellKind string

const (
	severityCell   cellKind = "severity"   // a reach.Severity, -1 for none
	textCell       cellKind = "text"       // a string of the page's list
	codeCell       cellKind = "code"       // the same, in the type of code
	numberCell     cellKind = "number"     // itself, -1 when not known
	dateCell       cellKind = "date"       // days since 1970, 0 when not known
	ageCell        cellKind = "age"        // days, -1 when not known
	repositoryCell cellKind = "repository" // its place in the page's list, -1 for none
	placeCell      cellKind = "place"      // a path as a string, and a line
	adviceCell     cellKind = "advice"     // what could be lost as a string, and what to do next as another
)

// A cell is one field of a row, as a number; more is the line of a place and the second
// string of an advice.
type cell struct{ n, more int32 }

// A column of a table.
type column struct {
	Label string   `json:"label"`
	Kind  cellKind `json:"kind"`
}

// A table is one of the page's. Its rows come one by one, or in groups that repositories
// with the same files share; their first column is then the repository.
type table struct {
	ID, Title, Note, Empty string
	Columns                []column
	// Order is how the rows are sorted at first: columns from 1, negative to begin with
	// the largest. They are numbers, so that Go and the page's script agree.
	Order []int

	rows   [][]cell
	groups []rows
	of     []int // the group of each repository, -1 for none
}

// rows are the rows of a group, one behind the other: there are hundreds of thousands.
type rows struct {
	cells []cell
	width int
}

func newRows(n, width int) rows { return rows{make([]cell, 0, n*width), width} }

func (r rows) len() int { return len(r.cells) / r.width }

// A rowAt is one row of a table, for groups with its repository.
type rowAt struct {
	repository int
	cells      []cell
}

// at returns a cell of a row; in groups the first column is the repository.
func (t *table) at(r rowAt, column int) cell {
	if t.groups == nil {
		return r.cells[column]
	}
	if column == 0 {
		return cell{n: int32(r.repository)}
	}
	return r.cells[column-1]
}

// Len is the number of rows.
func (t *table) Len() int {
	n := len(t.rows)
	for _, g := range t.of {
		if g >= 0 {
			n += t.groups[g].len()
		}
	}
	return n
}

// first returns the first n rows in the table's order. It holds no more than a few times
// as many.
func (t *table) first(n int) []rowAt {
	var best []rowAt
	add := func(r rowAt) {
		if best = append(best, r); len(best) > 8*n {
			best = t.sorted(best)[:n]
		}
	}
	for _, r := range t.rows {
		repository := -1
		if t.Columns[0].Kind == repositoryCell {
			repository = int(r[0].n)
		}
		add(rowAt{repository, r})
	}
	for repository, g := range t.of {
		if g < 0 {
			continue
		}
		for r := range slices.Chunk(t.groups[g].cells, t.groups[g].width) {
			add(rowAt{repository, r})
		}
	}
	return t.sorted(best)[:min(n, len(best))]
}

// sorted sorts rows by the table's order; what is equal in it stays as it is.
func (t *table) sorted(list []rowAt) []rowAt {
	slices.SortStableFunc(list, func(a, b rowAt) int {
		for _, by := range t.Order {
			column, sign := by-1, 1
			if by < 0 {
				column, sign = -by-1, -1
			}
			if c := sign * cmp.Compare(t.at(a, column).n, t.at(b, column).n); c != 0 {
				return c
			}
		}
		return 0
	})
	return list
}

// A pool holds every string of the page once.
type pool struct {
	all []string
	of  map[string]int32
}

// add returns the place of a text that is fit to be shown.
func (p *pool) add(s string) cell { return cell{n: p.index(shown(s))} }

// text returns the pool's own copy of a text that is fit to be shown.
func (p *pool) text(s string) string { return p.all[p.add(s).n] }

func (p *pool) index(s string) int32 {
	if i, known := p.of[s]; known {
		return i
	}
	if p.of == nil { // the first is "", so that 0 stands for none
		p.of, p.all = map[string]int32{"": 0}, []string{""}
		return p.index(s)
	}
	i := int32(len(p.all))
	p.all = append(p.all, s)
	p.of[s] = i
	return i
}
