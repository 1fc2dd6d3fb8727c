package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stint-dev/stint/org"
	orgreport "github.com/stint-dev/stint/org/report"
	"github.com/stint-dev/stint/workflows"
)

// incidentWriters write an answer, by format.
var incidentWriters = map[string]func(io.Writer, *org.Incident, int) error{
	"text": incidentText, "csv": incidentCSV, "markdown": incidentMarkdown,
	"json": func(out io.Writer, in *org.Incident, _ int) error {
		return json.NewEncoder(out).Encode(in) // not indented: it can have tens of thousands of jobs
	},
}

// incidentSummary says in a sentence how many jobs of how many repositories are hit.
func incidentSummary(in *org.Incident) string {
	repos := map[string]bool{}
	by := map[org.Certainty]int{}
	for _, h := range in.Hits {
		repos[h.Repository] = true
		by[h.Certainty]++
	}
	when := ""
	if !in.Since.IsZero() || !in.Until.IsZero() {
		when = " in the time asked for"
	}
	if len(in.Hits) == 0 {
		return fmt.Sprintf("No job in the index ran %s%s.", in.Asked, when)
	}
	var parts []string
	for _, c := range []struct {
		of   org.Certainty
		text string
	}{{org.Named, "name it"}, {org.Through, "run it through another action"}, {org.Possible, "could have"}} {
		if by[c.of] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", by[c.of], c.text))
		}
	}
	return fmt.Sprintf("%s of %s ran %s or could have%s: %s.", count(len(in.Hits), "job"), plural(len(repos), "repository", "repositories"), in.Asked, when, strings.Join(parts, ", "))
}

