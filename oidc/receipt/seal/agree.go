package seal

import (
	"fmt"
	"maps"
	"net/url"
	"strings"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"

	"github.com/stint-dev/stint/oidc/receipt"
)

// A statement is what a certificate states of the job, by the name of the claim that
// states the same. What it does not state is absent.
type statement map[string]string

// statementOf reads the extensions that Fulcio gives to certificates for GitHub's tokens
// (fulcio docs/oid-info.md, OIDs 1.3.6.1.4.1.57264.1.8 to .22). Addresses are compared
// without their server, which an own issuer has another of.
func statementOf(c *certificate.Summary) statement {
	s := statement{}
	for claim, value := range map[string]string{
		"iss":                c.Issuer,
		"job_workflow_ref":   path(c.BuildSignerURI),
		"job_workflow_sha":   c.BuildSignerDigest,
		"runner_environment": c.RunnerEnvironment,
		"repository":         path(c.SourceRepositoryURI),
		"sha":                c.SourceRepositoryDigest,
		"ref":                c.SourceRepositoryRef,
		"repository_id":      c.SourceRepositoryIdentifier,
		"workflow_ref":       path(c.BuildConfigURI),
		"workflow_sha":       c.BuildConfigDigest,
		"event_name":         c.BuildTrigger,
	} {
		if value != "" {
			s[claim] = value
		}
	}
	// …/OWNER/REPO/actions/runs/ID/attempts/N
	if _, run, ok := strings.Cut(path(c.RunInvocationURI), "/actions/runs/"); ok {
		s["run_id"], s["run_attempt"], _ = strings.Cut(run, "/attempts/")
	}
	return s
}

func path(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return strings.TrimPrefix(u.Path, "/")
}

// order is that in which claims are compared and told.
var order = []string{
	"iss", "repository", "repository_id", "run_id", "run_attempt", "event_name", "ref", "sha",
	"workflow_ref", "workflow_sha", "job_workflow_ref", "job_workflow_sha", "runner_environment",
}

// agree compares the claims in the receipts with what the certificate states, and returns
// the names of those that every receipt with claims has the same. Lines of other runs in
// the file are refused: the certificate cannot vouch for them.
func agree(s statement, lines []receipt.Line) ([]string, error) {
	seen := map[string]bool{}
	for i, l := range lines {
		claims := claimsOf(l.Event)
		for _, claim := range order {
			want, stated := s[claim]
			got, claimed := claims[claim]
			if !stated || !claimed {
				continue
			}
			if want != got {
				return nil, sealError(fmt.Sprintf("line %d is of another job than the signature: its %s is %s, and the certificate says %s", i+1, claim, quote(got), quote(want)), nil)
			}
			seen[claim] = true
		}
	}
	var names []string
	for _, claim := range order {
		if seen[claim] {
			names = append(names, claim)
		}
	}
	return names, nil
}

// claimsOf are the claims of an event, or what its run says of them.
func claimsOf(e receipt.Event) map[string]string {
	claims := map[string]string{}
	if e.Run != nil {
		for name, value := range map[string]string{"repository": e.Run.Repository, "run_id": e.Run.ID, "run_attempt": e.Run.Attempt} {
			if value != "" {
				claims[name] = value
			}
		}
	}
	if e.Claims != nil {
		maps.Copy(claims, e.Claims.Chosen)
	}
	return claims
}
