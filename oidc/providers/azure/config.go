package azure

import (
	"cmp"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

// Limits of a grant's azure block.
const (
	// MinTTL is the longest that Entra makes an access token live by itself (default of
	// the token lifetime: 60 to 90 minutes, at random). No request changes it.
	MinTTL = 90 * time.Minute
	// MaxTTL is the longest ttl of a grant.
	MaxTTL = 12 * time.Hour
)

// config is the azure block of a grant as written.
type config struct {
	Tenant       string `yaml:"tenant"`
	ClientID     string `yaml:"client-id"`
	Subscription string `yaml:"subscription"`
	Scope        string `yaml:"scope"`
	Cloud        string `yaml:"cloud"`
	Audience     string `yaml:"audience"`
	Endpoint     string `yaml:"endpoint"`
	// AccessToken is the variable that gets the access token; "" gives it to nobody.
	AccessToken string `yaml:"access-token"`
}

// A sovereign is one of the clouds that Azure has.
type sovereign struct {
	authority string // host
	manager   string // the resource of Azure Resource Manager
	terraform string // value of ARM_ENVIRONMENT
	graph     string // the resource of Microsoft Graph
}

// sovereigns by their names in a grant. Source: "National clouds" of Entra's
// documentation and the azurerm provider's reference, as of November 2026.
var sovereigns = map[string]sovereign{
	"public": {"login.microsoftonline.com", "https://management.azure.com", "public", "https://graph.microsoft.com"},
	"usgov":  {"login.microsoftonline.us", "https://management.usgovcloudapi.net", "usgovernment", "https://graph.microsoft.us"},
	"china":  {"login.partner.microsoftonline.cn", "https://management.chinacloudapi.cn", "china", "https://microsoftgraph.chinacloudapi.cn"},
}

// audiences of the id-token in these clouds. Those of the sovereign ones are by the
// documentation and not tried; a grant may name another.
var audiences = map[string]string{
	"public": "api://AzureADTokenExchange",
	"usgov":  "api://AzureADTokenExchangeUSGov",
	"china":  "api://AzureADTokenExchangeChina",
}

// settings are a config that was found good.
type settings struct {
	config
	sovereign
	host  string // of the authority, with its port
	plain bool   // the authority is on loopback without TLS
	ttl   time.Duration
}

var (
	guid       = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	domain     = regexp.MustCompile(`^([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z]{2,63}$`)
	scopeForm  = regexp.MustCompile(`^[a-z][a-z0-9+.-]*://[!-~]{1,255}/\.default$|^[0-9a-fA-F-]{36}/\.default$`)
	envVarForm = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,63}$`)
)

// targetSettings reads the block of a grant and checks it.
func targetSettings(g *grant.Grant, target *grant.Target) (*settings, error) {
	var c config
	if err := target.Decode(&c); err != nil {
		return nil, err
	}
	return newSettings(c, g, target.Line)
}

// newSettings checks a config whole, so that a grant that cannot work is refused
// before a token is asked for.
func newSettings(c config, g *grant.Grant, line int) (*settings, error) {
	at := wire.Block{Grant: g.Name, Provider: Name, Line: line}
	s := &settings{config: c, ttl: g.TTL}
	for _, check := range []func(wire.Block) error{s.checkIdentity, s.checkCloud, s.checkEndpoint, s.checkScope, s.checkAudience, s.checkAccessToken, s.checkTTL} {
		if err := check(at); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *settings) checkIdentity(at wire.Block) error {
	switch {
	case !guid.MatchString(s.Tenant) && !domain.MatchString(s.Tenant):
		return at.Errorf("write tenant: with the directory's id, as in 00000000-0000-0000-0000-000000000000, or one of its domains", "tenant %.100q is not one", s.Tenant)
	case !guid.MatchString(s.ClientID):
		return at.Errorf("write client-id: with the application (client) id of the app registration or the managed identity; not the object id", "client-id %.100q is not one", s.ClientID)
	case s.Subscription != "" && !guid.MatchString(s.Subscription):
		return at.Errorf("write the id of the subscription, not its name", "subscription %.100q is not one", s.Subscription)
	}
	return nil
}

func (s *settings) checkCloud(at wire.Block) error {
	s.Cloud = cmp.Or(s.Cloud, "public")
	var known bool
	if s.sovereign, known = sovereigns[s.Cloud]; !known {
		return at.Errorf("write public, usgov or china", "cloud %.64q is not known", s.Cloud)
	}
	s.host = s.authority
	return nil
}

func (s *settings) checkEndpoint(at wire.Block) error {
	if s.Endpoint == "" {
		return nil
	}
	u, err := at.Endpoint(s.Endpoint)
	if err != nil {
		return err
	}
	s.host, s.plain = u.Host, u.Scheme == "http"
	return nil
}

func (s *settings) checkScope(at wire.Block) error {
	s.Scope = cmp.Or(s.Scope, s.manager+"/.default")
	if !scopeForm.MatchString(s.Scope) {
		return at.Errorf("name one resource with /.default behind it, as in scope: https://vault.azure.net/.default", "scope %.255q is not one", s.Scope)
	}
	return nil
}

// resource is what the access token is for: the scope without its last part.
func (s *settings) resource() string { return strings.TrimSuffix(s.Scope, "/.default") }

func (s *settings) checkAudience(at wire.Block) error {
	if s.Audience == "" {
		s.Audience = audiences[s.Cloud]
		return nil
	}
	return at.Audience(s.Audience)
}

// toolVars are the variables that the hand-over sets by itself.
var toolVars = regexp.MustCompile(`^(AZURE_(CLIENT_ID|TENANT_ID|AUTHORITY_HOST|SUBSCRIPTION_ID|FEDERATED_TOKEN_FILE)|ARM_.*|PATH|HOME|LD_.*)$`)

func (s *settings) checkAccessToken(at wire.Block) error {
	if name := s.AccessToken; name != "" && (!envVarForm.MatchString(name) || toolVars.MatchString(name)) {
		return at.Errorf("write the name of the variable in which the command looks for it, as in access-token: AZURE_ACCESS_TOKEN", "access-token %.100q is not the name of a variable for it", name)
	}
	return nil
}

func (s *settings) checkTTL(at wire.Block) error {
	if s.ttl < MinTTL || s.ttl > MaxTTL {
		return at.Errorf("write ttl: 90m, which is how long the access token may be used",
			"entra lets an access token live up to 90 minutes, and no ttl makes that shorter; the grant gives %s", s.ttl)
	}
	return nil
}

// authorityURL is the authority as Azure's tools want it.
func (s *settings) authorityURL() string {
	u := url.URL{Scheme: "https", Host: s.host, Path: "/"}
	if s.plain {
		u.Scheme = "http"
	}
	return u.String()
}

// identity names the bearer.
func (s *settings) identity() string { return s.Tenant + "/" + s.ClientID }