// aside says what was not hit, and which refs are in use.
func aside(in *org.Incident) []string {
	var out []string
	if in.Pinned > 0 {
		out = append(out, fmt.Sprintf("%s another ref or is pinned by another commit, and not hit.", plural(in.Pinned, "use names", "uses name")))
	}
	if len(in.Refs) > 0 {
		var refs []string
		for _, ref := range slices.SortedFunc(maps.Keys(in.Refs), func(a, b string) int {
			if in.Refs[a] != in.Refs[b] {
				return in.Refs[b] - in.Refs[a]
			}
			return strings.Compare(a, b)
		}) {
			refs = append(refs, fmt.Sprintf("%s (%d)", ref, in.Refs[ref]))
		}
		const most = 12
		if n := len(refs) - most; n > 0 {
			refs = append(refs[:most], fmt.Sprintf("%d more", n))
		}
		out = append(out, "In use: "+strings.Join(refs, ", ")+".")
	}
	return out
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func incidentText(out io.Writer, in *org.Incident, width int) error {
	p := func(text string) { fmt.Fprintln(out, wrap(workflows.Printable(text), width, "")) }
	p(incidentSummary(in))
	for _, line := range aside(in) {
		p(line)
	}
	if n := slices.IndexFunc(in.Rotations, func(r org.Rotation) bool { return !r.Rotate }); len(in.Rotations) > 0 && n != 0 {
		fmt.Fprintln(out, "\nRotate, in this order:")
		for i, r := range in.Rotations {
			if r.Rotate {
				fmt.Fprintln(out, clip(fmt.Sprintf("  %3d. %s%s  %s", i+1, r.Name, opens(r), where(r)), width))
			}
		}
	}
	if slices.ContainsFunc(in.Rotations, func(r org.Rotation) bool { return !r.Rotate }) {
		fmt.Fprintln(out, "\nWatch what these did; they expire by themselves:")
		for _, r := range in.Rotations {
			if !r.Rotate {
				fmt.Fprintln(out, clip(fmt.Sprintf("       %s%s (%s)  %s", r.Name, opens(r), r.Lifetime, where(r)), width))
			}
		}
	}
	repository := ""
	for i := range in.Hits {
		h := &in.Hits[i]
		if i == 0 {
			fmt.Fprintln(out, "\nJobs:")
		}
		if h.Repository != repository {
			repository = h.Repository
			fmt.Fprintln(out, clip("  "+repository, width))
		}
		fmt.Fprintln(out, clip(fmt.Sprintf("    %-8s  %s  %s  %s%s", h.Certainty, hitLine(h), h.Job, h.What, past(h)), width))
		if h.Why != "" {
			fmt.Fprintln(out, wrap(workflows.Printable(h.Why), width, strings.Repeat(" ", 14)))
		}
	}
	fmt.Fprintf(out, "\nThe index is of %s. What it cannot tell:\n", in.Scanned.Format(time.RFC3339))
	for _, line := range in.Unknown {
		fmt.Fprintln(out, wrap(workflows.Printable(line), width, "  "))
	}
	return nil
}

func opens(r org.Rotation) string {
	if r.Opens == "" {
		return ""
	}
	return " (" + r.Opens + ")"
}

// where says whose a credential is.
func where(r org.Rotation) string {
	scope := ""
	if r.Scope != "" {
		scope = r.Scope + " secret, "
	}
	if len(r.Repositories) == 1 {
		return scope + r.Repositories[0]
	}
	return scope + plural(len(r.Repositories), "repository", "repositories")
}

func past(h *org.Hit) string {
	if h.Now {
		return ""
	}
	return "  (no more)"
}

func whatAndWhy(h *org.Hit) string {
	if h.Why == "" {
		return h.What
	}
	return h.What + ", " + h.Why
}

func incidentCSV(out io.Writer, in *org.Incident, _ int) error {
	c := csv.NewWriter(out)
	c.Write([]string{"repository", "path", "line", "job", "certainty", "what", "why", "starts", "environment", "grade", "credentials", "now"})
	for _, h := range in.Hits {
		c.Write(orgreport.Fields(h.Repository, h.Path, strconv.Itoa(h.Line), h.Job, string(h.Certainty), h.What, h.Why, strings.Join(h.Starts, " "),
			h.Environment, h.Grade, strings.Join(h.Credentials, " "), strconv.FormatBool(h.Now)))
	}
	c.Flush()
	return c.Error()
}

// remembered is a function of texts that computes each once: the cells of many jobs are
// the same few.
func remembered(f func(string) string) func(string) string {
	known := map[string]string{}
	return func(s string) string {
		got, ok := known[s]
		if !ok {
			got = f(s)
			known[s] = got
		}
		return got
	}
}

// incidentMarkdown writes a ticket: a list to tick off, and the jobs as a table.
func incidentMarkdown(out io.Writer, in *org.Incident, _ int) error {
	fmt.Fprintf(out, "# %s\n\n%s\n", orgreport.MarkdownText(in.Asked), orgreport.MarkdownText(incidentSummary(in)))
	for _, line := range aside(in) {
		fmt.Fprintf(out, "\n%s\n", orgreport.MarkdownText(line))
	}
	if len(in.Rotations) > 0 {
		fmt.Fprint(out, "\n## Rotate, in this order\n\n")
		for _, r := range in.Rotations {
			if r.Rotate {
				fmt.Fprintf(out, "- [ ] %s%s: %s\n", orgreport.MarkdownText(r.Name), orgreport.MarkdownText(opens(r)), orgreport.MarkdownText(where(r)))
			}
		}
		fmt.Fprint(out, "\n## Watch; these expire by themselves\n\n")
		for _, r := range in.Rotations {
			if !r.Rotate {
				fmt.Fprintf(out, "- [ ] %s%s, %s: %s\n", orgreport.MarkdownText(r.Name), orgreport.MarkdownText(opens(r)), r.Lifetime, orgreport.MarkdownText(where(r)))
			}
		}
	}
	if len(in.Hits) > 0 {
		fmt.Fprint(out, "\n## Jobs\n\n| repository | place | job | how | what | credentials |\n|---|---|---|---|---|---|\n")
		cell := remembered(orgreport.MarkdownText)
		for i := range in.Hits {
			h := &in.Hits[i]
			fmt.Fprintf(out, "| %s | %s | %s | %s | %s | %s |\n", cell(h.Repository), cell(hitLine(h)), cell(h.Job),
				string(h.Certainty)+past(h), cell(whatAndWhy(h)), cell(strings.Join(h.Credentials, ", ")))
		}
	}
	fmt.Fprintf(out, "\n## What the index of %s cannot tell\n\n", in.Scanned.Format(time.RFC3339))
	for _, line := range in.Unknown {
		fmt.Fprintf(out, "- %s\n", orgreport.MarkdownText(line))
	}
	return nil
}
