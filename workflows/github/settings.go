package github

import (
	"time"

	"github.com/stint-dev/stint/workflows"
)

// A Surface is one kind of setting that was asked for. Nothing that is not readable is
// ever reported as absent.
type Surface struct {
	// Name is a stable word: "secrets", "actions-permissions", "rulesets" …
	Name     string
	Readable bool
	// Needs names the permission that would make it readable, by the host's own word
	// where it says so; Why is one lower-case line. Both are "" when Readable.
	Needs, Why string
}

// Settings are what an organization has set that bears on credentials.
type Settings struct {
	Organization string
	Surfaces     []Surface
	Secrets      []Secret
	Actions      ActionsPolicy
	Rulesets     []Ruleset
	Runners      []Runner
	RunnerGroups []RunnerGroup
	Apps         []App
	Subject      Subject
}

// RepositorySettings are those of one repository.
type RepositorySettings struct {
	Repository   string // owner/repo
	NodeID       string
	Surfaces     []Surface
	Secrets      []Secret // of the repository and of its environments
	Environments []Environment
	Actions      ActionsPolicy
	Rulesets     []Ruleset
	Runners      []Runner
	DeployKeys   []DeployKey
	Subject      Subject
}

// A Which selects settings of repositories.
type Which uint

// What may be asked of repositories. WithEnvironments, WithDeployKeys and WithRulesets
// cost about 8 GraphQL points for a hundred repositories, and one or two REST requests
// for each environment that has a branch policy; each of the others is one REST request
// for a repository, WithActions up to four.
const (
	WithEnvironments Which = 1 << iota
	WithDeployKeys
	WithRulesets
	WithSecrets            // of the repository
	WithEnvironmentSecrets // one request for each environment; implies WithEnvironments
	WithActions
	WithRunners
	WithSubject
)

// A Secret is the name of a stored secret. The API never gives a value.
type Secret struct {
	Name        string
	Environment string // "" for those of an organization or repository
	Store       string // "actions", "dependabot", "codespaces"
	Created     time.Time
	Updated     time.Time
	Visibility  string   // of an organization's secret: "all", "private", "selected"
	Selected    []string // owner/repo, for "selected"
	// Partial is set when Selected could not be read whole.
	Partial bool
}

// An ActionsPolicy is what Actions may do. Nil and "" mean that the host did not say.
type ActionsPolicy struct {
	EnabledRepositories string // "all", "none", "selected"; of an organization
	Enabled             *bool  // of a repository
	AllowedActions      string // "all", "local_only", "selected"
	GitHubOwned         *bool  // for "selected": actions of GitHub's own are allowed
	Verified            *bool  // for "selected": those of verified creators are
	Patterns            []string
	PinningRequired     *bool  // sha_pinning_required
	DefaultPermissions  string // "read", "write"
	CanApprove          *bool  // Actions may create and approve pull requests
	ForkApproval        string // who waits for approval: "first_time_contributors_new_to_github", "first_time_contributors", "all_external_contributors"
	// Of workflows that forks of private repositories start.
	ForkRuns, ForkWriteTokens, ForkSecrets, ForkApprovalRequired *bool
	// Access is who may use a private repository's actions: "none", "user", "organization", "enterprise".
	Access string
}

// An Environment is a deployment environment with what guards it.
type Environment struct {
	Name    string
	Created time.Time
	// Reviewers are "user:NAME" and "team:NAME"; Wait is in minutes.
	Reviewers         []string
	PreventSelfReview bool
	Wait              int
	// AdminsBypass is nil when the host did not say.
	AdminsBypass *bool
	// BranchPolicy is "protected", "custom", "none" (all refs may deploy), or "" when
	// the host did not say; Branches and Tags are the custom patterns.
	BranchPolicy   string
	Branches, Tags []string
	// CustomRules are the apps that also have to agree.
	CustomRules []string
}

// Protection returns what the environment demands.
func (e *Environment) Protection() workflows.Protection {
	return workflows.Protection{Approval: len(e.Reviewers)+len(e.CustomRules) > 0, Wait: e.Wait > 0, Refs: e.BranchPolicy == "protected" || e.BranchPolicy == "custom"}
}

// A Ruleset is a set of rules on refs.
type Ruleset struct {
	ID               int64
	Name             string
	Target           string // "branch", "tag", "push", "repository"
	Enforcement      string // "active", "evaluate", "disabled"
	Source           string // owner/repo, or the organization
	Include, Exclude []string
	Repositories     []string // patterns of names, of an organization's ruleset
	Rules            []string // types in the words of the GraphQL schema, lower case: "pull_request", "non_fast_forward"
	Bypass           []Bypass
	// BypassReadable is false when the token may not see who bypasses.
	BypassReadable bool
}

// A Bypass is one who may go past a ruleset.
type Bypass struct {
	Kind string // "app", "team", "role", "organization_admin", "deploy_key"
	Name string
	Mode string // "always", "pull_request", "exempt"
}

// A Runner is a self-hosted runner.
type Runner struct {
	ID        int64
	Name      string
	OS        string
	Status    string // "online", "offline"
	Labels    []string
	Ephemeral *bool // nil when the host did not say
	Group     int64 // id of its group, 0 when it is not known
}

// A RunnerGroup is a group of runners with who may use it.
type RunnerGroup struct {
	ID           int64
	Name         string
	Visibility   string // "all", "private", "selected"
	Default      bool
	Inherited    bool // from the enterprise
	Public       bool // public repositories may use it
	Restricted   bool // only Workflows may use it
	Workflows    []string
	Repositories []string // owner/repo, for "selected"
	Partial      bool     // Repositories could not be read whole
}

// A DeployKey is a key of one repository.
type DeployKey struct {
	Title    string
	ReadOnly bool
	Created  time.Time
	// Key identifies the public key, hex sha-256 of it, so that one key on two
	// repositories is seen; "" when the host did not give it.
	Key string
}

// An App is an installed GitHub App.
type App struct {
	Slug        string
	AppID       int64
	Selection   string            // "all", "selected"
	Permissions map[string]string // "contents": "write"
	Updated     time.Time
	Suspended   bool
}

// A Subject is the form of the OIDC subject.
type Subject struct {
	UseDefault *bool
	Claims     []string // include_claim_keys
	// Immutable is set when the subject names ids instead of names; nil when the host did not say.
	Immutable *bool
}
