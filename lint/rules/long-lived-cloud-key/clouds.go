package longlivedcloudkey

import (
	"path"
	"slices"
	"strings"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// titles are the clouds, vaults and brokers whose keys are found, as people write
// them. Places that take an id-token and are no cloud belong to other rules.
var titles = map[string]string{
	"aws": "AWS", "gcp": "Google Cloud", "azure": "Azure", "alibaba": "Alibaba Cloud", "oracle": "Oracle Cloud",
	"vault": "Vault", "pulumi": "Pulumi Cloud", "tailscale": "Tailscale", "doppler": "Doppler", "infisical": "Infisical",
	"akeyless": "Akeyless", "teleport": "Teleport", "chainguard": "Chainguard",
}

// nexts are the next steps. Source: the documentation of each place, 2026-11.
var nexts = map[string]string{
	"aws":        "give the job a role that trusts its id-token (role-to-assume, or a grant of stint), then delete the access key in IAM and the secrets",
	"gcp":        "give the job a workload identity (workload_identity_provider, or a grant of stint), then delete the service account's key and the secret",
	"azure":      "add a federated credential for the job and log in with client-id, tenant-id and subscription-id, or by a role assignment in place of account keys; then delete the secret there and here",
	"alibaba":    "let the job assume a RAM role through an OIDC provider (role-to-assume), then delete the access key and the secrets",
	"oracle":     "exchange the id-token for a session token of OCI's identity domain, then delete the API key and the secrets",
	"vault":      "log in by the jwt method with a role bound to the job's claims, then revoke the token and delete the secret",
	"pulumi":     "exchange the id-token by pulumi/auth-actions, then delete the access token and the secret",
	"tailscale":  "join by workload identity (a federated client), then delete the key and the secret",
	"doppler":    "log in by a service account identity with the id-token, then delete the service token and the secret",
	"infisical":  "log in by a machine identity with OIDC authentication, then delete the client secret and the secret here",
	"akeyless":   "log in by the OIDC method (access-type jwt), then delete the key and the secret",
	"teleport":   "join by the github method, then delete the token and the secret",
	"chainguard": "assume an identity bound to the job's claims, then delete the token and the secret",
}

// cloud returns a place when it is one that this rule is about.
func cloud(place string) string {
	if titles[place] == "" || !platform.Federates(place) {
		return ""
	}
	return place
}

// placeOf says which cloud's key a use is; told is set when what takes the value
// says so, and not only the secret's name.
func placeOf(g *reach.Graph, job *reach.Job, u reach.Use) (place string, told bool) {
	own := platform.LookupSecret(u.Credential.Name)
	if own.Class != "" && own.Class != "registry-login" && cloud(own.Opens) == "" || elsewhere(g, job, u) {
		return "", false // the secret opens another place, whatever the variable is called
	}
	switch u.Holder {
	case reach.HeldByInput:
		place = ofInput(u)
	case reach.HeldByScript:
	default:
		place = ofName(u.Name)
	}
	if place == "" {
		place = ofCommands(g, job, u)
	}
	switch {
	case place != "":
		return place, !vague(u.Name)
	case own.Class == "cloud-key" && !address(u.Credential.Name):
		return cloud(own.Opens), false
	}
	return "", false
}

// vague reports whether a name says the cloud and not that it is the cloud's own
// key: AZURE_TOKEN may be for a service on it.
func vague(name string) bool {
	name = strings.ToLower(name)
	return strings.HasSuffix(name, "token") && !strings.HasSuffix(name, "session_token") && !strings.HasSuffix(name, "sas_token")
}

// address reports whether a name is that of an address, which opens nothing.
func address(name string) bool {
	name = strings.ToLower(name)
	return strings.HasSuffix(name, "_url") || strings.HasSuffix(name, "_uri")
}

// ofName judges a variable or input by its name.
func ofName(name string) string {
	name = strings.TrimPrefix(strings.ToUpper(name), "TF_VAR_")
	if info := platform.LookupSecret(name); info.Class == "cloud-key" && !address(name) {
		return cloud(info.Opens)
	}
	return ""
}

// ofInput judges the input of an action: what the table of actions says of it, the
// registry that it logs in to, or else its name.
func ofInput(u reach.Use) string {
	if u.Step.Uses == nil {
		return ""
	}
	info, known := platform.LookupAction(u.Step.Uses.FullName())
	static := false
	for _, name := range info.StaticInputs {
		static = static || strings.EqualFold(name, u.Name)
	}
	switch {
	case static && info.Opens == "registry":
		return ofRegistry(u.Step.With.Get("registry").String())
	case static:
		return cloud(info.Opens)
	case known && info.Opens != "" && cloud(info.Opens) == "":
		return ""
	}
	return ofName(u.Name)
}

// ofRegistry returns the cloud that serves a container registry's host. Sources:
// the clouds' documentation of their registries, 2026-11.
func ofRegistry(host string) string {
	host, _, _ = strings.Cut(strings.TrimPrefix(host, "https://"), "/")
	switch {
	case strings.HasSuffix(host, ".amazonaws.com"), host == "public.ecr.aws":
		return "aws"
	case strings.HasSuffix(host, ".pkg.dev"), host == "gcr.io", strings.HasSuffix(host, ".gcr.io"):
		return "gcp"
	case strings.HasSuffix(host, ".azurecr.io"):
		return "azure"
	case strings.HasSuffix(host, ".aliyuncs.com"):
		return "alibaba"
	case strings.HasSuffix(host, ".ocir.io"):
		return "oracle"
	}
	return ""
}

// ofCommands judges a value by the commands that it is given to: a log-in, or what
// a log-in reads from them.
func ofCommands(g *reach.Graph, job *reach.Job, u reach.Use) string {
	for _, s := range g.RunSteps(job) {
		if !u.Reaches(s) {
			continue
		}
		for _, c := range u.Takers(s.Step) {
			for _, taker := range []*workflows.Command{c, c.PipesInto, c.Within} {
				if place := ofCommand(taker); place != "" {
					return place
				}
			}
			file := writtenTo(c)
			if place := ofPath(file); place != "" {
				return place
			}
			if place := ofFile(g, job, path.Base(file)); file != "" && place != "" {
				return place
			}
		}
	}
	return ""
}

// maxPiped bounds the pipe that is followed to the file at its end.
const maxPiped = 4

// writtenTo returns the name of the file that a command's output goes to in the end,
// by itself or through a pipe (base64 -d > key.json, tee key.json), or "".
func writtenTo(c *workflows.Command) string {
	for range maxPiped {
		if c == nil {
			break
		}
		for _, r := range c.Redirs {
			if (r.Op == ">" || r.Op == ">>" || r.Op == ">|") && r.Target.Text != "" {
				return r.Target.Text
			}
		}
		if args := c.Args(); c.Name == "tee" && len(args) > 0 {
			return args[len(args)-1].Text
		}
		c = c.PipesInto
	}
	return ""
}

// ofPath returns the cloud whose tools keep their keys in a file. Source: the tools'
// documentation, 2026-11.
func ofPath(file string) string {
	switch {
	case strings.HasSuffix(file, ".aws/credentials"):
		return cloud("aws")
	case strings.HasSuffix(file, "gcloud/application_default_credentials.json"):
		return cloud("gcp")
	case strings.HasSuffix(file, ".oci/config"):
		return cloud("oracle")
	case strings.HasSuffix(file, ".aliyun/config.json"):
		return cloud("alibaba")
	}
	return ""
}

// ofFile judges a file by the log-ins of the job that read it, and by the variables
// that are set to it.
func ofFile(g *reach.Graph, job *reach.Job, file string) string {
	if strings.HasPrefix(file, "\uFFFD") {
		return ""
	}
	is := func(text string) bool {
		return strings.HasSuffix(text, "/"+file) || strings.TrimPrefix(text, "@") == file || strings.HasSuffix(text, "="+file)
	}
	for _, s := range g.RunSteps(job) {
		for _, e := range append(job.Job.EffectiveEnv(nil), s.Step.Env.All()...) {
			if place := ofName(e.Key.Value); place != "" && is(e.Value.Value) {
				return place
			}
		}
		if s.Step.Run == nil {
			continue
		}
		for _, c := range s.Step.Run.Commands {
			for _, a := range c.Assigns {
				if place := ofName(a.Name); place != "" && is(a.Value.Text) {
					return place
				}
			}
			if place := ofCommand(c); place != "" && slices.ContainsFunc(c.Args(), func(w workflows.Word) bool { return is(w.Text) }) {
				return place
			}
		}
	}
	return ""
}

func ofCommand(c *workflows.Command) string {
	if c == nil {
		return ""
	}
	words := c.Line
	info, ok := platform.LookupCommand(words)
	if !ok || info.Does != "login" || len(info.Env) == 0 && info.Opens != "registry" {
		return ""
	}
	if info.Opens != "registry" {
		return cloud(info.Opens)
	}
	for _, w := range words {
		if place := ofRegistry(w); place != "" {
			return place
		}
	}
	return ""
}

// elsewhere reports whether a key of the cloud's form opens a service of somebody
// else that speaks the cloud's protocol: an endpoint that is not the cloud's own is
// set where the key is used.
func elsewhere(g *reach.Graph, job *reach.Job, u reach.Use) bool {
	for _, s := range g.RunSteps(job) {
		if !u.Reaches(s) {
			continue
		}
		env := append(job.Job.EffectiveEnv(nil), s.Step.Env.All()...)
		for _, e := range append(env, s.Step.With.All()...) {
			if endpointNames[strings.ToLower(strings.ReplaceAll(e.Key.Value, "-", "_"))] && foreignEndpoint(e.Value.Value) {
				return true
			}
		}
		if s.Step.Run != nil && u.Step == s.Step && foreignOption(s.Step.Run.Commands) {
			return true
		}
	}
	return false
}

// endpointNames are variables and inputs, in lower case, that point a client of
// S3 or of all AWS at a server. Source: the SDKs' and tools' documentation, 2026-11.
var endpointNames = map[string]bool{
	"aws_endpoint_url": true, "aws_endpoint_url_s3": true, "aws_endpoint": true, "aws_s3_endpoint": true, "s3_endpoint": true,
	"s3_endpoint_url": true, "endpoint": true, "endpoint_url": true, "rclone_config_s3_endpoint": true,
}

func foreignEndpoint(value string) bool {
	return value != "" && !strings.Contains(value, "amazonaws.com")
}

// foreignOption reports whether a command is pointed at another server by --endpoint-url.
func foreignOption(commands []*workflows.Command) bool {
	for _, c := range commands {
		words := c.Args()
		for i, w := range words {
			value, ok := strings.CutPrefix(w.Text, "--endpoint-url=")
			if w.Text == "--endpoint-url" && i+1 < len(words) {
				value, ok = words[i+1].Text, true
			}
			if ok && foreignEndpoint(value) {
				return true
			}
		}
	}
	return false
}
