package gcp

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2/google/downscope"

	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/gcp/cel"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

// Limits of a grant's gcp block. Source: "Create short-lived credentials for a service
// account" and "Credential Access Boundaries" in Google's documentation.
const (
	// MinTTL is the shortest ttl with a service account. Google documents no floor.
	MinTTL = time.Minute
	// MaxTTL is the longest that Google issues for a service account, and over an hour
	// only where the organization's policy extends its lifetime.
	MaxTTL = 12 * time.Hour
	// minDirectTTL is the shortest ttl without a service account: the token then lives
	// as long as the id-token, about five minutes, and cannot be asked to live shorter.
	minDirectTTL = 5 * time.Minute
	// idTokenTTL is how long Google's id-tokens live, whatever is asked.
	idTokenTTL   = time.Hour
	maxRules     = 10
	maxScopes    = 20
	maxDelegates = 10

	cloudPlatform = "https://www.googleapis.com/auth/cloud-platform"
	rolePrefix    = "inRole:"
)

// config is the gcp block of a grant as written.
type config struct {
	Provider        string   `yaml:"provider"`
	ServiceAccount  string   `yaml:"service-account"`
	Delegates       []string `yaml:"delegates"`
	Scopes          []string `yaml:"scopes"`
	Allow           []rule   `yaml:"allow"`
	Audience        string   `yaml:"audience"`
	IDTokenAudience string   `yaml:"id-token-audience"`
	Project         string   `yaml:"project"`
	Endpoint        string   `yaml:"endpoint"`
}

// A rule is one entry of allow: these roles on the objects of a bucket.
type rule struct {
	Bucket      string   `yaml:"bucket"`
	Permissions []string `yaml:"permissions"`
	Prefix      string   `yaml:"prefix"`
}

// settings are a config that was found good.
type settings struct {
	config
	pool       pool
	providerID string
	endpoint   *url.URL // nil: Google's own
	ttl        time.Duration
}

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
	for _, check := range []func(wire.Block) error{
		s.checkProvider, s.checkAccounts, s.checkScopes, s.checkAllow, s.checkIDToken, s.checkAudience, s.checkProject, s.checkEndpoint, s.checkTTL,
	} {
		if err := check(at); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *settings) checkProvider(at wire.Block) error {
	const hint = "write it whole, as in provider: projects/123456789/locations/global/workloadIdentityPools/github/providers/deploy-site"
	m := providerName.FindStringSubmatch(s.Provider)
	switch {
	case s.Provider == "":
		return at.Errorf(hint, "provider is missing")
	case m == nil:
		return at.Errorf(hint, "provider %.200q is not the name of one", s.Provider)
	case !digits.MatchString(m[1]):
		return at.Errorf("run gcloud projects describe "+m[1]+" --format 'value(projectNumber)'",
			"provider names the project %q; it must be the project's number", m[1])
	}
	s.pool, s.providerID = pool{m[1], m[2]}, m[3]
	return nil
}

var accountName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,62}@[a-z0-9][a-z0-9.:-]{0,120}\.gserviceaccount\.com$`)

func (s *settings) checkAccounts(at wire.Block) error {
	const hint = "write its address, as in deploy@my-project.iam.gserviceaccount.com"
	if s.ServiceAccount == "" && len(s.Delegates) > 0 {
		return at.Errorf("name the last account of the chain under service-account", "delegates need a service-account")
	}
	if len(s.Delegates) > maxDelegates {
		return at.Errorf("shorten the chain", "delegates lists %d accounts; %d are taken", len(s.Delegates), maxDelegates)
	}
	for _, account := range append(slices.Clone(s.Delegates), s.ServiceAccount) {
		if account != "" && !accountName.MatchString(account) || account == "" && s.ServiceAccount != "" {
			return at.Errorf(hint, "%.200q is not the address of a service account", account)
		}
	}
	return nil
}

var scopeText = regexp.MustCompile(`^https://www\.googleapis\.com/auth/[a-z0-9._/-]{1,100}$`)

func (s *settings) checkScopes(at wire.Block) error {
	if len(s.Scopes) > maxScopes {
		return at.Errorf("keep the ones that are needed", "scopes lists %d; %d are taken", len(s.Scopes), maxScopes)
	}
	for _, scope := range s.Scopes {
		if !scopeText.MatchString(scope) {
			return at.Errorf("write it whole, as in "+cloudPlatform, "%.200q is not a scope", scope)
		}
	}
	if len(s.Scopes) == 0 {
		s.Scopes = []string{cloudPlatform}
	}
	return nil
}

