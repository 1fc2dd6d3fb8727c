package report

import (
	"bufio"
	"encoding/json"
	"io"
	"strconv"
)

// An island is the data of the page's tables: every string once, rows as numbers. The
// script reads it; without the script nobody does.
type island struct {
	Base    string        `json:"base"` // "https://github.com/", "" when there are no links
	Scanned int           `json:"scanned"`
	Strings []string      `json:"strings"`
	Repos   []islandRepo  `json:"repos"`
	Tables  []islandTable `json:"tables"`
}

// An islandRepo is the name of a repository and the commit for links to its files, ""
// when there is none; Linked is set when its name may stand in an address.
type islandRepo struct {
	Name   int32  `json:"n"`
	Head   string `json:"h,omitempty"`
	Linked bool   `json:"l,omitempty"`
}

type islandTable struct {
	ID      string    `json:"id"`
	Columns []column  `json:"columns"`
	Order   []int     `json:"order"`
	Rows    rows      `json:"rows,omitempty"`
	Groups  rowGroups `json:"groups,omitempty"`
	Of      []int     `json:"of,omitempty"`
}

// write writes the island as JSON that can stand in a script element: encoding/json
// escapes <, >, & and the line separators of JavaScript.
func (b *builder) write(w io.Writer, tables []*table) error {
	out := island{Base: b.link.base, Scanned: day(b.doc.Scanned), Repos: make([]islandRepo, 0, len(b.doc.Repositories))}
	for i := range b.doc.Repositories {
		r := &b.doc.Repositories[i]
		repo := islandRepo{Name: b.pool.index(shown(r.Name)), Linked: b.link.repository(r.Name) != ""}
		if headForm.MatchString(r.Head) {
			repo.Head = r.Head
		}
		out.Repos = append(out.Repos, repo)
	}
	for _, t := range tables {
		out.Tables = append(out.Tables, islandTable{t.ID, t.Columns, t.Order, t.rows, t.groups, t.of})
	}
	out.Strings = b.pool.all
	buffered := bufio.NewWriterSize(w, 1<<16)
	if err := json.NewEncoder(buffered).Encode(out); err != nil {
		return err
	}
	return buffered.Flush()
}

// rows and rowGroups write themselves, since there may be hundreds of thousands.
type (
	rows      [][]cell
	rowGroups [][][]cell
)

// MarshalJSON writes a cell as a number, one with more as a pair.
func (r rows) MarshalJSON() ([]byte, error) { return appendRows(nil, r), nil }

// MarshalJSON writes the groups as a list of lists of rows.
func (g rowGroups) MarshalJSON() ([]byte, error) {
	out := []byte{'['}
	for i, r := range g {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendRows(out, r)
	}
	return append(out, ']'), nil
}

func appendRows(out []byte, r [][]cell) []byte {
	out = append(out, '[')
	for i, cells := range r {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, '[')
		for k, c := range cells {
			if k > 0 {
				out = append(out, ',')
			}
			if c.more == 0 {
				out = strconv.AppendInt(out, int64(c.n), 10)
				continue
			}
			out = append(out, '[')
			out = strconv.AppendInt(out, int64(c.n), 10)
			out = append(out, ',')
			out = strconv.AppendInt(out, int64(c.more), 10)
			out = append(out, ']')
		}
		out = append(out, ']')
	}
	return append(out, ']')
}
