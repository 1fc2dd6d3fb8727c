package platform

import "strings"

// An Audience says for whom an action asks for the job's id-token.
type Audience struct {
	// Input names the audience; Default is what the action asks for without it, "" for
	// GitHub's own default, the address of the repository's owner.
	Input, Default string
	// With lists inputs, one of which is set when the action asks for a token at all;
	// "method=jwt" stands for an input with that value.
	With []string
	// Party is the input, if any, that names the server which gets the token.
	Party string
}

// audiences by action. Sources: the actions' action.yml and READMEs, 2026-11.
var audiences = map[string]Audience{
	"aws-actions/configure-aws-credentials": {Input: "audience", Default: "sts.amazonaws.com", With: []string{"role-to-assume"}},
	"azure/login":                           {Input: "audience", Default: "api://AzureADTokenExchange", With: []string{"client-id"}},
	"google-github-actions/auth":            {Input: "audience", Default: "the provider's own", With: []string{"workload_identity_provider"}},
	"hashicorp/vault-action":                {Input: "jwtGithubAudience", With: []string{"method=jwt"}, Party: "url"},
	"jfrog/setup-jfrog-cli":                 {Input: "oidc-audience", With: []string{"oidc-provider-name"}},
	"infisical/secrets-action":              {Input: "oidc-audience", With: []string{"method=oidc"}},
	"octo-sts/action":                       {Default: "octo-sts.dev", With: []string{"identity"}},
}

// DefaultAudience stands for the audience of a token for which none was asked.
const DefaultAudience = "https://github.com/<owner>"

// LookupAudience returns for whom the action owner/repo (lower case) asks for a token.
func LookupAudience(action string) (Audience, bool) {
	a, ok := audiences[strings.ToLower(action)]
	return a, ok
}
