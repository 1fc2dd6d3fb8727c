package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/stint-dev/stint/org"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// An orgSum is what the text says of all analyses.
type orgSum struct {
	repositories int // with pairs
	worst        []placedJob
	levers       map[string]*orgLever
}

// A placedJob is a job of a repository.
type placedJob struct {
	grade                             reach.Severity
	pairs                             int
	repository, name, code, standings string
}

// An orgLever is a change with what it takes away in all repositories.
type orgLever struct {
	what         string
	pairs, repos int
}

// add adds an analysis of some repositories.
func (s *orgSum) add(doc *org.Document, a *org.Analysis, repositories []int) {
	for _, l := range a.Levers {
		if s.levers[l.What] == nil {
			s.levers[l.What] = &orgLever{what: l.What}
		}
		s.levers[l.What].pairs += l.Pairs * len(repositories)
		s.levers[l.What].repos += len(repositories)
	}
	if !slices.ContainsFunc(a.Jobs, func(j org.Job) bool { return j.Pairs > 0 }) {
		return
	}
	s.repositories += len(repositories)
	for i := range a.Jobs {
		j := &a.Jobs[i]
		if j.Pairs == 0 {
			continue
		}
		at := placedJob{pairs: j.Pairs, name: j.Job, standings: strings.Join(j.Standing(), " ")}
		at.grade, _ = reach.ParseSeverity(j.Grade)
		if worst, _ := j.WorstCode(); worst != nil {
			at.code = worst.Name
		}
		for _, r := range repositories {
			at.repository = doc.Repositories[r].Name
			s.worst = append(s.worst, at)
		}
	}
	if len(s.worst) > 100*maxPaths {
		s.worst = s.worstJobs()
	}
}

// worstJobs returns the gravest jobs with pairs, and of these those with the most first.
func (s *orgSum) worstJobs() []placedJob {
	slices.SortStableFunc(s.worst, func(a, b placedJob) int {
		return cmp.Or(cmp.Compare(b.grade, a.grade), cmp.Compare(b.pairs, a.pairs), strings.Compare(a.repository, b.repository))
	})
	return s.worst[:min(maxPaths, len(s.worst))]
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
		line(j.grade.String(), short+" "+j.name, j.code, j.standings)
	}
}

// writeOrgLevers prints the changes that lower the number most, over all repositories.
func writeOrgLevers(out io.Writer, levers map[string]*orgLever, width int) {
	order := slices.SortedFunc(maps.Values(levers), func(a, b *orgLever) int {
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

// writeRefs says of which tags and branches the commit is not known.
func writeRefs(out io.Writer, refs []org.Ref, width int) {
	n := 0
	for _, r := range refs {
		if r.Why == "" {
			continue
		}
		if n++; n == 1 {
			fmt.Fprintln(out, "Tags and branches of actions that were not readable:")
		}
		if n <= maxNotRead {
			fmt.Fprintln(out, clip(workflows.Printable(fmt.Sprintf("  %s@%s: %s", r.Repository, r.Ref, r.Why)), width))
		}
	}
	more(out, n-maxNotRead)
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
	if missing := c.ActionsNotRead; len(missing) > 0 {
		fmt.Fprintln(out, "Actions of its own that it uses and whose files were not read:")
		for _, name := range missing[:min(maxNotRead, len(missing))] {
			fmt.Fprintln(out, clip("  "+workflows.Printable(name), width))
		}
		more(out, len(missing)-maxNotRead)
	}
	writeRefs(out, doc.Refs, width)
	if !c.Complete {
		fmt.Fprintln(out, "Not complete: what was not read may hold more.")
	}
}
