package aws

import (
	"net/url"
	"regexp"
	"time"

	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/wire"
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
		s.checkRole, s.checkEndpoint, s.checkPartition, s.checkAudience, s.checkTTL, s.checkManaged, s.checkAllow, s.checkBudget,
	} {
		if err := check(at); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *settings) checkRole(at wire.Block) error {
	const hint = "write it whole, as in role: arn:aws:iam::111122223333:role/site-deploy"
	if s.Role == "" {
		return at.Errorf(hint, "role is missing")
	}
	var err error
	if s.role, err = parseRoleARN(s.Role); err != nil {
		return at.Errorf(hint, "role %.200q is not the arn of a role: %v", s.Role, err)
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

func (s *settings) checkPartition(at wire.Block) error {
	const hint = "take the region from the role's own partition, as in region: eu-west-1 for arn:aws:…"
	if !regionName.MatchString(s.Region) {
		return at.Errorf(hint, "region %.64q is not a region", s.Region)
	}
	if s.endpoint != nil {
		return nil // a compatible server has its own accounts and partitions
	}
	p, known := partitionOf(s.role.partition)
	if !known {
		return at.Errorf("correct the arn, or name the server under endpoint: when it is not aws",
			"role is in partition %q, which stint does not know", s.role.partition)
	}
	if !accountID.MatchString(s.role.account) {
		return at.Errorf("an account is twelve digits, as in arn:aws:iam::111122223333:role/site-deploy",
			"role has no account of aws in its arn")
	}
	if of := partitionOfRegion(s.Region); of.name != p.name {
		return at.Errorf(hint, "role is in partition %q, but region %q is in %q", p.name, s.Region, of.name)
	}
	return nil
}

func (s *settings) checkAudience(at wire.Block) error {
	if s.Audience == "" {
		s.Audience = "sts.amazonaws.com"
		if p, known := partitionOf(s.role.partition); known {
			s.Audience = p.audience
		}
		return nil
	}
	return at.Audience(s.Audience)
}

func (s *settings) checkTTL(at wire.Block) error {
	if s.ttl < MinTTL || s.ttl > MaxTTL {
		return at.Errorf("set ttl: between 1m and 12h", "ttl %s is out of range for aws", s.ttl)
	}
	return nil
}

var managedName = regexp.MustCompile(`^arn:([a-z0-9-]+):iam::([A-Za-z0-9_-]*):policy/([!-~]*/)?[A-Za-z0-9_+=,.@-]{1,128}$`)

func (s *settings) checkManaged(at wire.Block) error {
	if len(s.ManagedPolicies) > maxManaged {
		return at.Errorf("keep the ten that matter, or merge some of them",
			"managed-policies lists %d; aws takes %d", len(s.ManagedPolicies), maxManaged)
	}
	seen := map[string]bool{}
	for _, arn := range s.ManagedPolicies {
		m := managedName.FindStringSubmatch(arn)
		switch {
		case len(arn) > maxRoleARN || m == nil:
			return at.Errorf("write it whole, as in arn:aws:iam::111122223333:policy/site-write",
				"managed-policies has %.200q, which is not the arn of a policy", arn)
		case m[1] != s.role.partition || m[2] != s.role.account && m[2] != "aws":
			return at.Errorf("use a policy of the role's own account, or one that aws manages (arn:aws:iam::aws:policy/…)",
				"managed policy %.200q is not of the role's account", arn)
		case seen[arn]:
			return at.Errorf("name it once", "managed-policies lists %.200q twice", arn)
		}
		seen[arn] = true
	}
	return nil
}
