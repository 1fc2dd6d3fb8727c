package migrate

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// A replacement says how a grant serves commands that read a key from variables.
type replacement struct {
	// variables are those in which the tools look for the key and which the grant's own
	// variables take the place of.
	variables []string
	// beside are variables without a secret that go with them.
	beside []string
	// block makes the provider's block; env are the variables that the step has.
	block func(in *inputs, env func(string) string) block
}

// replacements by place. Sources: the providers' README, section "The command gets".
var replacements = map[string]replacement{
	"aws": {[]string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}, nil, awsBlock},
	"gcp": {[]string{"GOOGLE_CREDENTIALS", "CLOUDSDK_AUTH_ACCESS_TOKEN", "GOOGLE_OAUTH_ACCESS_TOKEN"}, nil, gcpBlock},
	"azure": {[]string{"ARM_CLIENT_SECRET", "AZURE_CLIENT_SECRET"}, []string{"ARM_CLIENT_ID", "ARM_TENANT_ID", "ARM_SUBSCRIPTION_ID",
		"AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_SUBSCRIPTION_ID"}, azureBlock},
	"vault": {[]string{"VAULT_TOKEN"}, nil, vaultBlock},
	"npm":   {[]string{"NODE_AUTH_TOKEN"}, nil, registryBlock("npm", time.Hour)},
	"pypi": {[]string{"TWINE_PASSWORD", "UV_PUBLISH_TOKEN", "FLIT_PASSWORD", "HATCH_INDEX_AUTH", "PDM_PUBLISH_PASSWORD", "POETRY_PYPI_TOKEN_PYPI"},
		[]string{"TWINE_USERNAME", "FLIT_USERNAME", "HATCH_INDEX_USER", "PDM_PUBLISH_USERNAME"}, registryBlock("pypi", 15*time.Minute)},
	"crates":   {[]string{"CARGO_REGISTRY_TOKEN"}, nil, registryBlock("crates", 30*time.Minute)},
	"rubygems": {[]string{"GEM_HOST_API_KEY"}, nil, registryBlock("rubygems", 15*time.Minute)},
	"nuget":    {[]string{"NUGET_API_KEY"}, nil, registryBlock("nuget", time.Hour)},
}

// takes reports whether all uses of a key are variables that a grant sets instead.
func (r replacement) takes(uses []reach.Use) bool {
	return len(uses) > 0 && !slices.ContainsFunc(uses, func(u reach.Use) bool {
		return u.Holder != reach.HeldByStep && u.Holder != reach.HeldByJob || !slices.Contains(r.variables, u.Name)
	})
}

func awsBlock(in *inputs, env func(string) string) block {
	region := field{key: "region", text: yamlText(firstOf(env, "AWS_REGION", "AWS_DEFAULT_REGION"))}
	if region.text == `""` {
		region = in.fill("region", "us-east-1", "the region")
	}
	return block{"aws", time.Hour, []field{in.fill("role", noRole, "a role with the rights that the job needs of the key's user"), region},
		`allow: [{ actions: [s3:PutObject], resources: ["arn:aws:s3:::BUCKET/*"] }]`}
}

func gcpBlock(in *inputs, _ func(string) string) block {
	return block{"gcp", time.Hour, []field{
		in.fill("provider", noProvider, "the provider that takes this job's tokens, with the project's number"),
		in.fill("service-account", noAccount, "the account whose key it was"),
	}, "allow: [{ bucket: BUCKET, permissions: [roles/storage.objectUser] }]"}
}

func azureBlock(in *inputs, _ func(string) string) block {
	return block{"azure", 90 * time.Minute, []field{
		in.fill("tenant", noGUID, "the directory's id"),
		in.fill("client-id", noGUID, "the application's client id"),
		in.fill("subscription", noGUID, "the subscription's id"),
	}, ""}
}

func vaultBlock(in *inputs, env func(string) string) block {
	address := field{key: "address", text: yamlText(firstOf(env, "VAULT_ADDR"))}
	if !strings.HasPrefix(address.text, "https://") {
		address = in.fill("address", noAddress, "the server's address")
	}
	return block{"vault", time.Hour, []field{address, in.fill("role", noName, "the role of the jwt method"), {key: "token", text: "true"}}, "policies: [POLICY]"}
}

// registryBlock is that of a registry with trusted publishing, whose tokens live that long.
func registryBlock(provider string, life time.Duration) func(*inputs, func(string) string) block {
	return func(in *inputs, _ func(string) string) block {
		fields := []field{in.fill("package", noName, "the package's name")}
		if provider == "nuget" {
			fields = append(fields, in.fill("user", noName, "the account that owns the policy"))
		}
		return block{provider, life, fields, ""}
	}
}

func firstOf(env func(string) string, names ...string) string {
	for _, n := range names {
		if v := env(n); v != "" && !strings.Contains(v, "${{") {
			return v
		}
	}
	return ""
}

// keyOfVariables takes a key out of variables and opens a grant in a step before.
func (m *mover) keyOfVariables(k *Key, job *reach.Job, uses []reach.Use, r replacement) *problem {
	at, steps, condition, p := placeFor(job, uses)
	if p != nil {
		return p
	}
	if p := checkedOut(job.Job, at); p != nil {
		return p
	}
	for _, s := range steps {
		if shared(job, s) {
			return stop("write it out where the alias stands, then run this again", "another step repeats a part of it through an alias")
		}
	}
	env := func(name string) string {
		for _, e := range job.Job.EffectiveEnv(steps[0]) {
			if e.Key.Value == name {
				return e.Value.Value
			}
		}
		return ""
	}
	in := &inputs{opts: m.opts, job: job.Job, step: at}
	b := r.block(in, env)
	return m.grantFor(k, job, at, b, in, func(grantName string) ([]workflows.Edit, *problem) {
		return m.takeOut(job, at, uses, r, grantName, condition)
	})
}

