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

// A lockOptions says for which cloud and repository a grant becomes a lock.
type lockOptions struct {
	grantOptions
	cloud, ownerID, id, subject, issuer string
}

func (o *lockOptions) flags(c *cobra.Command) {
	o.grantOptions.flags(c)
	f := c.Flags()
	f.StringVar(&o.cloud, "for", "", "`CLOUD`, when the grant has several: "+strings.Join(cloudNames(), ", "))
	f.StringVar(&o.ownerID, "owner-id", "", "decimal `ID` of the repository's owner")
	f.StringVar(&o.id, "repository-id", "", "decimal `ID` of the repository")
	f.StringVar(&o.subject, "subject", "", "`FORM` of sub: name, immutable or either; without it, what the ids allow")
	f.StringVar(&o.issuer, "issuer", "", "`URL` of the token issuer, when it is not github.com's")
}

func grantRenderCommand(w world) *cobra.Command {
	var o lockOptions
	var format string
	c := &cobra.Command{
		Use:   "render GRANT",
		Short: "write the trust policy that fits a grant",
		Long: `render writes the lock of a grant: what the cloud is told, so that it takes the
tokens of the grant's jobs and no others. What the cloud cannot tell apart is
listed as "also admits".

The ids of the repository and its owner make the lock outlive their names:
gh api repos/OWNER/REPO --jq '.id, .owner.id'. A repository that was made,
renamed or moved after 2026-07-15 has subjects of the immutable form.

Exit status: 0 written, 2 wrong use or a lock that the cloud cannot hold.`,
		Example: `  stint grant render deploy-site --for aws --owner-id 1001 --repository-id 2001
  stint grant render deploy-site --for aws --format terraform
  stint grant render deploy-site --format json | jq -r '.documents[0].body'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, lock, err := o.render(cmd.Context(), w, args)
			if err != nil {
				return err
			}
			return writeLock(w, lock, format)
		},
	}
	o.flags(c)
	c.Flags().StringVar(&format, "format", "text", "`FORMAT`: text, json, terraform or cli")
	return c
}

// render reads the grant and renders it.
func (o lockOptions) render(ctx context.Context, w world, args []string) (*grant.Grant, trust.Lock, error) {
	_, g, err := o.grant(args)
	if err != nil {
		return nil, trust.Lock{}, err
	}
	repo, err := o.trustRepository(ctx, w)
	if err != nil {
		return g, trust.Lock{}, err
	}
	cloud, target, err := o.targetOf(g)
	if err != nil {
		return g, trust.Lock{}, err
	}
	lock, err := cloud.Render(g, target, repo)
	if err != nil {
		return g, lock, asLockError(g, cloud, err)
	}
	return g, lock, nil
}

func asLockError(g *grant.Grant, cloud trust.Cloud, err error) error {
	hint := cmp.Or(nextStep(err), "name the repository and its ids: --repository OWNER/REPO --owner-id ID --repository-id ID")
	return &failure{exitUsage, fmt.Sprintf("grant %q has no lock for %s: %s", g.Name, cloud.Name, err), hint}
}

// trustRepository is the repository of the flags, of the job's surroundings or of
// the checkout.
func (o lockOptions) trustRepository(ctx context.Context, w world) (trust.Repository, error) {
	known := o.repositoryOf(ctx, w)
	r := trust.Repository{Name: known.Name, OwnerID: cmp.Or(o.ownerID, known.OwnerID), ID: cmp.Or(o.id, known.ID),
		Subject: trust.SubjectForm(o.subject), Issuer: o.issuer}
	for _, id := range []string{r.OwnerID, r.ID} {
		if strings.Trim(id, "0123456789") != "" {
			return r, usage("write the number that gh api repos/OWNER/REPO --jq '.id, .owner.id' gives", "%q is not an id", id)
		}
	}
	forms := []trust.SubjectForm{"", trust.NameSubject, trust.ImmutableSubject, trust.EitherSubject}
	if !slices.Contains(forms, r.Subject) {
		return r, usage("use name, immutable or either", "unknown form of sub %q", o.subject)
	}
	return r, nil
}

// targetOf is the grant's block for the cloud of --for, or its only one.
func (o lockOptions) targetOf(g *grant.Grant) (trust.Cloud, *grant.Target, error) {
	var clouds []trust.Cloud
	var targets []*grant.Target
	var names []string
	for _, t := range g.Targets {
		c, ok := providers.LockOf(t.Provider)
		if !ok || o.cloud != "" && c.Name != o.cloud && t.Provider != o.cloud {
			continue
		}
		clouds, targets, names = append(clouds, c), append(targets, t), append(names, c.Name)
	}
	switch {
	case len(targets) == 1:
		return clouds[0], targets[0], nil
	case len(targets) > 1:
		return trust.Cloud{}, nil, usage("choose one with --for: "+strings.Join(names, ", "), "grant %q has several clouds", g.Name)
	case o.cloud != "" && !slices.Contains(cloudNames(), o.cloud):
		return trust.Cloud{}, nil, usage("use --for with one of "+strings.Join(cloudNames(), ", "), "unknown cloud %q", o.cloud)
	}
	return trust.Cloud{}, nil, usage("add a block for it to the grant", "grant %q has no block of %s", g.Name, cmp.Or(o.cloud, "a cloud whose lock is known"))
}

func writeLock(w world, lock trust.Lock, format string) error {
	switch format {
	case "json":
		return writeJSON(w.stdout, lock)
	case "terraform", "cli":
		text := lock.Terraform
		if format == "cli" {
			text = lock.CLI
		}
		if text == "" {
			return usage("use --format text or --format json", "%s has no form for %s", lock.Cloud, format)
		}
		_, err := io.WriteString(w.stdout, strings.TrimSuffix(text, "\n")+"\n")
		writeResidue(w.stderr, lock)
		return err
	case "text":
		for _, d := range lock.Documents {
			fmt.Fprintf(w.stdout, "%s\n%s\n", d.Name, strings.TrimSuffix(d.Body, "\n"))
		}
		writeResidue(w.stdout, lock)
		return nil
	}
	return usage("use --format text, json, terraform or cli", "unknown format %q", format)
}

// writeResidue lists what the lock lets in and the grant does not.
func writeResidue(out io.Writer, lock trust.Lock) {
	if len(lock.AlsoAdmits) == 0 {
		fmt.Fprintf(out, "\n%s can hold all of the grant\n", lock.Cloud)
		return
	}
	fmt.Fprintf(out, "\nalso admits, because %s does not look at the claim:\n", lock.Cloud)
	for _, r := range lock.AlsoAdmits {
		fmt.Fprintln(out, wrap(r.Claim+": "+workflows.Printable(r.Text), defaultWidth, "  "))
	}
}
