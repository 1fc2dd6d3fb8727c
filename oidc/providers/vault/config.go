package vault

import (
	"crypto/x509"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

// Limits of a grant's vault block.
const (
	// MinTTL is the shortest ttl: below it a command has hardly begun.
	MinTTL = time.Minute
	// MaxTTL is the longest; a role may set less.
	MaxTTL = 12 * time.Hour

	maxSecrets  = 16
	maxFields   = 32
	maxData     = 16
	maxDatum    = 1024
	maxPath     = 512
	maxCABytes  = 4 << 10
	maxEndpoint = 2048 // of a handle, in the state that main leaves for post
	maxPolicies = 32
)

// config is the vault block of a grant as written.
type config struct {
	Address   string   `yaml:"address"`
	Role      string   `yaml:"role"`
	Mount     string   `yaml:"mount"`
	Namespace string   `yaml:"namespace"`
	Audience  string   `yaml:"audience"`
	CA        string   `yaml:"ca"`
	Policies  []string `yaml:"policies"`
	Secrets   []secret `yaml:"secrets"`
	Token     bool     `yaml:"token"`
}

// A secret is a path, as `vault read` takes it, and the variables for its fields. Some
// engines are told what to make: those are asked with data, as `vault write` does.
type secret struct {
	Path   string            `yaml:"path"`
	Data   map[string]string `yaml:"data"`
	Fields map[string]string `yaml:"fields"`
}

// settings are a config that was found good.
type settings struct {
	config
	address *url.URL
	roots   *x509.CertPool // nil: those of the system
	ttl     time.Duration
}

var (
	roleName   = regexp.MustCompile(`^[A-Za-z0-9_.][A-Za-z0-9_.-]{0,127}$`)
	pathText   = regexp.MustCompile(`^[A-Za-z0-9_.:@+=,-]+(/[A-Za-z0-9_.:@+=,-]+)*$`)
	policyName = regexp.MustCompile(`^[a-z0-9_.:@/-]{1,128}$`)
	varName    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)
	fieldName  = regexp.MustCompile(`^[!-~]([ -~]{0,126}[!-~])?$`)
)

