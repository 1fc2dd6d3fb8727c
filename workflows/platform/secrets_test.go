package platform

import (
	"slices"
	"strings"
	"testing"
)

var knownClasses = []string{"", "cloud-key", "publish-token", "personal-token", "app-key", "ssh-key", "model-key", "registry-login", "webhook", "signing-key", "service-token", "repository-token"}

// Every line of the table must be reachable: its own words, as a name, find it.
func TestSecretTable(t *testing.T) {
	seen := map[string]bool{}
	for _, line := range secretTable {
		if line.words != strings.ToLower(line.words) || seen[line.words] {
			t.Errorf("%q: not in lower case, or there twice", line.words)
		}
		seen[line.words] = true
		if !slices.Contains(knownClasses, line.Class) || line.Public && line.Class != "" {
			t.Errorf("%q: class %q, public %v", line.words, line.Class, line.Public)
		}
		if line.Federates != federates[line.Opens] {
			t.Errorf("%q: federates %v", line.words, line.Federates)
		}
		words := slices.DeleteFunc(strings.Fields(strings.ReplaceAll(line.words, "*", "")), func(w string) bool { return w == "^" || w == "$" })
		if !slices.Equal(joinWords(words), words) {
			t.Errorf("%q: names are joined to %q before the look-up", line.words, joinWords(words))
		}
		name := strings.Join(words, "_")
		if !strings.HasPrefix(line.words, "^") {
			name = "x_" + name
		}
		if !strings.HasSuffix(line.words, "$") {
			name += "_x"
		}
		if got := LookupSecret(name); got != line.SecretInfo {
			t.Errorf("%q: an earlier line takes %s: %+v", line.words, name, got)
		}
	}
}

