package platform

// A Starter is who can make a run happen, in rising order of danger.
type Starter int

const (
	// StartWriter: only people and apps with write access (push, release,
	// workflow_dispatch, repository_dispatch) or the clock (schedule).
	StartWriter Starter = iota
	// StartCaller: a caller decides (workflow_call); the callers are followed.
	StartCaller
	// StartForkSandboxed: anybody, but from a fork without secrets and with a
	// read-only token (pull_request in public repositories).
	StartForkSandboxed
	// StartAnyone: anybody with an account, with the repository's secrets and
	// token: pull_request_target, issue_comment, issues, workflow_run after a fork's run, …
	StartAnyone
)

// String returns "writer", "caller", "fork (no secrets)" or "anyone".
func (s Starter) String() string {
	return [...]string{"writer", "caller", "fork (no secrets)", "anyone"}[s]
}

// An Event is one event of on:.
type Event struct {
	Name    string
	Starter Starter
	// By names the outsider who starts it, for sentences: "whoever opens an issue";
	// "" for events of writers.
	By string
	// Subject says what the id-token's sub looks like: "ref", "pull_request", ….
	Subject string
	// Stopped names what the platform has stopped since, for messages; "" when nothing.
	Stopped string
	// Remains says where that does not help, for messages.
	Remains string
	// AnyoneText is set when an outsider's text can be in a run that has the
	// repository's secrets, even where the outsider's code cannot.
	AnyoneText bool
	// Source and Date of the facts of this line.
	Source, Date string
}

// LookupEvent returns the event; an unknown name gives StartAnyone's caution: an
// Event with that name, StartWriter and ok false.
func LookupEvent(name string) (e Event, ok bool) { return lookupEvent(name) }

// A Shape is what a context's value can carry.
type Shape int

const (
	// ShapeUnknown: what the tables do not hold, which nobody outside is known to set.
	ShapeUnknown Shape = iota
	// ShapeFixed: a sha, number, boolean, enum, date, URL of the platform, a name
	// that only the repository sets. It cannot carry an attack.
	ShapeFixed
	// ShapeWriter: free text that only people with write access set, under some
	// event: the name of a branch or tag, a release's body.
	ShapeWriter
	// ShapeText: free text that an outsider sets under some event.
	ShapeText
	// ShapeCaller: set by whoever calls or dispatches (inputs.*).
	ShapeCaller
	// ShapeSecret: a secret or token.
	ShapeSecret
	// ShapeFlow: what a step, job, matrix or env before put there; package flow
	// follows it.
	ShapeFlow
)

// A Context is a line of the table of contexts.
type Context struct {
	Path  string // lower case, "*" for any one part; what lies below has the line's shape too
	Shape Shape
	// Events limits ShapeText and ShapeWriter to these events; empty means every event with that payload.
	Events []string
	Source string
}

// LookupContext returns what a lower-case context path (see workflows.Ref.Path)
// can carry. A path that names a whole object (github.event, toJSON of it) has the
// worst shape below it.
func LookupContext(path string) Context { return lookupContext(path) }

// A Role is what an input of a well-known action means.
type Role string

// Roles of inputs.
const (
	RoleSecret   Role = "secret" // takes a credential
	RoleScript   Role = "script" // is run as code (github-script, shell-like inputs)
	RoleRef      Role = "ref"    // what to check out
	RolePath     Role = "path"
	RolePrompt   Role = "prompt" // read by an agent
	RoleTools    Role = "tools"  // what an agent may do
	RoleActors   Role = "actors" // who may start an agent
	RoleCloud    Role = "cloud"  // names a role or account to log in to by OIDC
	RoleLifetime Role = "lifetime"
	RoleCache    Role = "cache"
	RoleImage    Role = "image" // stays readable in the history of the image that is built
)

// An ActionInfo is what is known of a well-known action.
type ActionInfo struct {
	Name string // owner/repo[/path], lower case
	// Inputs maps lower-case input names to their roles.
	Inputs map[string]Role
	// Opens is the cloud or registry that the action logs in to or publishes
	// to: "aws", "gcp", "azure", "npm", "pypi", "dockerhub", "github" ….
	Opens string
	// Publishes, Deploys, Agent, Checkout, Setup, Cache, Upload (artifact) classify it.
	Publishes, Deploys, Agent, Checkout, Setup, Cache, Upload bool
	// OIDC is set when the action can take the job's id-token; StaticInputs are the
	// inputs that take a stored key instead.
	OIDC         bool
	StaticInputs []string
	// Mints is the kind of credential that later steps find in the job after it
	// ("cloud-session", "app-token", "registry-login", or "loaded-secrets" for stored
	// secrets fetched from a vault), "" for none; MintedLifetime is "job" (the action
	// ends it), "hours", or "standing" (loaded secrets stay what they were).
	Mints, MintedLifetime string
	// Token lists what the action needs of the repository token, scope to "read"
	// or "write"; it is nil when that is not known and empty when it needs nothing.
	Token map[string]string
	// ActorGate names the input that opens an agent to people without write access;
	// without it the action refuses them. "" means that it has no such gate.
	ActorGate string
	// TagOnly says why the action cannot be named by a commit, "" when it can.
	TagOnly string
	// Git is set when the action works with the credential that a checkout left
	// for git, be it only to fetch the history of a private repository.
	Git bool
	// Line is the command line that the action runs, with {input} for the words of an
	// input, "" for none: what it does then is what the command does.
	Line string
	// Reads is set when the action reads or runs files of the workspace (setup
	// with caches, linters): after an outsider's checkout that is execution. With
	// RunsWith it does only when one of these inputs is set.
	RunsWorkspace bool
	RunsWith      []string
	Source        string
}

