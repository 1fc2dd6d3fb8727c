package grant

import (
	"slices"
	"strings"

	"github.com/stint-dev/stint/oidc"
)

// subject holds sub against the claims that say the same thing. The issuer never
// contradicts itself; a file of claims put together by hand does, and a relying
// party that reads sub alone would decide on the other half.
func (j *judge) subject() {
	if j.missing("sub", "the subject of the job") {
		return
	}
	s := oidc.ParseSubject(j.c.Get("sub"))
	if s.Owner != "" {
		if name := s.Owner + "/" + s.Repo; name != j.c.Get("repository") {
			j.disagree("repository", caseOr(name, j.c.Get("repository"), ClassInconsistent))
		}
	}
	if s.OwnerID != "" && s.OwnerID != j.c.Get("repository_owner_id") {
		j.disagree("repository_owner_id", ClassImmutable)
	}
	if s.RepoID != "" && s.RepoID != j.c.Get("repository_id") {
		j.disagree("repository_id", ClassImmutable)
	}
	if s.Form != oidc.SubjectCustom {
		j.context(s)
	}
}

// context holds the last part of sub against environment, ref and event_name.
func (j *judge) context(s oidc.Subject) {
	environment := j.c.Get("environment")
	if environment != "" {
		// By String, because the escape of sub is not one to one.
		s.Kind, s.Value = oidc.SubjectEnvironment, environment
		if s.String() != j.c.Get("sub") {
			j.disagree("environment", ClassInconsistent)
		}
		return
	}
	switch s.Kind {
	case oidc.SubjectEnvironment:
		j.disagree("environment", ClassInconsistent)
	case oidc.SubjectRef:
		s.Value = j.c.Get("ref")
		if s.String() != j.c.Get("sub") {
			j.disagree("ref", ClassInconsistent)
		}
	case oidc.SubjectPullRequest:
		if !slices.Contains(pullRequestEvents, j.c.Get("event_name")) {
			j.disagree("event_name", ClassPullRequest)
		}
	}
}

// disagree refuses because sub and another claim say different things.
func (j *judge) disagree(claim string, class Class) {
	why := "sub " + quote(j.c.Get("sub")) + " needs the claim " + claim + " beside it, which the token has not"
	if v := j.c.Get(claim); v != "" {
		why = "sub " + quote(j.c.Get("sub")) + " does not agree with " + claim + " " + quote(v) + " of the same token"
	}
	j.refuse("sub", "one that agrees with "+claim, class, why,
		"use the claims of one token as the issuer gave them")
}

func (j *judge) issuer() {
	want, got := j.want.Issuer, j.c.Get("iss")
	if want == "" || j.missing("iss", want) || got == want {
		return
	}
	text := "the token is from " + quote(got)
	switch {
	case strings.HasPrefix(got, want+"/"):
		text += ": the enterprise has switched on an issuer with its own name"
	case strings.HasPrefix(want, got+"/"):
		text += ": it lacks the enterprise's name"
	}
	j.refuse("iss", want, ClassIssuer, text, "register the token's issuer with the cloud and expect it here, or ask in a job of "+want)
}

func (j *judge) audience() {
	want := j.want.Audience
	if want == "" || len(j.c.Audience) == 1 && j.c.Audience[0] == want {
		return
	}
	const next = "ask for a token with this audience alone"
	if len(j.c.Audience) == 0 {
		j.refuse("aud", want, ClassAudience, "the token has no audience", next)
		return
	}
	got := quote(list(j.c.Audience))
	j.no = append(j.no, Reason{
		Claim: "aud", Expected: want, Got: list(j.c.Audience), Class: ClassAudience,
		Text: "the token is for " + got, Next: next,
	})
}

func (j *judge) times() {
	now := j.want.Now
	if now.IsZero() {
		return
	}
	if exp := j.c.Expires; !exp.IsZero() && !now.Before(exp.Add(Leeway)) {
		j.refuse("exp", "after "+day(now), ClassExpired, "the token expired at "+day(exp), "get a fresh token; a job's lives about five minutes")
	}
	if nbf := j.c.NotBefore; !nbf.IsZero() && now.Before(nbf.Add(-Leeway)) {
		j.refuse("nbf", "before "+day(now), ClassExpired, "the token is not valid before "+day(nbf), "set the clock of this machine")
	}
}
