package terraform

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/stint-dev/stint/oidc/trust"
)

// bindings are the resources that give an identity of a pool a role.
var bindings = map[string]string{
	"google_service_account_iam_member":  "member",
	"google_service_account_iam_binding": "members",
	"google_project_iam_member":          "member",
	"google_project_iam_binding":         "members",
	"google_storage_bucket_iam_member":   "member",
	"google_storage_bucket_iam_binding":  "members",
}

// pool is the name of a workload identity pool, whole or its last part.
func (v *values) pool(label string, b *block, whole bool) string {
	id := label
	if b != nil {
		if name := v.text(b.body, "workload_identity_pool_id"); name != "" {
			id = name
		}
	}
	if whole {
		return "projects/0/locations/global/workloadIdentityPools/" + id
	}
	return id
}

// poolProvider reads a provider of a pool with each member that names the pool, for
// it takes both to let a token in. Without a member it is a document of its own.
func (m *module) poolProvider(b *block) []trust.Document {
	v := m.values()
	doc := map[string]any{"attributeMapping": orEmpty(v.attribute(b.body, "attribute_mapping")), "attributeCondition": v.text(b.body, "attribute_condition")}
	issuer := ""
	for _, o := range b.body.Blocks {
		if o.Type == "oidc" {
			issuer = v.text(o.Body, "issuer_uri")
			doc["oidc"] = map[string]any{"issuerUri": issuer, "allowedAudiences": append([]string{}, v.list(o.Body, "allowed_audiences")...)}
		}
	}
	if !strings.Contains(issuer, "token.actions.") && !strings.HasSuffix(issuer, "/_services/token") {
		return nil
	}
	pool := v.text(b.body, "workload_identity_pool_id")
	var docs []trust.Document
	for _, member := range v.members(pool) {
		docs = append(docs, m.jsonDocument(b, "gcp", doc, v, "member", member))
	}
	if len(docs) == 0 {
		docs = append(docs, m.jsonDocument(b, "gcp", doc, v, "", ""))
	}
	return docs
}

func orEmpty(a any) any {
	if a == nil {
		return map[string]any{}
	}
	return a
}

// members are the principals of a pool that some role is bound to.
func (v *values) members(pool string) []string {
	var list []string
	for _, b := range v.module.order {
		name, ok := bindings[b.kind]
		if !ok {
			continue
		}
		for _, member := range v.list(b.body, name) {
			if strings.HasPrefix(member, "principal") && (strings.Contains(member, "/workloadIdentityPools/"+pool+"/") || strings.Contains(member, "unresolved-")) {
				list = append(list, member)
			}
		}
	}
	return list
}

// jsonDocument writes an object with one member more.
func (m *module) jsonDocument(b *block, cloud string, object map[string]any, v *values, key, value string) trust.Document {
	whole := maps.Clone(object)
	if key != "" {
		whole[key] = value
	}
	body, err := json.Marshal(whole)
	if err != nil {
		body = []byte("{}")
	}
	return m.document(b, cloud, body, v)
}

// federated reads a federated credential of Entra, classic or flexible.
func (m *module) federated(b *block) []trust.Document {
	v := m.values()
	issuer := v.text(b.body, "issuer")
	if !strings.Contains(issuer, "token.actions.") && !strings.HasSuffix(issuer, "/_services/token") {
		return nil
	}
	audiences := append(v.list(b.body, "audiences"), v.list(b.body, "audience")...)
	name := v.text(b.body, "display_name")
	if name == "" {
		name = v.text(b.body, "name")
	}
	object := map[string]any{"name": name, "issuer": issuer, "audiences": audiences}
	if expression := v.text(b.body, "claims_matching_expression"); expression != "" {
		object["claimsMatchingExpression"] = map[string]any{"value": expression, "languageVersion": 1}
	} else {
		object["subject"] = v.text(b.body, "subject")
	}
	return []trust.Document{m.jsonDocument(b, "azure", object, v, "", "")}
}

// vaultRole reads a role of the JWT method, whose attributes have the names of the
// API. A list in a bound claim is written with commas.
func (m *module) vaultRole(b *block) []trust.Document {
	v := m.values()
	object := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(b.body.Attributes)) {
		switch name {
		case "count", "for_each", "depends_on", "provider", "lifecycle", "namespace", "backend", "role_name":
			continue
		}
		object[name] = v.attribute(b.body, name)
	}
	if claims, ok := object["bound_claims"].(map[string]any); ok {
		for claim, value := range claims {
			if text, ok := value.(string); ok && strings.Contains(text, ",") {
				claims[claim] = strings.Split(text, ",")
			}
		}
	}
	d := m.jsonDocument(b, "vault", object, v, "", "")
	if !gitHubRole(string(d.Body), v.text(b.body, "backend")) {
		return nil
	}
	return []trust.Document{d}
}

// gitHubRole reports whether a role is for GitHub's tokens, as far as its claims or
// its mount tell.
func gitHubRole(body, mount string) bool {
	for _, sign := range []string{"repo:", `"repository`, "job_workflow_ref", `"workflow_ref`, "github", "runner_environment"} {
		if strings.Contains(strings.ToLower(body+mount), sign) {
			return true
		}
	}
	return false
}
