package policy

import (
	"slices"
	"strings"
)

// AssumeRoleWithWebIdentity is the action that a trust policy grants to an
// id-token.
const AssumeRoleWithWebIdentity = "sts:AssumeRoleWithWebIdentity"

// commonClaims are the condition keys that AWS fills for every OpenID provider
// (IAM User Guide, "IAM and AWS STS condition context keys", web identity).
var commonClaims = []string{"amr", "aud", "sub"}

// gitHubClaims are the keys that AWS fills besides for GitHub's issuers: service
// authorization reference of AWS STS as of 22 August 2026. Not among them:
// event_name, ref_protected, ref_type, runner_environment, repository_owner,
// workflow_ref and all others; a condition on those meets an absent key.
var gitHubClaims = []string{
	"actor", "actor_id", "enterprise_id", "environment", "job_workflow_ref", "ref",
	"repository", "repository_id", "repository_owner_id", "workflow",
}

// gitHubProvider is the name of the provider for github.com.
const gitHubProvider = "token.actions.githubusercontent.com"

// ClaimKeys returns the claims of which AWS makes condition keys for a provider,
// sorted. provider is the issuer's URL without its scheme, which is how the
// provider's ARN and its keys name it. GitHub Enterprise Server has the common
// ones only, as far as AWS documents.
func ClaimKeys(provider string) []string {
	keys := slices.Clone(commonClaims)
	if isGitHub(provider) {
		keys = append(keys, gitHubClaims...)
	}
	slices.Sort(keys)
	return keys
}

func isGitHub(provider string) bool {
	host, _, _ := strings.Cut(strings.ToLower(provider), "/")
	if host == gitHubProvider {
		return true
	}
	sub, ok := strings.CutPrefix(host, "token.actions.")
	sub, ghe := strings.CutSuffix(sub, ".ghe.com")
	return ok && ghe && sub != "" && !strings.Contains(sub, ".")
}

// WebIdentityRequest is the request that STS puts to a role's trust policy for a
// token. account is the role's account, partition "aws" or another; claims are
// the token's by their wire names. Keys of AWS itself are unknown unless the
// caller adds them to Context.
func WebIdentityRequest(partition, account, provider string, claims map[string]string) Request {
	context := map[string][]string{}
	for _, claim := range ClaimKeys(provider) {
		if v, ok := claims[claim]; ok {
			context[provider+":"+claim] = []string{v}
		}
	}
	return Request{
		Principal: Caller{Type: "Federated", IDs: []string{ProviderARN(partition, account, provider)}},
		Action:    AssumeRoleWithWebIdentity,
		Context:   context,
		Unknown:   ServiceKey,
	}
}

// ProviderARN names the OpenID provider of an account.
func ProviderARN(partition, account, provider string) string {
	return "arn:" + partition + ":iam::" + account + ":oidc-provider/" + provider
}

// ServiceKey reports whether a condition key belongs to AWS and not to an
// identity provider. Such a key may be in a request even if one does not know its
// value: use it for [Request.Unknown].
func ServiceKey(key string) bool { return !isClaim(key) }
