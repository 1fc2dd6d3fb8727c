package trust

import (
	"fmt"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
)

// Against holds the claims of a refused token against the lock that would be rendered
// for the grant, in one line for the explanation: a token that does not fit that lock
// shows what differs, and one that does shows that the lock in place is another.
func Against(cloud Cloud, g *grant.Grant, target *grant.Target, c oidc.Claims) string {
	lock, err := cloud.Render(g, target, Repository{Name: c.Get("repository"), OwnerID: c.Get("repository_owner_id"),
		ID: c.Get("repository_id"), Issuer: c.Issuer})
	if err != nil {
		return "no lock can be rendered for this grant: " + err.Error()
	}
	if a := lock.Policy.Decide(c); !a.Admits {
		return "it does not fit the lock for this grant: " + a.Why
	}
	return fmt.Sprintf("it fits the lock that `stint grant render %s --for %s` gives, so compare that with the one in place", g.Name, cloud.Name)
}
