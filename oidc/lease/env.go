package lease

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
)

// A strip is a variable, or a family of them, that a command does not get.
type strip struct {
	name   string
	prefix bool
}

// strips are the variables removed from the environment of a command under a
// lease. What is left out on purpose: GITHUB_TOKEN and what else the workflow puts
// into the step's env by name, because that is its author's decision; the paths of
// the runner's files, which scripts use; settings that only tune a tool.
var strips = []strip{
	// The id-token request: with it any code could mint a token for any audience.
	// ACTIONS_RUNTIME_TOKEN is the same string under another name, and the
	// addresses are of no use without it.
	{"ACTIONS_ID_TOKEN_REQUEST_", true},
	{"ACTIONS_RUNTIME_", true},
	{"ACTIONS_RESULTS_URL", false},
	{"ACTIONS_CACHE_URL", false},
	{"SPIFFE_ENDPOINT_SOCKET", false}, // the same, of a workload api
	// What the runner gives to an action only, and what stint gives to itself.
	{"INPUT_", true},
	{"STATE_", true},
	{"STINT_", true},

	// AWS: credentials, where to find others, and where calls go.
	{"AWS_ACCESS_KEY", true}, // _ID too
	{"AWS_SECRET_ACCESS_KEY", false},
	{"AWS_SECRET_KEY", false},
	{"AWS_SESSION_TOKEN", false},
	{"AWS_SECURITY_TOKEN", false},
	{"AWS_CREDENTIAL", true}, // _EXPIRATION, _FILE
	{"AWS_SESSION_EXPIRATION", false},
	{"AWS_BEARER_TOKEN_", true},
	{"AWS_PROFILE", false},
	{"AWS_DEFAULT_PROFILE", false},
	{"AWS_CONFIG_FILE", false},
	{"AWS_SHARED_CREDENTIALS_FILE", false},
	{"AWS_WEB_IDENTITY_TOKEN_FILE", false},
	{"AWS_ROLE_", true},
	{"AWS_CONTAINER_", true},
	{"AWS_EC2_METADATA_SERVICE_", true},
	{"AWS_ENDPOINT_URL", true},
	{"AWS_S3_ENDPOINT", false}, // Terraform's older names, this and three more
	{"AWS_STS_ENDPOINT", false},
	{"AWS_IAM_ENDPOINT", false},
	{"AWS_DYNAMODB_ENDPOINT", false},
	{"AWS_SSO_", true},
	{"AWS_VAULT", true},
	{"AWS_REGION", false},
	{"AWS_DEFAULT_REGION", false},

	// Google Cloud, and where calls go with its tokens.
	{"GOOGLE_APPLICATION_CREDENTIALS", false},
	{"GOOGLE_CREDENTIALS", false},
	{"GOOGLE_CLOUD_KEYFILE_JSON", false},
	{"GCLOUD_KEYFILE_JSON", false},
	{"GOOGLE_GHA_CREDS_PATH", false},
	{"GOOGLE_OAUTH_ACCESS_TOKEN", false},
	{"GOOGLE_IMPERSONATE_SERVICE_ACCOUNT", false},
	{"GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", false},
	{"GOOGLE_BACKEND_", true}, // of Terraform's state
	{"GOOGLE_CLOUD_UNIVERSE_DOMAIN", false},
	{"CLOUDSDK_CORE_UNIVERSE_DOMAIN", false},
	{"CLOUDSDK_API_ENDPOINT_OVERRIDES_", true},
	{"CLOUDSDK_AUTH_", true},
	{"CLOUDSDK_CONFIG", false},
	{"GCE_METADATA_", true},

	// Azure, and Terraform's provider for it.
	{"AZURE_", true},
	{"ARM_", true},
	{"IDENTITY_ENDPOINT", false},
	{"IDENTITY_HEADER", false},
	{"MSI_ENDPOINT", false},
	{"MSI_SECRET", false},

	// Vault and OpenBao: what tools prefer to the VAULT_ADDR of a lease, and what they
	// send along. Those of OpenBao read each VAULT_ name as BAO_ first.
	{"VAULT_TOKEN", false},
	{"VAULT_AGENT_ADDR", false},
	{"VAULT_PROXY_ADDR", false},
	{"VAULT_NAMESPACE", false},
	{"VAULT_HEADERS", false},
	{"VAULT_CLIENT_CERT", false},
	{"VAULT_CLIENT_KEY", false},
	{"BAO_", true},
}

// ChildEnv returns the environment for a command: base without what [strips]
// lists, plus the variables of the leases. removed are the names left out, sorted,
// for a message. Two leases that set one variable are an error.
//
// This keeps the request for id-tokens and other credentials from the command and
// what it starts. It hides nothing from code that looks at other processes.
func ChildEnv(base []string, leases ...*Lease) (env, removed []string, err error) {
	for _, entry := range base {
		name, _, ok := strings.Cut(entry, "=")
		switch {
		case !ok || name == "": // Windows keeps entries like "=C:=C:\dir"
		case stripped(name, runtime.GOOS == "windows"):
			removed = append(removed, name)
			continue
		}
		env = append(env, entry)
	}
	if err := checkOverlap(leases); err != nil {
		return nil, nil, err
	}
	for _, l := range leases {
		for _, v := range slices.Concat(l.opts.Also, l.Vars()) {
			env = setEnv(env, v.Name, v.Value.Reveal())
		}
	}
	slices.Sort(removed)
	return env, slices.Compact(removed), nil
}

// checkOverlap refuses two leases that set one variable.
func checkOverlap(leases []*Lease) error {
	from := map[string]string{}
	for _, l := range leases {
		for _, v := range l.Vars() {
			if first, taken := from[v.Name]; taken {
				return overlap(v.Name, fmt.Sprintf("grant %q", first), fmt.Sprintf("grant %q", l.grant.Name))
			}
			from[v.Name] = l.grant.Name
		}
	}
	return nil
}

// stripped reports whether a variable is on the list. Windows does not tell
// upper from lower case in names.
func stripped(name string, foldCase bool) bool {
	if foldCase {
		name = strings.ToUpper(name)
	}
	return slices.ContainsFunc(strips, func(s strip) bool {
		return name == s.name || s.prefix && strings.HasPrefix(name, s.name)
	})
}

// setEnv replaces a variable or adds it.
func setEnv(env []string, name, value string) []string {
	env = slices.DeleteFunc(env, func(e string) bool { return strings.HasPrefix(e, name+"=") })
	return append(env, name+"="+value)
}
