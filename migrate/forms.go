package migrate

import (
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"github.com/stint-dev/stint/workflows"
)

// A block is a provider's block of a grant, as far as a step tells it.
type block struct {
	provider string
	ttl      time.Duration
	fields   []field
	// rights is a comment that says how to narrow the credential; "" when the fields do.
	rights string
}

// A form is a credential action whose steps can become grants.
type form struct {
	// read reads the inputs of a step that asks by the job's id-token.
	read func(*inputs) block
	// static are inputs with a stored key, which makes the step another case.
	static []string
}

// forms by the action's name in lower case. Sources: the actions' own action.yml and
// README, 2026-11.
var forms = map[string]form{
	"aws-actions/configure-aws-credentials": {readAWS, []string{"aws-access-key-id", "aws-secret-access-key", "aws-session-token"}},
	"google-github-actions/auth":            {readGCP, []string{"credentials_json"}},
	"azure/login":                           {readAzure, []string{"creds"}},
	"hashicorp/vault-action":                {readVault, []string{"token", "secretId", "githubToken", "password"}},
}

// formOf returns the form of a step; ok is false when it is no credential action.
func formOf(s *workflows.Step) (f form, ok bool) {
	if s.Uses == nil || s.Uses.Host != "" {
		return f, false
	}
	f, ok = forms[s.Uses.FullName()]
	return f, ok
}

// Values for a person to replace: well formed, and nobody's.
const (
	noRole     = "arn:aws:iam::000000000000:role/fill-in"
	noProvider = "projects/000000000000/locations/global/workloadIdentityPools/github/providers/fill-in"
	noAccount  = "fill-in@project-id.iam.gserviceaccount.com"
	noGUID     = "00000000-0000-0000-0000-000000000000"
	noAddress  = "https://vault.example"
	noName     = "fill-in"
)

func readAWS(in *inputs) block {
	b := block{provider: "aws", ttl: in.seconds("role-duration-seconds", time.Hour)}
	b.fields = append(b.fields, in.required("role", "role-to-assume", noRole, "the role that trusts this job")...)
	b.fields = append(b.fields, in.required("region", "aws-region", "us-east-1", "the region")...)
	b.fields = append(b.fields, in.plain("audience", "audience", "sts.amazonaws.com")...)
	b.fields = append(b.fields, in.list("managed-policies", "managed-session-policies")...)
	b.fields = append(b.fields, in.sessionPolicy()...)
	if in.raw("managed-session-policies")+in.raw("inline-session-policy") == "" {
		b.rights = `allow: [{ actions: [s3:PutObject], resources: ["arn:aws:s3:::BUCKET/*"] }]`
	}
	if in.raw("role-session-name") != "" {
		in.differ = append(in.differ, "CloudTrail shows the session as gh-RUN-ATTEMPT-REPOSITORY in place of role-session-name")
	}
	in.must("role-chaining", "keep this step; name the second role in a grant of its own when its trust policy takes the job's id-token", "false")
	in.must("role-external-id", "keep this step: an id-token carries no external id", "")
	in.must("output-env-credentials", "keep this step, or hand the credentials to one command with stint exec", "true")
	in.idle("role-skip-session-tagging", "mask-aws-account-id", "disable-retry", "retry-max-attempts",
		"special-characters-workaround", "unset-current-credentials", "action-timeout-s", "allowed-account-ids")
	return b
}

