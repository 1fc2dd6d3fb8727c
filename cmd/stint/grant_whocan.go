package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers"
	"github.com/stint-dev/stint/oidc/trust"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

type whoCanOptions struct {
	lockOptions
	workflows, format string
	policies          []string
}

func grantWhoCanCommand(w world) *cobra.Command {
	var o whoCanOptions
	c := &cobra.Command{
		Use:   "who-can GRANT|ROLE|FILE",
		Short: "list the jobs whose tokens a grant or a trust policy admits",
		Long: `who-can joins the two halves: it puts together the claims that each job with
id-token: write presents, for each event that starts it, and asks the grant, the
policy FILE, or the policy of ROLE in the files of --policy.

"always" is a job that gets in whatever its workflow leaves open (the ref of a
dispatch, an expression as the environment, the ids); "possibly" is one that
gets in with some of it. Signatures, rulesets and the rules of environments are
not looked at.

Exit status: 0 answered, 2 wrong use, 3 a workflow could not be read.`,
		Example: `  stint grant who-can deploy-site
  stint grant who-can role.json --workflows ../site
  stint grant who-can aws_iam_role.deploy --policy infra/`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runWhoCan(cmd.Context(), w, o, args[0]) },
	}
	o.grantOptions.flags(c)
	f := c.Flags()
	f.StringVar(&o.ownerID, "owner-id", "", "decimal `ID` of the repository's owner")
	f.StringVar(&o.id, "repository-id", "", "decimal `ID` of the repository")
	f.StringVar(&o.subject, "subject", "", "`FORM` of sub: name, immutable or either")
	f.StringVar(&o.workflows, "workflows", ".", "the repository `PATH` whose jobs are asked about")
	f.StringArrayVar(&o.policies, "policy", nil, "a `FILE` or directory that holds the policy of ROLE; may be given again")
	f.StringVar(&o.format, "format", "text", "`FORMAT`: text or json")
	return c
}

// An asked is a grant or a policy.
type asked struct {
	name     string
	hints    []trust.Target
	audience string
	admits   func(oidc.Claims) (admits, exact bool)
}

// A canAnswer is one job that may get in, in runs of one event.
type canAnswer struct {
	File    string            `json:"file"`
	Job     string            `json:"job"`
	Event   string            `json:"event"`
	Who     string            `json:"who"`
	Always  bool              `json:"always"`
	Exact   bool              `json:"exact"`
	Open    []string          `json:"open"`
	Witness map[string]string `json:"witness"`
}

func runWhoCan(ctx context.Context, w world, o whoCanOptions, name string) error {
	if err := checkFormat(o.format); err != nil {
		return err
	}
	repo, err := o.trustRepository(ctx, w)
	if err != nil {
		return err
	}
	answers, incomplete := []canAnswer{}, false
	var lock asked
	for read, err := range workflows.ReadAhead(ctx, workflows.Open([]string{o.workflows}, w.stdin)) {
		if err != nil {
			return err
		}
		repo.Name = cmp.Or(o.repository, read.Name, repo.Name)
		if repo.Name == "" {
			return usage("name it: --repository OWNER/REPO", "it is not known whose workflows these are")
		}
		if lock, err = o.lock(repo, name); err != nil {
			return err
		}
		g := reach.Build(read)
		incomplete = reportUnread(w.stderr, read) || incomplete
		answers = append(answers, o.answers(g, lock, guess{repo, lock.hints})...)
	}
	if o.format == "json" {
		err = writeJSON(w.stdout, map[string]any{"asked": lock.name, "repository": repo.Name, "jobs": answers})
	} else {
		writeWhoCan(w.stdout, lock, repo, answers, terminalWidth(w))
	}
	if err == nil && incomplete {
		return errStatus(exitIncomplete)
	}
	return err
}

// lock finds what is asked: a policy file, a role in the policy files, or a grant.
func (o whoCanOptions) lock(repo trust.Repository, name string) (asked, error) {
	if info, err := os.Stat(name); err == nil && !info.IsDir() && len(o.policies) == 0 {
		o.policies = []string{name}
		return o.policy("")
	}
	if len(o.policies) > 0 {
		return o.policy(name)
	}
	_, g, err := o.grant([]string{name})
	if err != nil {
		return asked{}, err
	}
	expect := grant.Expect{Repository: repo.Name}
	a := asked{name: "grant " + g.Name, admits: func(c oidc.Claims) (bool, bool) { return g.Decide(c, expect).Admit, true }}
	for _, ref := range g.For.Refs {
		a.hints = append(a.hints, trust.Named(map[string][]string{"ref": {ref}})...)
	}
	a.hints = append(a.hints, trust.Target{Environment: g.For.Environment, OwnerID: g.For.RepositoryOwnerID, RepositoryID: g.For.RepositoryID})
	return a, nil
}

