package flow_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/stint-dev/stint/reach/flow"
	"github.com/stint-dev/stint/workflows"
)

// repository parses a txtar archive as the files of a repository.
func repository(t *testing.T, archive string) *workflows.Repository {
	t.Helper()
	repo := &workflows.Repository{Root: "test"}
	for _, f := range txtar.Parse([]byte(archive)).Files {
		file := workflows.Parse(f.Name, f.Data)
		for _, p := range file.Problems {
			t.Errorf("%s: %s", f.Name, p.Message)
		}
		repo.Files = append(repo.Files, file)
	}
	slices.SortFunc(repo.Files, func(a, b *workflows.File) int { return strings.Compare(a.Path, b.Path) })
	return repo
}

var kindNames = map[flow.SinkKind]string{
	flow.SinkScript: "script", flow.SinkScriptInput: "input", flow.SinkCheckout: "checkout",
	flow.SinkEnvFile: "envfile", flow.SinkPrompt: "prompt", flow.SinkShellCode: "shell", flow.SinkArtifact: "artifact",
}

// sinks describes each sink on a line: kind, marked text, who, sources.
func sinks(a *flow.Analysis) string {
	var b strings.Builder
	for _, s := range a.Sinks() {
		var sources []string
		for _, t := range s.Taints {
			src := t.Source
			if t.Merged {
				src += "!"
			}
			if t.Guess {
				src += "?"
			}
			sources = append(sources, src)
		}
		text := strings.Join(strings.Fields(s.File.Text(s.Span)), " ")
		fmt.Fprintf(&b, "%s %s <- %s (%s)\n", kindNames[s.Kind], text, strings.Join(sources, " "), s.Who())
	}
	return b.String()
}

// job wraps steps in a workflow that starts on the given event.
func job(on, steps string) string {
	return "-- .github/workflows/w.yml --\non: " + on + "\njobs:\n  j:\n    runs-on: ubuntu-latest\n    steps:\n" + steps
}

