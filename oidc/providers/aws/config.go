package aws

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
)

// Limits of a grant's aws block.
const (
	// MinTTL is the shortest ttl: below it a command has hardly begun.
	MinTTL = time.Minute
	// MaxTTL is the longest that AWS issues (API reference), and only for roles
	// whose MaxSessionDuration says so.
	MaxTTL = 12 * time.Hour
	// minDuration is the shortest DurationSeconds that AWS takes.
	minDuration = 900 * time.Second
	// maxManaged is the number of managed session policies that AWS takes.
	maxManaged = 10
	// maxAudience is the longest client id of an IAM OIDC provider.
	maxAudience = 255
)

// config is the aws block of a grant as written.
type config struct {
	Role            string   `yaml:"role"`
	Region          string   `yaml:"region"`
	Audience        string   `yaml:"audience"`
	Endpoint        string   `yaml:"endpoint"`
	Allow           []rights `yaml:"allow"`
	ManagedPolicies []string `yaml:"managed-policies"`
}

// rights is one entry of allow: these actions on these resources.
type rights struct {
	Actions   []string `yaml:"actions"`
	Resources []string `yaml:"resources"`
}

// settings are a config that was found good.
type settings struct {
	config
	role     roleARN
	endpoint *url.URL // nil: the regional endpoint of AWS
	ttl      time.Duration
}

// onAWS reports whether the role is one of AWS itself. Servers that only speak
// its protocol use partitions and account names of their own.
func (s *settings) onAWS() bool {
	_, known := partitionOf(s.role.partition)
	return known && (s.endpoint == nil || accountID.MatchString(s.role.account))
}

// A blockError builds the two lines of an error in a grant's aws block.
type blockError struct {
	grant string
	line  int
}

func (b blockError) errorf(hint, format string, args ...any) *oidc.Error {
	return &oidc.Error{
		Stage:   oidc.StageDecide,
		Message: fmt.Sprintf("grant %q, aws block at line %d: %s", b.grant, b.line, fmt.Sprintf(format, args...)),
		Hint:    hint,
	}
}

// newSettings checks a config whole, so that a grant that cannot work is refused
// before a token is asked for.
func newSettings(c config, g *grant.Grant, line int) (*settings, error) {
	at := blockError{g.Name, line}
	s := &settings{config: c, ttl: g.TTL}
	for _, check := range []func(blockError) error{
		s.checkRole, s.checkEndpoint, s.checkPartition, s.checkAudience, s.checkTTL, s.checkManaged, s.checkAllow, s.checkBudget,
	} {
		if err := check(at); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *settings) checkRole(at blockError) error {
	const hint = "write it whole, as in role: arn:aws:iam::111122223333:role/site-deploy"
	if s.Role == "" {
		return at.errorf(hint, "role is missing")
	}
	var err error
	if s.role, err = parseRoleARN(s.Role); err != nil {
		return at.errorf(hint, "role %.200q is not the arn of a role: %v", s.Role, err)
	}
	return nil
}

func (s *settings) checkEndpoint(at blockError) error {
	if s.Endpoint == "" {
		return nil
	}
	const hint = "use https://HOST[:PORT]; plain http is for loopback only, as in http://127.0.0.1:9000"
	u, err := url.Parse(s.Endpoint)
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "":
		return at.errorf(hint, "endpoint %.200q is not a url", s.Endpoint)
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
		return at.errorf(hint, "endpoint must be a scheme and a host, without user, path, query or fragment")
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
		return at.errorf(hint, "endpoint %.200q would send the id-token over an open line", s.Endpoint)
	}
	u.Path = ""
	s.endpoint = u
	return nil
}

// isLoopback accepts the address literals and localhost, no name that a resolver
// could send elsewhere.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

func (s *settings) checkPartition(at blockError) error {
	const hint = "take the region from the role's own partition, as in region: eu-west-1 for arn:aws:…"
	if !regionName.MatchString(s.Region) {
		return at.errorf(hint, "region %.64q is not a region", s.Region)
	}
	if s.endpoint != nil {
		return nil // a compatible server has its own accounts and partitions
	}
	p, known := partitionOf(s.role.partition)
	if !known {
		return at.errorf("correct the arn, or name the server under endpoint: when it is not aws",
			"role is in partition %q, which stint does not know", s.role.partition)
	}
	if !accountID.MatchString(s.role.account) {
		return at.errorf("an account is twelve digits, as in arn:aws:iam::111122223333:role/site-deploy",
			"role has no account of aws in its arn")
	}
	if of := partitionOfRegion(s.Region); of.name != p.name {
		return at.errorf(hint, "role is in partition %q, but region %q is in %q", p.name, s.Region, of.name)
	}
	return nil
}

var audienceText = regexp.MustCompile(`^[!#-\[\]-~]+$`)

func (s *settings) checkAudience(at blockError) error {
	if s.Audience == "" {
		s.Audience = "sts.amazonaws.com"
		if p, known := partitionOf(s.role.partition); known {
			s.Audience = p.audience
		}
		return nil
	}
	const hint = "leave audience out, or give the client id that the account's oidc provider lists"
	if len(s.Audience) > maxAudience || !audienceText.MatchString(s.Audience) {
		return at.errorf(hint, "audience %.64q is not one", s.Audience)
	}
	// The token that the runner gives without an audience has the owner's url.
	// Every careless relying party takes it, so it must not be good here too.
	if strings.HasPrefix(strings.ToLower(s.Audience), "https://github.com/") {
		return at.errorf(hint, "audience %.200q is what every token without an audience has", s.Audience)
	}
	return nil
}

func (s *settings) checkTTL(at blockError) error {
	if s.ttl < MinTTL || s.ttl > MaxTTL {
		return at.errorf("set ttl: between 1m and 12h", "ttl %s is out of range for aws", s.ttl)
	}
	return nil
}

var managedName = regexp.MustCompile(`^arn:([a-z0-9-]+):iam::([A-Za-z0-9_-]*):policy/([!-~]*/)?[A-Za-z0-9_+=,.@-]{1,128}$`)

func (s *settings) checkManaged(at blockError) error {
	if len(s.ManagedPolicies) > maxManaged {
		return at.errorf("keep the ten that matter, or merge some of them",
			"managed-policies lists %d; aws takes %d", len(s.ManagedPolicies), maxManaged)
	}
	seen := map[string]bool{}
	for _, arn := range s.ManagedPolicies {
		m := managedName.FindStringSubmatch(arn)
		switch {
		case len(arn) > maxRoleARN || m == nil:
			return at.errorf("write it whole, as in arn:aws:iam::111122223333:policy/site-write",
				"managed-policies has %.200q, which is not the arn of a policy", arn)
		case m[1] != s.role.partition || m[2] != s.role.account && m[2] != "aws":
			return at.errorf("use a policy of the role's own account, or one that aws manages (arn:aws:iam::aws:policy/…)",
				"managed policy %.200q is not of the role's account", arn)
		case seen[arn]:
			return at.errorf("name it once", "managed-policies lists %.200q twice", arn)
		}
		seen[arn] = true
	}
	return nil
}
