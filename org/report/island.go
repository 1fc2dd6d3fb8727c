package report

import (
	"bufio"
	"encoding/json"
	"io"
	"slices"
	"strconv"
)

// An islandRepo is the name of a repository and the commit for links to its files, ""
// when there is none; Linked is set when its name may stand in an address.
type islandRepo struct {
	Name   int32  `json:"n"`
	Head   string `json:"h,omitempty"`
	Linked bool   `json:"l,omitempty"`
}

// An islandTable is a table without its rows.
type islandTable struct {
	ID      string   `json:"id"`
	Columns []column `json:"columns"`
	Order   []int    `json:"order"`
}

// write writes the data of the page's tables: every string once, rows as numbers. The
// script reads it; without the script nobody does. It is written piece by piece, since
// there may be hundreds of thousands of rows, and as JSON that can stand in a script
// element: encoding/json escapes <, >, & and the line separators of JavaScript.
func (b *builder) write(w io.Writer, tables []*table) error {
	out := &islandWriter{Writer: bufio.NewWriterSize(w, 1<<16)}
	repos := make([]islandRepo, 0, len(b.doc.Repositories))
	for i := range b.doc.Repositories {
		r := &b.doc.Repositories[i]
		repo := islandRepo{Name: b.pool.index(shown(r.Name)), Linked: b.link.repository(r.Name) != ""}
		if headForm.MatchString(r.Head) {
			repo.Head = r.Head
		}
		repos = append(repos, repo)
	}
	out.WriteString(`{"base":`)
	out.json(b.link.base)
	out.WriteString(`,"scanned":`)
	out.json(day(b.doc.Scanned))
	out.WriteString(`,"strings":`)
	writeList(out, b.pool.all, func(s string) { out.json(s) })
	out.WriteString(`,"repos":`)
	writeList(out, repos, func(r islandRepo) { out.json(r) })
	out.WriteString(`,"tables":`)
	writeList(out, tables, out.table)
	out.WriteString("}")
	if out.err != nil {
		return out.err
	}
	return out.Flush()
}

// An islandWriter writes JSON and keeps the first error.
type islandWriter struct {
	*bufio.Writer
	err    error
	buffer []byte // the row under way
}

func (w *islandWriter) json(v any) {
	text, err := json.Marshal(v)
	if w.err == nil {
		w.err = err
	}
	w.Write(text)
}

func writeList[T any](w *islandWriter, list []T, write func(T)) {
	w.WriteByte('[')
	for i, v := range list {
		if i > 0 {
			w.WriteByte(',')
		}
		write(v)
	}
	w.WriteByte(']')
}

// table writes the head of a table as its own members, and then its rows.
func (w *islandWriter) table(t *table) {
	head, err := json.Marshal(islandTable{t.ID, t.Columns, t.Order})
	if w.err == nil {
		w.err = err
	}
	w.Write(head[:len(head)-1])
	if t.groups != nil {
		w.WriteString(`,"groups":`)
		writeList(w, t.groups, func(r rows) { writeList(w, slices.Collect(slices.Chunk(r.cells, r.width)), w.row) })
		w.WriteString(`,"of":`)
		w.json(t.of)
	} else {
		w.WriteString(`,"rows":`)
		writeList(w, t.rows, w.row)
	}
	w.WriteByte('}')
}

// row writes a row: a cell as a number, one with more as a pair.
func (w *islandWriter) row(cells []cell) {
	out := append(w.buffer[:0], '[')
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
	w.buffer = append(out, ']')
	w.Write(w.buffer)
}
