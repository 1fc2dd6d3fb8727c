package vault

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

func verifyError(hint, format string, args ...any) error {
	return &oidc.Error{Stage: oidc.StageVerify, Message: fmt.Sprintf(format, args...), Hint: hint}
}

// Verify compares the role, the policies and the lifetime of a token with what the
// grant and the request ask for.
func (p *provider) Verify(c *oidc.Credential, req oidc.Request) error {
	if c == nil {
		return verifyError(notOurs, "there is no credential to check")
	}
	if want := p.identity(p.settings.Role); c.Identity != want {
		return verifyError(notOurs, "%s issued a token of another role than grant %q names: expected %q, got %.300q", p.host(), p.grant, want, c.Identity)
	}
	if err := p.verifyPolicies(c.Facts[FactPolicies]); err != nil {
		return err
	}
	now := p.opts.Now()
	switch {
	case !c.Expires.After(now) || !c.UsableUntil.After(now):
		return verifyError("ask again; if it stays so, raise the ttl of the role or of the secret's own lease",
			"what %s issued is already over: it ended at %s", p.host(), wire.Stamp(c.UsableUntil))
	case c.Expires.After(now.Add(req.TTL + clockLeeway)):
		return verifyError(fmt.Sprintf("set token_ttl and token_explicit_max_ttl of role %q to %s or less: stint grant render writes it", p.settings.Role, req.TTL),
			"the token lives longer than the grant says: until %s, %s was asked for", wire.Stamp(c.Expires), req.TTL)
	}
	return nil
}

// verifyPolicies refuses root always, and every other policy that the grant does not
// list if it lists any. Each token may have default, which lets it look at itself.
func (p *provider) verifyPolicies(joined string) error {
	for name := range strings.SplitSeq(joined, ",") {
		switch {
		case name == "root":
			return verifyError("take the policy root off the role: it may do everything", "%s issued a token with the policy root", p.host())
		case name == "", name == "default", len(p.settings.Policies) == 0, slices.Contains(p.settings.Policies, name):
		default:
			return verifyError(fmt.Sprintf("take it off role %q and its entity, or add it to policies: in the grant", p.settings.Role),
				"%s issued a token with the policy %.128q, which grant %q does not name", p.host(), name, p.grant)
		}
	}
	return nil
}
