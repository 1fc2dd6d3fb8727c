package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/stint-dev/stint/oidc/receipt"
	"github.com/stint-dev/stint/workflows"
)

func receiptShowCommand(w world) *cobra.Command {
	return &cobra.Command{
		Use:     "show FILE",
		Short:   "show receipts as a table",
		Example: `  stint receipt show receipts.jsonl`,
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			_, chain, err := readReceipts(args[0])
			if err != nil {
				return err
			}
			showReceipts(w.stdout, chain, terminalWidth(w))
			if len(chain.Breaks) > 0 {
				fmt.Fprintln(w.stdout)
				sayBreaks(w, chain)
				return errStatus(exitFindings)
			}
			return nil
		},
	}
}

// The columns before the last one: time, kind and grant.
const receiptColumns = "%-8s  %-8s  %-16s  "

// showReceipts writes a table with a heading for each run and each day.
func showReceipts(out io.Writer, chain *receipt.Chain, width int) {
	fmt.Fprintf(out, receiptColumns+"%s\n", "TIME", "EVENT", "GRANT", "WHAT")
	indent := len(fmt.Sprintf(receiptColumns, "", "", ""))
	var heading string
	for _, l := range chain.Lines {
		e := l.Event
		if e.Kind == "" {
			continue // told of as a break
		}
		if h := runHeading(e); h != heading {
			heading = h
			fmt.Fprintln(out, workflows.Printable(h))
		}
		fmt.Fprintf(out, receiptColumns, e.Time.Format(time.TimeOnly), e.Kind, shorten(workflows.Printable(e.Grant), 16))
		for i, line := range folded(workflows.Printable(what(e)), width-indent) {
			if i > 0 {
				fmt.Fprint(out, strings.Repeat(" ", indent))
			}
			fmt.Fprintln(out, line)
		}
	}
}

func runHeading(e receipt.Event) string {
	run := cmp.Or(e.Run, &receipt.Run{})
	h := "-- " + e.Time.Format(time.DateOnly) + " (UTC)"
	if run.Repository != "" {
		h += " " + run.Repository
	}
	if run.ID != "" {
		h += " run " + run.ID + " attempt " + run.Attempt
	}
	if run.Job != "" {
		h += " job " + run.Job
	}
	return h
}

// what says in words what an event tells of.
func what(e receipt.Event) string {
	switch e.Kind {
	case receipt.Decision:
		return decided(e)
	case receipt.Issuance, receipt.Refresh:
		return given(e)
	}
	text := e.Provider + " " + e.CredentialID
	if e.Ending != nil {
		text += ": " + e.Ending.Detail
	}
	return text
}

func decided(e receipt.Event) string {
	text := e.Decision
	if e.Claims != nil {
		c := e.Claims.Chosen
		text += ": " + strings.Join(strings.Fields(c["event_name"]+" "+c["ref"]), " of ") + " by " + cmp.Or(c["actor"], c["sub"])
	}
	for _, r := range e.Reasons {
		text += fmt.Sprintf("; %s is %q, the grant wants %q", r.Claim, r.Got, r.Expected)
	}
	return text
}

func given(e receipt.Event) string {
	if failed := e.Facts["refresh_error"]; failed != "" {
		return e.Provider + " not refreshed: " + failed
	}
	text := strings.TrimSpace(e.Provider+" "+e.CredentialID) + " as " + e.Identity
	if e.GotSeconds > 0 {
		text += fmt.Sprintf(", for %s", time.Duration(e.GotSeconds)*time.Second)
	}
	if e.AskedSeconds > 0 {
		text += fmt.Sprintf(" (%s asked for)", time.Duration(e.AskedSeconds)*time.Second)
	}
	if len(e.Command) > 0 {
		text += ", to run " + strings.Join(e.Command, " ")
	}
	return text
}

func shorten(s string, width int) string {
	if utf8.RuneCountInString(s) <= width {
		return s
	}
	return string([]rune(s)[:width-1]) + "…"
}

// folded breaks a text into lines at spaces, and a longer word where it must.
func folded(text string, width int) []string {
	lines := []string{""}
	for _, word := range strings.Fields(text) {
		last := &lines[len(lines)-1]
		if *last != "" && utf8.RuneCountInString(*last)+1+utf8.RuneCountInString(word) <= width {
			*last += " " + word
			continue
		}
		if *last != "" {
			lines = append(lines, "")
		}
		runes := []rune(word)
		for len(runes) > width {
			lines[len(lines)-1] = string(runes[:width])
			lines, runes = append(lines, ""), runes[width:]
		}
		lines[len(lines)-1] = string(runes)
	}
	return lines
}
