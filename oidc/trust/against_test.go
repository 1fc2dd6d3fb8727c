package trust_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/trust"
)

// A fixed policy gives one answer.
type fixed trust.Answer

func (f fixed) Decide(oidc.Claims) trust.Answer { return trust.Answer(f) }
func (fixed) Audience() string                  { return "" }
func (fixed) Targets() []trust.Target           { return nil }
func (fixed) Review() []trust.Finding           { return nil }

func TestAgainstSaysWhetherTheTokenFitsTheLockOfTheGrant(t *testing.T) {
	c := oidc.Claims{Issuer: "https://issuer.example", Values: map[string]string{"repository": "acme/site", "repository_id": "2", "repository_owner_id": "1"}}
	for want, row := range map[string]struct {
		answer fixed
		err    error
	}{
		"stint grant render deploy --for cloud":              {fixed{Admits: true}, nil},
		"does not fit the lock for this grant: other branch": {fixed{Why: "other branch"}, nil},
		"no lock can be rendered for this grant: too long":   {fixed{}, errors.New("too long")},
	} {
		cloud := trust.Cloud{Name: "cloud", Render: func(_ *grant.Grant, _ *grant.Target, repo trust.Repository) (trust.Lock, error) {
			if repo != (trust.Repository{Name: "acme/site", OwnerID: "1", ID: "2", Issuer: "https://issuer.example"}) {
				t.Errorf("rendered for %+v", repo)
			}
			return trust.Lock{Policy: row.answer}, row.err
		}}
		if got := trust.Against(cloud, &grant.Grant{Name: "deploy"}, nil, c); !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
}