// placeFor returns the step before which a grant is opened, the steps that use the
// key, and the condition that they all run under.
func placeFor(job *reach.Job, uses []reach.Use) (at *workflows.Step, steps []*workflows.Step, condition string, p *problem) {
	wide := slices.ContainsFunc(uses, func(u reach.Use) bool { return u.Holder == reach.HeldByJob })
	seen := false
	for _, s := range job.Job.AllSteps() {
		switch {
		case slices.ContainsFunc(uses, func(u reach.Use) bool { return u.Step == s }), wide && seen:
			steps = append(steps, s)
		}
		seen = seen || s.Uses != nil && s.Uses.FullName() == "actions/checkout"
	}
	if len(steps) == 0 {
		return nil, nil, "", stop("put actions/checkout first: the grant is read from the workspace", "no step after a checkout uses it")
	}
	conditions := map[string]bool{}
	for _, s := range steps {
		text := ""
		if s.If != nil {
			text = s.If.Value
		}
		conditions[text], condition = true, text
	}
	if wide {
		return steps[0], steps, "", nil
	}
	if len(conditions) > 1 {
		return nil, nil, "", stop("give the steps one condition, or move them into a job of their own", "its steps run under different conditions")
	}
	return steps[0], steps, condition, nil
}

// takeOut returns the edits of keyOfVariables.
func (m *mover) takeOut(job *reach.Job, at *workflows.Step, uses []reach.Use, r replacement, grantName, condition string) ([]workflows.Edit, *problem) {
	f := job.File
	stuck := stop("edit the job by hand", "its variables are not written in lines of their own")
	var edits []workflows.Edit
	var wide []string
	var done []*workflows.Step
	for _, u := range uses {
		switch {
		case u.Holder == reach.HeldByJob && !slices.Contains(wide, u.Name):
			wide = append(wide, u.Name)
		case u.Holder == reach.HeldByStep && !slices.Contains(done, u.Step):
			done = append(done, u.Step)
			removed, ok := f.RemoveStepEnv(u.Step, present(u.Step.Env, slices.Concat(r.variables, r.beside)))
			if !ok {
				return nil, stuck
			}
			edits = append(edits, removed...)
		}
	}
	if len(wide) > 0 {
		removed, ok := f.NarrowEnv(job.Job, present(job.Job.Env, slices.Concat(r.variables, r.beside)), nil)
		if !ok {
			return nil, stuck
		}
		edits = append(edits, removed...)
	}
	added, ok := m.stepBefore(f, at, grantName, cmp.Or(condition, m.onlyFor(job)))
	if !ok {
		return nil, stuck
	}
	allow, p := m.allow(job)
	return slices.Concat(edits, []workflows.Edit{added}, allow), p
}

// present returns those of the names that a mapping has.
func present(env *workflows.Map, names []string) []string {
	var out []string
	for _, n := range names {
		if env.Get(n) != nil {
			out = append(out, n)
		}
	}
	return out
}

// onlyFor is the condition for a job that also runs by events that the grant refuses:
// the new step must not fail those.
func (m *mover) onlyFor(job *reach.Job) string {
	var good, low []string
	for _, e := range m.graph.Flow.Events(job.Job) {
		list := &low
		if grant.NormalTrust(e.Name) {
			list = &good
		}
		if e.Name != "workflow_call" {
			*list = append(*list, quoted(e.Name))
		}
	}
	if len(low) == 0 || len(good) == 0 {
		return ""
	}
	slices.Sort(good)
	return "contains(fromJSON('[" + strings.Join(slices.Compact(good), ",") + "]'), github.event_name)"
}

// stepBefore writes a step that opens a grant in front of another, above the comments
// that belong to it.
func (m *mover) stepBefore(f *workflows.File, s *workflows.Step, grantName, condition string) (workflows.Edit, bool) {
	src := f.Source
	line := bytes.LastIndexByte(src[:s.Span.Start], '\n') + 1
	lead := string(src[line:s.Span.Start])
	dash := strings.TrimRight(lead, " ")
	if !strings.HasSuffix(dash, "-") || strings.Trim(dash, " ") != "-" || src[s.Span.Start] == '{' {
		return workflows.Edit{}, false
	}
	lineBreak := "\n"
	if bytes.Contains(src, []byte("\r\n")) {
		lineBreak = "\r\n"
	}
	indent := strings.Repeat(" ", len(lead))
	text := lead + "uses: " + DefaultUses + "@" + m.opts.Ref
	if m.opts.Version != "" {
		text += " # " + m.opts.Version
	}
	if condition != "" {
		text += lineBreak + indent + "if: " + yamlText(condition)
	}
	text += lineBreak + indent + "with:" + lineBreak + fmt.Sprintf("%s  grant: %s", indent, grantName) + lineBreak
	for line > 0 {
		before := bytes.LastIndexByte(src[:line-1], '\n') + 1
		if !bytes.HasPrefix(bytes.TrimLeft(src[before:line], " "), []byte("#")) {
			break
		}
		line = before
	}
	return workflows.Edit{Span: workflows.Span{Start: line, End: line}, New: text}, true
}