func TestLookupSecret(t *testing.T) {
	for _, c := range []struct{ names, class, opens string }{
		{"AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY aws-secret-access-key AwsSecretAccessKey PROD_AWS_SECRET_ACCESS_KEY ECR_SECRET_ACCESS_KEY", "cloud-key", "aws"},
		{"GCP_SA_KEY GCP_CREDENTIALS GOOGLE_CREDENTIALS GOOGLE_APPLICATION_CREDENTIALS GCLOUD_SERVICE_KEY FIREBASE_SERVICE_ACCOUNT_SITE", "cloud-key", "gcp"},
		{"AZURE_CREDENTIALS AZURE_CLIENT_SECRET ARM_CLIENT_SECRET AZURE_STORAGE_CONNECTION_STRING", "cloud-key", "azure"},
		{"ALICLOUD_SECRET_KEY ALIBABA_CLOUD_ACCESS_KEY_SECRET ALIYUN_KEY", "cloud-key", "alibaba"},
		{"OCI_CLI_KEY_CONTENT", "cloud-key", "oracle"},
		{"DIGITALOCEAN_ACCESS_TOKEN DIGITAL_OCEAN_TOKEN DO_API_TOKEN", "cloud-key", "digitalocean"},
		{"CLOUDFLARE_API_TOKEN CF_API_TOKEN R2_SECRET_ACCESS_KEY", "cloud-key", "cloudflare"},
		{"B2_SECRET_ACCESS_KEY BACKBLAZE_APPLICATION_KEY", "cloud-key", "backblaze"},
		{"MINIO_SECRET_KEY MINIO_AWS_SECRET_ACCESS_KEY", "service-token", "minio"},
		{"LLM_CONNECTION_AZURE_KEY", "model-key", "model"},
		{"HOMEBREW_INFLUXDB_READ_TOKEN", "service-token", "influxdb"},
		{"VAULT_CLIENT_SECRET VAULT_TOKEN", "cloud-key", "vault"},
		{"TF_API_TOKEN", "cloud-key", "terraform"},
		{"VAULT_TOKEN", "cloud-key", "vault"},
		{"KUBECONFIG KUBE_CONFIG_DATA", "cloud-key", "kubernetes"},
		{"NPM_TOKEN NODE_AUTH_TOKEN NPM_TOKEN2 NPM_AUTH_TOKEN", "publish-token", "npm"},
		{"PYPI_API_TOKEN TWINE_PASSWORD TEST_PYPI_TOKEN UV_PUBLISH_TOKEN", "publish-token", "pypi"},
		{"CARGO_REGISTRY_TOKEN CRATES_IO_TOKEN", "publish-token", "crates"},
		{"GEM_HOST_API_KEY RUBYGEMS_API_KEY RUBYGEMS_AUTH_TOKEN", "publish-token", "rubygems"},
		{"NUGET_API_KEY", "publish-token", "nuget"},
		{"MAVEN_PASSWORD OSSRH_TOKEN SONATYPE_PASSWORD", "publish-token", "maven"},
		{"COCOAPODS_TRUNK_TOKEN", "publish-token", "cocoapods"},
		{"HEX_API_KEY", "publish-token", "hex"},
		{"AZDO_PAT ADO_PAT AZURE_DEVOPS_PAT", "service-token", "azuredevops"},
		{"VSCE_PAT", "publish-token", "vscode"},
		{"OVSX_PAT", "publish-token", "openvsx"},
		{"DOCKERHUB_TOKEN DOCKER_HUB_PASSWORD DOCKERHUB_PASSWORD", "registry-login", "dockerhub"},
		{"DOCKER_PASSWORD REGISTRY_PASSWORD", "registry-login", "registry"},
		{"GH_PAT PERSONAL_ACCESS_TOKEN GH_TOKEN BOT_TOKEN PAT RELEASE_PAT GHPAT MY_GITHUB_TOKEN RENOVATE_TOKEN", "personal-token", "github"},
		{"APP_PRIVATE_KEY BOT_APP_PRIVATE_KEY RELEASE_BOT_PRIVATE_KEY", "app-key", "github"},
		{"SSH_PRIVATE_KEY DEPLOY_KEY SSH_KEY", "ssh-key", "ssh"},
		{"OPENAI_API_KEY CODEX_API_KEY", "model-key", "openai"},
		{"ANTHROPIC_API_KEY CLAUDE_CODE_OAUTH_TOKEN", "model-key", "anthropic"},
		{"GEMINI_API_KEY", "model-key", "gemini"},
		{"SLACK_WEBHOOK SLACK_WEBHOOK_URL REGISTRY_FAILURE_SLACK_WEBHOOK_URL", "webhook", "slack"},
		{"DISCORD_WEBHOOK", "webhook", "discord"},
		{"GPG_PRIVATE_KEY MAVEN_GPG_PRIVATE_KEY COSIGN_PASSWORD APPLE_CERTIFICATE_PASSWORD", "signing-key", "signing"},
		{"CODECOV_TOKEN", "service-token", "codecov"},
		{"SONAR_TOKEN", "service-token", "sonar"},
		{"GITHUB_TOKEN github_token", "repository-token", "github"},
		{"JWT_SECRET SOMETHING_ELSE A", "", ""},
	} {
		for _, name := range strings.Fields(c.names) {
			if got := LookupSecret(name); got.Class != c.class || got.Opens != c.opens || got.Public {
				t.Errorf("LookupSecret(%q) = %+v, want class %q at %q", name, got, c.class, c.opens)
			}
		}
	}
}

func TestLookupSecretPublic(t *testing.T) {
	for _, name := range strings.Fields(`AWS_ACCOUNT_ID AWS_REGION AWS_ROLE_ARN AWS_ROLE_TO_ASSUME AZURE_CLIENT_ID AZURE_TENANT_ID AZURE_SUBSCRIPTION_ID
		GCP_WORKLOAD_IDENTITY_PROVIDER GCP_PROJECT_ID GOOGLE_CLOUD_PROJECT RELEASE_APP_ID DOCKERHUB_USERNAME DOCKER_USERNAME NPM_EMAIL S3_BUCKET SSH_HOST SSH_USER`) {
		if got := LookupSecret(name); !got.Public || got.Class != "" {
			t.Errorf("LookupSecret(%q) = %+v, want public", name, got)
		}
	}
	for _, name := range strings.Fields("AWS_SECRET_ACCESS_KEY NPM_TOKEN GH_TOKEN_REPO PASSWORD SSH_PRIVATE_KEY") {
		if LookupSecret(name).Public {
			t.Errorf("%s counts as public", name)
		}
	}
}