func (o whoCanOptions) policy(role string) (asked, error) {
	files, err := readLocks(o.policies, providers.Clouds())
	if err != nil {
		return asked{}, err
	}
	var names []string
	for _, f := range files {
		if f.err != nil {
			return asked{}, policyError(f.path, f.err)
		}
		for _, d := range f.docs {
			if !isRole(d, role) {
				names = append(names, d.Name)
				continue
			}
			p, err := parseLock(d)
			if err != nil {
				return asked{}, policyError(d.Path, err)
			}
			return asked{name: cmp.Or(d.Name, d.Path), hints: p.Targets(), audience: p.Audience(), admits: func(c oidc.Claims) (bool, bool) {
				answer := p.Decide(c)
				return answer.Admits, answer.Exact
			}}, nil
		}
	}
	if len(names) == 0 {
		return asked{}, usage("stint trust lint says what it finds in a file", "no trust policy about GitHub's tokens is in what was given")
	}
	return asked{}, usage("the names are "+joinFew(names), "there is no policy of %q in what was given", role)
}

// isRole compares a policy's name with a role's name, its ARN or its address.
func isRole(d trust.Document, role string) bool {
	last := role[strings.LastIndexByte(role, '/')+1:]
	return role == "" || d.Name == role || d.Name == last || strings.HasSuffix(d.Name, "."+role)
}

// answers asks about all jobs.
func (o whoCanOptions) answers(g *reach.Graph, lock asked, q guess) []canAnswer {
	var list []canAnswer
	for _, j := range g.Jobs {
		for _, p := range q.presences(g, j) {
			if a, ok := o.ask(lock, p); ok {
				a.File, a.Job = j.File.Path, j.Job.ID
				list = append(list, a)
			}
		}
	}
	return list
}

// ask asks about the tokens of one presence.
func (o whoCanOptions) ask(lock asked, p presence) (canAnswer, bool) {
	a := canAnswer{Event: p.event, Who: p.who, Always: true, Exact: true, Open: slices.Clone(p.open)}
	forms := []bool{false, true}
	switch trust.SubjectForm(o.subject) {
	case trust.NameSubject:
		forms = forms[:1]
	case trust.ImmutableSubject:
		forms = forms[1:]
	default:
		a.Open = append(a.Open, "form of sub")
	}
	for _, t := range p.targets {
		t.Audience = lock.audience
		for _, immutable := range forms {
			claims := t.Token(immutable)
			admits, exact := lock.admits(claims)
			if !admits {
				a.Always = false
				continue
			}
			a.Exact = a.Exact && exact
			if a.Witness == nil {
				a.Witness = claims.Values
			}
		}
	}
	return a, a.Witness != nil
}

func writeWhoCan(out io.Writer, lock asked, repo trust.Repository, answers []canAnswer, width int) {
	fmt.Fprintf(out, "%s, asked about the jobs of %s\n", workflows.Printable(lock.name), workflows.Printable(repo.Name))
	for _, a := range answers {
		verdict := "possibly"
		if a.Always {
			verdict = "always"
		}
		if !a.Exact {
			verdict += ", as far as the policy is read"
		}
		fmt.Fprintf(out, "\n%s\n", wrap(workflows.Printable(fmt.Sprintf("%s:%s on %s, started by %s: %s", a.File, a.Job, a.Event, a.Who, verdict)), width, ""))
		fmt.Fprintln(out, wrap("for one: "+workflows.Printable(a.Witness["sub"]+" on "+a.Witness["ref"]), width, "  "))
		if !a.Always {
			fmt.Fprintln(out, wrap("the workflow leaves open: "+strings.Join(a.Open, ", "), width, "  "))
		}
	}
	if len(answers) == 0 {
		fmt.Fprintln(out, "\nno job of these workflows presents a token that gets in")
	}
}
