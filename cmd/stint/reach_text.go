package main

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// maxLevers is how many of the changes that lower the number are shown.
const maxLevers = 5

// noJobs is said where "0 pairs" would be no good news: of an empty directory, or where
// the checkout is missing.
const noJobs = "nothing to judge: there is no workflow with a job here"

// writeReach prints the graph of one repository for a person.
func writeReach(out io.Writer, g *reach.Graph, jobs []*reach.Job, o reachOptions, width int) {
	name := g.Repository.Name
	if name == "" {
		name = g.Repository.Root
	}
	fmt.Fprintf(out, "%s\n", workflows.Printable(name))
	if len(g.Jobs) == 0 {
		fmt.Fprintln(out, noJobs)
		return
	}
	if o.hijack != "" {
		writeHijack(out, jobs, o.hijack)
	}
	if o.job != "" {
		for _, j := range jobs {
			writeJob(out, j, width)
		}
		return
	}
	if len(jobs) > 0 {
		writeTable(out, g, jobs, width)
	}
	if o.hijack == "" {
		writeNumber(out, g, width)
	}
}

// writeTable prints a line a job, below the name of its file.
func writeTable(out io.Writer, g *reach.Graph, jobs []*reach.Job, width int) {
	const grade, starts = 8, 6
	job := len("JOB")
	for _, j := range jobs {
		job = max(job, utf8.RuneCountInString(j.Job.ID))
	}
	job = min(job, width/5)
	rest := width - 2 - grade - starts - job - 4*2
	code := rest * 2 / 5
	creds := rest - code
	line := func(cells ...string) {
		row := "  " + pad(cells[0], grade) + "  " + pad(cells[1], job) + "  " + pad(cells[2], starts) + "  " + pad(cells[3], code) + "  " + clip(cells[4], creds)
		fmt.Fprintln(out, strings.TrimRight(row, " "))
	}
	line("GRADE", "JOB", "STARTS", "WORST CODE", "STANDING | JOB-LIVED")
	path := ""
	for _, j := range jobs {
		if j.File.Path != path {
			path = j.File.Path
			fmt.Fprintln(out, clip(workflows.Printable(path), width))
		}
		line(j.Grade().String(), j.Job.ID, startedBy(j), codeCell(g, j), credentialCell(j.Credentials, creds))
	}
}

// startedBy names who can start a job in one word.
func startedBy(j *reach.Job) string {
	if len(j.Starts) == 0 {
		return "caller"
	}
	switch j.Starter() {
	case platform.StartAnyone:
		return "anyone"
	case platform.StartForkSandboxed:
		return "fork"
	}
	return "writer"
}

// codeCell names the worst code of a job, or the workflow that it calls.
func codeCell(g *reach.Graph, j *reach.Job) string {
	if len(g.Called(j)) > 0 {
		return "calls " + strings.TrimPrefix(j.Job.Uses.Value, "./.github/workflows/")
	}
	c := j.WorstCode()
	switch {
	case c == nil:
		return "-"
	case c.Trust.Foreign():
		return c.Name
	case c.Trust == reach.PinnedThirdParty:
		return "pinned only"
	}
	return c.Trust.String()
}

// credentialCell sums up credentials in a width: standing ones by name, as many as
// fit, then behind a bar what ends with the job or soon after.
func credentialCell(list []*reach.Credential, width int) string {
	var standing, rest []string
	for _, c := range list {
		switch {
		case c.Lifetime == reach.Standing:
			standing = append(standing, c.Name)
		case c.Kind == reach.RepositoryToken:
			rest = append(rest, tokenCell(c))
		case c.Kind == reach.GitCredential: // the repository token again
		case c.Kind == reach.CloudSession:
			rest = append(rest, c.Opens+"-session")
		default:
			rest = append(rest, c.Name)
		}
	}
	cell := strings.Join(standing, " ")
	for n := len(standing) - 1; n > 0 && utf8.RuneCountInString(joinCells(cell, rest)) > width; n-- {
		cell = fmt.Sprintf("%s +%d", strings.Join(standing[:n], " "), len(standing)-n)
	}
	return joinCells(cell, rest)
}

func joinCells(standing string, rest []string) string {
	switch {
	case standing == "" && len(rest) == 0:
		return "none"
	case len(rest) == 0:
		return standing
	}
	return strings.TrimLeft(standing+" | ", " ") + strings.Join(rest, " ")
}

func tokenCell(c *reach.Credential) string {
	switch {
	case c.Default:
		return "token:default"
	case len(c.Scopes) > 0:
		return "token:write"
	}
	return "token:read"
}

