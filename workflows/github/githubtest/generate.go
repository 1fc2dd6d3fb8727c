package githubtest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Options say which organization is generated.
type Options struct {
	Name         string // "acme" when empty
	Seed         uint64
	Repositories int
	Workflows    int // of each repository, 5 when 0
	// Plain leaves out what is odd: every repository can be read, and is read whole by
	// its listing.
	Plain bool
}

// Generate makes an organization, the same for the same options.
//
// Two of three workflows are copies of a few templates, as in real organizations. Without
// Plain some repositories are forks, archived, empty or without workflows, some may not
// be read as a whole or in part, and some have files that are cut, binary, links or
// submodules, or local actions below .github/actions and elsewhere.
func Generate(o Options) *Organization {
	if o.Name == "" {
		o.Name = "acme"
	}
	if o.Workflows == 0 {
		o.Workflows = 5
	}
	org := &Organization{Name: o.Name, Settings: settingsOf(), Secrets: organizationSecrets(), Others: others()}
	for i := range o.Repositories {
		org.Repositories = append(org.Repositories, generate(o, i))
	}
	return org
}

func generate(o Options, i int) *Repository {
	rnd := rand.New(rand.NewPCG(o.Seed, uint64(i)))
	r := &Repository{ID: int64(1000 + i), Name: fmt.Sprintf("repo-%05d", i), Visibility: []string{"private", "private", "internal", "public"}[rnd.IntN(4)],
		Branch: "main", Pushed: start.Add(-time.Duration(i+1) * 7 * time.Minute), Files: map[string]*File{}, Settings: map[string]any{}}
	r.NodeID, r.Head = nodeID(r.ID), sum(fmt.Sprint("head", o.Seed, i))
	for w := range o.Workflows {
		r.Files[fmt.Sprintf(".github/workflows/%s.yml", workflowNames[w%len(workflowNames)]+strings.Repeat("-b", w/len(workflowNames)))] = workflow(o, i, w, rnd)
	}
	r.Files["README.md"] = Text("# " + r.Name + "\n")
	r.Files["src/main.go"] = Text("package main\n")
	if i%4 == 0 {
		r.Files[".github/dependabot.yml"] = Text(dependabot)
	}
	if i%5 == 0 {
		r.Secrets = []Secret{{Name: "NPM_TOKEN", Created: start.AddDate(-3, 0, -i%300), Updated: start.AddDate(-2, 0, -i%300)}}
	}
	if i%6 == 0 {
		r.Environments = environments(i)
	}
	if i%15 == 0 {
		r.DeployKeys = []DeployKey{{Title: "deploy", Key: fmt.Sprintf("ssh-ed25519 AAAA%d", i%30), ReadOnly: i%2 == 1, Created: start.AddDate(-1, 0, 0)}}
		r.Rulesets = []Ruleset{{ID: int64(i + 1), Name: "main", Enforcement: "ACTIVE", Include: []string{"~DEFAULT_BRANCH"}, Rules: []string{"PULL_REQUEST", "NON_FAST_FORWARD"}, Bypass: []string{"app:release-bot:always"}}}
	}
	if !o.Plain {
		odd(r, i)
	}
	return r
}

// odd makes of some repositories what organizations have as well.
func odd(r *Repository, i int) {
	r.Fork, r.Archived = i%10 == 3, i%20 == 7
	switch {
	case i%50 == 11:
		*r = Repository{ID: r.ID, NodeID: r.NodeID, Name: r.Name, Visibility: r.Visibility, Pushed: r.Pushed}
		return
	case i%25 == 12:
		r.Files = map[string]*File{"README.md": Text("nothing to run\n")}
		return
	case i%100 == 13:
		r.Denied = true
	case i%100 == 14:
		r.DeniedPaths = []string{".github/workflows"}
	case i%200 == 15:
		r.Files[".github/workflows/long.yml"] = long()
	case i%200 == 16:
		r.Files[".github/workflows/binary.yml"] = Text("name: x\x00\xff\n")
	case i%200 == 17:
		r.Files[".github/workflows/latin.yml"] = Text("name: caf\xe9\non: push\njobs: {}\n")
	case i%100 == 18:
		r.Files[".github/workflows/linked.yml"] = Link("../../shared/ci.yml")
		r.Files[".github/actions/vendored"] = &File{Mode: ModeSubmodule, Content: func() []byte { return nil }}
	}
	if i%10 == 4 {
		r.Files[".github/actions/setup/action.yml"] = Text(compositeAction("setup", ""))
		r.Files[".github/actions/setup/dist.js"] = Text("// built\n")
		r.Files[".github/workflows/local.yml"] = Text(localWorkflow("./.github/actions/setup"))
	}
	if i%10 == 5 {
		r.Files["ci/build/action.yaml"] = Text(compositeAction("build", "./ci/inner"))
		r.Files["ci/inner/action.yml"] = Text(compositeAction("inner", ""))
		r.Files[".github/workflows/local.yml"] = Text(localWorkflow("./ci/build"))
	}
	if i%30 == 8 {
		r.Files["action.yml"] = Text(compositeAction(r.Name, ""))
	}
}

