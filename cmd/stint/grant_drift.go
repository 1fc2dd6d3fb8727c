package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers"
	"github.com/stint-dev/stint/oidc/trust"
	"github.com/stint-dev/stint/workflows"
)

type driftOptions struct {
	lockOptions
	policies []string
	live     bool
	format   string
}

func grantDriftCommand(w world) *cobra.Command {
	var o driftOptions
	c := &cobra.Command{
		Use:   "drift (--policy FILE… GRANT | --live GRANT…)",
		Short: "compare a grant with the trust policy that is deployed",
		Long: `drift asks the deployed policy and the grant about the same tokens, and lists
where they differ: wider (the policy lets in what the grant refuses), narrower
(the reverse), dead (nothing that the grant admits gets in). Each comes with a
token. What the cloud cannot express is listed as "not held" and is no drift.

The policies are those of files (see stint trust lint for their kinds) or, with
--live, what the cloud has: aws, azure, gcp, octo-sts and vault, asked with your
own login as their tools find it. It needs the right to read, nothing more; an
error names it. With several grants, JSON has an object for each.

Exit status: 0 no drift, 1 drift, 2 wrong use, 3 the cloud was not to be read.`,
		Example: `  aws iam get-role --role-name site-deploy > role.json
  stint grant drift --policy role.json deploy-site
  stint grant drift --live deploy-site`,
		DisableFlagsInUseLine: true,

		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), w, args)
		},
	}
	o.flags(c)
	c.Flags().StringArrayVar(&o.policies, "policy", nil, "a `FILE` or directory with the policy; may be given again")
	c.Flags().BoolVar(&o.live, "live", false, "read the policy from the cloud, with your own login")
	c.Flags().StringVar(&o.format, "format", "text", "`FORMAT`: text or json")
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

func (o driftOptions) run(ctx context.Context, w world, args []string) error {
	switch err := checkFormat(o.format); {
	case err != nil:
		return err
	case len(o.policies) == 0 && !o.live:
		return usage("give the policy that is deployed: --policy FILE, or --live to ask the cloud", "drift needs a policy")
	case len(o.policies) > 0 && o.live:
		return usage("give one of them", "--policy and --live exclude each other")
	case len(o.policies) > 0 && len(args) > 1:
		return usage("compare them one by one, or ask the cloud with --live", "a policy is compared with one grant, and %d are given", len(args))
	}
	found := false
	for _, name := range args {
		g, list, err := o.compare(ctx, w, name)
		if err != nil {
			return err
		}
		if o.format == "json" {
			err = writeJSON(w.stdout, map[string]any{"grant": g.Name, "policies": list})
		} else {
			writeDrift(w.stdout, g, list, terminalWidth(w))
		}
		if err != nil {
			return err
		}
		found = found || slices.ContainsFunc(list, func(d drifted) bool { return len(d.Findings) > 0 })
	}
	if found {
		return errStatus(exitFindings)
	}
	return nil
}

// compare holds one grant against what is deployed for it.
func (o driftOptions) compare(ctx context.Context, w world, name string) (*grant.Grant, []drifted, error) {
	g, lock, err := o.render(ctx, w, []string{name})
	if err != nil {
		return nil, nil, err
	}
	repo, err := o.trustRepository(ctx, w)
	if err != nil {
		return nil, nil, err
	}
	docs, err := o.deployed(ctx, w, g)
	if err != nil {
		return nil, nil, err
	}
	g = withIDs(g, repo)
	list := []drifted{}
	for _, d := range docs {
		one, err := compareLock(d, g, grant.Expect{Repository: repo.Name}, lock)
		if err != nil {
			return nil, nil, policyError(d.Path, err)
		}
		list = append(list, one)
	}
	return g, list, nil
}

// deployed are the locks of the grant's cloud, from the cloud itself or from files.
func (o driftOptions) deployed(ctx context.Context, w world, g *grant.Grant) ([]trust.Document, error) {
	cloud, target, err := o.targetOf(g)
	if err != nil {
		return nil, err
	}
	if o.live {
		read, ok := providers.LiveOf(target.Provider)
		if !ok {
			return nil, usage("give what it shows as a file: --policy FILE", "%s cannot be asked for what it trusts", cloud.Name)
		}
		return read(ctx, g, target, providers.Options{Version: version, Now: w.now, Sleep: w.sleep})
	}
	files, err := readLocks(o.policies, []trust.Cloud{cloud})
	if err != nil {
		return nil, err
	}
	var docs []trust.Document
	for _, f := range files {
		if f.err != nil {
			return nil, policyError(f.path, f.err)
		}
		docs = append(docs, f.docs...)
	}
	if len(docs) == 0 {
		return nil, usage("give the file of the policy itself", "there is no policy for %s in what was given", cloud.Name)
	}
	return docs, nil
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
	one.Findings, err = trust.Drift(g, expect, p, lock.Policy)
	if err != nil {
		return one, err
	}
	if one.Findings == nil {
		one.Findings = []trust.Finding{}
	}
	return one, nil
}

func writeDrift(out io.Writer, g *grant.Grant, list []drifted, width int) {
	for _, d := range list {
		place := d.Path // of a live one, which has no lines
		if d.Line > 0 {
			place = strings.TrimSpace(fmt.Sprintf("%s:%d %s", d.Path, d.Line, d.Name))
		}
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