func TestSinks(t *testing.T) {
	for _, c := range []struct{ name, repo, want string }{
		{"a title in a script", job("issues", `
      - run: echo "${{ github.event.issue.title }}"
`), "script ${{ github.event.issue.title }} <- github.event.issue.title (anyone)\n"},
		{"a title under an event that does not carry it", job("push", `
      - run: echo "${{ github.event.issue.title }}"
`), ""},
		{"numbers, shas and booleans carry nothing", job("pull_request_target", `
      - run: echo ${{ github.event.number }} ${{ github.event.pull_request.head.sha }} ${{ github.event.pull_request.draft }}
`), ""},
		{"a branch name of a fork's pull request", job("pull_request", `
      - run: echo ${{ github.head_ref }}
`), "script ${{ github.head_ref }} <- github.head_ref (fork (no secrets))\n"},
		{"through env into a script is quoted data", job("issues", `
      - run: echo "$TITLE"
        env: { TITLE: "${{ github.event.issue.title }}" }
`), ""},
		{"through env into an expression", job("issues", `
      - run: echo ${{ env.TITLE }}
        env: { TITLE: "${{ github.event.issue.title }}" }
`), "script ${{ env.TITLE }} <- github.event.issue.title (anyone)\n"},
		{"through env into eval", job("issues", `
      - run: eval "$TITLE"
        env: { TITLE: "${{ github.event.issue.title }}" }
`), "shell \"$TITLE\" <- github.event.issue.title (anyone)\n"},
		{"through a step output", job("issues", `
      - id: a
        run: echo "title=$T" >> "$GITHUB_OUTPUT"
        env: { T: "${{ github.event.issue.title }}" }
      - run: echo ${{ steps.a.outputs.title }} ${{ steps.a.outputs.other }}
`), "script ${{ steps.a.outputs.title }} <- github.event.issue.title (anyone)\n"},
		{"a count of it carries nothing", job("issues", `
      - id: a
        run: echo "n=$(echo "$T" | wc -c)" >> "$GITHUB_OUTPUT"
        env: { T: "${{ github.event.issue.title }}" }
      - run: echo ${{ steps.a.outputs.n }}
`), ""},
		{"through GITHUB_ENV", job("issues", `
      - run: echo "T=${B}" >> $GITHUB_ENV
        env: { B: "${{ github.event.issue.body }}" }
      - run: echo ${{ env.T }}
`), "envfile echo \"T=${B}\" >> $GITHUB_ENV <- github.event.issue.body (anyone)\n" +
			"script ${{ env.T }} <- github.event.issue.body (anyone)\n"},
		{"a ternary of literals", job("issues", `
      - run: echo ${{ github.event.issue.title == 'x' && 'a' || 'b' }} ${{ contains(github.event.issue.body, 'y') }}
`), ""},
		{"a default behind an operator", job("issues", `
      - run: echo ${{ github.event.issue.title || 'none' }}
`), "script ${{ github.event.issue.title || 'none' }} <- github.event.issue.title (anyone)\n"},
		{"github-script", job("issue_comment", `
      - uses: actions/github-script@v7
        with: { script: "console.log('${{ github.event.comment.body }}')" }
`), "input ${{ github.event.comment.body }} <- github.event.comment.body (anyone)\n"},
		{"an action elsewhere is a guess", job("issues", `
      - id: x
        uses: some/action@v1
        with: { text: "${{ github.event.issue.title }}" }
      - run: echo ${{ steps.x.outputs.y }}
`), "script ${{ steps.x.outputs.y }} <- github.event.issue.title? (anyone)\n"},
		{"checkout of the head", job("pull_request_target", `
      - uses: actions/checkout@v4
        with: { ref: "${{ github.event.pull_request.head.sha }}" }
`), "checkout \"${{ github.event.pull_request.head.sha }}\" <- github.event.pull_request.head.sha (anyone)\n"},
		{"checkout of the base", job("pull_request_target", `
      - uses: actions/checkout@v4
        with: { ref: "${{ github.event.pull_request.base.sha }}" }
      - uses: actions/checkout@v4
`), ""},
		{"the ref of the job that began the reviewdog chain", job("pull_request_target", `
      - id: cond
        uses: some/cond@v1
        with: { if_true: "refs/pull/${{ github.event.pull_request.number }}/merge" }
      - uses: actions/checkout@v4
        with: { ref: "${{ steps.cond.outputs.value }}" }
`), "checkout \"${{ steps.cond.outputs.value }}\" <- refs/pull? (anyone)\n"},
		{"a ref nobody settles", job("issue_comment", `
      - id: pr
        run: ./find-pr
      - uses: actions/checkout@v4
        with: { ref: "${{ steps.pr.outputs.sha }}" }
`), "checkout \"${{ steps.pr.outputs.sha }}\" <- steps.pr.outputs.sha? (anyone)\n"},
		{"gh pr checkout", job("issue_comment", `
      - run: gh pr checkout "$N"
        env: { N: "${{ github.event.issue.number }}" }
`), "checkout gh pr checkout \"$N\" <- refs/pull (anyone)\n"},
		{"git fetch of the pull request", job("pull_request_target", `
      - run: git fetch origin pull/${{ github.event.number }}/head && git checkout FETCH_HEAD
`), "checkout git checkout FETCH_HEAD <- refs/pull (anyone)\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := sinks(flow.Analyse(repository(t, c.repo))); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

func TestGuards(t *testing.T) {
	for _, c := range []struct {
		name, on, cond string
		fires          bool
	}{
		{"none", "issue_comment", "true", true},
		{"members only", "issue_comment", "github.event.comment.author_association == 'MEMBER'", false},
		{"members or owners", "issue_comment", "contains(fromJSON('[\"OWNER\", \"MEMBER\"]'), github.event.comment.author_association)", false},
		{"contributors are outsiders", "issue_comment", "contains(fromJSON('[\"OWNER\", \"CONTRIBUTOR\"]'), github.event.comment.author_association)", true},
		{"the association of either", "issue_comment", "contains(fromJSON('[\"OWNER\"]'), github.event.comment.author_association || github.event.issue.author_association)", false},
		{"a body prefix is no gate", "issue_comment", "startsWith(github.event.comment.body, '/go')", true},
		{"body and association", "issue_comment", "github.event.comment.body == '/go' && github.event.comment.author_association == 'OWNER'", false},
		{"body or association", "issue_comment", "github.event.comment.body == '/go' || github.event.comment.author_association == 'OWNER'", true},
		{"not outsiders", "issue_comment", "github.event.comment.author_association != 'NONE'", true},
		{"other event", "issue_comment", "github.event_name == 'push'", false},
		{"no forks", "pull_request_target", "github.event.pull_request.head.repo.full_name == github.repository", false},
		{"only forks", "pull_request_target", "github.event.pull_request.head.repo.full_name != github.repository", true},
		{"fork flag", "pull_request_target", "\"!github.event.pull_request.head.repo.fork\"", false},
		{"the comment's own author", "issue_comment", "github.event.comment.user.login == 'a-maintainer'", false},
		{"the issue's author, under a comment of anybody", "issue_comment", "github.event.issue.user.login == 'a-maintainer'", true},
		{"the pull request's own author", "pull_request_target", "github.event.pull_request.user.login == 'dependabot[bot]'", false},
		{"anybody but one author", "pull_request_target", "github.event.pull_request.user.login != 'dependabot[bot]'", true},
		{"an actor name is no gate", "pull_request_target", "github.actor == 'dependabot[bot]'", true},
		{"text around the expression is always true", "issue_comment", "\"${{ github.event.comment.author_association == 'OWNER' }} \"", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := map[string]string{"issue_comment": "github.event.comment.body", "pull_request_target": "github.event.pull_request.title"}[c.on]
			repo := fmt.Sprintf("-- .github/workflows/w.yml --\non: %s\njobs:\n  j:\n    if: %s\n    runs-on: x\n    steps:\n      - run: echo ${{ %s }}\n", c.on, c.cond, body)
			got := 0
			for _, s := range flow.Analyse(repository(t, repo)).Sinks() {
				if s.Who() > 0 {
					got++
				}
			}
			if (got > 0) != c.fires {
				t.Errorf("fires %v, want %v", got > 0, c.fires)
			}
		})
	}
}

func TestAcrossFiles(t *testing.T) {
	const repo = `
-- .github/workflows/caller.yml --
on: issue_comment
jobs:
  read:
    runs-on: ubuntu-latest
    outputs: { text: "${{ steps.r.outputs.text }}" }
    steps:
      - id: r
        run: echo "text=${{ github.event.comment.body }}" >> $GITHUB_OUTPUT
  call:
    needs: read
    uses: ./.github/workflows/callee.yml
    with: { text: "${{ needs.read.outputs.text }}", count: 3 }
-- .github/workflows/callee.yml --
on: { workflow_call: { inputs: { text: { type: string }, count: { type: number } } } }
jobs:
  use:
    runs-on: ubuntu-latest
    strategy: { matrix: { t: ["${{ inputs.text }}", plain] } }
    steps:
      - uses: ./say
        with: { words: "${{ matrix.t }}", n: "${{ inputs.count }}" }
-- say/action.yml --
name: say
description: says words
inputs: { words: { required: true }, n: {}, other: {} }
runs:
  using: composite
  steps:
    - run: echo ${{ inputs.words }} ${{ inputs.n }} ${{ inputs.other }}
      shell: bash
-- unused/action.yml --
name: unused
description: nobody here uses it
inputs: { words: {} }
runs:
  using: composite
  steps:
    - run: echo ${{ inputs.words }}
      shell: bash
`
	want := "script ${{ github.event.comment.body }} <- github.event.comment.body (anyone)\n" +
		"script ${{ inputs.words }} <- github.event.comment.body (anyone)\n" +
		"script ${{ inputs.words }} <- inputs.words (caller)\n" +
		"script ${{ inputs.n }} <- inputs.n (caller)\n" +
		"script ${{ inputs.other }} <- inputs.other (caller)\n" +
		"script ${{ inputs.words }} <- inputs.words (caller)\n"
	a := flow.Analyse(repository(t, repo))
	if got := sinks(a); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	var hops []string
	for _, h := range a.Sinks()[1].Taints[0].Hops {
		hops = append(hops, h.Text)
	}
	wantHops := []string{"set by whoever comments on an issue or pull request", "through output text of step r", "through output text of job read", "through input text", "through input words"}
	if !slices.Equal(hops, wantHops) {
		t.Errorf("hops\n%q\nwant\n%q", hops, wantHops)
	}
}

// A workflow_run is anybody's whatever it follows, since a fork's pull request may
// change that file; a condition on the event of the run it follows counts.
func TestWorkflowRunIsAnybodys(t *testing.T) {
	for _, c := range []struct {
		first, cond string
		want        int
	}{
		{"push", "true", 1}, {"pull_request", "true", 1},
		{"push", "github.event.workflow_run.event == 'push'", 0},
		{"push", "github.event.workflow_run.event == 'pull_request'", 1},
	} {
		repo := "-- .github/workflows/a.yml --\nname: first\non: " + c.first + "\njobs: { j: { runs-on: x, steps: [{ run: make }] } }\n" +
			"-- .github/workflows/b.yml --\non: { workflow_run: { workflows: [first] } }\njobs:\n  j:\n    if: " + c.cond + "\n    runs-on: x\n    steps:\n" +
			"      - uses: actions/checkout@v4\n        with: { ref: '${{ github.event.workflow_run.head_sha }}' }\n"
		got := 0
		for _, s := range flow.Analyse(repository(t, repo)).Sinks() {
			if s.Kind == flow.SinkCheckout && s.Who() > 0 {
				got++
			}
		}
		if got != c.want {
			t.Errorf("after on: %s, if: %s there are %d sinks, want %d", c.first, c.cond, got, c.want)
		}
	}
}

// A repository made to be slow is cut off, not followed for ever.
func TestBoundedWork(t *testing.T) {
	var b strings.Builder
	b.WriteString("-- .github/workflows/w.yml --\non: issues\njobs:\n  j:\n    runs-on: x\n    steps:\n")
	for i := range 400 {
		fmt.Fprintf(&b, "      - id: s%d\n        uses: a/b@v1\n        with: { x: '${{ steps.s%d.outputs.a }}', y: '${{ steps.s%d.outputs.b }}', z: '${{ steps.s%d.outputs.c }}' }\n", i, max(0, i-1), max(0, i-2), max(0, i-3))
	}
	b.WriteString("      - run: echo ${{ steps.s399.outputs.q }}\n")
	flow.Analyse(repository(t, b.String())) // ends
}

// Actions that use each other many times over are many steps in few bytes.
func TestBoundedNesting(t *testing.T) {
	var b strings.Builder
	use := func(n int) string { return strings.Repeat(fmt.Sprintf("    - uses: ./a%d\n", n), 12) }
	b.WriteString("-- .github/workflows/w.yml --\non: issues\njobs:\n  j:\n    runs-on: x\n    steps:\n" + strings.ReplaceAll(use(0), "    -", "      -"))
	for i := range 14 {
		fmt.Fprintf(&b, "-- a%d/action.yml --\nname: a\ndescription: a\nruns:\n  using: composite\n  steps:\n    - run: echo ${{ github.event.issue.title }}\n      shell: bash\n%s", i, use(i+1))
	}
	if n := len(flow.Analyse(repository(t, b.String())).Sinks()); n == 0 || n > 100_000 {
		t.Errorf("%d sinks", n)
	}
}