var workflowNames = []string{"ci", "release", "deploy", "lint", "nightly", "docs", "preview", "sync"}

// workflow is a copy of a template two times of three.
func workflow(o Options, i, w int, rnd *rand.Rand) *File {
	template := uint64(rnd.IntN(40))
	title := fmt.Sprintf("%s %d", workflowNames[w%len(workflowNames)], template)
	if rnd.IntN(3) == 0 {
		template, title = uint64(1000+i*100+w), fmt.Sprintf("%s of %s %d", workflowNames[w%len(workflowNames)], o.Name, i)
	}
	seed := o.Seed
	return &File{Content: func() []byte { return []byte(workflowText(title, w, rand.New(rand.NewPCG(seed^0x5eed, template)))) }}
}

func workflowText(title string, w int, rnd *rand.Rand) string {
	var b strings.Builder
	fmt.Fprintf(&b, "name: %s\non:\n%s", title, []string{"  push: {branches: [main]}\n", "  pull_request:\n", "  workflow_dispatch:\n", "  schedule: [{cron: '0 4 * * *'}]\n"}[rnd.IntN(4)])
	b.WriteString([]string{"permissions: {}\n", "permissions: {contents: read}\n", ""}[rnd.IntN(3)] + "jobs:\n")
	for job := range 1 + rnd.IntN(3) {
		fmt.Fprintf(&b, "  job%d:\n    runs-on: ubuntu-latest\n", job)
		if w%5 == 2 {
			b.WriteString("    environment: production\n    permissions: {id-token: write, contents: read}\n")
		}
		b.WriteString("    steps:\n      - uses: actions/checkout@" + []string{"v4", sum("checkout"), "main"}[rnd.IntN(3)] + "\n")
		for step := range 2 + rnd.IntN(8) {
			b.WriteString(steps[rnd.IntN(len(steps))])
			fmt.Fprintf(&b, "      - name: step %d\n        run: |\n          echo \"building part %d of %d\"\n          make target-%d VERBOSE=1\n", step, step, rnd.IntN(99), rnd.IntN(999))
		}
	}
	return b.String()
}

// steps are what jobs do, with and without a credential.
var steps = []string{
	"      - uses: actions/setup-node@v4\n        with: {node-version: 22}\n",
	"      - run: npm ci\n",
	"      - run: npm publish\n        env:\n          NODE_AUTH_TOKEN: ${{ secrets.NPM_TOKEN }}\n",
	"      - uses: aws-actions/configure-aws-credentials@v4\n        with:\n          aws-access-key-id: ${{ secrets.AWS_ACCESS_KEY_ID }}\n          aws-secret-access-key: ${{ secrets.AWS_SECRET_ACCESS_KEY }}\n          aws-region: eu-central-1\n",
	"      - uses: vendor/upload@v3\n        with:\n          token: ${{ secrets.UPLOAD_TOKEN }}\n",
	"      - uses: tools/notify@" + strings.Repeat("5", 40) + " # v2.1.0\n",
	"      - run: go test ./...\n",
}

