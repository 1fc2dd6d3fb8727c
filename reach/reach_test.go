package reach_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

func graph(t *testing.T, archive string) *reach.Graph {
	t.Helper()
	repo := &workflows.Repository{Root: "test", Name: "acme/site"}
	for _, f := range txtar.Parse([]byte(archive)).Files {
		file := workflows.Parse(f.Name, f.Data)
		for _, p := range file.Problems {
			t.Errorf("%s: %s", f.Name, p.Message)
		}
		repo.Files = append(repo.Files, file)
	}
	slices.SortFunc(repo.Files, func(a, b *workflows.File) int { return strings.Compare(a.Path, b.Path) })
	return reach.Build(repo)
}

// describe writes a job as: id: starter | credentials | code | grade.
func describe(j *reach.Job) string {
	var creds, code []string
	for _, c := range j.Credentials {
		creds = append(creds, fmt.Sprintf("%s:%s", c.Name, c.Lifetime))
	}
	for _, c := range j.Code {
		if c.Trust > reach.OwnCode {
			code = append(code, fmt.Sprintf("%s:%s", c.Name, c.Trust))
		}
	}
	return fmt.Sprintf("%s: %s | %s | %s | %s", j.Job.ID, j.Starter(), strings.Join(creds, ", "), strings.Join(code, ", "), j.Grade())
}

// workflow wraps a job j.
func workflow(on, job string) string {
	return "-- .github/workflows/w.yml --\non: " + on + "\njobs:\n  j:\n    runs-on: ubuntu-latest\n" + job
}

