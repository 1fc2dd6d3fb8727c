package aws

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers/aws/policy"
	"github.com/stint-dev/stint/oidc/trust"
)

// Trust is what this package knows of AWS's locks: the trust policies of roles.
var Trust = trust.Cloud{Name: Name, Audience: "sts.amazonaws.com", Find: findTrust, Parse: parseTrust, Render: renderTrust}

// A trustPolicy is a role's trust policy, ready to be asked.
type trustPolicy struct {
	doc *policy.Document
	// unresolved is set when the text holds placeholders: no answer is exact.
	unresolved bool
	// maxSession is the role's MaxSessionDuration in seconds, 0 when it is not known.
	maxSession int
	// clients are the audiences that the account's OpenID providers take, by the
	// provider's name; a provider that is not in it is not known.
	clients map[string][]string
}

// A roleExport is a role as the command line tool prints it, as far as it is read.
// The document is JSON, or JSON in a URL-encoded string as the API itself sends it.
type roleExport struct {
	RoleName                 string          `json:"RoleName"`
	AssumeRolePolicyDocument json.RawMessage `json:"AssumeRolePolicyDocument"`
	MaxSessionDuration       int             `json:"MaxSessionDuration"`
	// Providers are what the account has of the providers that the document names: no
	// part of the tool's output, added by a live read.
	Providers []providerExport `json:"OpenIDConnectProviders,omitempty"`
}

// A providerExport is an OpenID provider as GetOpenIDConnectProvider gives it. One
// without client ids takes no token; so does one that does not exist.
type providerExport struct {
	URL       string   `json:"Url"` // without a scheme
	ClientIDs []string `json:"ClientIDList"`
}

func (r roleExport) document() ([]byte, error) {
	var text string
	if json.Unmarshal(r.AssumeRolePolicyDocument, &text) != nil {
		return r.AssumeRolePolicyDocument, nil
	}
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		return []byte(text), nil
	}
	text, err := url.PathUnescape(text)
	return []byte(text), err
}

func (r roleExport) clients() map[string][]string {
	known := map[string][]string{}
	for _, p := range r.Providers {
		known[p.URL] = p.ClientIDs
	}
	return known
}

// parseTrust reads a trust policy, or a role that carries one.
func parseTrust(d trust.Document) (trust.Policy, error) {
	p := &trustPolicy{unresolved: len(d.Unresolved) > 0}
	body := d.Body
	var role roleExport
	if json.Unmarshal(body, &role) == nil && role.AssumeRolePolicyDocument != nil {
		var err error
		if body, err = role.document(); err != nil {
			return nil, fmt.Errorf("the trust policy of role %.64q is not url-encoded", role.RoleName)
		}
		p.maxSession, p.clients = role.MaxSessionDuration, role.clients()
	}
	var err error
	if p.doc, err = policy.Parse(policy.Trust, body); err != nil {
		return nil, err
	}
	p.nameProviders()
	if p.unresolved {
		return trust.Partial(p, p.mayAdmit(d, body)), nil
	}
	return p, nil
}

// placeholder is what stands in a document for an expression that is not known.
var placeholder = regexp.MustCompile(`unresolved-[0-9]+`)

// mayAdmit asks the document with a policy variable, which may be any text, for each
// placeholder in a condition. It is nil, and any token may get in, where a placeholder
// is something else, or an expression has none: a statement that is not known, say.
func (p *trustPolicy) mayAdmit(d trust.Document, body []byte) func(oidc.Claims) bool {
	for i := range d.Unresolved {
		if !bytes.Contains(body, fmt.Appendf(nil, "unresolved-%d", i+1)) {
			return nil
		}
	}
	for _, s := range p.doc.Statements {
		unknown := func(who policy.Principal) bool { return placeholder.MatchString(who.ID) }
		if slices.ContainsFunc(s.Actions, placeholder.MatchString) || slices.ContainsFunc(s.Principals, unknown) {
			return nil
		}
	}
	open := *p
	doc, err := policy.Parse(policy.Trust, placeholder.ReplaceAllFunc(body, func(b []byte) []byte { return []byte("${" + string(b) + "}") }))
	if err != nil || doc.Version != "2012-10-17" {
		return nil
	}
	for i, s := range p.doc.Statements {
		doc.Statements[i].Principals = s.Principals
	}
	open.doc = doc
	return func(c oidc.Claims) bool { return open.Decide(c).Admits }
}

// nameProviders gives principals that could not be resolved, such as a reference to
// a provider of another module, the provider that the statement's own keys name.
func (p *trustPolicy) nameProviders() {
	for i := range p.doc.Statements {
		s := &p.doc.Statements[i]
		for k := range s.Principals {
			who := &s.Principals[k]
			if who.Type != "Federated" || who.ID == "*" || strings.Contains(who.ID, ":oidc-provider/") || !p.unresolved {
				continue
			}
			who.ID = policy.ProviderARN("aws", "", keyProvider(s))
		}
	}
}

// keyProvider is the provider of the first claim that a statement compares.
func keyProvider(s *policy.Statement) string {
	for _, c := range s.Conditions {
		if provider, _, ok := splitKey(c.Key); ok {
			return provider
		}
	}
	return gitHubProvider
}

// gitHubProvider is the name of github.com's provider.
const gitHubProvider = "token.actions.githubusercontent.com"