// others are the repositories whose actions steps use.
func others() []*Repository {
	var all []*Repository
	for name, tag := range map[string]string{"actions/checkout": "v4", "actions/setup-node": "v4", "aws-actions/configure-aws-credentials": "v4", "vendor/upload": "v3"} {
		r := &Repository{Name: name, Branch: "main", Head: sum("head of " + name)}
		r.Refs = map[string]Ref{"refs/tags/" + tag: {Commit: sum(tag + " of " + name), Tags: len(name) % 2}}
		all = append(all, r)
	}
	return all
}

const dependabot = `version: 2
updates:
  - package-ecosystem: github-actions
    directory: /
    schedule: {interval: weekly}
`

func compositeAction(name, uses string) string {
	s := "name: " + name + "\ndescription: a part of the build\nruns:\n  using: composite\n  steps:\n    - run: make " + name + "\n      shell: bash\n"
	if uses != "" {
		s += "    - uses: " + uses + "\n"
	}
	return s
}

func localWorkflow(uses string) string {
	return "on: push\njobs:\n  local:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n      - uses: " + uses + "\n"
}

// long is a workflow that the host cuts.
func long() *File {
	return &File{Content: func() []byte {
		return []byte("on: push\njobs: {}\n" + strings.Repeat("# a line of a long comment that goes on and on\n", 13_000) + "# the end\n")
	}}
}

func environments(i int) []Environment {
	e := Environment{Name: "production", AdminsBypass: i%4 == 0, Secrets: []Secret{{Name: "AWS_SECRET_ACCESS_KEY", Created: start.AddDate(-2, 0, 0), Updated: start.AddDate(-1, 0, -i%200)}}}
	switch i % 3 {
	case 0:
		e.Reviewers, e.PreventSelfReview = []string{"octo"}, i%2 == 0
	case 1:
		e.BranchPolicy = "protected"
	}
	if i%12 == 0 {
		e.BranchPolicy, e.Branches = "custom", []string{"main", "release/*"}
	}
	return []Environment{e}
}

func organizationSecrets() []Secret {
	at := func(years int) time.Time { return start.AddDate(-years, 0, 0) }
	return []Secret{
		{Name: "AWS_ACCESS_KEY_ID", Created: at(4), Updated: at(3), Visibility: "all"},
		{Name: "AWS_SECRET_ACCESS_KEY", Created: at(4), Updated: at(3), Visibility: "all"},
		{Name: "UPLOAD_TOKEN", Created: at(2), Updated: at(2), Visibility: "selected", Selected: []string{"repo-00001", "repo-00002"}},
		{Name: "OLD_KEY", Created: at(6), Updated: at(6), Visibility: "private"},
	}
}

// settingsOf are those of an organization that has changed nothing for years.
func settingsOf() map[string]any {
	return map[string]any{
		"actions/permissions":                              map[string]any{"enabled_repositories": "all", "allowed_actions": "all", "sha_pinning_required": false},
		"actions/permissions/workflow":                     map[string]any{"default_workflow_permissions": "write", "can_approve_pull_request_reviews": true},
		"actions/permissions/fork-pr-contributor-approval": map[string]any{"approval_policy": "first_time_contributors"},
		"actions/permissions/fork-pr-workflows-private-repos": map[string]any{"run_workflows_from_fork_pull_requests": true, "send_write_tokens_to_workflows": false,
			"send_secrets_and_variables": false, "require_approval_for_fork_pr_workflows": true},
		"actions/runners": map[string]any{"runners": []any{map[string]any{"id": 7, "name": "metal-1", "os": "linux", "status": "online", "ephemeral": false,
			"labels": []any{map[string]any{"name": "self-hosted"}, map[string]any{"name": "linux"}}}}},
		"actions/runner-groups": map[string]any{"runner_groups": []any{map[string]any{"id": 3, "name": "Default", "visibility": "all", "default": true, "allows_public_repositories": true}}},
		"installations": map[string]any{"installations": []any{map[string]any{"id": 9, "app_id": 42, "app_slug": "release-bot", "repository_selection": "all",
			"permissions": map[string]any{"contents": "write", "actions": "read"}, "updated_at": start.AddDate(-1, 0, 0).Format(time.RFC3339)}}},
		"actions/oidc/customization/sub": map[string]any{"include_claim_keys": []any{"repo", "context"}},
	}
}
