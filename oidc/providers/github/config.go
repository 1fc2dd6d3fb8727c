package github

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

// Limits of a grant's github block.
const (
	// life is how long an installation token lives (REST reference); nothing changes it.
	life = time.Hour
	// MaxTTL is the longest ttl of a grant.
	MaxTTL = 12 * time.Hour
	// maxRepositories is how many one token may name (REST reference).
	maxRepositories = 500
	maxCommand      = 32
)

// Where the calls go unless a grant says otherwise.
const (
	publicAPI    = "https://api.github.com"
	publicSTS    = "https://octo-sts.dev"
	enterpriseV3 = "/api/v3" // below the host of a GitHub Enterprise Server
)

// config is the github block of a grant as written.
type config struct {
	// Of octo-sts: the target of the token, as owner or owner/repo, and the trust policy
	// there, which is its file's name without .sts.yaml.
	Scope    string `yaml:"scope"`
	Identity string `yaml:"identity"`
	Endpoint string `yaml:"endpoint"`
	// Of an app with its own key: its client id or app id, its installation, the key.
	App          string   `yaml:"app"`
	Installation string   `yaml:"installation"`
	KeyFile      string   `yaml:"key-file"`
	KeyCommand   []string `yaml:"key-command"`
	// Of both. With octo-sts the policy in the target decides what the token may do, and
	// the rendered lock has these.
	Repositories []string          `yaml:"repositories"`
	Permissions  map[string]string `yaml:"permissions"`
	Audience     string            `yaml:"audience"`
	API          string            `yaml:"api"`
	Git          bool              `yaml:"git"`
}

// settings are a config that was found good.
type settings struct {
	config
	api      *url.URL
	sts      *url.URL // of octo-sts
	audience string
	ttl      time.Duration
}

