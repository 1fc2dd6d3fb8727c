package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/workflows"
)

// maxClaimsBytes is the largest file of claims: those of the largest token.
const maxClaimsBytes = oidc.MaxTokenBytes

func grantCommand(w world) *cobra.Command {
	c := &cobra.Command{
		Use:   "grant",
		Short: "check, explain and describe the grants of .github/stint.yml",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(grantCheckCommand(w), grantExplainCommand(w), grantRenderCommand(w), grantDriftCommand(w), grantWhoCanCommand(w), &cobra.Command{
		Use:   "schema",
		Short: "print the JSON schema of .github/stint.yml, for editors",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := w.stdout.Write(grant.Schema())
			return err
		},
	})
	return c
}

type grantOptions struct {
	file, claims, audience, repository string
}

func (o *grantOptions) flags(c *cobra.Command) {
	c.Flags().StringVar(&o.file, "file", grant.Path, "the grant `FILE`")
	c.Flags().StringVar(&o.repository, "repository", "", "`OWNER/REPO` that holds the file, when nothing here says it")
}

func grantCheckCommand(w world) *cobra.Command {
	var o grantOptions
	c := &cobra.Command{
		Use:   "check [GRANT]",
		Short: "say whether a job may have a grant, and why not",
		Long: `check compares the claims of the job's own id-token, or those saved in a file of
JSON, with GRANT or with all grants. It asks no cloud. The times of saved claims
are not compared.

Exit status: 0 admitted (one grant at least), 1 refused, 2 wrong use or a bad
grant file, 3 there is no token.`,
		Example: `  stint grant check deploy-site
  stint grant check --claims claims.json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runGrantCheck(cmd.Context(), w, o, args) },
	}
	o.flags(c)
	c.Flags().StringVar(&o.claims, "claims", "", "read the claims from `FILE`, - is standard input")
	c.Flags().StringVar(&o.audience, "audience", "", "`AUDIENCE` of the token, when it is not the provider's")
	return c
}

func grantExplainCommand(w world) *cobra.Command {
	var o grantOptions
	c := &cobra.Command{
		Use:   "explain GRANT",
		Short: "say who may have a grant, and which subjects its jobs present",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, g, err := o.grant(args)
			if err != nil {
				return err
			}
			if _, err := (venue{}).providers(w, g); err != nil {
				return err
			}
			return grant.WriteGrant(w.stdout, g, o.repositoryOf(cmd.Context(), w))
		},
	}
	o.flags(c)
	return c
}

// grant reads the file and the grant that args name, nil for all.
func (o grantOptions) grant(args []string) (*grant.File, *grant.Grant, error) {
	f, err := readGrants(machine{}, o.file, "name it with --file, or write one: stint grant schema describes it to an editor")
	if err != nil || len(args) == 0 {
		return f, nil, err
	}
	g, err := f.Grant(args[0])
	if err != nil {
		return nil, nil, asUsage(err)
	}
	return f, g, nil
}

// repositoryOf is the repository that holds the file: as the flag says, else the
// job's surroundings, else the checkout's remote.
func (o grantOptions) repositoryOf(ctx context.Context, w world) grant.Repository {
	r := grant.Repository{Name: cmp.Or(o.repository, w.getenv("GITHUB_REPOSITORY"))}
	if o.repository == "" {
		r.ID, r.OwnerID = w.getenv("GITHUB_REPOSITORY_ID"), w.getenv("GITHUB_REPOSITORY_OWNER_ID")
	}
	if r.Name == "" {
		for repo, err := range workflows.Open([]string{"."}, w.stdin).Repositories(ctx) {
			if err == nil {
				r.Name = repo.Name
			}
			break
		}
	}
	return r
}

func runGrantCheck(ctx context.Context, w world, o grantOptions, args []string) error {
	f, one, err := o.grant(args)
	if err != nil {
		return err
	}
	c := checker{w: w, o: o, repository: o.repositoryOf(ctx, w).Name, tokens: map[string]oidc.Claims{}}
	if o.claims != "" {
		saved, err := o.readClaims(w)
		if err != nil {
			return err
		}
		c.saved = &saved
	}
	list := f.Grants
	if one != nil {
		list = []*grant.Grant{one}
	}
	var decisions []grant.Decision
	admitted := false
	for _, g := range list {
		d, err := c.decide(ctx, g)
		if err != nil {
			return err
		}
		decisions = append(decisions, d)
		admitted = admitted || d.Admit
	}
	if err := writeDecisions(w.stdout, decisions, one != nil); err != nil {
		return err
	}
	if !admitted {
		return errStatus(exitFindings)
	}
	return nil
}

// A checker decides grants on saved claims or on tokens of the job.
type checker struct {
	w          world
	o          grantOptions
	repository string
	saved      *oidc.Claims
	tokens     map[string]oidc.Claims // by issuer and subject, if the grant names them, and audience
}

// decide decides a grant for the token of each of its providers; the first refusal
// is the answer.
func (c checker) decide(ctx context.Context, g *grant.Grant) (grant.Decision, error) {
	list, err := venue{}.providers(c.w, g)
	if err != nil {
		return grant.Decision{}, err
	}
	var d grant.Decision
	for _, p := range list {
		want := grant.Expect{Repository: c.repository, Audience: cmp.Or(c.o.audience, p.Audience())}
		claims, err := c.claims(ctx, g, want.Audience)
		if err != nil {
			return d, err
		}
		if c.saved == nil {
			want.Now = c.w.now()
		}
		want.Issuer = issuerOf(jobOf(c.w).issuer(), claims)
		if d = g.Decide(claims, want); !d.Admit {
			break
		}
	}
	return d, nil
}

func (c checker) claims(ctx context.Context, g *grant.Grant, audience string) (oidc.Claims, error) {
	if c.saved != nil {
		return *c.saved, nil
	}
	key := strings.Join([]string{g.For.Issuer, g.For.Subject, audience}, " ")
	if known, ok := c.tokens[key]; ok {
		return known, nil
	}
	token, err := venue{}.source(c.w, g, "").Token(ctx, audience)
	if err != nil {
		return oidc.Claims{}, err
	}
	c.tokens[key] = token.Claims
	return token.Claims, nil
}

// readClaims reads the file of --claims.
func (o grantOptions) readClaims(w world) (oidc.Claims, error) {
	var b []byte
	var err error
	if o.claims == "-" {
		b, err = readAll(w.stdin, maxClaimsBytes)
	} else {
		b, err = readBounded(machine{}, o.claims, maxClaimsBytes)
	}
	if err != nil {
		return oidc.Claims{}, usage("give a file that holds the claims of one id-token as JSON", "the claims in %q cannot be read: %s", o.claims, reason(err))
	}
	claims, err := oidc.ParseClaims(b)
	if err != nil {
		return oidc.Claims{}, asUsage(err)
	}
	return claims, nil
}

// writeDecisions explains one decision in full, and several in a line each.
func writeDecisions(out io.Writer, decisions []grant.Decision, full bool) error {
	if len(decisions) == 0 {
		fmt.Fprintln(out, "the file has no grants")
		return nil
	}
	if full {
		return grant.WriteDecision(out, decisions[0])
	}
	refused := ""
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, d := range decisions {
		if d.Admit {
			fmt.Fprintf(t, "%s\tadmitted\n", d.Grant)
			continue
		}
		refused = cmp.Or(refused, d.Grant)
		fmt.Fprintf(t, "%s\trefused\tfor its %s\n", d.Grant, strings.Join(differing(d), ", "))
	}
	if err := t.Flush(); err != nil || refused == "" {
		return err
	}
	_, err := fmt.Fprintf(out, "\nstint grant check %s says what was expected and what to change\n", refused)
	return err
}

// differing lists the claims for which a grant is refused, each once.
func differing(d grant.Decision) []string {
	var list []string
	for _, r := range d.Reasons {
		if !slices.Contains(list, r.Claim) {
			list = append(list, r.Claim)
		}
	}
	return list
}
