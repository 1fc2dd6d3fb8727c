package github

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

// notStated is the value of FactRights.
const notStated = "not stated by the server"

// rightsFacts writes down what the reply says the token may do.
func (p *provider) rightsFacts(got issued) map[string]string {
	facts := map[string]string{}
	if len(got.Permissions) == 0 && got.Selection == "" {
		facts[FactRights] = notStated
		return facts
	}
	var rights []string
	for _, name := range slices.Sorted(maps.Keys(got.Permissions)) {
		rights = append(rights, wire.SafeText(name)+"="+wire.SafeText(got.Permissions[name]))
	}
	facts[FactPermissions] = strings.Join(rights, ",")
	var names []string
	for _, r := range got.Repositories {
		names = append(names, wire.SafeText(r.Name))
	}
	slices.Sort(names)
	facts[FactRepositories] = strings.Join(names, ",")
	if got.Selection != "selected" {
		facts[FactRepositories] = "*" // of the installation
	}
	return facts
}

// Verify compares identity, times and rights of a credential with what the grant and
// the request ask for. An octo-sts server does not say what its tokens may do; the
// credential's facts then say so.
func (p *provider) Verify(c *oidc.Credential, req oidc.Request) error {
	const notOurs = "nothing was handed over; if endpoint: or api: name a server of yours, check it, otherwise report this with the receipt"
	const clock = "set this machine's clock; nothing was handed over"
	now := p.opts.Now()
	fail := func(hint, format string, args ...any) error {
		return &oidc.Error{Stage: oidc.StageVerify, Message: fmt.Sprintf(format, args...), Hint: hint}
	}
	switch {
	case c == nil:
		return fail(notOurs, "there is no credential to check")
	case c.Identity != p.identity():
		return fail(notOurs, "the token is of %.200q, and grant %q is for %q", c.Identity, p.grant.Name, p.identity())
	case !c.Expires.After(now) || !c.UsableUntil.After(now):
		return fail(clock, "the token is already over: it ends at %s, and here it is %s", wire.Stamp(c.Expires), wire.Stamp(now))
	case c.Expires.After(now.Add(req.TTL + clockLeeway)):
		return fail(clock, "the token lives until %s, longer than the ttl of %s", wire.Stamp(c.Expires), req.TTL)
	case !p.ownKey() && c.Facts[FactRights] == notStated:
		return nil
	}
	if excess := p.excess(c.Facts); excess != "" {
		return fail(notOurs, "%s issued more than was asked for: %.300s", p.host(), excess)
	}
	return nil
}

// excess is what a token may do beyond the grant, "" for nothing. GitHub adds metadata:
// read to every token.
func (p *provider) excess(facts map[string]string) string {
	if !p.ownKey() {
		return ""
	}
	if facts[FactPermissions] == "" || facts[FactRepositories] == "" {
		return "it does not say for what the token is"
	}
	for name := range strings.SplitSeq(facts[FactRepositories], ",") {
		if !slices.ContainsFunc(p.Repositories, func(asked string) bool { return strings.EqualFold(asked, name) }) {
			return "repository " + name
		}
	}
	for right := range strings.SplitSeq(facts[FactPermissions], ",") {
		name, level, _ := strings.Cut(right, "=")
		if right == "metadata=read" {
			continue
		}
		got, asked := slices.Index(levels, level), slices.Index(levels, p.Permissions[name])
		if got < 0 || got > asked {
			return right
		}
	}
	return ""
}