func TestSecretFederates(t *testing.T) {
	for name, want := range map[string]bool{
		"AWS_SECRET_ACCESS_KEY": true, "GCP_SA_KEY": true, "AZURE_CREDENTIALS": true, "ALICLOUD_SECRET_KEY": true, "NPM_TOKEN": true,
		"PYPI_API_TOKEN": true, "CARGO_REGISTRY_TOKEN": true, "RUBYGEMS_API_KEY": true, "NUGET_API_KEY": true, "VAULT_TOKEN": true, "DOCKERHUB_TOKEN": true,
		"VSCE_PAT": false, "CLOUDFLARE_API_TOKEN": false, "OSSRH_TOKEN": false, "GH_PAT": false, "SLACK_WEBHOOK": false, "OPENAI_API_KEY": false,
	} {
		if got := LookupSecret(name).Federates; got != want {
			t.Errorf("%s: federates %v, want %v", name, got, want)
		}
	}
}

func FuzzLookupSecret(f *testing.F) {
	f.Add("AWS_SECRET_ACCESS_KEY")
	f.Add("awsSecretAccessKey")
	f.Add("é_1_")
	f.Fuzz(func(t *testing.T, name string) {
		got := LookupSecret(name)
		if got.Public && got.Class != "" {
			t.Errorf("%q: public and %s", name, got.Class)
		}
		if again := LookupSecret(strings.ReplaceAll(name, "_", "-")); again != got && !strings.EqualFold(name, "GITHUB_TOKEN") {
			t.Errorf("%q: the separator changes %+v to %+v", name, got, again)
		}
	})
}

// Names without separators are taken apart where there is one way to do so.
func TestRunTogetherNames(t *testing.T) {
	for _, c := range []struct{ names, class, opens string }{
		{"NPMTOKEN npmtoken NPMAUTHTOKEN MY_NPMTOKEN NPMTOKEN_PROD", "publish-token", "npm"},
		{"AWSSECRETACCESSKEY AWSACCESSKEYID AWSSECRETKEY", "cloud-key", "aws"},
		{"PYPITOKEN PYPIAPITOKEN", "publish-token", "pypi"},
		{"GITHUBTOKEN GHTOKEN", "personal-token", "github"},
		{"DOCKERHUBTOKEN DOCKERHUBPASSWORD", "registry-login", "dockerhub"},
		{"SSHPRIVATEKEY SSHKEY", "ssh-key", "ssh"},
		{"SLACKWEBHOOKURL SLACKWEBHOOK", "webhook", "slack"},
		{"AZURECREDENTIALS AZURECLIENTSECRET", "cloud-key", "azure"},
		{"OPENAIAPIKEY OPENAIKEY", "model-key", "openai"},
		{"CODECOVTOKEN", "service-token", "codecov"},
	} {
		for _, name := range strings.Fields(c.names) {
			if got := LookupSecret(name); got.Class != c.class || got.Opens != c.opens {
				t.Errorf("%s: got %+v, want class %s, opens %s", name, got, c.class, c.opens)
			}
		}
	}
	for _, name := range strings.Fields("CONFIGUREAWSCREDENTIALSPACKAGEROLEARN DEPLOYROLEARN AWSROLEARN AWSREGION AWSACCOUNTID NPMUSERNAME") {
		if got := LookupSecret(name); !got.Public {
			t.Errorf("%s: got %+v, want public", name, got)
		}
	}
	for _, name := range strings.Fields("MASTERKEY MONKEY TURNKEY SOMETHINGTOKEN COMPATIBLE FORMAT SIGNATURE TOKENIZER ROLEARNING DESIGNTOKEN") {
		if got := LookupSecret(name); got != (SecretInfo{}) {
			t.Errorf("%s: got %+v, want nothing", name, got)
		}
	}
	long := strings.Repeat("npm", 100) + "token"
	if got := LookupSecret(long); got != (SecretInfo{}) {
		t.Errorf("a name over the limit: %+v", got)
	}
}
