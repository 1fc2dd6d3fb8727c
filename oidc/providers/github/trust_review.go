package github

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/trust"
)

func stsFinding(class string, grade trust.Grade, format string, args ...any) trust.Finding {
	f := trust.Found(class, grade)
	f.Message = fmt.Sprintf(format, args...)
	return f
}

// Review says what octo-sts refuses, how patterns fit more than they seem to, and what
// the token may do.
func (p *stsPolicy) Review() []trust.Finding {
	if p.broken != "" {
		return []trust.Finding{stsFinding("invalid", trust.Invalid, "octo-sts does not take the policy: %s", p.broken)}
	}
	var found []trust.Finding
	found = append(found, p.reviewIssuer()...)
	texts := p.texts()
	for _, field := range slices.Sorted(maps.Keys(texts)) {
		s := scanPattern(texts[field])
		if s.alternatives {
			found = append(found, p.unanchored(field, texts[field]))
		}
		if s.dot {
			found = append(found, stsFinding("unescaped-dot", "", "a dot in %.80q stands for any character", field))
		}
	}
	if strings.ContainsAny(p.Subject, "*") {
		found = append(found, stsFinding("literal-wildcard", trust.Dead, "subject is compared as it stands, also its star"))
	}
	if p.Subject != "" && !validSubject(p.Subject) {
		found = append(found, stsFinding("never-admits", trust.Dead, "subject has a character for which octo-sts refuses every token"))
	}
	if len(p.unknown) > 0 {
		found = append(found, stsFinding("not-resolved", "", "the policy has fields that octo-sts does not know: %.200q", strings.Join(p.unknown, ", ")))
	}
	return append(found, p.reviewRights()...)
}

func (p *stsPolicy) reviewIssuer() []trust.Finding {
	switch {
	case p.IssuerPattern != "" && !slices.Equal(meanings(p.IssuerPattern), []string{trust.GitHubIssuer}):
		return []trust.Finding{trust.Found("issuer-pattern", "")}
	case p.Issuer != "" && (strings.HasSuffix(p.Issuer, "/") || !strings.HasPrefix(p.Issuer, "https://")):
		return []trust.Finding{stsFinding("wrong-issuer", trust.Dead, "no token has the issuer %.200q", p.Issuer)}
	case strings.HasPrefix(p.Issuer, "https://vstoken.actions.githubusercontent.com"):
		return []trust.Finding{trust.Found("old-issuer", trust.Dead)}
	}
	return nil
}

// unanchored is a pattern with alternatives outside of a group, with a token that it
// lets in because of that, where one is found.
func (p *stsPolicy) unanchored(field, text string) trust.Finding {
	f := stsFinding("pattern-anchoring", trust.Bad, "the alternatives of %.80q are anchored on one side each: what begins like the first or ends like the last gets in", field)
	f.Next = "put them into one group: (?:" + fmt.Sprintf("%.200s", strings.Trim(fmt.Sprintf("%q", text), `"`)) + ")"
	if field != "subject_pattern" {
		return f
	}
	for _, meaning := range meanings(text) {
		sub, open := strings.CutSuffix(meaning, "*")
		if !open || strings.Contains(sub, "*") {
			continue
		}
		claims := map[string]string{"iss": p.Issuer, "aud": p.Audience(), "sub": sub + "-evil"}
		if len(p.ClaimPattern) == 0 && p.Decide(oidc.Claims{Audience: []string{claims["aud"]}, Values: claims}).Admits {
			f.Witness = claims
			return f
		}
	}
	return f
}

// reviewRights looks at what the token may do.
func (p *stsPolicy) reviewRights() []trust.Finding {
	var found []trust.Finding
	var writes []string
	for _, name := range slices.Sorted(maps.Keys(p.Permissions)) {
		if p.Permissions[name] == "write" || p.Permissions[name] == "admin" {
			writes = append(writes, name)
		}
	}
	switch {
	case len(p.Permissions) == 0:
		found = append(found, stsFinding("invalid", trust.Invalid, "the policy gives no permission: there is no token to issue"))
	case len(writes) > 0 && p.admitsPull():
		found = append(found, stsFinding("write-permission", trust.Bad, "pull requests may write %.200s", strings.Join(writes, ", ")))
	case len(writes) > 0 && len(p.Targets()) != 1:
		found = append(found, stsFinding("write-permission", "", "more than one workload may write %.200s", strings.Join(writes, ", ")))
	case len(writes) == 0 && p.namesPull():
		f := stsFinding("pull-request", trust.Caution, "the policy names pull requests, and pull_request_target carries the same subject; the token may only read")
		f.Severity = "medium"
		found = append(found, f)
	}
	if strings.Contains("/"+p.path, "/.github/"+octoDirectory) && len(p.Repositories) == 0 {
		found = append(found, trust.Found("all-repositories", ""))
	}
	return found
}

// namesPull reports whether the text names the subject of pull requests.
func (p *stsPolicy) namesPull() bool {
	return slices.ContainsFunc(p.Targets(), func(t trust.Target) bool {
		return oidc.ParseSubject(t.Subject).Kind == oidc.SubjectPullRequest
	})
}

// admitsPull reports whether pull requests of a repository that the text names get in.
func (p *stsPolicy) admitsPull() bool {
	if p.namesPull() {
		return true
	}
	return slices.ContainsFunc(p.Targets(), func(t trust.Target) bool {
		s := oidc.Subject{Owner: t.Owner, Repo: t.Repository, Kind: oidc.SubjectPullRequest}
		if t.Owner == "" || t.Repository == "" {
			return false
		}
		named := p.patterns.fits("subject_pattern", p.Subject, s.String())
		s.OwnerID, s.RepoID = t.OwnerID, t.RepositoryID
		return named || s.OwnerID != "" && s.RepoID != "" && p.patterns.fits("subject_pattern", p.Subject, s.String())
	})
}
