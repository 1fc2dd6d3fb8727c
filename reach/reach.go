package reach

import (
	"sync"

	"github.com/stint-dev/stint/reach/flow"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// A Lifetime is how long a credential can be used after it was taken, rising.
type Lifetime int

// Lifetimes.
const (
	ForCommand Lifetime = iota // ends with one command
	ForJob                     // ends with the job
	ForHours                   // minted, but outlives the job
	Standing                   // stored: lives until somebody rotates it
)

// String returns "command", "job", "hours" or "standing".
func (l Lifetime) String() string { return [...]string{"command", "job", "hours", "standing"}[l] }

// A Kind is a kind of credential.
type Kind string

// Kinds of credentials.
const (
	StoredSecret    Kind = "stored-secret"
	PersonalToken   Kind = "personal-token"
	RepositoryToken Kind = "repository-token"
	IDToken         Kind = "id-token"
	AppToken        Kind = "app-token"
	CloudSession    Kind = "cloud-session"
	GitCredential   Kind = "git-credential"
	RegistryLogin   Kind = "registry-login"
	SSHKey          Kind = "ssh-key"
)

// A Site is a place in a file.
type Site struct {
	File *workflows.File
	Span workflows.Span
}

// A Credential is something worth stealing in a job.
type Credential struct {
	Kind Kind
	// Name is the secret's name, "GITHUB_TOKEN", "id-token", a role …; "every secret" for
	// secrets: inherit and toJSON(secrets).
	Name     string
	Lifetime Lifetime
	// Opens is the cloud, registry or service it opens ("aws", "npm", "github"), "" when unknown.
	Opens string
	// Writes is set when it can change something: stored secrets (assumed), a token with write scopes.
	Writes bool
	// Scopes lists a repository token's stated write scopes.
	Scopes []string
	// Default is set for a repository token whose permissions no file states.
	Default bool
	// Enters is every place where it comes into the job.
	Enters []Site
	// All is set when the credential stands for every secret of the repository.
	All bool
}

// A Trust is how far code can be steered from outside, rising.
type Trust int

// Grades of code.
const (
	OwnCode           Trust = iota // this repository's commit
	SameOwner                      // another repository of the same owner
	PlatformCode                   // actions/*, github/*
	PinnedThirdParty               // by commit
	MutableThirdParty              // by tag or branch, an image without digest
	MutableInside                  // pinned itself, but uses mutable code inside
	FetchedCode                    // fetched at run time: curl | sh, unlocked install
	AgentCode                      // an agent that reads what outsiders write
	OutsiderCode                   // chosen by an outsider: a fork's head, injected text
	MaliciousCode                  // a version that is known to have been malicious
)

// Foreign reports whether somebody outside can still change or choose the code
// after it was reviewed: mutable third parties and everything worse.
func (t Trust) Foreign() bool { return t >= MutableThirdParty }

// A Code is code that runs in a job.
type Code struct {
	Trust Trust
	// Name is owner/repo@ref, a command, or a short description.
	Name string
	Uses *workflows.Uses // nil for scripts
	Site Site
	// Via lists the local actions and reusable workflows that lead to it, outermost first.
	Via []Site
	// Why is one line that says why Trust is what it is.
	Why string
	// Checkout is what brought the code, for an outsider's code that a step runs.
	Checkout *flow.Sink
}

// An Unknown is code or a credential that the files do not show.
type Unknown struct {
	What string
	Site Site
}

// A Job is one job with what it could lose and to whom.
type Job struct {
	File *workflows.File
	Job  *workflows.Job
	// Starts are the triggers with who can start them; for a reusable workflow,
	// those of its callers in this repository are added.
	Starts []Start
	// Credentials and Code are sorted: worst first, then by place.
	Credentials []*Credential
	Code        []*Code
	Unknown     []Unknown
	// Callers are the jobs of this repository that call this one's workflow.
	Callers []*Job
	// Autonomy lists why the job acts without a person in the loop ("agent",
	// "schedule", "publishes", "deploys", …), sorted.
	Autonomy []string
	// Environment is the deployment environment's name as written, "" for none.
	Environment string
	// Token is what the job's GITHUB_TOKEN may do, limits of callers applied.
	Token workflows.Effective

	executed []*Code // see Executed
	steps    []RunStep
	fetched  []Fetched // see RunUnchecked, when traced is set
	traced   bool
}

// A Start is one way to start a job.
type Start struct {
	Event string
	Who   platform.Starter
	Site  Site
}

// A Pair is foreign code and a standing credential in one job.
type Pair struct {
	Job        *Job
	Code       *Code
	Credential *Credential
}

// A Graph is the reach of one repository.
type Graph struct {
	Repository *workflows.Repository
	Flow       *flow.Analysis
	// Jobs are in order of file path and place.
	Jobs []*Job

	jobs  map[*workflows.Job]*Job
	users map[*workflows.File][]*Job
	uses  sync.Map // of a func() []Use by *Job
}
