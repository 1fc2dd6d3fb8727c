package sandbox

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/stint-dev/stint/oidc/providers/aws/policy"
)

// Bounds of a role's sessions (IAM API reference, CreateRole).
const (
	minMaxSession     = time.Hour
	maxMaxSession     = 12 * time.Hour
	defaultMaxSession = time.Hour
)

// A Role is an IAM role of the sandbox.
type Role struct {
	ARN string
	// Trust is the trust policy, JSON.
	Trust string
	// Policies are the policies attached to the role, JSON; without one its
	// sessions may do nothing.
	Policies []string
	// MaxSession is MaxSessionDuration, 1 to 12 hours; 1 hour when 0.
	MaxSession time.Duration
}

var roleARN = regexp.MustCompile(`^arn:(aws[a-z-]*):iam::(\d{12}):role/(?:[!-~]+/)?([\w+=,.@-]{1,64})$`)

// A role is a Role whose policies are read.
type role struct {
	arn, partition, account, name string
	id                            string
	text                          string // of the trust policy
	trust                         *policy.Document
	policies                      []*policy.Document
	maxSession                    time.Duration
}

func compileRoles(list []Role) (map[string]*role, error) {
	roles := make(map[string]*role, len(list))
	for _, r := range list {
		if roles[r.ARN] != nil {
			return nil, fmt.Errorf("sandbox: role %q is declared twice", r.ARN)
		}
		compiled, err := r.compile()
		if err != nil {
			return nil, fmt.Errorf("sandbox: role %q: %w", r.ARN, err)
		}
		roles[r.ARN] = compiled
	}
	return roles, nil
}

func (r Role) compile() (*role, error) {
	parts := roleARN.FindStringSubmatch(r.ARN)
	if parts == nil {
		return nil, errors.New("the arn is not that of a role")
	}
	c := &role{
		arn: r.ARN, partition: parts[1], account: parts[2], name: parts[3],
		id: "AROA" + keyID(), maxSession: r.MaxSession, text: r.Trust,
	}
	if c.maxSession == 0 {
		c.maxSession = defaultMaxSession
	}
	if c.maxSession < minMaxSession || c.maxSession > maxMaxSession {
		return nil, fmt.Errorf("a longest session of %s is not between %s and %s", c.maxSession, minMaxSession, maxMaxSession)
	}
	var err error
	if c.trust, err = policy.Parse(policy.Trust, []byte(r.Trust)); err != nil {
		return nil, fmt.Errorf("trust policy: %w", err)
	}
	for i, text := range r.Policies {
		doc, err := policy.Parse(policy.Identity, []byte(text))
		if err != nil {
			return nil, fmt.Errorf("policy %d: %w", i+1, err)
		}
		c.policies = append(c.policies, doc)
	}
	return c, nil
}

func compileManaged(texts map[string]string) (map[string]*policy.Document, error) {
	docs := make(map[string]*policy.Document, len(texts))
	for arn, text := range texts {
		doc, err := policy.Parse(policy.Identity, []byte(text))
		if err != nil {
			return nil, fmt.Errorf("sandbox: managed policy %q: %w", arn, err)
		}
		docs[arn] = doc
	}
	return docs, nil
}