// LookupAction returns what is known of owner/repo[/path] (lower case); for a
// path that has no line of its own the repository's line counts. Its maps and slices
// are the table's own and must not be changed.
func LookupAction(name string) (ActionInfo, bool) { return lookupAction(name) }

// A SecretInfo is what a secret's name says that it opens.
type SecretInfo struct {
	// Opens is "aws", "gcp", "azure", "npm", "pypi", "github", "anthropic" … or "".
	Opens string
	// Class is "cloud-key", "publish-token", "personal-token", "app-key", "ssh-key",
	// "model-key", "registry-login", "webhook", "signing-key", "service-token" (a
	// service that is no cloud and no registry), "repository-token" (the job's own),
	// or "" when the name says nothing.
	Class string
	// Federates is set when the place takes an id-token instead today.
	Federates bool
	// Public is set when names like this hold no secret in practice (account ids, regions, role ARNs, client ids of public apps).
	Public bool
}

// LookupSecret judges a secret or variable name by its words, without regard to
// case and separators.
func LookupSecret(name string) SecretInfo { return lookupSecret(name) }

// A Command is what a command line does with credentials, as far as constant
// words tell.
type CommandInfo struct {
	// Does is "publish", "login", "deploy", "install", "fetch" (network client),
	// "agent", "checkout" or "build".
	Does  string
	Opens string // as in ActionInfo
	// Env are the environment variables by which it takes a stored key.
	Env []string
	// Runs is set when the command runs code of the workspace (npm install, make, go test …).
	Runs bool
	// Locked is set for an install that takes only what a lock file in the
	// repository lists (npm ci, yarn --immutable, uv sync --locked …).
	Locked bool
	// KeepsLock is set for an install that goes by the repository's lock file where
	// there is one, although no flag or file makes it.
	KeepsLock bool
	// DryRun is set when a flag makes it harmless (--dry-run).
	DryRun bool
}

// LookupCommand judges a command by its words (name first, directories removed).
func LookupCommand(words []string) (CommandInfo, bool) { return lookupCommand(words) }

// An Advisory is one entry about a bad version of an action or image.
type Advisory struct {
	Action string
	// Kind is "malicious", "malicious-transitive", "vulnerable" or "hardening-version".
	Kind    string
	ID      string // GHSA or CVE id, "" when there is none
	Summary string
	Fixed   string
	Date    string
	Source  string
	// Exact is set when ref was matched exactly (commit, or a version in a listed
	// range); a floating tag such as v4 that only may be affected has Exact false,
	// and so has a branch.
	Exact bool
	// MovedOn is set for such a ref when by its name it has the fixed version by now.
	MovedOn bool
	// ByComment is set when the match rests on the version in the comment of a
	// commit pin: nothing here has looked at the commit.
	ByComment bool
	// Restored is set when the bad refs have been put back since: runs between the
	// dates are at stake, and a run of today is not.
	Restored bool
}

// LookupBad returns the advisories that apply to owner/repo[/path] at ref, where version is
// the version in the trailing comment of a commit pin ("" for none).
// The data ends at a date (see [BadDate]); an entry never expires by itself.
func LookupBad(name, ref, version string) []Advisory { return lookupBad(name, ref, version) }

// A Published is what a published advisory says of one action; see [LookupPublished].
type Published struct {
	Action string // owner/repo[/path], lower case
	ID     string
	Range  string // versions, as the advisory database writes them: ">= 1.0, < 1.2.3"
	Fixed  string // the first version without the hole, "" when there is none
	Date   string // of publication, 2006-01-02
	Source string
}

// LookupPublished returns what LookupBad does, with advisories that were published, or
// given other versions, after the embedded data was collected. What is embedded about
// malicious versions and by hand stays as it is.
func LookupPublished(list []Published, name, ref, version string) []Advisory {
	return lookupPublished(list, name, ref, version)
}

// LookupBadImage returns the advisories that apply to a container image; digest is
// "sha256:…" or "", and with a digest the tag says nothing.
func LookupBadImage(image, tag, digest string) []Advisory { return lookupBadImage(image, tag, digest) }

// BadDate returns the date (2006-01-02) up to which the embedded data about bad
// versions was collected.
func BadDate() string { return bad.Generated }