var (
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$`)
	roleName   = regexp.MustCompile(`^(roles|projects/[a-z0-9:.-]{1,60}/roles|organizations/[0-9]{1,20}/roles)/[A-Za-z0-9_.]{1,64}$`)
)

func (s *settings) checkAllow(at wire.Block) error {
	if len(s.Allow) > maxRules {
		return at.Errorf("merge some of them", "allow has %d rules; an access boundary takes %d", len(s.Allow), maxRules)
	}
	for i, r := range s.Allow {
		switch {
		case !bucketName.MatchString(r.Bucket):
			return at.Errorf("name it alone, as in bucket: my-site", "rule %d of allow: %.200q is not a bucket", i+1, r.Bucket)
		case len(r.Permissions) == 0:
			return at.Errorf("list roles, as in permissions: [roles/storage.objectViewer]", "rule %d of allow has no permissions", i+1)
		case len(r.Prefix) > 1024 || strings.ContainsFunc(r.Prefix, func(c rune) bool { return c < 0x20 || c == 0x7f }):
			return at.Errorf("write the beginning of the objects' names, as in prefix: site/", "rule %d of allow: the prefix is not one of object names", i+1)
		}
		for j, p := range r.Permissions {
			role := strings.TrimPrefix(p, rolePrefix)
			if !roleName.MatchString(role) {
				return at.Errorf("write a role, as in roles/storage.objectViewer", "rule %d of allow: %.200q is not a role", i+1, p)
			}
			r.Permissions[j] = rolePrefix + role
		}
	}
	return nil
}

func (s *settings) checkIDToken(at wire.Block) error {
	switch {
	case s.IDTokenAudience == "":
		return nil
	case s.ServiceAccount == "":
		return at.Errorf("name the account that the id-token is to be of", "id-token-audience needs a service-account")
	case len(s.Allow) > 0 || s.Scopes[0] != cloudPlatform || len(s.Scopes) > 1:
		return at.Errorf("remove them, or make a grant of its own for the id-token", "id-token-audience goes with neither allow nor scopes, which are for access tokens")
	case len(s.IDTokenAudience) > 1024 || !wire.IsSecretText(s.IDTokenAudience):
		return at.Errorf("write the url of the service that it is for", "id-token-audience %.100q is not one", s.IDTokenAudience)
	}
	return nil
}

func (s *settings) checkAudience(at wire.Block) error {
	if s.Audience == "" {
		s.Audience = "https:" + audienceOf(s.pool, s.providerID)
		return nil
	}
	return at.Audience(s.Audience)
}

var projectID = regexp.MustCompile(`^[a-z0-9][a-z0-9:.-]{2,60}$`)

func (s *settings) checkProject(at wire.Block) error {
	if s.Project != "" && !projectID.MatchString(s.Project) {
		return at.Errorf("write the project's id, as in project: my-project", "project %.100q is not one", s.Project)
	}
	return nil
}

func (s *settings) checkEndpoint(at wire.Block) error {
	if s.Endpoint == "" {
		return nil
	}
	var err error
	s.endpoint, err = at.Endpoint(s.Endpoint)
	return err
}

func (s *settings) checkTTL(at wire.Block) error {
	switch {
	case s.ttl < MinTTL || s.ttl > MaxTTL:
		return at.Errorf("set ttl: between 1m and 12h", "ttl %s is out of range for gcp", s.ttl)
	case s.ServiceAccount == "" && s.ttl < minDirectTTL:
		return at.Errorf("set ttl: 5m, or name a service-account, whose tokens take a lifetime",
			"without a service-account the token lives about %s, longer than the ttl of %s", minDirectTTL, s.ttl)
	case s.IDTokenAudience != "" && s.ttl < idTokenTTL:
		return at.Errorf("set ttl: 1h", "an id-token of Google lives %s, longer than the ttl of %s", idTokenTTL, s.ttl)
	}
	return nil
}

// boundary writes the rules of allow as Google takes them.
func (s *settings) boundary() []downscope.AccessBoundaryRule {
	var rules []downscope.AccessBoundaryRule
	for _, r := range s.Allow {
		out := downscope.AccessBoundaryRule{
			AvailableResource:    "//storage.googleapis.com/projects/_/buckets/" + r.Bucket,
			AvailablePermissions: r.Permissions,
		}
		if r.Prefix != "" {
			out.Condition = &downscope.AvailabilityCondition{Expression: fmt.Sprintf(
				"resource.name.startsWith(%s) || api.getAttribute('storage.googleapis.com/objectListPrefix', '').startsWith(%s)",
				cel.Quote("projects/_/buckets/"+r.Bucket+"/objects/"+r.Prefix), cel.Quote(r.Prefix))}
		}
		rules = append(rules, out)
	}
	return rules
}
