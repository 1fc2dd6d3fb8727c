package main

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/spf13/cobra"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/lint/rules"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// sampleArchive is the repository that the demo is about.
//
//go:embed demo/sample.txtar
var sampleArchive []byte

const (
	sampleName   = "acme/site"
	sampleRefs   = "refs" // the archive's list of what tags name
	demoFindings = 3      // how many findings the demo shows
)

const demoLong = `demo shows both halves of stint on a repository that is kept in the program:
what each of its jobs could lose, what the fix changes, and how a grant takes
the place of a stored key. The grant is traded in a sandbox on loopback; nothing
else is asked, and nothing is written.`

func demoCommand(w world) *cobra.Command {
	c := &cobra.Command{
		Use:   "demo",
		Short: "see both halves of stint work, on a sample and in a sandbox",
		Long:  demoLong,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			self, err := ownProgram()
			if err != nil {
				return err
			}
			return demo{w: w, self: append(self, "demo", "put")}.run(cmd.Context())
		},
	}
	c.AddCommand(demoPutCommand(w))
	return c
}

// A demo is one run of it. self is the program and arguments that put the object
// which is named behind them.
type demo struct {
	w    world
	self []string
}

func (d demo) run(ctx context.Context) error {
	s := readSample(sampleArchive)
	d.say("", "This is "+sampleName+", a small repository that is kept in this program. "+
		"Everything below is computed from it now, on this machine.")

	d.title(1, "What each job could lose")
	before := s.lint(ctx)
	writeReach(d.w.stdout, before.Graph, before.Graph.Jobs, reachOptions{}, defaultWidth)

	d.title(2, "The findings that matter")
	d.findings(before)

	d.title(3, "What the fix changes")
	if err := d.fix(ctx, s, before); err != nil {
		return err
	}

	d.title(4, "A grant in place of the key")
	return d.trade(ctx, s)
}

// title writes a heading.
func (d demo) title(n int, text string) {
	text = fmt.Sprintf("%d  %s", n, text)
	fmt.Fprintf(d.w.stdout, "\n%s\n%s\n", text, strings.Repeat("-", len(text)))
}

// say writes a paragraph.
func (d demo) say(indent, text string) {
	fmt.Fprintf(d.w.stdout, "%s\n", wrap(workflows.Printable(text), defaultWidth, indent))
}

// findings shows the worst of each rule, and counts the rest.
func (d demo) findings(res *lint.Result) {
	shown := worst(res.Findings)
	for _, f := range shown {
		at := f.File.Position(f.Span.Start)
		fmt.Fprintf(d.w.stdout, "%s  %s:%d  %s\n", f.Severity, workflows.Printable(f.File.Path), at.Line, f.Rule.ID)
		d.say("    ", f.Message+".")
		d.say("    ", "Next: "+f.Next+".")
	}
	if n := len(res.Findings) - len(shown); n > 0 {
		fmt.Fprintf(d.w.stdout, "and %d more; stint lint shows them all.\n", n)
	}
}

// worst returns the worst finding of each rule, the worst first, at most
// demoFindings.
func worst(all []lint.Finding) []lint.Finding {
	sorted := slices.SortedStableFunc(slices.Values(all), func(a, b lint.Finding) int { return -cmp.Compare(a.Severity, b.Severity) })
	var out []lint.Finding
	for _, f := range sorted {
		if len(out) < demoFindings && !slices.ContainsFunc(out, func(o lint.Finding) bool { return o.Rule == f.Rule }) {
			out = append(out, f)
		}
	}
	return out
}

