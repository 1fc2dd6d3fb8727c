package sigstore

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/stint-dev/stint/oidc/fulcio"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/trust"
)

// renderIdentity writes what to demand of the certificates of a grant's jobs.
func renderIdentity(g *grant.Grant, target *grant.Target, repo trust.Repository) (trust.Lock, error) {
	terms, err := trust.TermsOf(g, repo)
	if err != nil {
		return trust.Lock{}, err
	}
	var c config
	if target != nil {
		if err := target.Decode(&c); err != nil {
			return trust.Lock{}, err
		}
	}
	p, err := identityOf(g, terms)
	if err != nil {
		return trust.Lock{}, err
	}
	body, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return trust.Lock{}, err
	}
	lock := trust.Lock{Cloud: Name, AlsoAdmits: p.residue(g, terms), CLI: p.command(),
		Documents: []trust.Rendered{{Name: "signer-identity", Body: string(body) + "\n"}}}
	read, err := parseIdentity(trust.Document{Cloud: Name, Name: lock.Documents[0].Name, Body: body})
	if err != nil {
		return trust.Lock{}, err
	}
	read.(*identity).audience = cmp.Or(c.Audience, fulcio.Audience)
	lock.Policy = read
	return lock, nil
}

// identityOf fills in the flags that can say what the grant says.
func identityOf(g *grant.Grant, terms trust.Terms) (*identity, error) {
	files, issuer := terms.Of("job_workflow_ref"), terms.Repository.Issuer
	switch {
	case !ofGitHub(issuer):
		return nil, fmt.Errorf("which server a fulcio names for tokens of %.200q is for its configuration to say", issuer)
	case len(files) == 0:
		return nil, fmt.Errorf("the identity of a signer is a workflow file, and grant %q names none", g.Name)
	}
	p := &identity{Issuer: issuer, Repository: terms.Repository.Name}
	p.Ref, p.Trigger = only(terms.Of("ref")), only(terms.Of("event_name"))
	for _, f := range files {
		if strings.Contains(f.Text, "%") {
			return nil, fmt.Errorf("the identity of a certificate does not hold the %% of %.200q as it is", f.Text)
		}
	}
	if p.SAN = only(files); p.SAN != "" {
		p.SAN = sanOf(p.SAN)
	} else {
		p.SANPattern = patternOf(files)
	}
	return p, nil
}

// only is the one value that there is, "" when there are several or none.
func only(values []trust.Value) string {
	if len(values) == 1 && !values[0].Open {
		return values[0].Text
	}
	return ""
}

// patternOf matches the identities of these files and nothing else.
func patternOf(files []trust.Value) string {
	texts := make([]string, len(files))
	for i, f := range files {
		texts[i] = regexp.QuoteMeta(sanOf(f.Text))
		if f.Open {
			texts[i] += ".+"
		}
	}
	return "^(?:" + strings.Join(texts, "|") + ")$"
}

// residue lists what no flag says. A certificate does not show sub, so that what a
// subject settles elsewhere is open here.
func (p *identity) residue(g *grant.Grant, terms trust.Terms) []trust.Residue {
	list := []trust.Residue{}
	exact := p.exact()
	for _, t := range terms.Terms {
		switch {
		case t.Claim == "job_workflow_ref" || exact[t.Claim].value != "":
			continue
		case t.Claim == "ref":
			t.Text = "runs on any branch or tag, as far as the identity names none"
		case t.Claim == "environment":
			t.Text = "jobs with another environment, or with none"
		}
		list = append(list, trust.Residue{Claim: t.Claim, Text: t.Text})
	}
	if g.For.Environment == "" {
		list = append(list, trust.Residue{Claim: "environment", Text: "jobs with any environment, too"})
	}
	return list
}

// command is what a verifier runs.
func (p *identity) command() string {
	var w strings.Builder
	w.WriteString("cosign verify-blob --bundle ARTIFACT.sigstore.json")
	flags := []flag{{"certificate-identity", p.SAN}, {"certificate-identity-regexp", p.SANPattern}, {"certificate-oidc-issuer", p.Issuer}}
	exact := p.exact()
	for _, claim := range []string{"repository", "ref", "event_name"} {
		flags = append(flags, exact[claim])
	}
	for _, f := range flags {
		if f.value != "" {
			w.WriteString(" \\\n  --" + f.name + " '" + strings.ReplaceAll(f.value, "'", `'\''`) + "'")
		}
	}
	w.WriteString(" \\\n  ARTIFACT\n")
	return w.String()
}