func TestJobs(t *testing.T) {
	const sha = "0123456789abcdef0123456789abcdef01234567"
	for _, c := range []struct{ name, repo, want string }{
		{"nothing but the default token", workflow("push", `
    steps:
      - run: make
`), "j: writer | GITHUB_TOKEN:job |  | low"},
		{"a token that opens nothing", workflow("push", `
    permissions: {}
    steps:
      - run: make
`), "j: writer |  |  | info"},
		{"a tag beside a standing key", workflow("push", `
    permissions: { contents: read }
    steps:
      - uses: tools/lint@v1
      - run: ./deploy
        env: { AWS_SECRET_ACCESS_KEY: "${{ secrets.AWS_SECRET_ACCESS_KEY }}" }
`), "j: writer | AWS_SECRET_ACCESS_KEY:standing, GITHUB_TOKEN:job | tools/lint@v1:mutable | high"},
		{"pinned by commit", workflow("push", `
    permissions: { contents: read }
    steps:
      - uses: tools/lint@`+sha+`
        with: { key: "${{ secrets.KEY }}" }
`), "j: writer | KEY:standing, GITHUB_TOKEN:job | tools/lint@" + sha + ":by commit | medium"},
		{"names that hold no secret", workflow("push", `
    permissions: {}
    steps:
      - run: ./x ${{ secrets.AWS_ACCOUNT_ID }} ${{ secrets.AWS_REGION }}
`), "j: writer |  |  | info"},
		{"all secrets at once", workflow("push", `
    permissions: {}
    steps:
      - run: ./x
        env: { ALL: "${{ toJSON(secrets) }}", ONE: "${{ secrets[matrix.name] }}" }
`), "j: writer | every secret:standing |  | medium"},
		{"same owner and platform", workflow("push", `
    permissions: { contents: read }
    steps:
      - uses: acme/setup@main
      - uses: actions/checkout@v7
        with: { persist-credentials: false }
`), "j: writer | GITHUB_TOKEN:job | actions/checkout@v7:platform, acme/setup@main:same owner | info"},
		{"a checkout keeps its credential", workflow("push", `
    permissions: { contents: write }
    steps:
      - uses: actions/checkout@v7
`), "j: writer | GITHUB_TOKEN:job, GITHUB_TOKEN in git's configuration:job | actions/checkout@v7:platform | low"},
		{"an id-token and a session", workflow("push", `
    permissions: { id-token: write }
    steps:
      - uses: aws-actions/configure-aws-credentials@v4
        with: { role-to-assume: "arn:aws:iam::111122223333:role/deploy", aws-region: eu-west-1 }
`), "j: writer | arn:aws:iam::111122223333:role/deploy:hours, id-token:job | aws-actions/configure-aws-credentials@v4:mutable | medium"},
		{"fetched code", workflow("push", `
    permissions: {}
    steps:
      - run: curl -sSf https://example.test/install.sh | sudo bash
        env: { TOKEN: "${{ secrets.TOKEN }}" }
`), "j: writer | TOKEN:standing | curl | bash:fetched | high"},
		{"outsider's code after a checkout", workflow("pull_request_target", `
    permissions: { contents: read }
    steps:
      - uses: actions/checkout@v4
        with: { ref: "${{ github.event.pull_request.head.sha }}", persist-credentials: false }
      - run: npm test
        env: { TOKEN: "${{ secrets.TOKEN }}" }
`), "j: anyone | TOKEN:standing, GITHUB_TOKEN:job | npm test:outsider, actions/checkout@v4:platform | critical"},
		{"an outsider's checkout that nothing runs", workflow("pull_request_target", `
    permissions: { contents: read }
    steps:
      - uses: actions/checkout@v4
        with: { ref: "${{ github.event.pull_request.head.sha }}", persist-credentials: false }
      - run: wc -l README.md
`), "j: anyone | GITHUB_TOKEN:job | actions/checkout@v4:platform | info"},
		{"injected text", workflow("issues", `
    permissions: { issues: write }
    steps:
      - run: echo ${{ github.event.issue.title }}
`), "j: anyone | GITHUB_TOKEN:job | text of github.event.issue.title:outsider | critical"},
		{"a malicious commit", workflow("push", `
    permissions: {}
    steps:
      - uses: tj-actions/changed-files@0e58ed8671d6b60d0890c21b07f8835ace038e67
`), "j: writer |  | tj-actions/changed-files@0e58ed8671d6b60d0890c21b07f8835ace038e67:malicious | high"},
		{"a remote reusable workflow", "-- .github/workflows/w.yml --\non: push\njobs:\n  j:\n    uses: other/flows/.github/workflows/x.yml@v1\n    secrets: inherit\n",
			"j: writer | every secret:standing, GITHUB_TOKEN:job | other/flows/.github/workflows/x.yml@v1:mutable | high"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := describe(graph(t, c.repo).Jobs[0]); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

const calling = `
-- .github/workflows/release.yml --
on: push
permissions: { contents: read }
jobs:
  call:
    uses: ./.github/workflows/publish.yml
    secrets: { token: "${{ secrets.NPM_TOKEN }}" }
-- .github/workflows/publish.yml --
on: workflow_call
permissions: write-all
jobs:
  publish:
    runs-on: ubuntu-latest
    steps:
      - uses: ./.github/actions/setup
      - run: npm publish
        env: { NODE_AUTH_TOKEN: "${{ secrets.token }}" }
-- .github/actions/setup/action.yml --
name: setup
description: sets up
runs:
  using: composite
  steps:
    - uses: some/helper@v2
`

func TestCallsAreFollowed(t *testing.T) {
	g := graph(t, calling)
	publish, call := g.Jobs[0], g.Jobs[1]
	if got, want := describe(publish), "publish: writer | NPM_TOKEN:standing, GITHUB_TOKEN:job | some/helper@v2:mutable | high"; got != want {
		t.Errorf("callee: got  %s\nwant %s", got, want)
	}
	if w := publish.Token.Writes(); len(w) > 0 {
		t.Errorf("the callee's token writes %q although its caller only reads", w)
	}
	if got, want := describe(call), "call: writer | NPM_TOKEN:standing, GITHUB_TOKEN:job | some/helper@v2:mutable | high"; got != want {
		t.Errorf("caller: got  %s\nwant %s", got, want)
	}
	if n := len(g.Pairs()); n != 1 {
		t.Errorf("%d pairs, want 1: a call counts once", n)
	}
	via := publish.Code[0].Via
	if len(via) != 1 || via[0].File.Path != ".github/workflows/publish.yml" {
		t.Errorf("the path to the helper is %v", via)
	}
	action := g.Repository.File(".github/actions/setup/action.yml")
	if users := g.Users(action); len(users) != 1 || users[0] != publish {
		t.Errorf("users of the action: %v", users)
	}
}

func TestIf(t *testing.T) {
	g := graph(t, calling)
	for _, c := range []struct {
		name, ref string
		want      int
	}{{"some/helper", "", 1}, {"Some/Helper", "v2", 1}, {"some/helper", "v3", 0}, {"some/other", "", 0}} {
		if got := len(g.If(c.name, c.ref)); got != c.want {
			t.Errorf("If(%q, %q) finds %d jobs, want %d", c.name, c.ref, got, c.want)
		}
	}
}

// Taking one lever's advice must take away as many pairs as it says.
func TestLeversSayWhatTheyTakeAway(t *testing.T) {
	g := graph(t, workflow("push", `
    permissions: {}
    steps:
      - uses: a/one@v1
        with: { k: "${{ secrets.K1 }}" }
      - uses: b/two@v1
        with: { k: "${{ secrets.K2 }}", l: "${{ secrets.K3 }}" }
`))
	levers := g.Levers()
	if n := len(g.Pairs()); n != 6 {
		t.Fatalf("%d pairs, want 6", n)
	}
	if levers[0].Pairs != 3 || levers[0].What != "pin a/one@v1 by commit" {
		t.Errorf("best lever: %+v", levers[0])
	}
	sum := 0
	for _, l := range levers {
		sum += l.Pairs
	}
	if sum != 12 {
		t.Errorf("levers count %d, want each pair once by its code and once by its credential", sum)
	}
}

func TestSentence(t *testing.T) {
	j := graph(t, calling).Jobs[0]
	want := "People with write access start it (push). In it, some/helper@v2 (pinned by the tag v2, which can be moved) could take NPM_TOKEN (standing, opens npm) and GITHUB_TOKEN (job, reads)."
	if got := j.Sentence(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
