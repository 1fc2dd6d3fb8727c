package reach_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// holders by name, as the table below writes them.
var holders = map[reach.Holder]string{
	reach.HeldByInput: "input", reach.HeldByScript: "script", reach.HeldByVariable: "variable", reach.HeldByStep: "step",
	reach.HeldByJob: "job", reach.HeldByWorkflow: "workflow", reach.HeldByContainer: "container", reach.HeldByCall: "call", reach.HeldByOther: "other",
}

// describeUses writes uses as "secret holder name", with what takes them in scripts.
func describeUses(g *reach.Graph, j *reach.Job) string {
	var out []string
	for _, u := range g.Uses(j) {
		text := strings.TrimSpace(fmt.Sprintf("%s %s %s", u.Credential.Name, holders[u.Holder], u.Name))
		for _, s := range g.RunSteps(j) {
			if !u.Reaches(s) {
				continue
			}
			for _, c := range u.Takers(s.Step) {
				text += " > " + c.Name
			}
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}

func TestUses(t *testing.T) {
	for _, c := range []struct{ name, repo, want string }{
		{"every holder", `-- .github/workflows/w.yml --
on: push
env: { W: "${{ secrets.A }}" }
jobs:
  j:
    runs-on: x
    env: { J: "${{ secrets.B }}" }
    container: { image: i, credentials: { username: u, password: "${{ secrets.C }}" }, env: { D: "${{ secrets.D }}" } }
    outputs: { o: "${{ secrets.E }}" }
    steps:
      - uses: some/action@v1
        with: { key: "${{ secrets.F }}" }
        env: { S: "${{ secrets.G }}" }
      - run: tool ${{ secrets.H }}
`, "A workflow W; B job J; C container password; D container D; E other o; F input key; G step S; H script > tool"},
		{"only what the value can be", workflow("push", `
    steps:
      - if: secrets.A != ''
        run: tool "$X" "$Y" "$Z"
        env:
          X: ${{ secrets.B == 'x' && secrets.C || secrets.D }}
          Y: ${{ format('{0}', secrets.E) }}
          Z: ${{ !secrets.F }}
`), "C step X > tool; D step X > tool; E step Y > tool"},
		{"through env and assignments", workflow("push", `
    env: { ONE: "${{ secrets.A }}" }
    steps:
      - run: first "$TWO"
        env: { TWO: "${{ env.ONE }}" }
      - run: |
          export THREE=$ONE
          second "$THREE"
          FOUR=${{ secrets.B }} third
`), "A job ONE > export; A step TWO > first; A variable THREE > second; B script > third; B variable FOUR"},
		{"public names are none", workflow("push", `
    steps:
      - run: tool
        env: { A: "${{ secrets.AWS_REGION }}", B: "${{ secrets.GITHUB_TOKEN }}", C: "${{ vars.KEY }}" }
`), ""},
		{"through local actions", workflow("push", `
    env: { OUTER: "${{ secrets.B }}" }
    steps:
      - uses: ./one
        with: { Key: "${{ secrets.A }}" }
`) + `-- one/action.yml --
name: one
description: d
inputs: { key: {} }
runs:
  using: composite
  steps:
    - uses: ./two
      with: { other: "${{ inputs.KEY }}" }
    - run: inside "$OUTER"
      shell: bash
-- two/action.yml --
name: two
description: d
inputs: { other: {} }
runs:
  using: composite
  steps:
    - uses: some/login@v1
      with: { password: "${{ inputs.other }}" }
`, "B job OUTER > inside; A input password"},
		{"an environment around a local action", workflow("push", `
    steps:
      - uses: ./one
        env: { T: "${{ secrets.A }}" }
      - run: outside "$T"
`) + `-- one/action.yml --
name: one
description: d
runs:
  using: composite
  steps:
    - run: inside "$T"
      shell: bash
`, "A step T > inside"},
		{"an action that uses itself", workflow("push", `
    steps:
      - uses: ./one
        with: { k: "${{ secrets.A }}" }
`) + `-- one/action.yml --
name: one
description: d
inputs: { k: {} }
runs:
  using: composite
  steps:
    - uses: ./one
      with: { k: "${{ inputs.k }}" }
`, "A input k"},
		{"a call", "-- .github/workflows/w.yml --\non: push\njobs:\n  j:\n    uses: a/b/.github/workflows/c.yml@v1\n    secrets: { X: \"${{ secrets.A }}\" }\n", "A call X"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := graph(t, c.repo)
			if got := describeUses(g, g.Jobs[0]); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestUsesInCalledWorkflow: a called job has the names that its callers give.
func TestUsesInCalledWorkflow(t *testing.T) {
	g := graph(t, `-- .github/workflows/a.yml --
on: push
jobs:
  call:
    uses: ./.github/workflows/b.yml
    secrets: { X: "${{ secrets.REAL }}" }
-- .github/workflows/b.yml --
on: { workflow_call: { secrets: { X: {} } } }
jobs:
  j:
    runs-on: x
    steps:
      - run: tool
        env: { KEY: "${{ secrets.X }}" }
`)
	if got := describeUses(g, g.Jobs[1]); got != "REAL step KEY" {
		t.Errorf("got %s", got)
	}
}

func TestGroupUses(t *testing.T) {
	use := func(secret, name string) reach.Use {
		return reach.Use{Credential: &reach.Credential{Name: secret}, Name: name}
	}
	uses := []reach.Use{use("A", "x"), use("B", "y"), use("C", ""), use("D", ""), use("B", "x"), use("C", "z")}
	var got []string
	for _, g := range reach.GroupUses(uses, func(u reach.Use) string { return u.Name }) {
		var names []string
		for _, u := range g {
			names = append(names, u.Credential.Name+u.Name)
		}
		slices.Sort(names)
		got = append(got, strings.Join(names, "+"))
	}
	if want := []string{"Ax+Bx+By", "C+Cz", "D"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLoss(t *testing.T) {
	g := graph(t, workflow("push", `
    steps:
      - uses: some/tool@v1
      - run: ./x
        env: { T: "${{ secrets.NPM_TOKEN }}", U: "${{ secrets.OTHER }}" }
`))
	j := g.Jobs[0]
	e, code, text := j.Loss([]*reach.Credential{{Name: "NPM_TOKEN", Lifetime: reach.Standing}})
	if code == nil || e.Steer != reach.MutableThirdParty || len(e.Credentials) != 1 || !strings.Contains(text, "some/tool@v1 (pinned by the tag v1, which can be moved) could take NPM_TOKEN (standing)") {
		t.Errorf("got %v %v %q", e, code, text)
	}
	own := graph(t, workflow("push", "    steps:\n      - run: echo\n")).Jobs[0]
	if e, code, text := own.Loss(nil); code != nil || e.Steer != reach.OwnCode || text != "the job holds nothing" {
		t.Errorf("got %v %v %q", e, code, text)
	}
}

func TestUsesToken(t *testing.T) {
	for steps, want := range map[string]bool{
		"      - uses: actions/checkout@v7\n      - run: make\n":          false,
		"      - uses: ./here\n":                                          false,
		"      - run: gh pr list\n":                                       true,
		"      - run: git -C docs push\n":                                 true,
		"      - uses: some/unknown@v1\n":                                 true,
		"      - uses: actions/github-script@v8\n":                        true,
		"      - run: ./x\n        env: { T: \"${{ github.token }}\" }\n": true,
	} {
		g := graph(t, workflow("push", "    steps:\n"+steps))
		if got := g.UsesToken(g.Jobs[0]); got != want {
			t.Errorf("%q: got %v", steps, got)
		}
	}
}

// TestUsesHaveTheirPlaces: each use refers to bytes of the job's own file that name
// the secret.
func TestUsesHaveTheirPlaces(t *testing.T) {
	g := graph(t, workflow("push", "    steps:\n      - run: tool ${{ secrets.A }}\n        env: { B: \"x-${{ secrets['B'] }}\" }\n"))
	for _, u := range g.Uses(g.Jobs[0]) {
		if text := u.Ref.File.Text(u.Ref.Span); !strings.HasPrefix(text, "secrets") || !strings.Contains(text, u.Credential.Name) {
			t.Errorf("%s refers to %q", u.Credential.Name, text)
		}
		if !(workflows.Span{End: len(u.File.Source)}).Contains(u.Value.Span) {
			t.Errorf("%s has no value", u.Credential.Name)
		}
	}
}
