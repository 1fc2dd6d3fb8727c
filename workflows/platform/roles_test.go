package platform

import (
	"strings"
	"testing"
)

func TestNamesIdentity(t *testing.T) {
	for _, c := range []struct {
		action, input string
		want          bool
	}{
		{"aws-actions/configure-aws-credentials", "Role-To-Assume", true},
		{"aws-actions/configure-aws-credentials", "aws-access-key-id", false},
		{"google-github-actions/auth", "service_account", true},
		{"google-github-actions/auth", "workload_identity_provider", false},
		{"azure/login", "client-id", true},
		{"google-github-actions/run-gemini-cli", "gcp_service_account", false}, // its model's own
	} {
		info, _ := LookupAction(c.action)
		if NamesIdentity(info, c.input) != c.want {
			t.Errorf("%s %s: want %v", c.action, c.input, c.want)
		}
	}
}

func TestPlans(t *testing.T) {
	for line, want := range map[string]bool{
		"terraform plan": true, "terraform -chdir=infra plan -out=x": true, "terraform apply": false, "npx cdk diff": true, "pulumi up": false, "": false,
	} {
		if Plans(strings.Fields(line)) != want {
			t.Errorf("%q: want %v", line, want)
		}
	}
}
