package grant

import "strings"

// readForeign reads the for: of a grant that is for tokens of another issuer. They have
// none of GitHub's claims, so a key that looks at one would admit nothing, and one that
// is left out must not come to mean a job of this repository.
func (r reader) readForeign(g *Grant, k pair, keys []pair, raw rawFor, at string) error {
	for _, key := range keys {
		if key.name != "issuer" && key.name != "subject" {
			return problem(r.path, key.line, "make two grants: one for GitHub's jobs, one for the other issuer's tokens",
				"%s has %s beside issuer and subject, whose tokens have no such claim", at, key.name)
		}
	}
	if raw.Issuer == "" || raw.Subject == "" {
		return problem(r.path, k.line, "write both: { issuer: https://spire.example.org, subject: spiffe://example.org/ci/release }",
			"%s needs issuer and subject together", at)
	}
	g.For = For{Issuer: raw.Issuer, Subject: raw.Subject}
	return nil
}

// isForeignIssuer accepts the address of an issuer that is not GitHub's. A token of
// GitHub's is admitted by its claims one by one, never by a subject alone, because the
// same subject comes with events and workflows of very different trust.
func isForeignIssuer(s string) bool {
	host := strings.TrimPrefix(strings.ToLower(s), "https://")
	return len(s) <= 255 && issuerForm.MatchString(s) &&
		!strings.HasPrefix(host, "token.actions.") && !strings.HasSuffix(host, "/_services/token")
}

// foreign compares a token of another issuer: who issued it and for whom, both whole.
func (j *judge) foreign() {
	f := j.g.For
	if got := j.c.Get("iss"); !j.missing("iss", f.Issuer) && got != f.Issuer {
		j.refuse("iss", f.Issuer, caseOr(got, f.Issuer, ClassIssuer), "the token is from "+quote(got)+sameButCase(got, f.Issuer),
			"take the token from "+f.Issuer+", or change "+j.at("issuer"))
	}
	if got := j.c.Get("sub"); !j.missing("sub", f.Subject) && got != f.Subject {
		j.refuse("sub", f.Subject, caseOr(got, f.Subject, ClassOther), "the token is of "+quote(got)+sameButCase(got, f.Subject),
			"ask as "+f.Subject+", or change "+j.at("subject"))
	}
}
