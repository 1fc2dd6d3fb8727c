// Package apptokenscope is the rule app-token-scope; see README.md.
package apptokenscope

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

// Rule reports installation tokens of apps that are wider or live longer than their use.
var Rule = &lint.Rule{
	ID:         "app-token-scope",
	Title:      "an app's token is minted for all repositories, with all permissions, or is not revoked",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Tags:       []string{"NHI5:2025", "PR.AA-05"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	p.Steps(func(s *workflows.Step, job *reach.Job) {
		if s.Uses == nil || s.With != nil && s.With.Whole != nil {
			return
		}
		if info, ok := platform.LookupAppToken(s.Uses.FullName()); ok {
			judge(p, s, job, info)
		}
	})
}

func judge(p *lint.Pass, s *workflows.Step, job *reach.Job, info platform.AppToken) {
	var wide, next []string
	if everyRepository(s, info) {
		wide = append(wide, "for every repository of the installation")
		if info.Repositories != "" {
			next = append(next, "list the repositories in "+info.Repositories+":")
		}
	}
	if everyPermission(s, info) {
		wide = append(wide, "with every permission that the app has")
		if info.Permissions != "" {
			next = append(next, "state what it may do in "+strings.ReplaceAll(info.Permissions, "*", "…")+":")
		}
	}
	if left := left(s, info); left != "" {
		wide = append(wide, left)
		next = append(next, "let it be revoked when the job ends")
	}
	if len(wide) == 0 {
		return
	}
	if info.Repositories == "" || info.Permissions == "" {
		next = append(next, "mint it by actions/create-github-app-token, which can narrow it and revokes it")
	}
	f := lint.Finding{Span: s.Uses.Span, Job: job, Exposure: reach.Elsewhere(reach.OwnCode)}
	loss := "code in the jobs that use the action could take it"
	if job != nil {
		f.Exposure, f.Code, loss = job.Loss(minted(p, s, job))
	}
	f.Message = "the app's token is minted " + list(wide) + "; " + loss
	f.Next = strings.Join(next, ", and ")
	p.Report(f)
}

// everyRepository reports whether nothing limits the token to some repositories.
func everyRepository(s *workflows.Step, info platform.AppToken) bool {
	if info.Owner != "" && s.With.Get(info.Owner).String() == "" {
		return false // the current repository alone
	}
	return info.Repositories == "" || s.With.Get(info.Repositories).String() == ""
}

// everyPermission reports whether no permission is stated.
func everyPermission(s *workflows.Step, info platform.AppToken) bool {
	prefix, many := strings.CutSuffix(info.Permissions, "*")
	if info.Permissions == "" {
		return true
	}
	return !slices.ContainsFunc(s.With.All(), func(e workflows.Entry) bool {
		name := strings.ToLower(e.Key.Value)
		return e.Value.Value != "" && (name == prefix || many && strings.HasPrefix(name, prefix))
	})
}

// left says that the token is not revoked when the job ends, "" when it is.
func left(s *workflows.Step, info platform.AppToken) string {
	end, ok := platform.LookupEnding(s.Uses.FullName())
	switch {
	case ok && strings.EqualFold(s.With.Get(end.Name).String(), end.Off),
		info.Revoke == "never",
		info.Revoke != "" && !strings.EqualFold(s.With.Get(info.Revoke).String(), "true"):
		return "without being revoked when the job ends"
	}
	return ""
}

// minted returns the credential that the step leaves in the job.
func minted(p *lint.Pass, s *workflows.Step, job *reach.Job) []*reach.Credential {
	at := reach.Site{File: p.File, Span: s.Uses.Span}
	for _, c := range job.Credentials {
		if c.Kind == reach.AppToken && slices.Contains(c.Enters, at) {
			return []*reach.Credential{c}
		}
	}
	return nil
}

func list(parts []string) string {
	last := len(parts) - 1
	if last == 0 {
		return parts[0]
	}
	return strings.Join(parts[:last], ", ") + " and " + parts[last]
}