// newSettings checks a config whole, so that a grant that cannot work is refused
// before a token is asked for.
func newSettings(c config, g *grant.Grant, line int) (*settings, error) {
	at := wire.Block{Grant: g.Name, Provider: Name, Line: line}
	s := &settings{config: c, ttl: g.TTL}
	for _, check := range []func(wire.Block) error{
		s.checkAddress, s.checkCA, s.checkLogin, s.checkEndpoint, s.checkAudience, s.checkTTL, s.checkPolicies, s.checkSecrets,
	} {
		if err := check(at); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *settings) checkAddress(at wire.Block) error {
	const hint = "write address: https://vault.example:8200; plain http is for loopback only"
	if s.Address == "" {
		return at.Errorf(hint, "address is missing")
	}
	u, err := wire.ParseEndpoint(s.Address)
	switch {
	case err != nil && strings.Contains(s.Address, "@"): // it may hold a password
		return at.Errorf(hint, "address %v", err)
	case err != nil:
		return at.Errorf(hint, "address %.200q %v", s.Address, err)
	}
	s.address = u
	return nil
}

func (s *settings) checkCA(at wire.Block) error {
	if s.CA == "" {
		return nil
	}
	s.roots = x509.NewCertPool()
	if len(s.CA) > maxCABytes || !s.roots.AppendCertsFromPEM([]byte(s.CA)) {
		return at.Errorf("write the certificate itself as PEM text: ca: |", "ca is not a certificate of at most %d bytes", maxCABytes)
	}
	return nil
}

func (s *settings) checkLogin(at wire.Block) error {
	if s.Mount == "" {
		s.Mount = "jwt"
	}
	s.Mount = strings.TrimPrefix(s.Mount, "auth/")
	switch {
	case s.Role == "":
		return at.Errorf("name the role of the jwt method, as in role: site-deploy", "role is missing")
	case !roleName.MatchString(s.Role):
		return at.Errorf("use letters, digits, \"-\", \"_\" and \".\"", "role %.100q is not a name", s.Role)
	case !isPath(s.Mount):
		return at.Errorf("write the path below auth/, as in mount: jwt", "mount %.100q is not a path", s.Mount)
	case s.Namespace != "" && !isPath(strings.Trim(s.Namespace, "/")):
		return at.Errorf("write the path of the namespace, as in namespace: team/web", "namespace %.100q is not a path", s.Namespace)
	}
	s.Namespace = strings.Trim(s.Namespace, "/")
	return nil
}

// checkEndpoint makes sure that the token can be ended by another process, which is
// told the server with its certificate.
func (s *settings) checkEndpoint(at wire.Block) error {
	if len(s.server(wire.Options{}).endpoint()) > maxEndpoint {
		return at.Errorf("give the one certificate that signed the server's", "address, namespace and ca are too long together")
	}
	return nil
}

// isPath refuses what would lead elsewhere: dots alone, empty parts, a query, and a plus
// alone, which in a policy stands for any part.
func isPath(s string) bool {
	return len(s) <= maxPath && pathText.MatchString(s) &&
		!slices.ContainsFunc(strings.Split(s, "/"), func(part string) bool { return strings.Trim(part, ".") == "" || part == "+" })
}

func (s *settings) checkAudience(at wire.Block) error {
	if s.Audience == "" {
		s.Audience = s.address.String()
		return nil
	}
	return at.Audience(s.Audience)
}

func (s *settings) checkTTL(at wire.Block) error {
	if s.ttl < MinTTL || s.ttl > MaxTTL {
		return at.Errorf("set ttl: between 1m and 12h", "ttl %s is out of range for vault", s.ttl)
	}
	return nil
}

func (s *settings) checkPolicies(at wire.Block) error {
	const hint = "list the names of the policies that the token may have, as in policies: [site-deploy]"
	if len(s.Policies) > maxPolicies {
		return at.Errorf(hint, "policies lists %d, more than %d", len(s.Policies), maxPolicies)
	}
	for _, name := range s.Policies {
		switch {
		case !policyName.MatchString(name):
			return at.Errorf(hint, "policies has %.100q, which is not a name", name)
		case name == "root":
			return at.Errorf(hint, "policies has root, which may do everything")
		}
	}
	return nil
}

// reserved are variables that steer the runner or the clients of Vault; a secret that
// somebody wrote into the store must not.
var reserved = []string{"GITHUB_", "RUNNER_", "ACTIONS_", "VAULT_", "BAO_", "STINT_", "LD_", "DYLD_"}

var reservedNames = []string{"PATH", "HOME", "BASH_ENV", "ENV", "SHELL", "NODE_OPTIONS", "PYTHONPATH", "PERL5OPT", "RUBYOPT", "JAVA_TOOL_OPTIONS"}

func (s *settings) checkSecrets(at wire.Block) error {
	if len(s.Secrets) == 0 && !s.Token {
		return at.Errorf("list secrets: with path and fields, or write token: true", "the command would get nothing")
	}
	if len(s.Secrets) > maxSecrets {
		return at.Errorf("split the grant", "secrets lists %d, more than %d", len(s.Secrets), maxSecrets)
	}
	taken := map[string]bool{}
	for _, one := range s.Secrets {
		if err := one.check(at, taken); err != nil {
			return err
		}
	}
	return nil
}

// checkData bounds what an engine is told. It stands in the grant, so it is no secret.
func (one secret) checkData(at wire.Block) error {
	const hint = "write data: { common_name: site.example }, as vault write takes it, without secrets"
	if len(one.Data) > maxData {
		return at.Errorf(hint, "data of %.200q has %d entries, more than %d", one.Path, len(one.Data), maxData)
	}
	for name, value := range one.Data {
		if !fieldName.MatchString(name) || len(value) > maxDatum {
			return at.Errorf(hint, "data of %.200q has the entry %.60q, which has no name or more than %d bytes", one.Path, name, maxDatum)
		}
	}
	return nil
}

func (one secret) check(at wire.Block, taken map[string]bool) error {
	const hint = "write fields: { password: DB_PASSWORD }: the field of the secret, then the variable"
	switch {
	case !isPath(one.Path):
		return at.Errorf("write the path as vault read takes it: secret/data/site, database/creds/site", "secrets has the path %.200q, which is not one", one.Path)
	case strings.HasPrefix(one.Path, "auth/"), strings.HasPrefix(one.Path, "sys/"), strings.HasPrefix(one.Path, "identity/"), strings.HasPrefix(one.Path, "cubbyhole/"):
		return at.Errorf("name a path of a secrets engine", "secrets has the path %.200q, which is not of a secrets engine", one.Path)
	case len(one.Fields) == 0 || len(one.Fields) > maxFields:
		return at.Errorf(hint, "secret %.200q has %d fields; from 1 to %d are wanted", one.Path, len(one.Fields), maxFields)
	}
	if err := one.checkData(at); err != nil {
		return err
	}
	for field, name := range one.Fields {
		isReserved := slices.Contains(reservedNames, strings.ToUpper(name)) ||
			slices.ContainsFunc(reserved, func(p string) bool { return strings.HasPrefix(strings.ToUpper(name), p) })
		switch {
		case !fieldName.MatchString(field):
			return at.Errorf(hint, "secret %.200q has the field %.60q, which is not a name", one.Path, field)
		case !varName.MatchString(name):
			return at.Errorf(hint, "field %.60q of %.200q goes to %.60q, which is not the name of a variable", field, one.Path, name)
		case isReserved:
			return at.Errorf("choose another variable", "field %.60q of %.200q goes to %s, which steers the runner or other tools", field, one.Path, name)
		case taken[name]:
			return at.Errorf("give each its own variable", "two fields go to %s", name)
		}
		taken[name] = true
	}
	return nil
}