// writeJob prints one job in full.
func writeJob(out io.Writer, j *reach.Job, width int) {
	fmt.Fprintf(out, "\n%s  job %s  %s\n", j.Grade(), j.Job.ID, at(reach.Site{File: j.File, Span: j.Job.IDSpan}))
	fmt.Fprintln(out, wrap(workflows.Printable(j.Sentence()), width, "  "))
	fmt.Fprintln(out, "  credentials")
	for _, c := range j.Credentials {
		fmt.Fprintln(out, wrap(fmt.Sprintf("%s (%s)", workflows.Printable(c.Name), c.Detail()), width, "    "))
		for _, s := range c.Enters {
			fmt.Fprintf(out, "      %s\n", at(s))
		}
	}
	fmt.Fprintln(out, "  code")
	for _, c := range j.Code {
		fmt.Fprintln(out, wrap(workflows.Printable(fmt.Sprintf("%s: %s (%s)", c.Trust, c.Name, c.Why)), width, "    "))
		fmt.Fprintf(out, "      %s\n", at(c.Site))
		for _, v := range c.Via {
			fmt.Fprintf(out, "      through %s\n", at(v))
		}
	}
	for _, u := range j.Unknown {
		fmt.Fprintf(out, "%s\n    %s\n", wrap("not known: "+workflows.Printable(u.What), width, "  "), at(u.Site))
	}
}

// at writes a place as path:line:column.
func at(s reach.Site) string {
	p := s.File.Position(s.Span.Start)
	return fmt.Sprintf("%s:%d:%d", workflows.Printable(s.File.Path), p.Line, p.Column)
}

// writeHijack says what would be taken if an action were hijacked.
func writeHijack(out io.Writer, jobs []*reach.Job, name string) {
	if len(jobs) == 0 {
		fmt.Fprintf(out, "No job here runs %s.\n", workflows.Printable(name))
		return
	}
	var standing []string
	for _, j := range jobs {
		for _, c := range j.Standing() {
			standing = append(standing, c.Name)
		}
	}
	slices.Sort(standing)
	standing = slices.Compact(standing)
	fmt.Fprintf(out, "If %s were hijacked: %s.\n", workflows.Printable(name), count(len(jobs), "job"))
	if len(standing) > 0 {
		fmt.Fprintf(out, "Rotate, in this order: %s.\n", workflows.Printable(strings.Join(standing, ", ")))
	}
}

// writeNumber prints the number for the whole and what lowers it most.
func writeNumber(out io.Writer, g *reach.Graph, width int) {
	pairs := g.Pairs()
	if len(pairs) == 0 {
		fmt.Fprintln(out, "\n0 pairs of foreign code and standing credential: no stored secret meets code\nthat somebody outside can change.")
		return
	}
	jobs := map[*reach.Job]bool{}
	for _, p := range pairs {
		jobs[p.Job] = true
	}
	fmt.Fprintf(out, "\n%s of foreign code and standing credential, in %s; zero is the goal.\n",
		count(len(pairs), "pair"), count(len(jobs), "job"))
	fmt.Fprintln(out, "What lowers it most:")
	levers := g.Levers()
	for _, l := range levers[:min(maxLevers, len(levers))] {
		where := ""
		if len(l.Sites) > 0 {
			where = at(l.Sites[0])
		}
		if n := len(l.Sites) - 1; n > 0 {
			where += fmt.Sprintf(" and %s more", count(n, "place"))
		}
		fmt.Fprintf(out, "  -%-3d %s\n       %s\n", l.Pairs, strings.TrimLeft(wrap(shortCommits(l.What), width, "       "), " "), workflows.Printable(where))
	}
}

var longCommit = regexp.MustCompile(`\b([0-9a-f]{12})[0-9a-f]{28}\b`)

// shortCommits cuts the commits in a text for a person to twelve digits, which say
// enough where the place is named beside them.
func shortCommits(s string) string {
	return longCommit.ReplaceAllString(workflows.Printable(s), "$1…")
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// pad clips or fills text to n columns.
func pad(s string, n int) string {
	s = clip(s, n)
	return s + strings.Repeat(" ", max(0, n-utf8.RuneCountInString(s)))
}

// clip shortens text to n columns with an ellipsis.
func clip(s string, n int) string {
	s = workflows.Printable(s)
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:max(0, n-1)]) + "…"
}

// wrap breaks text at spaces to the width, each line behind the indent.
func wrap(s string, width int, indent string) string {
	var b strings.Builder
	col := 0
	for _, w := range strings.Fields(s) {
		n := utf8.RuneCountInString(w)
		switch {
		case col == 0:
			b.WriteString(indent)
			col = len(indent)
		case col+1+n > width:
			b.WriteString("\n" + indent)
			col = len(indent)
		default:
			b.WriteByte(' ')
			col++
		}
		b.WriteString(w)
		col += n
	}
	return b.String()
}
