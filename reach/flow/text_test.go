package flow_test

import (
	"testing"

	"github.com/stint-dev/stint/reach/flow"
)

// Where text goes through shells, scripts, actions and files of one job.
func TestText(t *testing.T) {
	const titleOfIssue = " <- github.event.issue.title (anyone)\n"
	for _, c := range []struct{ name, repo, want string }{
		{"inputs of a dispatch are writers'", job("{ workflow_dispatch: { inputs: { Tag: {}, n: { type: number }, c: { type: choice, options: [a] } } } }", `
      - run: echo ${{ inputs.tag }} ${{ inputs.n }} ${{ inputs.c }} ${{ github.event.inputs.TAG }} ${{ inputs.other }}
`), "script ${{ inputs.tag }} <- inputs.Tag (writer)\nscript ${{ github.event.inputs.TAG }} <- inputs.Tag (writer)\n"},
		{"a payload of repository_dispatch is writers'", job("repository_dispatch", `
      - run: echo ${{ github.event.client_payload.ref }}
`), "script ${{ github.event.client_payload.ref }} <- github.event.client_payload.ref (writer)\n"},
		{"a commit's message is somebody's whom a writer merged", job("push", `
      - run: echo ${{ github.event.head_commit.message }} ${{ github.event.head_commit.id }}
`), "script ${{ github.event.head_commit.message }} <- github.event.head_commit.message! (writer)\n"},
		{"a review is anybody's, the pull request it is on is not", job("pull_request_review", `
      - run: echo ${{ github.event.review.body }} ${{ github.head_ref }}
`), "script ${{ github.event.review.body }} <- github.event.review.body (anyone)\nscript ${{ github.head_ref }} <- github.head_ref (fork (no secrets))\n"},
		{"a case that names its words", job("issue_comment", `
      - id: a
        env: { B: "${{ github.event.comment.body }}" }
        run: |
          case "$B" in
            staging|"production") ;;
            *) exit 1 ;;
          esac
          echo "b=$B" >> "$GITHUB_OUTPUT"
      - run: echo ${{ steps.a.outputs.b }}
`), ""},
		{"a case with a pattern, and one that goes on", job("issue_comment", `
      - id: a
        env: { B: "${{ github.event.comment.body }}" }
        run: |
          case "$B" in
            v*) ;;
            *) exit 1 ;;
          esac
          echo "b=$B" >> "$GITHUB_OUTPUT"
      - id: b
        env: { B: "${{ github.event.comment.body }}" }
        run: |
          case "$B" in
            staging) ;;
            *) echo unknown ;;
          esac
          echo "b=$B" >> "$GITHUB_OUTPUT"
      - run: echo ${{ steps.a.outputs.b }} ${{ steps.b.outputs.b }}
`), "script ${{ steps.a.outputs.b }} <- github.event.comment.body (anyone)\nscript ${{ steps.b.outputs.b }} <- github.event.comment.body (anyone)\n"},
		{"further lines of a value set other outputs, until those are set", job("issue_comment", `
      - id: a
        env: { B: "${{ github.event.comment.body }}" }
        run: |
          echo "before=1" >> "$GITHUB_OUTPUT"
          echo "b=$B" >> "$GITHUB_OUTPUT"
          echo "behind=1" >> "$GITHUB_OUTPUT"
      - run: echo ${{ steps.a.outputs.before }} ${{ steps.a.outputs.behind }}
`), "script ${{ steps.a.outputs.before }} <- github.event.comment.body (anyone)\n"},
		{"an assignment takes the place of the one before", job("issue_comment", `
      - id: a
        env: { B: "${{ github.event.comment.body }}" }
        run: |
          B=$(echo "$B" | tr -cd 0-9)
          echo "b=$B" >> "$GITHUB_OUTPUT"
      - run: echo ${{ steps.a.outputs.b }}
`), ""},
		{"cmd reads what its variables hold", job("issues", `
      - shell: cmd
        env: { T: "${{ github.event.issue.title }}" }
        run: |
          echo "%T%"
          echo done
`), "shell echo \"%T%\"" + titleOfIssue},
		{"a container's shell, and another program's words", job("issues", `
      - uses: docker://alpine:3
        with: { entrypoint: /bin/sh, args: "-c \"echo ${{ github.event.issue.title }}\"" }
      - uses: docker://alpine:3
        with: { args: "tool ${{ github.event.issue.title }}" }
      - uses: docker://alpine:3
        with: { args: "tool ${{ github.event.issue.number }}" }
`), "input ${{ github.event.issue.title }}" + titleOfIssue + "input ${{ github.event.issue.title }} <- github.event.issue.title? (anyone)\n"},
		{"a group of plain characters", job("issue_comment", `
      - id: m
        uses: actions-ecosystem/action-regex-match@v2
        with: { text: "${{ github.event.comment.body }}", regex: "^/run ([0-9]+) (.*)$" }
      - run: echo ${{ steps.m.outputs.group1 }} ${{ steps.m.outputs.group2 }}
`), "script ${{ steps.m.outputs.group2 }} <- github.event.comment.body (anyone)\n"},
		{"an action that reads a file of an outsider's commit", job("pull_request_target", `
      - uses: actions/checkout@v4.1.0
        with: { ref: "${{ github.event.pull_request.head.sha }}" }
      - id: f
        uses: juliangruber/read-file-action@v1
        with: { path: VERSION }
      - run: echo ${{ steps.f.outputs.content }}
`), "checkout \"${{ github.event.pull_request.head.sha }}\" <- github.event.pull_request.head.sha (anyone)\nscript ${{ steps.f.outputs.content }} <- a file of the checked-out commit (anyone)\n"},
		{"a value of several lines", job("issues", `
      - id: a
        env: { T: "${{ github.event.issue.title }}" }
        run: |
          {
            echo "t<<EOF"
            echo "$T"
            echo EOF
            echo "u=fixed"
          } >> "$GITHUB_OUTPUT"
      - run: echo ${{ steps.a.outputs.t }} ${{ steps.a.outputs.u }}
`), "script ${{ steps.a.outputs.t }}" + titleOfIssue},
		{"a heredoc of several values", job("issues", `
      - id: a
        env: { T: "${{ github.event.issue.title }}" }
        run: |
          cat <<EOF >> "$GITHUB_OUTPUT"
          u=fixed
          t=$T
          EOF
      - run: echo ${{ steps.a.outputs.u }} ${{ steps.a.outputs.t }}
`), "script ${{ steps.a.outputs.t }}" + titleOfIssue},
		{"a block inside a heredoc", job("issues", `
      - id: a
        env: { T: "${{ github.event.issue.title }}" }
        run: |
          cat <<EOF >> "$GITHUB_OUTPUT"
          t<<END
          $T
          END
          u=fixed
          EOF
      - run: echo ${{ steps.a.outputs.t }} ${{ steps.a.outputs.u }}
`), "script ${{ steps.a.outputs.t }}" + titleOfIssue},
		{"printf and tee", job("issues", `
      - id: a
        env: { T: "${{ github.event.issue.title }}" }
        run: |
          printf 't=%s\n' "$T" | tee -a "$GITHUB_OUTPUT"
          printf 'u=%s\n' fixed >> $GITHUB_OUTPUT
      - run: echo ${{ steps.a.outputs.t }} ${{ steps.a.outputs.u }}
`), "script ${{ steps.a.outputs.t }}" + titleOfIssue},
		{"the old command", job("issues", `
      - id: a
        env: { T: "${{ github.event.issue.title }}" }
        run: echo "::set-output name=t::$T"
      - run: echo ${{ steps.a.outputs.t }} ${{ steps.a.outputs.u }}
`), "script ${{ steps.a.outputs.t }}" + titleOfIssue},
		{"a file and jq", job("issues", `
      - run: echo "$T" > title.txt
        env: { T: "${{ github.event.issue.title }}" }
      - id: a
        run: |
          echo "t=$(cat ./title.txt)" >> $GITHUB_OUTPUT
          echo "n=$(jq -r .number title.txt)" >> $GITHUB_OUTPUT
          echo "l=$(< title.txt wc -l)" >> $GITHUB_OUTPUT
      - run: echo ${{ steps.a.outputs.t }} ${{ steps.a.outputs.n }} ${{ steps.a.outputs.l }}
`), "script ${{ steps.a.outputs.t }}" + titleOfIssue},
		{"the payload's file", job("issues", `
      - id: a
        run: |
          echo "t=$(jq -r .issue.title "$GITHUB_EVENT_PATH")" >> $GITHUB_OUTPUT
          echo "n=$(jq -r .issue.number "$GITHUB_EVENT_PATH")" >> $GITHUB_OUTPUT
      - run: echo ${{ steps.a.outputs.t }} ${{ steps.a.outputs.n }}
`), "script ${{ steps.a.outputs.t }}" + titleOfIssue},
		{"grep for numbers", job("issues", `
      - id: a
        env: { T: "${{ github.event.issue.title }}" }
        run: |
          echo "n=$(grep -oE '#[0-9]+' <<<"$T" | head -n1)" >> $GITHUB_OUTPUT
          echo "d=$(grep -i "$T" list | tr -cd 0-9)" >> $GITHUB_OUTPUT
          echo "v=$(echo "$T" | grep -m1 -oP 'v\K\d+\.\d+')" >> $GITHUB_OUTPUT
          echo "w=$(grep -oE '[a-z]+' <<<"$T")" >> $GITHUB_OUTPUT
          echo "x=$(grep -E '#[0-9]+' <<<"$T")" >> $GITHUB_OUTPUT
          echo "y=$(grep -o -m 1 '.*' <<<"$T")" >> $GITHUB_OUTPUT
          echo "z=$(grep -oE '#[^0-9]+' <<<"$T")" >> $GITHUB_OUTPUT
      - run: echo ${{ steps.a.outputs.n }} ${{ steps.a.outputs.d }} ${{ steps.a.outputs.v }} ${{ steps.a.outputs.w }}
      - run: echo ${{ steps.a.outputs.x }} ${{ steps.a.outputs.y }} ${{ steps.a.outputs.z }}
`), "script ${{ steps.a.outputs.w }}" + titleOfIssue + "script ${{ steps.a.outputs.x }}" + titleOfIssue +
			"script ${{ steps.a.outputs.y }}" + titleOfIssue + "script ${{ steps.a.outputs.z }}" + titleOfIssue},
		{"a program that was not read is a guess", job("issues", `
      - id: a
        env: { T: "${{ github.event.issue.title }}" }
        run: echo "v=$(./plan "$T")" >> $GITHUB_OUTPUT
      - run: echo ${{ steps.a.outputs.v }}
`), "script ${{ steps.a.outputs.v }} <- github.event.issue.title? (anyone)\n"},
		{"what gh tells", job("issue_comment", `
      - id: a
        run: |
          echo "title=$(gh pr view "$N" --json title --jq .title)" >> $GITHUB_OUTPUT
          echo "n=$(gh pr view "$N" --json additions --jq .additions)" >> $GITHUB_OUTPUT
          echo "branch=$(gh api repos/a/b/pulls/$N --jq .head.ref)" >> $GITHUB_OUTPUT
        env: { N: "${{ github.event.issue.number }}" }
      - run: echo ${{ steps.a.outputs.title }} ${{ steps.a.outputs.n }} ${{ steps.a.outputs.branch }}
`), "script ${{ steps.a.outputs.title }} <- github.event.pull_request.title (anyone)\nscript ${{ steps.a.outputs.branch }} <- github.event.pull_request.head.ref (anyone)\n"},
		{"what git tells of a pull request", job("pull_request", `
      - id: a
        run: |
          echo "files=$(git diff --name-only origin/main)" >> $GITHUB_OUTPUT
          echo "author=$(git log -1 --format='%an')" >> $GITHUB_OUTPUT
          echo "sha=$(git rev-parse HEAD)" >> $GITHUB_OUTPUT
          echo "date=$(git log -1 --format=%cI)" >> $GITHUB_OUTPUT
      - run: echo ${{ steps.a.outputs.files }} ${{ steps.a.outputs.author }} ${{ steps.a.outputs.sha }} ${{ steps.a.outputs.date }}
`), "script ${{ steps.a.outputs.files }} <- the names of changed files (fork (no secrets))\nscript ${{ steps.a.outputs.author }} <- the messages of commits (fork (no secrets))\n"},
		{"git of the base alone tells nothing of an outsider", job("pull_request_target", `
      - id: a
        run: echo "files=$(git diff --name-only HEAD~1)" >> $GITHUB_OUTPUT
      - run: echo ${{ steps.a.outputs.files }}
`), ""},
		{"PowerShell", job("issues", `
      - id: a
        shell: pwsh
        env: { T: "${{ github.event.issue.title }}" }
        run: |
          $x = $env:T
          "t=$x" >> $env:GITHUB_OUTPUT
          "u=fixed" >> $env:GITHUB_OUTPUT
      - run: echo ${{ steps.a.outputs.t }} ${{ steps.a.outputs.u }}
`), "script ${{ steps.a.outputs.t }}" + titleOfIssue},
		{"python writes an output", job("issues", `
      - id: a
        shell: python
        env: { T: "${{ github.event.issue.title }}" }
        run: |
          import os
          title = os.environ["T"]
          open(os.environ["GITHUB_OUTPUT"], "a").write(f"t={title}" + os.environ["T"])
      - run: echo ${{ steps.a.outputs.t }}
`), "script ${{ steps.a.outputs.t }}" + titleOfIssue},
		{"text as code of the shell", job("issues", `
      - env: { T: "${{ github.event.issue.title }}" }
        run: |
          bash -lc "a $T"
          ssh host "b $T"
          docker exec c sh -c "d $T"
          bash <<EOF
          e $T
          EOF
          bash run.sh "$T"
          cat <<EOF
          f $T
          EOF
`), "shell \"a $T\"" + titleOfIssue + "shell \"b $T\"" + titleOfIssue + "shell \"d $T\"" + titleOfIssue + "shell e $T EOF" + titleOfIssue},
		{"GITHUB_ENV from inside an action, and the step's env: inside it", job("issues", `
      - uses: ./set
        env: { T: "${{ github.event.issue.title }}" }
      - run: echo ${{ env.LATER }}
`) + `
-- set/action.yml --
name: set
description: sets
runs:
  using: composite
  steps:
    - run: echo ${{ env.T }}
      shell: bash
    - run: echo "LATER=$T" >> $GITHUB_ENV
      shell: bash
`, "script ${{ env.LATER }}" + titleOfIssue + "script ${{ env.T }}" + titleOfIssue + "envfile echo \"LATER=$T\" >> $GITHUB_ENV" + titleOfIssue},
		{"outputs by the table", job("pull_request", `
      - id: f
        uses: tj-actions/changed-files@v40
      - id: g
        uses: tj-actions/changed-files@v45
      - id: c
        uses: actions/cache@v4
        with: { key: "${{ github.head_ref }}", path: x }
      - run: echo ${{ steps.f.outputs.all_changed_files }} ${{ steps.f.outputs.any_changed }} ${{ steps.g.outputs.all_changed_files }} ${{ steps.c.outputs.cache-hit }}
`), "script ${{ steps.f.outputs.all_changed_files }} <- the names of changed files (fork (no secrets))\n"},
		{"an input that says by its name that it is run is a guess", job("issues", `
      - uses: somebody/runs@v1
        with: { command: "echo ${{ github.event.issue.title }}", name: "${{ github.event.issue.title }}" }
`), "input ${{ github.event.issue.title }} <- github.event.issue.title? (anyone)\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := sinks(flow.Analyse(repository(t, c.repo))); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

// What a script of actions/github-script puts out.
func TestGithubScript(t *testing.T) {
	const pull = "const { data: pr } = await github.rest.pulls.get({ ...context.repo, pull_number: context.issue.number });"
	for _, c := range []struct {
		script, want string // the source, "" for none
	}{
		{"core.setOutput('x', context.payload.comment.body)", "github.event.comment.body"},
		{"core.setOutput('x', context.payload.comment.body.trim().split(' ')[1])", "github.event.comment.body"},
		{"core.setOutput('x', `a ${context.payload.comment?.body}`)", "github.event.comment.body"},
		{"const { comment } = context.payload; core.setOutput('x', comment.body)", "github.event.comment.body"},
		{"const body = context.payload.comment.body || ''\ncore.setOutput('x', body)", "github.event.comment.body"},
		{"const m = context.payload.comment.body.match(/a/)\nconst y = m ? m[1] : ''\ncore.setOutput(\"x\", y)", "github.event.comment.body"},
		{"const { body: words } = context.payload.comment\ncore.setOutput('x', words)", "github.event.comment.body"},
		{pull + "\ncore.setOutput('x', pr.head.ref)", "github.event.pull_request.head.ref"},
		{"const r = await github.rest.pulls.get({\n  ...context.repo,\n  pull_number: 1,\n});\ncore.setOutput('x', r.data.title)", "github.event.pull_request.title"},
		{"core.setOutput('x', process.env.T)", "github.event.comment.body"},
		{"core.setOutput('x', '${{ github.event.comment.body }}')", "github.event.comment.body"},

		{pull + "\ncore.setOutput('x', pr.head.sha)", ""},
		{pull + "\ncore.setOutput('x', pr.number)", ""},
		{"core.setOutput('x', context.payload.comment.body.includes('a'))", ""},
		{"core.setOutput('x', context.payload.comment.body === 'a')", ""},
		{"core.setOutput('x', context.payload.comment.body.startsWith('/go') ? 'yes' : 'no')", ""},
		{"core.setOutput('x', context.payload.comment.body.length)", ""},
		{"core.setOutput('x', 'context.payload.comment.body')", ""},
		{"core.setOutput('x', context.payload.comment.user.login)", ""},
		{"core.setOutput('y', context.payload.comment.body)", ""},
		{"const body = context.payload.comment.body\ncore.setOutput('x', 'fixed')", ""},
	} {
		script := ""
		for _, line := range splitLines(c.script) {
			script += "            " + line + "\n"
		}
		repo := job("issue_comment", "      - id: s\n        uses: actions/github-script@v8\n        env: { T: \"${{ github.event.comment.body }}\" }\n        with:\n          script: |\n"+
			script+"      - run: echo ${{ steps.s.outputs.x }}\n")
		got := ""
		for _, s := range flow.Analyse(repository(t, repo)).Sinks() {
			if s.Kind == flow.SinkScript {
				got = s.Worst().Source
			}
		}
		if got != c.want {
			t.Errorf("%s: source %q, want %q", c.script, got, c.want)
		}
	}
}

// JSON is JavaScript, unless it stands inside a string.
func TestJSONInScripts(t *testing.T) {
	for script, want := range map[string]int{
		"const a = ${{ toJSON(github.event.comment.body) }}":                0,
		"const a = '${{ toJSON(github.event.comment.body) }}'":              1,
		"const a = `b ${{ toJSON(github.event.comment.body) }}`":            1,
		"const q = 'it'; f(${{ toJSON(github.event.comment.body) }})":       0,
		"const a = ${{ github.event.comment.body }}":                        1,
		"const a = ${{ fromJSON(toJSON(github.event.comment.body)) }}":      1,
		"const a = ${{ steps.s.outputs.result }}":                           0,
		"const a = ${{ steps.t.outputs.result }}":                           1,
		"core.info('${{ steps.s.outputs.result }}')":                        1,
		"// it's ${{ toJSON(github.event.comment.body) }}\nconst a = 'b'\n": 1,
	} {
		body := ""
		for _, line := range splitLines(script) {
			body += "            " + line + "\n"
		}
		producer := func(id, extra string) string {
			return "      - id: " + id + "\n        uses: actions/github-script@v8\n        with:\n          script: return context.payload.comment.body\n" + extra
		}
		repo := job("issue_comment", producer("s", "")+producer("t", "          result-encoding: string\n")+
			"      - uses: actions/github-script@v8\n        with:\n          script: |\n"+body)
		if got := len(flow.Analyse(repository(t, repo)).Sinks()); got != want {
			t.Errorf("%s: %d sinks, want %d", script, got, want)
		}
	}
}
