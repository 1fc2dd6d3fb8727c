package platform

import "strings"

// A Switch is an input or variable by which a credential is left where the action
// that made it would have ended it.
type Switch struct {
	// Name is the input's or variable's name; Off is the value that leaves the
	// credential, On the one that ends it.
	Name, Off, On string
	// Left says what is left then, as a clause.
	Left string
}

// endings are the inputs by which actions are told to leave what they made.
// Sources: the actions' action.yml, 2026-11.
var endings = map[string]Switch{
	"actions/create-github-app-token":  {"skip-token-revoke", "true", "false", "the token is not revoked when the job ends and works for up to an hour"},
	"tibdex/github-app-token":          {"revoke", "false", "true", "the token is not revoked when the job ends and works for up to an hour"},
	"google-github-actions/auth":       {"cleanup_credentials", "false", "true", "the file with the credential is left in the workspace when the job ends"},
	"step-security/google-github-auth": {"cleanup_credentials", "false", "true", "the file with the credential is left in the workspace when the job ends"},
	"docker/login-action":              {"logout", "false", "true", "the registry's login is left in the runner's docker configuration when the job ends"},
	"aws-actions/amazon-ecr-login":     {"skip-logout", "true", "false", "the registry's login, good for twelve hours, is left in the runner's docker configuration when the job ends"},
}

// cleanupVariables switch the last step of an action off for the whole job. Sources:
// the post-if: of aws-actions/configure-aws-credentials and azure/login, 2026-11.
var cleanupVariables = []Switch{
	{"AWS_SKIP_CLEANUP_STEP", "true", "false", "aws-actions/configure-aws-credentials leaves its credentials in place when the job ends"},
	{"AZURE_LOGIN_POST_CLEANUP", "false", "true", "azure/login leaves its login on the runner when the job ends"},
}

// LookupEnding returns the input of owner/repo[/path] (lower case) that leaves its
// credential in place; ok is false when the action has none that is known.
func LookupEnding(action string) (s Switch, ok bool) {
	s, ok = endings[strings.ToLower(action)]
	return s, ok
}

// CleanupVariables returns the variables that switch clean-up off.
func CleanupVariables() []Switch { return append([]Switch(nil), cleanupVariables...) }

// An AppToken says how an action narrows the installation token that it mints. A
// token that is narrowed in neither way is for every repository of the installation,
// with every permission that the app has.
type AppToken struct {
	// Repositories names the input that lists them, "" when there is none.
	Repositories string
	// Owner names the input without which the token is for the current repository
	// alone; "" when it is for all of the installation from the start.
	Owner string
	// Permissions names the input for them; a "*" at its end stands for the name of
	// a permission. "" when there is none.
	Permissions string
	// Revoke names the input that makes the action call its token back, for actions
	// that do not do so by themselves; "never" when they cannot.
	Revoke string
}

// appTokens are the actions that mint installation tokens from an app's private key.
// Sources: their action.yml and READMEs, 2026-11.
var appTokens = map[string]AppToken{
	"actions/create-github-app-token":                {Repositories: "repositories", Owner: "owner", Permissions: "permission-*"},
	"tibdex/github-app-token":                        {Repositories: "repositories", Permissions: "permissions"},
	"getsentry/action-github-app-token":              {Revoke: "never"},
	"peter-murray/workflow-application-token-action": {Permissions: "permissions", Revoke: "revoke_token"},
}

// LookupAppToken returns how the action owner/repo (lower case) narrows its token.
func LookupAppToken(action string) (AppToken, bool) {
	t, ok := appTokens[strings.ToLower(action)]
	return t, ok
}