// fix mends the sample in memory, and shows what that changes and what is left.
func (d demo) fix(ctx context.Context, s *sample, before *lint.Result) error {
	d.say("", "stint lint --diff --fix=unsafe writes this. The commits come from a list in the sample; "+
		"the real command asks GitHub. What stands in <…> is for a person: the role has to be made.")
	repair := lint.Mend(before.Findings, true)
	mended := *s
	mended.files = slices.Clone(s.files)
	for _, f := range repair.Files {
		fmt.Fprintln(d.w.stdout)
		d.patch(f.Diff())
		i := slices.Index(mended.files, f.File)
		mended.files[i] = workflows.Parse(f.File.Path, f.Source)
	}
	fmt.Fprintln(d.w.stdout)
	after := mended.lint(ctx)
	writeReach(d.w.stdout, after.Graph, after.Graph.Jobs, reachOptions{}, defaultWidth)
	was, is := len(before.Graph.Pairs()), len(after.Graph.Pairs())
	fmt.Fprintf(d.w.stdout, "\nBefore: %s of foreign code and standing credential. After: %d.\n", count(was, "pair"), is)
	if left := worst(after.Findings); len(left) > 0 {
		fmt.Fprintf(d.w.stdout, "Findings before: %d. After: %d, %s at most.\n", len(before.Findings), len(after.Findings), left[0].Severity)
	}
	if is != 0 || was == 0 {
		return &failure{exitIncomplete, "the fix of the sample does not bring the number to zero", "this is a defect of stint: please report it"}
	}
	return nil
}

// patch writes a patch cut to the page, less its first line, which says what follows.
func (d demo) patch(patch []byte) {
	_, rest, _ := strings.Cut(string(patch), "\n")
	for line := range strings.Lines(rest) {
		fmt.Fprintln(d.w.stdout, clip(strings.TrimRight(line, "\n"), defaultWidth))
	}
}

// A sample is the repository of the demo.
type sample struct {
	files []*workflows.File
	// grants is the text of its grant file, refs what its tags name.
	grants []byte
	refs   sampleResolver
}

// readSample reads an archive; the tests hold that it is whole.
func readSample(archive []byte) *sample {
	s := &sample{refs: sampleResolver{commits: map[string][2]string{}}}
	for _, f := range txtar.Parse(archive).Files {
		switch f.Name {
		case sampleRefs:
			for line := range strings.Lines(string(f.Data)) {
				if part := strings.Fields(line); len(part) == 4 {
					s.refs.commits[part[0]+"@"+part[1]] = [2]string{part[2], part[3]}
				}
			}
		case grant.Path:
			s.grants = f.Data
		default:
			s.files = append(s.files, workflows.Parse(f.Name, f.Data))
		}
	}
	slices.SortFunc(s.files, func(a, b *workflows.File) int { return strings.Compare(a.Path, b.Path) })
	return s
}

// lint runs all rules over the sample.
func (s *sample) lint(ctx context.Context) *lint.Result {
	low := reach.Low
	return lint.Run(ctx, &workflows.Repository{Root: sampleName, Name: sampleName, Files: s.files}, lint.Options{
		Rules: rules.All, Resolver: s.refs, NetworkFixes: true, MinSeverity: &low,
	})
}

// A sampleResolver knows the commit and the version of each action@tag of the sample.
type sampleResolver struct {
	lint.Offline
	commits map[string][2]string
}

// Commit implements [lint.Resolver].
func (r sampleResolver) Commit(_ context.Context, owner, repo, ref string) (commit, version string, err error) {
	known, ok := r.commits[owner+"/"+repo+"@"+ref]
	if !ok {
		return "", "", lint.ErrOffline
	}
	return known[0], known[1], nil
}

// An indented writer puts spaces before each line.
type indented struct {
	to    io.Writer
	begun bool // the line
}

func (i *indented) Write(b []byte) (int, error) {
	for line := range bytes.Lines(b) {
		if !i.begun {
			if _, err := io.WriteString(i.to, "    "); err != nil {
				return 0, err
			}
		}
		if _, err := i.to.Write(line); err != nil {
			return 0, err
		}
		i.begun = !bytes.HasSuffix(line, []byte("\n"))
	}
	return len(b), nil
}
