package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"

	"github.com/stint-dev/stint/org"
	"github.com/stint-dev/stint/reach"
)

// Options choose how the page is written.
type Options struct {
	// Rows is how many rows of each table stand in the page itself, for print and for
	// readers without scripts; the others come with the script. 0 means 50.
	Rows int
}

const defaultRows = 50

// nowhere stands where a row is of no one repository.
const nowhere = "organization"

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	styleText string
	//go:embed page.js
	scriptText string

	pageTemplate = template.Must(template.New("page").Parse(pageText))
)

// HTML writes the document as one page without outside resources. It works from disk, in
// light and dark, printed and by keyboard; what matters most needs no script. The rows of
// the tables are data for a script of the page's own, which shows a hundred at a time.
//
// The page's policy allows that script and that style by their hashes and nothing else:
// no request leaves it. The error is that of w, or of reading the document.
func HTML(w io.Writer, d *org.Document, o Options) error {
	if o.Rows <= 0 {
		o.Rows = defaultRows
	}
	b, err := newBuilder(d)
	if err != nil {
		return err
	}
	tables := b.tables()
	out := &sticky{w: w}
	out.text(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="` + policy + `">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<style>` + styleText + "</style>\n")
	if out.err == nil {
		out.err = pageTemplate.Execute(out, b.page(tables, o.Rows))
	}
	out.text(`<script type="application/json" id="data">`)
	if out.err == nil {
		out.err = b.write(out, tables)
	}
	out.text("</script>\n<script>" + scriptText + "</script>\n</body>\n</html>\n")
	return out.err
}

// policy is the page's content security policy.
var policy = "default-src 'none'; style-src " + hashOf(styleText) + "; script-src " + hashOf(scriptText) +
	"; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// A sticky writer keeps the first error.
type sticky struct {
	w   io.Writer
	err error
}

func (s *sticky) Write(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.w.Write(p)
	s.err = err
	return n, err
}

func (s *sticky) text(t string) { io.WriteString(s, t) }

// A page is what the template shows; all in it is text, and addresses of the host.
type page struct {
	Title, Home, Host, Scanned, Stint string
	Single                            bool
	Pairs, PairsNoun                  string
	Standing                          string
	Change                            string
	Trend                             *trendPicture
	Coverage                          coverage
	Severities                        []severityCount
	Picture                           *picture
	Paths                             []pathView
	Levers                            []leverView
	Tables                            []tableView
}

type severityCount struct {
	Level int
	Name  string
	Count string
}

type pathView struct {
	Level                       int
	Grade                       string
	Who, Code, Credential, Open string
	Count                       string
	Repository, Place, Href     string
}

type leverView struct {
	Pairs, What, Where, Repository, Place, Href string
}

type tableView struct {
	ID, Title, Note, Empty string
	Columns                []columnView
	Rows                   [][]cellView
	Total, Left            int
	TotalText, LeftText    string
}

type columnView struct {
	Label   string
	Kind    cellKind
	Numeric bool
}

// A cellView is a cell as the page shows it.
type cellView struct {
	Kind       cellKind
	Label      string
	Text, Href string
	More       string // of an advice: what to do next
	Level      int
}

func (b *builder) page(tables []*table, rows int) page {
	d := b.doc
	p := page{
		Title: shown(d.Organization), Home: b.link.base, Host: shown(d.Host), Stint: shown(d.Stint), Single: len(d.Repositories) == 1,
		Pairs: thousands(d.Pairs), PairsNoun: "pairs", Change: changeOf(d), Trend: drawTrend(d.Trend), Coverage: b.coverage(), Severities: b.severities(),
	}
	if d.Pairs == 1 {
		p.PairsNoun = "pair"
	}
	if day(d.Scanned) != 0 {
		p.Scanned = d.Scanned.UTC().Format("2 January 2006, 15:04 UTC")
	}
	if p.Title == "" {
		p.Title = count(len(d.Repositories), "repository")
		if p.Single {
			p.Title = shown(d.Repositories[0].Name)
		}
	}
	paths := b.paths()
	p.Picture = draw(paths)
	for i := range paths {
		p.Paths = append(p.Paths, b.pathView(&paths[i]))
	}
	for _, l := range b.levers() {
		repository := &d.Repositories[l.first]
		p.Levers = append(p.Levers, leverView{
			thousands(l.pairs), shown(l.what), count(l.repositories, "repository"), shown(repository.Name), placeText(l.at),
			b.link.line(repository, l.at.Path, l.at.Line),
		})
	}
	for _, t := range tables {
		if p.Single && t.ID == "repositories" {
			continue
		}
		p.Tables = append(p.Tables, b.tableView(t, rows))
	}
	return p
}

func (b *builder) pathView(p *path) pathView {
	r := &b.doc.Repositories[p.first]
	jobs := count(p.jobs, "job") + " in " + count(p.repositories, "repository")
	return pathView{
		int(p.grade), p.grade.String(), whoText(p.who), p.code, p.credential, opensText(p.opens), jobs,
		shown(r.Name), placeText(p.at), b.link.line(r, p.at.Path, p.at.Line),
	}
}

func placeText(p reach.DocumentPlace) string {
	if p.Path == "" {
		return ""
	}
	return lineText(shown(p.Path), p.Line)
}

// severities counts the findings of lint and of the posture, the worst first.
func (b *builder) severities() []severityCount {
	counts := b.severity
	for _, f := range b.doc.Posture {
		counts[severity(f.Severity).n]++
	}
	var out []severityCount
	for s := reach.Critical; s >= reach.Low; s-- {
		out = append(out, severityCount{int(s), s.String(), thousands(counts[s])})
	}
	return out
}

func (b *builder) tableView(t *table, rows int) tableView {
	v := tableView{ID: t.ID, Title: t.Title, Note: t.Note, Empty: t.Empty, Total: t.Len()}
	for _, c := range t.Columns {
		v.Columns = append(v.Columns, columnView{c.Label, c.Kind, c.Kind == numberCell || c.Kind == ageCell})
	}
	for _, r := range t.first(rows) {
		cells := make([]cellView, 0, len(t.Columns))
		for i, c := range t.Columns {
			cells = append(cells, b.cellView(c, t.at(r, i), r.repository))
		}
		v.Rows = append(v.Rows, cells)
	}
	v.Left = v.Total - len(v.Rows)
	v.TotalText, v.LeftText = thousands(v.Total), thousands(v.Left)
	return v
}

// cellView shows a cell as the script does.
func (b *builder) cellView(c column, at cell, repository int) cellView {
	v := cellView{Kind: c.Kind, Label: c.Label}
	switch c.Kind {
	case severityCell:
		if at.n >= 0 {
			v.Level, v.Text = int(at.n), reach.Severity(at.n).String()
		}
	case numberCell:
		v.Text = numberText(int(at.n))
	case ageCell:
		if at.n >= 0 {
			v.Text = thousands(int(at.n))
		}
	case dateCell:
		v.Text = dayText(timeOf(int(at.n)))
	case adviceCell:
		v.Text, v.More = b.pool.all[at.n], b.pool.all[at.more]
	case repositoryCell:
		v.Text = nowhere
		if at.n >= 0 {
			r := &b.doc.Repositories[at.n]
			v.Text, v.Href = shown(r.Name), b.link.repository(r.Name)
		}
	case placeCell:
		if path := b.pool.all[at.n]; path != "" {
			v.Text = lineText(shortPath(path), int(at.more))
			if repository >= 0 {
				v.Href = b.link.line(&b.doc.Repositories[repository], path, int(at.more))
			}
		}
	default:
		v.Text = b.pool.all[at.n]
	}
	return v
}

// Class names the style of the cell; the script has the same names.
func (c cellView) Class() string {
	switch c.Kind {
	case numberCell, ageCell:
		return "n"
	case codeCell:
		return "c"
	case placeCell, repositoryCell:
		return "p"
	case dateCell:
		return "d"
	case severityCell:
		return "s"
	case adviceCell:
		return "a"
	}
	return "t"
}
