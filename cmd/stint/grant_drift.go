package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers"
	"github.com/stint-dev/stint/oidc/trust"
	"github.com/stint-dev/stint/workflows"
)

func grantDriftCommand(w world) *cobra.Command {
	var o lockOptions
	var policies []string
	var format string
	c := &cobra.Command{
		Use:   "drift --policy FILE… GRANT",
		Short: "compare a grant with the trust policy that is deployed",
		Long: `drift asks the policies of files (see stint trust lint for their kinds) and the
grant about the same tokens, and lists where they differ: wider (the policy lets
in what the grant refuses), narrower (the reverse), dead (nothing that the grant
admits gets in). Each comes with a token. What the cloud cannot express is
listed as "not held" and is no drift.

Exit status: 0 no drift, 1 drift, 2 wrong use.`,
		Example: `  aws iam get-role --role-name site-deploy > role.json
  stint grant drift --policy role.json deploy-site`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDrift(cmd.Context(), w, o, policies, format, args)
		},
	}
	o.flags(c)
	c.Flags().StringArrayVar(&policies, "policy", nil, "a `FILE` or directory with the policy; may be given again")
	c.Flags().StringVar(&format, "format", "text", "`FORMAT`: text or json")
	return c
}

// A drifted is one policy beside the grant.
type drifted struct {
	Path     string          `json:"path"`
	Line     int             `json:"line"`
	Name     string          `json:"name,omitempty"`
	Cloud    string          `json:"cloud"`
	Findings []trust.Finding `json:"findings"`
	// NotHeld are the claims of the grant that the cloud does not look at.
	NotHeld []trust.Residue `json:"not_held"`
}

func runDrift(ctx context.Context, w world, o lockOptions, policies []string, format string, args []string) error {
	if err := checkFormat(format); err != nil {
		return err
	}
	if len(policies) == 0 {
		return usage("give the policy that is deployed: --policy FILE", "drift needs a policy")
	}
	g, lock, err := o.render(ctx, w, args)
	if err != nil {
		return err
	}
	cloud, ok := providers.Cloud(lock.Cloud)
	if !ok {
		return usage("use --for with one of the clouds of the grant", "there is no cloud %q", lock.Cloud)
	}
	files, err := readLocks(policies, []trust.Cloud{cloud})
	if err != nil {
		return err
	}
	repo, err := o.trustRepository(ctx, w)
	if err != nil {
		return err
	}
	expect := grant.Expect{Repository: repo.Name}
	g = withIDs(g, repo)
	list := []drifted{}
	for _, f := range files {
		if f.err != nil {
			return policyError(f.path, f.err)
		}
		for _, d := range f.docs {
			one, err := compareLock(d, g, expect, lock)
			if err != nil {
				return policyError(f.path, err)
			}
			list = append(list, one)
		}
	}
	if len(list) == 0 {
		return usage("give the file of the policy itself", "there is no policy for %s in what was given", cloud.Name)
	}
	if format == "json" {
		err = writeJSON(w.stdout, map[string]any{"grant": g.Name, "policies": list})
	} else {
		writeDrift(w.stdout, g, list, terminalWidth(w))
	}
	if err == nil && slices.ContainsFunc(list, func(d drifted) bool { return len(d.Findings) > 0 }) {
		return errStatus(exitFindings)
	}
	return err
}

// withIDs is the grant with the ids that are known, which its lock demands too.
func withIDs(g *grant.Grant, repo trust.Repository) *grant.Grant {
	known := *g
	if known.For.Repository == "" || known.For.Repository == repo.Name {
		known.For.RepositoryID = cmp.Or(known.For.RepositoryID, repo.ID)
		known.For.RepositoryOwnerID = cmp.Or(known.For.RepositoryOwnerID, repo.OwnerID)
	}
	return &known
}

func compareLock(d trust.Document, g *grant.Grant, expect grant.Expect, lock trust.Lock) (drifted, error) {
	one := drifted{Path: d.Path, Line: d.Line, Name: d.Name, Cloud: d.Cloud, NotHeld: lock.AlsoAdmits}
	p, err := parseLock(d)
	if err != nil {
		return one, err
	}
	found, err := trust.Drift(g, expect, p)
	if err != nil {
		return one, err
	}
	one.Findings = slices.DeleteFunc(found, func(f trust.Finding) bool { return notHeld(f, lock) })
	if one.Findings == nil {
		one.Findings = []trust.Finding{}
	}
	return one, nil
}

// notHeld reports whether a token that is too much gets in through the grant's own
// lock as well: then the cloud cannot tell it apart.
func notHeld(f trust.Finding, lock trust.Lock) bool {
	if f.Class != trust.Wider || lock.Policy == nil {
		return false
	}
	claims := oidc.Claims{Issuer: f.Witness["iss"], Subject: f.Witness["sub"], Audience: []string{lock.Policy.Audience()}, Values: f.Witness}
	return lock.Policy.Decide(claims).Admits
}

func writeDrift(out io.Writer, g *grant.Grant, list []drifted, width int) {
	for _, d := range list {
		place := strings.TrimSpace(fmt.Sprintf("%s:%d %s", d.Path, max(d.Line, 1), d.Name))
		fmt.Fprintf(out, "%s (%s) against grant %s: ", workflows.Printable(place), d.Cloud, g.Name)
		if len(d.Findings) == 0 {
			fmt.Fprintln(out, "no drift")
		} else {
			fmt.Fprintln(out, counted(len(d.Findings), "difference", "differences"))
		}
		for _, f := range d.Findings {
			fmt.Fprintf(out, "  %s (%s)\n%s\n", f.Class, f.Severity, wrap(workflows.Printable(f.Message), width, "    "))
			fmt.Fprintln(out, wrap("token: "+workflows.Printable(f.Witness["sub"]+" "+f.Witness["event_name"]+" "+f.Witness["job_workflow_ref"]), width, "    "))
		}
		for _, r := range d.NotHeld {
			fmt.Fprintln(out, wrap(fmt.Sprintf("not held by %s: %s: %s", d.Cloud, r.Claim, workflows.Printable(r.Text)), width, "  "))
		}
	}
}