var (
	scopeForm      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}(/[A-Za-z0-9._-]{1,100})?$`)
	identityForm   = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)
	appIDForm      = regexp.MustCompile(`^[A-Za-z0-9._]{1,64}$`)
	decimalForm    = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)
	repositoryForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)
	permissionForm = regexp.MustCompile(`^[a-z][a-z_]{0,63}$`)
)

// levels of a permission, the lower first.
var levels = []string{"read", "write", "admin"}

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
	if (c.Identity == "") == (c.App == "") {
		return nil, at.Errorf("write identity: and scope: for a policy of octo-sts, or app:, installation: and key-file: for an app with its own key",
			"it must have one of identity and app")
	}
	checks := []func(wire.Block) error{s.checkAPI, s.checkTTL, s.checkPermissions}
	if s.ownKey() {
		checks = append(checks, s.checkApp, s.checkKey)
	} else {
		checks = append(checks, s.checkSTS)
	}
	for _, check := range append(checks, s.checkRepositories) {
		if err := check(at); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// ownKey reports whether stint itself has the key of the app.
func (s *settings) ownKey() bool { return s.App != "" }

func (s *settings) checkAPI(at wire.Block) error {
	u, err := parseAPI(cmp.Or(s.API, publicAPI))
	if err != nil {
		return at.Errorf("write it as https://HOST/api/v3, or leave it out for github.com", "api %.200q %v", s.API, err)
	}
	s.api = u
	return nil
}

// parseAPI reads the address of a REST API, which for an own server has a path.
func parseAPI(text string) (*url.URL, error) {
	host, hasPath := strings.CutSuffix(strings.TrimSuffix(text, "/"), enterpriseV3)
	u, err := wire.ParseEndpoint(host)
	if err == nil && hasPath {
		u.Path = enterpriseV3
	}
	return u, err
}

func (s *settings) checkTTL(at wire.Block) error {
	if s.ttl < life || s.ttl > MaxTTL {
		return at.Errorf("write ttl: 1h, which is how long the token may be used; it is ended with the lease",
			"an installation token lives an hour, and no ttl makes that shorter; the grant gives %s", s.ttl)
	}
	return nil
}

func (s *settings) checkSTS(at wire.Block) error {
	const hint = "write identity: release and scope: owner/repo for the policy .github/chainguard/release.sts.yaml there"
	switch {
	case s.Installation != "" || s.KeyFile != "" || len(s.KeyCommand) > 0:
		return at.Errorf("remove what belongs to an app with its own key", "with identity the server has the key of the app")
	case !scopeForm.MatchString(s.Scope):
		return at.Errorf(hint, "scope %.200q is not an owner or owner/repo", s.Scope)
	case !identityForm.MatchString(s.Identity):
		return at.Errorf(hint, "identity %.200q is not the name of a policy", s.Identity)
	}
	var err error
	if s.sts, err = at.Endpoint(cmp.Or(s.Endpoint, publicSTS)); err != nil {
		return err
	}
	if s.audience = cmp.Or(s.Audience, s.sts.Host); s.Audience != "" {
		return at.Audience(s.Audience)
	}
	return nil
}

func (s *settings) checkApp(at wire.Block) error {
	const hint = "both are on the app's settings pages: app: Iv23…, installation: \"12345678\""
	switch {
	case s.Scope != "" || s.Endpoint != "":
		return at.Errorf("remove what belongs to octo-sts", "with app no octo-sts server is asked")
	case !appIDForm.MatchString(s.App):
		return at.Errorf(hint, "app %.100q is not the id of one", s.App)
	case !decimalForm.MatchString(s.Installation):
		return at.Errorf(hint, "installation %.100q is not a number", s.Installation)
	}
	// The token of a job is sent to nobody here; it is asked for to decide on.
	if s.audience = cmp.Or(s.Audience, "stint:github-app:"+s.App); s.Audience != "" {
		return at.Audience(s.Audience)
	}
	return nil
}

func (s *settings) checkKey(at wire.Block) error {
	file, command := s.KeyFile, s.KeyCommand
	switch {
	case (file == "") == (len(command) == 0):
		return at.Errorf("name the file of the app's private key, or better a command that signs with a key that cannot be read",
			"app must have one of key-file and key-command")
	case file != "" && !filepath.IsAbs(file):
		return at.Errorf("give the whole path of a file on the broker's host", "key-file %.200q is in the working directory, which the job can write", file)
	case len(command) > maxCommand || len(command) > 0 && !filepath.IsAbs(command[0]):
		return at.Errorf("give the whole path of the program, and its arguments one by one", "key-command does not begin with the path of a program")
	}
	return nil
}

func (s *settings) checkRepositories(at wire.Block) error {
	const hint = "name them without the owner, as in repositories: [site]; without any the token would be for all that the app has"
	// A policy of a repository is for that repository.
	if !s.ownKey() && strings.Contains(s.Scope, "/") && len(s.Repositories) == 0 {
		return nil
	}
	if len(s.Repositories) == 0 || len(s.Repositories) > maxRepositories {
		return at.Errorf(hint, "repositories must have 1 to %d names", maxRepositories)
	}
	for i, name := range s.Repositories {
		if !repositoryForm.MatchString(name) || slices.Contains(s.Repositories[:i], name) {
			return at.Errorf(hint, "repositories has %.200q, which is no name or there twice", name)
		}
	}
	return nil
}

func (s *settings) checkPermissions(at wire.Block) error {
	const hint = "name what the job needs, as in permissions: { contents: write }; without any the token would have all that the app has"
	if len(s.Permissions) == 0 {
		return at.Errorf(hint, "permissions is missing")
	}
	for _, name := range slices.Sorted(maps.Keys(s.Permissions)) {
		if !permissionForm.MatchString(name) || !slices.Contains(levels, s.Permissions[name]) {
			return at.Errorf(hint, "permissions has %.100q: %.100q; levels are %s", name, s.Permissions[name], strings.Join(levels, ", "))
		}
	}
	return nil
}

// identity names the bearer: what the trust policy or the app is called.
func (s *settings) identity() string {
	if !s.ownKey() {
		return fmt.Sprintf("octo-sts:%s/%s", s.Scope, s.Identity)
	}
	return fmt.Sprintf("github-app:%s/installation/%s", s.App, s.Installation)
}