// sessionPolicy turns an inline session policy into allow, when it only allows.
func (in *inputs) sessionPolicy() []field {
	const name, next = "inline-session-policy", "write the rights under allow: by hand; a grant has actions on resources and no conditions"
	text, rest := in.constant(name)
	if text == "" {
		return nil
	}
	var policy struct {
		Version   string
		Statement []struct {
			Sid, Effect      string
			Action, Resource any
		}
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if rest || dec.Decode(&policy) != nil {
		in.fail(stop(next, "input %q says more than a grant can", name))
		return nil
	}
	var entries []string
	for _, s := range policy.Statement {
		actions, resources := texts(s.Action), texts(s.Resource)
		if s.Effect != "Allow" || actions == nil || resources == nil {
			in.fail(stop(next, "input %q says more than a grant can", name))
			return nil
		}
		entries = append(entries, "{ actions: ["+strings.Join(actions, ", ")+"], resources: ["+strings.Join(resources, ", ")+"] }")
	}
	return []field{{key: "allow", text: "[" + strings.Join(entries, ", ") + "]"}}
}

// texts reads a string or a list of strings of JSON; nil for anything else.
func texts(v any) []string {
	if s, ok := v.(string); ok {
		return []string{yamlFlow(s)}
	}
	list, _ := v.([]any)
	var out []string
	for _, item := range list {
		s, ok := item.(string)
		if !ok {
			return nil
		}
		out = append(out, yamlFlow(s))
	}
	return out
}

func readGCP(in *inputs) block {
	b := block{provider: "gcp", ttl: 5 * time.Minute}
	b.fields = append(b.fields, in.required("provider", "workload_identity_provider", noProvider, "the provider that takes this job's tokens, with the project's number")...)
	account := in.plain("service-account", "service_account", noAccount)
	if account == nil && in.static {
		account = []field{in.fill("service-account", noAccount, "the account whose key it was")}
	}
	if account != nil {
		b.ttl = in.seconds("access_token_lifetime", time.Hour)
	}
	b.fields = append(b.fields, account...)
	b.fields = append(b.fields, in.list("delegates", "delegates")...)
	b.fields = append(b.fields, in.list("scopes", "access_token_scopes")...)
	b.fields = append(b.fields, in.plain("project", "project_id", "project-id")...)
	b.fields = append(b.fields, in.plain("audience", "audience", noName)...)
	if strings.EqualFold(in.raw("token_format"), "id_token") {
		b.fields = append(b.fields, in.required("id-token-audience", "id_token_audience", noName, "the audience of the id-token")...)
	} else {
		b.rights = "allow: [{ bucket: BUCKET, permissions: [roles/storage.objectUser] }]"
		in.differ = append(in.differ, "gcloud and Terraform are given an access token; what reads GOOGLE_APPLICATION_CREDENTIALS finds no file and is to be run under stint exec")
	}
	in.must("export_environment_variables", "keep this step, or hand the credentials to one command with stint exec", "true")
	in.must("universe", "keep this step: other universes are not supported", "googleapis.com")
	in.idle("id_token_audience", "id_token_include_email", "create_credentials_file", "cleanup_credentials", "retries", "backoff", "backoff_limit",
		"request_reason", "access_token_lifetime")
	return b
}

// azureClouds are the names of clouds in azure/login and in a grant.
var azureClouds = map[string]string{"azurecloud": "", "azureusgovernment": "usgov", "azurechinacloud": "china"}

func readAzure(in *inputs) block {
	// Entra decides how long its tokens live: up to 90 minutes.
	b := block{provider: "azure", ttl: 90 * time.Minute}
	b.fields = append(b.fields, in.required("tenant", "tenant-id", noGUID, "the directory's id")...)
	b.fields = append(b.fields, in.required("client-id", "client-id", noGUID, "the application's client id")...)
	b.fields = append(b.fields, in.plain("subscription", "subscription-id", noGUID)...)
	b.fields = append(b.fields, in.plain("audience", "audience", "api://AzureADTokenExchange")...)
	if name := in.raw("environment"); name != "" {
		cloud, ok := azureClouds[strings.ToLower(name)]
		if !ok {
			in.fail(stop("keep this step: the cloud is not supported", "input %q names a cloud that a grant does not know", "environment"))
		} else if cloud != "" {
			b.fields = append(b.fields, field{key: "cloud", text: cloud})
		}
	}
	in.must("auth-type", "keep this step: a managed identity of the runner needs no id-token", "SERVICE_PRINCIPAL")
	in.must("enable-AzPSSession", "keep this step: Az PowerShell is logged in by it", "false")
	in.idle("allow-no-subscriptions")
	in.differ = append(in.differ, "the id-token file that the tools read is good for about five minutes; run longer commands under stint exec, which renews it")
	return b
}

// vaultSecret is one line of vault-action's secrets: path, field and variable.
var vaultSecret = regexp.MustCompile(`^(\S+)\s+([A-Za-z0-9_-]+)(?:\s*\|\s*([A-Za-z_][A-Za-z0-9_]*))?$`)

func readVault(in *inputs) block {
	b := block{provider: "vault", ttl: time.Hour}
	if method, rest := in.constant("method"); !in.static && (rest || !strings.EqualFold(method, "jwt")) {
		in.fail(stop("set up the jwt method with a role bound to this job's claims, and write the grant: stint explain long-lived-cloud-key", "the step does not log in by the jwt method"))
	}
	in.must("jwtPrivateKey", "keep this step: its own key signs the token", "")
	b.fields = append(b.fields, in.required("address", "url", noAddress, "the server's address")...)
	b.fields = append(b.fields, in.required("role", "role", noName, "the role of the jwt method")...)
	b.fields = append(b.fields, in.plain("mount", "path", noName)...)
	b.fields = append(b.fields, in.plain("namespace", "namespace", noName)...)
	b.fields = append(b.fields, in.vaultAudience()...)
	b.fields = append(b.fields, in.vaultSecrets()...)
	if strings.EqualFold(in.raw("exportToken"), "true") {
		b.fields = append(b.fields, field{key: "token", text: "true"})
	}
	b.rights = "policies: [POLICY]"
	in.must("exportEnv", "keep this step: a grant hands its values over as variables", "true")
	in.must("outputToken", "keep this step: a grant puts no token into an output", "false")
	in.idle("jwtTtl", "ignoreNotFound", "retryVaultTokenRetrieval", "jwtGithubAudience")
	in.differ = append(in.differ, "a token that lives longer than the grant's ttl is not handed over: the role's token_ttl must be 1h or less")
	return b
}

// vaultAudience keeps the audience that the role is bound to now.
func (in *inputs) vaultAudience() []field {
	if f := in.plain("audience", "jwtGithubAudience", noName); f != nil {
		return f
	}
	owner, _, _ := strings.Cut(in.opts.Repository.Name, "/")
	if owner == "" {
		return []field{in.fill("audience", "https://github.com/OWNER", "the role's bound_audiences; without jwtGithubAudience it was https://github.com/OWNER")}
	}
	in.differ = append(in.differ, "the audience stays the one that every careless server takes; bind the role to the server's address and remove audience")
	return []field{{key: "audience", text: yamlText("https://github.com/" + owner)}}
}

// vaultSecrets groups the lines of secrets by their paths.
func (in *inputs) vaultSecrets() []field {
	text, rest := in.constant("secrets")
	if rest {
		in.fail(stop("write the paths out", "input %q is not in the files", "secrets"))
	}
	var paths []string
	byPath := map[string][]string{}
	for line := range strings.SplitSeq(text, ";") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		m := vaultSecret.FindStringSubmatch(line)
		if m == nil {
			in.fail(stop("name each field and its variable, as in secret/data/site npm | NPM_TOKEN", "input %q has a selector that a grant does not have", "secrets"))
			return nil
		}
		variable := m[3]
		if variable == "" {
			variable = strings.ToUpper(strings.ReplaceAll(m[2], "-", "_"))
		}
		if byPath[m[1]] == nil {
			paths = append(paths, m[1])
		}
		byPath[m[1]] = append(byPath[m[1]], yamlText(m[2])+": "+yamlText(variable))
	}
	var entries []string
	for _, p := range paths {
		entries = append(entries, "{ path: "+yamlFlow(p)+", fields: { "+strings.Join(byPath[p], ", ")+" } }")
	}
	if len(entries) == 0 {
		return nil
	}
	return []field{{key: "secrets", text: "[" + strings.Join(entries, ", ") + "]"}}
}
