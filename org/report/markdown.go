package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/stint-dev/stint/org"
	"github.com/stint-dev/stint/workflows"
)

// maxMarkdownRows bounds the table of repositories: a summary is to be read.
const maxMarkdownRows = 20

// Markdown writes a summary for a step summary or a ticket: the number, what it covers,
// the worst paths, what lowers it and the worst repositories.
func Markdown(w io.Writer, d *org.Document) error {
	b, err := newBuilder(d)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "### stint: %s of foreign code and standing credential\n\n", count(d.Pairs, "pair"))
	if change := changeOf(d); change != "" {
		fmt.Fprintf(out, "%s. Zero is the goal.\n\n", change)
	}
	c := b.coverage()
	fmt.Fprintf(out, "%s\n\n", c.Sentence)
	for _, p := range c.Parts {
		fmt.Fprintf(out, "- %s %s\n", p.Count, p.Label)
	}
	if n := b.notChecked().Len(); n > 0 {
		fmt.Fprintf(out, "- not checked: %s, listed in the page\n", count(n, "thing"))
	}
	var counts []string
	for _, s := range b.severities() {
		counts = append(counts, s.Count+" "+s.Name)
	}
	fmt.Fprintf(out, "\nFindings: %s.\n", strings.Join(counts, ", "))
	b.markdownPaths(out)
	b.markdownRepositories(out)
	return out.Flush()
}

func (b *builder) markdownPaths(out io.Writer) {
	paths, levers := b.paths(), b.levers()
	if len(paths) > 0 {
		fmt.Fprint(out, "\n| grade | who starts | foreign code | credential | opens | where |\n|---|---|---|---|---|---|\n")
	}
	for i := range paths {
		p := b.pathView(&paths[i])
		fmt.Fprintf(out, "| %s | %s | %s | %s | %s | %s |\n", p.Grade, p.Who, cellText(p.Code), cellText(p.Credential), cellText(p.Open), p.Count)
	}
	if len(levers) > 0 {
		fmt.Fprint(out, "\nWhat lowers the number most:\n\n")
	}
	for _, l := range levers {
		fmt.Fprintf(out, "- −%s: %s (%s)\n", thousands(l.pairs), cellText(shown(l.what)), count(l.repositories, "repository"))
	}
}

func (b *builder) markdownRepositories(out io.Writer) {
	t := b.repositories()
	if t.Len() < 2 {
		return
	}
	fmt.Fprint(out, "\n| repository | pairs | worst | findings | status |\n|---|---|---|---|---|\n")
	for _, r := range t.first(maxMarkdownRows) {
		var cells []string
		for i, c := range t.Columns {
			if i < 4 || c.Label == "Status" {
				cells = append(cells, cellText(b.cellView(c, t.at(r, i), r.repository).Text))
			}
		}
		fmt.Fprintf(out, "| %s |\n", strings.Join(cells, " | "))
	}
	if left := t.Len() - maxMarkdownRows; left > 0 {
		fmt.Fprintf(out, "\n%s more are in the page.\n", count(left, "repository"))
	}
}

// MarkdownText makes text of others inert in Markdown: it is on one line, and nothing in
// it is markup, a link, a mention, HTML or the end of a cell.
func MarkdownText(s string) string { return cellText(workflows.Printable(s)) }

// cellText is MarkdownText of what is fit to be shown.
func cellText(s string) string {
	return strings.ReplaceAll(markdownEscapes.Replace(s), "://", "&#58;//")
}

var markdownEscapes = func() *strings.Replacer {
	var pairs []string
	for _, r := range "<>&@" {
		pairs = append(pairs, string(r), fmt.Sprintf("&#%d;", r))
	}
	for _, r := range "\\`*_{}[]()#+!|~$" {
		pairs = append(pairs, string(r), `\`+string(r))
	}
	return strings.NewReplacer(pairs...)
}()
