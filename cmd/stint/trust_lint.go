package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/stint-dev/stint/oidc/providers"
	"github.com/stint-dev/stint/oidc/trust"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

type trustLintOptions struct {
	format, minSeverity string
	spelt               []string // repositories as GitHub spells them
}

func trustLintCommand(w world) *cobra.Command {
	var o trustLintOptions
	c := &cobra.Command{
		Use:   "lint FILE…",
		Short: "find what trust policies let in that they should not",
		Long: `lint judges the trust policies of files and directories by the tokens that they
admit: role trust policies and exports of the aws command, Terraform (.tf),
CloudFormation, federated credentials of Entra, identity pools of Google Cloud,
roles of Vault and OpenBao, policies of octo-sts, what verifiers demand of a
signer in cosign's terms. What a file is is found by its content; directories
are searched for .tf, .json, .yaml and .yml.

The grade of a policy is good (one exact workload), caution (the right
repository or owner, and wider than that), bad (others get in), dead (what it
was written for does not get in) or invalid (the cloud refuses to store it).

Exit status: 0 no finding at or over the threshold, 1 findings, 2 wrong use,
3 something could not be read.`,
		Example: `  stint trust lint trust.json
  stint trust lint infra/ --min-severity high`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return runTrustLint(w, o, args) },
	}
	c.Flags().StringVar(&o.format, "format", "text", "`FORMAT`: text or json")
	c.Flags().StringArrayVar(&o.spelt, "repository", nil, "`OWNER/REPO` as GitHub spells it, for policies that name it; may be given again")
	c.Flags().StringVar(&o.minSeverity, "min-severity", "low", "least severity that is reported and fails: `info, low, medium, high, critical`")
	return c
}

// A judged is one policy with what was found in it.
type judged struct {
	Path     string         `json:"path"`
	Line     int            `json:"line"`
	Name     string         `json:"name,omitempty"`
	Cloud    string         `json:"cloud"`
	Grade    trust.Grade    `json:"grade"`
	Findings []judgedDefect `json:"findings"`
}

type judgedDefect struct {
	trust.Finding
	// ID is the class's place in the catalogue of docs/trust.md; IDs adds that of the
	// cloud's own chapter there.
	ID  string   `json:"id,omitempty"`
	IDs []string `json:"ids,omitempty"`
}

// chapters are the places in the catalogue that gather what one cloud is prone to.
var chapters = map[string]string{"vault": "M41", "octo-sts": "M42"}

func defect(f trust.Finding, cloud string) judgedDefect {
	d := judgedDefect{Finding: f, ID: trust.ID(f.Class)}
	for _, id := range []string{d.ID, chapters[cloud]} {
		if id != "" && !slices.Contains(d.IDs, id) {
			d.IDs = append(d.IDs, id)
		}
	}
	return d
}

func runTrustLint(w world, o trustLintOptions, args []string) error {
	if err := checkFormat(o.format); err != nil {
		return err
	}
	least, ok := reach.ParseSeverity(o.minSeverity)
	if !ok {
		return usage("the severities are info, low, medium, high, critical", "unknown severity %q", o.minSeverity)
	}
	files, err := readLocks(args, providers.Clouds())
	if err != nil {
		return err
	}
	list, status := []judged{}, exitOK
	for _, f := range files {
		judgments, failed := judgeFile(w, f, o.spelt)
		if failed {
			status = exitIncomplete
		}
		list = append(list, judgments...)
	}
	for i := range list {
		list[i].Findings = slices.DeleteFunc(list[i].Findings, func(d judgedDefect) bool {
			s, _ := reach.ParseSeverity(d.Severity)
			return s < least
		})
		if len(list[i].Findings) > 0 {
			status = max(status, exitFindings)
		}
	}
	if o.format == "json" {
		err = writeJSON(w.stdout, map[string]any{"policies": list})
	} else {
		writeJudged(w.stdout, list, terminalWidth(w))
	}
	if err == nil && status != exitOK {
		return errStatus(status)
	}
	return err
}

// judgeFile judges the policies of a file, and says what could not be read.
func judgeFile(w world, f lockFile, spelt []string) (list []judged, failed bool) {
	if f.err != nil {
		printError(w.stderr, policyError(f.path, f.err))
		return nil, true
	}
	if len(f.docs) == 0 {
		fmt.Fprintf(w.stderr, "stint: note: %s holds no trust policy about GitHub's tokens\n", workflows.Printable(f.path))
	}
	for _, d := range f.docs {
		p, err := parseLock(d)
		if err != nil {
			printError(w.stderr, policyError(fmt.Sprintf("%s:%d", d.Path, d.Line), err))
			failed = true
			continue
		}
		list = append(list, judge(d, p, spelt))
	}
	return list, failed
}

// judge judges one policy. What holds placeholders is neither good nor dead for sure.
func judge(d trust.Document, p trust.Policy, spelt []string) judged {
	grade, found := trust.Judge(p, spelt...)
	j := judged{Path: d.Path, Line: d.Line, Name: d.Name, Cloud: d.Cloud, Grade: grade, Findings: []judgedDefect{}}
	if len(d.Unresolved) > 0 {
		if grade == trust.Good || grade == trust.Dead {
			j.Grade = trust.Caution
		}
		f := trust.Found("not-resolved", "")
		f.Message = "not known here, and taken for names: " + joinFew(d.Unresolved)
		found = append(found, f)
	}
	for _, f := range found {
		j.Findings = append(j.Findings, defect(f, d.Cloud))
	}
	return j
}

// joinFew lists the first few of many.
func joinFew(list []string) string {
	const few = 4
	text := ""
	for i, s := range list {
		if i == few {
			return text + fmt.Sprintf(" and %d more", len(list)-few)
		}
		if i > 0 {
			text += ", "
		}
		text += s
	}
	return text
}

func writeJudged(out io.Writer, list []judged, width int) {
	found, policies := 0, map[trust.Grade]int{}
	for _, j := range list {
		policies[j.Grade]++
		place := fmt.Sprintf("%s:%d", j.Path, max(j.Line, 1))
		if j.Name != "" {
			place += " " + j.Name
		}
		fmt.Fprintf(out, "%s (%s): %s\n", workflows.Printable(place), j.Cloud, j.Grade)
		for _, d := range j.Findings {
			found++
			head := fmt.Sprintf("%s %s [%s]", d.Severity, d.Class, cmp.Or(d.ID, "-"))
			fmt.Fprintf(out, "  %s\n%s\n", head, wrap(workflows.Printable(d.Message), width, "    "))
			if sub := d.Witness["sub"]; sub != "" {
				fmt.Fprintln(out, wrap("for one: "+workflows.Printable(sub+" "+d.Witness["event_name"]), width, "    "))
			}
			if d.Next != "" {
				fmt.Fprintln(out, wrap("next: "+workflows.Printable(d.Next), width, "    "))
			}
		}
	}
	if len(list) == 0 {
		fmt.Fprintln(out, "no trust policy was found")
		return
	}
	fmt.Fprintf(out, "\n%s, %s:", counted(len(list), "policy", "policies"), counted(found, "finding", "findings"))
	for _, g := range []trust.Grade{trust.Bad, trust.Dead, trust.Invalid, trust.Caution, trust.Good} {
		if policies[g] > 0 {
			fmt.Fprintf(out, " %d %s", policies[g], g)
		}
	}
	fmt.Fprintln(out)
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
