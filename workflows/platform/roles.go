package platform

import (
	"slices"
	"strings"
)

// identityInputs are the inputs of role [RoleCloud] that name who the job becomes; the
// others name a provider, an audience or a tenant, which many rightly share. Sources:
// the action.yml of the actions in the tables, 2026-11.
var identityInputs = []string{
	"role-to-assume", "service_account", "gcp_service_account", "client-id", "client_id", "azure_client_id", "aws-role-arn", "role", "identity", "identity-id", "access-id",
}

// NamesIdentity reports whether an input of an action names the role, service account
// or application that the job becomes.
func NamesIdentity(info ActionInfo, input string) bool {
	input = strings.ToLower(input)
	return !info.Agent && info.Inputs[input] == RoleCloud && slices.Contains(identityInputs, input)
}

// plans are commands that say what a deployment would change, by their first words.
// Sources: the manuals of the tools, 2026-11.
var plans = []string{
	"terraform plan", "tofu plan", "terragrunt plan", "terragrunt run-all plan", "pulumi preview", "cdk diff", "sam validate", "helm diff", "helmfile diff", "kubectl diff", "sls print",
}

// Plans reports whether a command says what a deployment would change and changes nothing.
func Plans(words []string) bool {
	var line []string
	for _, w := range unwrap(words) {
		if !strings.HasPrefix(w, "-") {
			line = append(line, strings.ToLower(w))
		}
	}
	text := strings.Join(line, " ")
	return slices.ContainsFunc(plans, func(p string) bool { return text == p || strings.HasPrefix(text, p+" ") })
}
