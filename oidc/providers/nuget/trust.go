package nuget

import (
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/registry"
	"github.com/stint-dev/stint/oidc/trust"
)

// Trust is the form of a trusted-publishing policy, and what the gallery makes of it.
// The gallery locks the numbers of owner and repository at the first use, which no
// form shows.
var Trust = withUser(registry.Trust(gallery("")))

// withUser reads the block of a grant with the one key that only this registry has.
func withUser(c trust.Cloud) trust.Cloud {
	c.Render = func(g *grant.Grant, t *grant.Target, repo trust.Repository) (trust.Lock, error) {
		var block config
		if err := t.Decode(&block); err != nil {
			return trust.Lock{}, err
		}
		return registry.Render(gallery(block.User), block.common(), g, repo)
	}
	return c
}