// splitKey splits a condition key that is a claim: provider:claim, in lower case.
func splitKey(key string) (provider, claim string, ok bool) {
	if policy.ServiceKey(key) {
		return "", "", false
	}
	i := strings.LastIndexByte(key, ':')
	if i < 0 {
		return "", "", false
	}
	return strings.ToLower(key[:i]), strings.ToLower(key[i+1:]), true
}

// isGitHub reports whether a provider is GitHub's: github.com with or without an
// enterprise's own issuer, a ghe.com tenant, or GitHub Enterprise Server.
func isGitHub(provider string) bool {
	provider = strings.ToLower(provider)
	return strings.HasPrefix(provider, "token.actions.") || strings.HasPrefix(provider, "vstoken.actions.") ||
		strings.HasSuffix(provider, "/_services/token")
}

// A providerName is an OpenID provider as its ARN names it.
type providerName struct{ partition, account, name string }

func parseProvider(arn string) (providerName, bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[2] != "iam" {
		return providerName{}, false
	}
	name, ok := strings.CutPrefix(parts[5], "oidc-provider/")
	return providerName{parts[1], parts[4], name}, ok && name != ""
}

// providers are those that a statement's principals name; nothing for a wildcard.
func providers(s *policy.Statement) []providerName {
	var list []providerName
	for _, who := range s.Principals {
		if p, ok := parseProvider(who.ID); ok && who.Type == "Federated" && !s.NotPrincipal {
			list = append(list, p)
		}
	}
	return list
}

// Decide asks the policy about a token of its issuer's provider. STS has checked the
// signature before, and the provider's list of audiences, which is asked where it is known.
func (p *trustPolicy) Decide(c oidc.Claims) trust.Answer {
	provider, ok := strings.CutPrefix(c.Issuer, "https://")
	if !ok {
		return trust.Answer{Exact: true, Why: "the token has no issuer with https"}
	}
	if ids, known := p.clients[provider]; known && !slices.ContainsFunc(c.Audience, func(a string) bool { return slices.Contains(ids, a) }) {
		return trust.Answer{Exact: true, Why: fmt.Sprintf("aud is %.200q, and the account has no oidc provider %.200q with that client id", strings.Join(c.Audience, ", "), provider)}
	}
	at := p.account(provider)
	d := p.doc.Evaluate(policy.WebIdentityRequest(at.partition, at.account, provider, c.Values))
	return trust.Answer{Admits: d.Outcome != policy.Deny, Exact: d.Outcome != policy.Unknown && !p.unresolved, Why: d.Why}
}

// account is where the policy has the provider: a role trusts those of its own
// account only.
func (p *trustPolicy) account(provider string) providerName {
	at := providerName{partition: "aws", account: "000000000000"}
	for i := range p.doc.Statements {
		for _, named := range providers(&p.doc.Statements[i]) {
			if named.name == provider {
				return named
			}
			at = named
		}
	}
	return at
}

// Audience is the one that the first statement with one compares.
func (p *trustPolicy) Audience() string {
	for i := range p.doc.Statements {
		for _, c := range p.doc.Statements[i].Conditions {
			if _, claim, ok := splitKey(c.Key); ok && claim == "aud" && positive(c.Operator) && len(c.Values) > 0 {
				return c.Values[0]
			}
		}
	}
	for _, s := range p.doc.Statements {
		for _, at := range providers(&s) {
			if part, ok := partitionOf(at.partition); ok {
				return part.audience
			}
		}
	}
	return "sts.amazonaws.com"
}

// positive reports whether an operator names values that a string may have.
func positive(operator string) bool {
	base := baseOperator(operator)
	return base == "StringEquals" || base == "StringLike" || base == "StringEqualsIgnoreCase"
}

// baseOperator is an operator without what decides about absent keys.
func baseOperator(operator string) string {
	_, after, ok := strings.Cut(operator, ":")
	if !ok {
		after = operator
	}
	return strings.TrimSuffix(after, "IfExists")
}

// spelling are the values of a condition, in the lower case of most names where it
// compares them in any case.
func spelling(c policy.Condition) []string {
	if baseOperator(c.Operator) != "StringEqualsIgnoreCase" {
		return c.Values
	}
	lower := make([]string, len(c.Values))
	for i, v := range c.Values {
		lower[i] = strings.ToLower(v)
	}
	return lower
}

// issuerOf is the issuer of a statement's provider, the one of GitHub's where it has
// several; "" where it names none.
func issuerOf(s *policy.Statement) string {
	at := providers(s)
	if len(at) == 0 {
		return ""
	}
	i := max(0, slices.IndexFunc(at, func(p providerName) bool { return isGitHub(p.name) }))
	return "https://" + at[i].name
}

// Targets reads the conditions of each statement that admits tokens of GitHub's.
func (p *trustPolicy) Targets() []trust.Target {
	var targets []trust.Target
	for i := range p.doc.Statements {
		s := &p.doc.Statements[i]
		if s.Effect != policy.EffectAllow {
			continue
		}
		named := map[string][]string{}
		for _, c := range s.Conditions {
			if _, claim, ok := splitKey(c.Key); ok && positive(c.Operator) {
				named[claim] = append(named[claim], spelling(c)...)
			}
		}
		list := trust.Named(named)
		if len(list) == 0 && len(providers(s)) > 0 {
			list = []trust.Target{{}} // the provider alone is named
		}
		for k := range list {
			if list[k].Issuer == "" {
				list[k].Issuer = issuerOf(s)
			}
		}
		targets = append(targets, list...)
	}
	return targets
}
