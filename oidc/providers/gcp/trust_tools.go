package gcp

import (
	"fmt"
	"strings"

	"github.com/stint-dev/stint/oidc/trust"
)

// terraform writes the lock for the google provider. Without a service account the
// rights are given on the resources that the grant's access boundary names.
func (r *rendering) terraform() string {
	var b strings.Builder
	s := r.settings
	fmt.Fprintf(&b, "resource \"google_iam_workload_identity_pool_provider\" %s {\n", trust.HCLText(tfName(s.providerID)))
	arguments(&b, "  ", [][2]string{
		{"project", trust.HCLText(s.pool.project)}, {"workload_identity_pool_id", trust.HCLText(s.pool.id)}, {"workload_identity_pool_provider_id", trust.HCLText(s.providerID)},
	})
	b.WriteString("\n  attribute_mapping = {\n")
	var mapping [][2]string
	for _, key := range sortedKeys(r.mapping) {
		mapping = append(mapping, [2]string{trust.HCLText(key), trust.HCLText(r.mapping[key])})
	}
	arguments(&b, "    ", mapping)
	fmt.Fprintf(&b, "  }\n\n  attribute_condition = %s\n\n  oidc {\n", trust.HCLText(r.condition))
	arguments(&b, "    ", [][2]string{{"issuer_uri", trust.HCLText(r.terms.Repository.Issuer)}, {"allowed_audiences", "[" + trust.HCLText(s.Audience) + "]"}})
	b.WriteString("  }\n}\n")
	n := 0
	for _, m := range r.members {
		for _, t := range r.toolBindings() {
			n++
			fmt.Fprintf(&b, "\nresource %s %s {\n", trust.HCLText(t.resource), trust.HCLText(fmt.Sprintf("%s_%d", tfName(s.providerID), n)))
			arguments(&b, "  ", [][2]string{{t.argument, trust.HCLText(t.value)}, {"role", trust.HCLText(t.role)}, {"member", trust.HCLText(m)}})
			b.WriteString("}\n")
		}
	}
	return b.String()
}

// arguments writes names and values with their signs in a column, as terraform fmt does.
func arguments(b *strings.Builder, indent string, pairs [][2]string) {
	width := 0
	for _, p := range pairs {
		width = max(width, len(p[0]))
	}
	for _, p := range pairs {
		fmt.Fprintf(b, "%s%-*s = %s\n", indent, width, p[0], p[1])
	}
}

// A toolBinding is how the tools give a member a role.
type toolBinding struct {
	resource, argument, value, role string // of Terraform
	command                         string // of gcloud, up to the member
}

// toolBindings are the roles that the members get, and on what.
func (r *rendering) toolBindings() []toolBinding {
	if sa := r.settings.account(); sa != "" {
		return []toolBinding{{
			"google_service_account_iam_member", "service_account_id", "projects/-/serviceAccounts/" + sa, workloadUserRole,
			"gcloud iam service-accounts add-iam-policy-binding " + shell(sa),
		}}
	}
	var list []toolBinding
	for _, rule := range r.settings.Allow {
		for _, p := range rule.Permissions {
			list = append(list, toolBinding{
				"google_storage_bucket_iam_member", "bucket", rule.Bucket, strings.TrimPrefix(p, rolePrefix),
				"gcloud storage buckets add-iam-policy-binding " + shell("gs://"+rule.Bucket),
			})
		}
	}
	if len(list) == 0 {
		list = append(list, toolBinding{
			"google_project_iam_member", "project", "PROJECT", "roles/ROLE", "gcloud projects add-iam-policy-binding PROJECT",
		})
	}
	return list
}

// commands writes the lock for gcloud.
func (r *rendering) commands() string {
	var mapping []string
	for _, key := range sortedKeys(r.mapping) {
		mapping = append(mapping, key+"="+r.mapping[key])
	}
	lines := []string{
		"gcloud iam workload-identity-pools providers create-oidc " + shell(r.settings.providerID),
		"--project=" + shell(r.settings.pool.project), "--location=global",
		"--workload-identity-pool=" + shell(r.settings.pool.id),
		"--issuer-uri=" + shell(r.terms.Repository.Issuer),
		"--allowed-audiences=" + shell(r.settings.Audience),
		"--attribute-mapping=" + shell(strings.Join(mapping, ",")),
		"--attribute-condition=" + shell(r.condition),
	}
	var b strings.Builder
	b.WriteString(strings.Join(lines, " \\\n  ") + "\n")
	for _, m := range r.members {
		for _, t := range r.toolBindings() {
			fmt.Fprintf(&b, "%s \\\n  --role=%s \\\n  --member=%s\n", t.command, shell(t.role), shell(m))
		}
	}
	return b.String()
}

// tfName makes an id a name of Terraform.
func tfName(id string) string { return strings.ReplaceAll(id, "-", "_") }

// shell quotes a word for a POSIX shell.
func shell(s string) string {
	if s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@%+=:,./_-") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
