package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/stint-dev/stint/org"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// A placedJob is a job of a repository.
type placedJob struct {
	repository string
	job        *org.Job
	grade      reach.Severity
}

// worstJobs returns the jobs with the most pairs first, and of these the gravest.
func worstJobs(doc *org.Document) []placedJob {
	var out []placedJob
	for _, r := range doc.Repositories {
		a := doc.Analyses[r.Analysis]
		if a == nil {
			continue
		}
		for i := range a.Jobs {
			grade, _ := reach.ParseSeverity(a.Jobs[i].Grade)
			out = append(out, placedJob{r.Name, &a.Jobs[i], grade})
		}
	}
	slices.SortStableFunc(out, func(a, b placedJob) int {
		return cmp.Or(cmp.Compare(b.grade, a.grade), cmp.Compare(b.job.Pairs, a.job.Pairs), strings.Compare(a.repository, b.repository))
	})
	return out
}

// writeTrend prints the number over the last runs.
func writeTrend(out io.Writer, trend []org.Trend) {
	if len(trend) == 0 {
		return
	}
	last := trend[len(trend)-1]
	fmt.Fprintf(out, "%s in use, over %s.\n", count(last.Standing, "standing credential"), plural(last.Repositories, "repository", "repositories"))
	if len(trend) < 2 {
		return
	}
	var points []string
	for _, t := range trend[max(0, len(trend)-maxTrendRuns):] {
		points = append(points, fmt.Sprint(t.Pairs))
	}
	fmt.Fprintf(out, "Pairs over the last runs: %s.\n", strings.Join(points, ", "))
}

// writeWorst prints a line a job.
func writeWorst(out io.Writer, jobs []placedJob, width int) {
	const grade = 8
	name := (width - grade - 8) / 3
	code := (width - grade - 8 - name) / 2
	creds := width - grade - 8 - name - code
	line := func(a, b, c, d string) {
		fmt.Fprintln(out, strings.TrimRight("  "+pad(a, grade)+"  "+pad(b, name)+"  "+pad(c, code)+"  "+clip(d, creds), " "))
	}
	fmt.Fprintln(out, "\nThe worst jobs:")
	line("GRADE", "REPOSITORY JOB", "WORST CODE", "STANDING")
	for _, j := range jobs {
		_, short, _ := strings.Cut(j.repository, "/")
		line(j.job.Grade, short+" "+j.job.Job, worstCode(j.job), strings.Join(standingOf(j.job), " "))
	}
}

// writeOrgLevers prints the changes that lower the number most, over all repositories.
func writeOrgLevers(out io.Writer, doc *org.Document, width int) {
	type lever struct {
		what         string
		pairs, repos int
	}
	by := map[string]*lever{}
	var order []*lever
	for _, r := range doc.Repositories {
		a := doc.Analyses[r.Analysis]
		if a == nil {
			continue
		}
		for _, l := range a.Levers {
			if by[l.What] == nil {
				by[l.What] = &lever{what: l.What}
				order = append(order, by[l.What])
			}
			by[l.What].pairs += l.Pairs
			by[l.What].repos++
		}
	}
	slices.SortStableFunc(order, func(a, b *lever) int {
		return cmp.Or(cmp.Compare(b.pairs, a.pairs), strings.Compare(a.what, b.what))
	})
	fmt.Fprintln(out, "\nWhat lowers it most:")
	for _, l := range order[:min(maxLevers, len(order))] {
		fmt.Fprintln(out, clip(fmt.Sprintf("  -%-5d %s (%s)", l.pairs, l.what, plural(l.repos, "repository", "repositories")), width))
	}
}

// writeSecrets says what of the stored secrets is dead, and what was not readable.
func writeSecrets(out io.Writer, doc *org.Document, width int) {
	var dead []string
	known := 0
	for _, s := range doc.Secrets {
		if s.Store != "actions" {
			continue
		}
		known++
		if s.Dead {
			dead = append(dead, strings.TrimLeft(s.Repository+" ", " ")+s.Name)
		}
	}
	if known > 0 {
		fmt.Fprintf(out, "\n%s listed; %d that no job names.\n", count(known, "stored secret"), len(dead))
		for _, name := range dead[:min(maxNotRead, len(dead))] {
			fmt.Fprintln(out, clip("  "+workflows.Printable(name), width))
		}
		more(out, len(dead)-maxNotRead)
	}
	var hidden []string
	for _, s := range doc.Settings {
		if s.Of == "" && !s.Readable {
			hidden = append(hidden, s.Name)
		}
	}
	if len(hidden) > 0 {
		fmt.Fprintln(out, "\n"+wrap("Settings that this token may not read: "+workflows.Printable(strings.Join(hidden, ", "))+".", width, ""))
	}
}

func more(out io.Writer, n int) {
	if n > 0 {
		fmt.Fprintf(out, "  and %d more\n", n)
	}
}

// writeCoverage says what the summary rests on.
func writeCoverage(out io.Writer, doc *org.Document, width int) {
	c := doc.Coverage
	var parts []string
	for _, s := range []org.Status{org.StatusOK, org.StatusEmpty, org.StatusDenied, org.StatusFailed, org.StatusOld} {
		if c.By[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.By[s], s))
		}
	}
	fmt.Fprintf(out, "\nRead: %s: %s. %s, %s.\n", plural(c.Repositories, "repository", "repositories"), strings.Join(parts, ", "),
		plural(c.Requests.GraphQL, "query", "queries"), count(c.Requests.REST, "request"))
	n := 0
	for _, r := range doc.Repositories {
		if r.Status == org.StatusOK || r.Status == org.StatusEmpty {
			continue
		}
		if n++; n <= maxNotRead {
			fmt.Fprintln(out, clip(fmt.Sprintf("  %-6s  %s: %s", r.Status, r.Name, r.Why), width))
		}
	}
	more(out, n-maxNotRead)
	if !c.Complete {
		fmt.Fprintln(out, "Not complete: what was not read may hold more.")
	}
}
