// Package dependencyexecution is the rule dependency-execution; see README.md.
package dependencyexecution

import (
	_ "embed"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

//go:embed README.md
var readme string

// Rule reports updates in which Dependabot may run the code of dependencies.
var Rule = &lint.Rule{
	ID:         "dependency-execution",
	Title:      "dependabot may run the code of the dependencies that it looks at",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Tags:       []string{"NHI3:2025"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	updates := p.File.Dependabot.Field("updates")
	if updates == nil {
		return
	}
	for _, u := range updates.Items {
		value := u.Field("insecure-external-code-execution").Text()
		if value.String() != "allow" {
			continue
		}
		f := lint.Finding{
			Span: value.Span, Exposure: reach.Exposure{Credentials: credentials(p, u), Steer: reach.FetchedCode},
			Next: "remove the line; if an update needs it, give it no registry with a token",
		}
		f.Message = workflows.Printable(u.Field("package-ecosystem").Text().String()) + " dependencies may run their code while dependabot looks for updates"
		if len(f.Exposure.Credentials) > 0 {
			f.Message += "; it could take " + reach.CredentialList(f.Exposure.Credentials)
		}
		p.Report(f)
	}
}

// credentials returns the stored secrets of the registries that an update uses.
func credentials(p *lint.Pass, update *workflows.Value) []*reach.Credential {
	all := p.File.Dependabot.Field("registries")
	uses := update.Field("registries")
	if all == nil || uses == nil {
		return nil
	}
	var out []*reach.Credential
	for _, registry := range all.Fields {
		named := uses.Text().String() == "*" || slices.ContainsFunc(uses.Items, func(v *workflows.Value) bool { return v.Text().String() == registry.Key.Value })
		if !named {
			continue
		}
		for _, f := range registry.Value.Fields {
			if name, ok := secretOf(f.Value.Text()); ok {
				out = append(out, &reach.Credential{
					Kind: reach.StoredSecret, Name: name, Lifetime: reach.Standing, Opens: platform.LookupSecret(name).Opens, Writes: true,
					Enters: []reach.Site{{File: p.File, Span: f.Value.Span}},
				})
			}
		}
	}
	return out
}

// secretOf returns the name in ${{ secrets.NAME }}, the only expression that
// dependabot reads.
func secretOf(s *workflows.Scalar) (string, bool) {
	_, rest, ok := strings.Cut(strings.ReplaceAll(s.String(), " ", ""), "${{secrets.")
	name, _, closed := strings.Cut(rest, "}}")
	return name, ok && closed && name != "" && !platform.LookupSecret(name).Public
}
