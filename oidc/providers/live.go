package providers

import (
	"context"

	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/trust"
)

// A LiveReader reads the lock that a block of a grant stands before, as it is deployed.
// It is the optional function ReadLive of a provider's package.
//
// It asks with the credentials of whoever runs stint, found as the cloud's own tools
// find them, never with those of the grant, and sends them to the cloud's own servers
// or to those that the environment names: a grant is a file of a repository, and no
// address in it gets a credential. It changes nothing; each thing is asked for three
// times at most, within three quarters of a minute, and replies are of limited size.
//
// The documents are those that Find of the cloud's [trust.Cloud] makes of an export, and
// there is one at least. Errors are *oidc.Error of the stage read; where the credentials
// may not read, they name the least permission that would do.
type LiveReader func(ctx context.Context, g *grant.Grant, t *grant.Target, opts Options) ([]trust.Document, error)

// LiveOf returns what reads the locks of a provider's cloud, by the provider's key in a
// grant; false where the cloud cannot be asked.
func LiveOf(provider string) (LiveReader, bool) {
	r, ok := live[provider]
	return r, ok
}
