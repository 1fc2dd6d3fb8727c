package flow_test

import (
	"strings"
	"testing"

	"github.com/stint-dev/stint/reach/flow"
	"github.com/stint-dev/stint/workflows/platform"
)

func splitLines(s string) []string { return strings.Split(s, "\n") }

// Steps and jobs that let only people with write access through: the text may be an
// outsider's, the run is not.
func TestGateSteps(t *testing.T) {
	const check = "const { data } = await github.rest.repos.getCollaboratorPermissionLevel({ ...context.repo, username: context.actor });"
	script := func(id, body string) string {
		return "      - id: " + id + "\n        uses: actions/github-script@v8\n        with:\n          script: |\n            " + strings.ReplaceAll(body, "\n", "\n            ") + "\n"
	}
	const use = "      - run: echo ${{ github.event.issue.title }}\n"
	withIf := func(cond string) string {
		return "      - if: " + cond + "\n        run: echo ${{ github.event.issue.title }}\n"
	}
	for _, c := range []struct {
		name, repo string
		want       platform.Starter
	}{
		{"no gate", job("issue_comment", use), platform.StartAnyone},
		{"a step refuses", job("issue_comment", script("c", check+"\nif (data.permission !== 'admin') core.setFailed('no')")+use), platform.StartWriter},
		{"a step tells and nobody listens", job("issue_comment", script("c", check+"\ncore.setOutput('ok', data.permission === 'admin')")+use), platform.StartAnyone},
		{"a step tells and the next listens", job("issue_comment", script("c", check+"\ncore.setOutput('ok', data.permission === 'admin')")+withIf("steps.c.outputs.ok == 'true'")), platform.StartWriter},
		{"listens to the opposite", job("issue_comment", script("c", check+"\ncore.setOutput('ok', data.permission === 'admin')")+withIf("steps.c.outputs.ok != 'true'")), platform.StartAnyone},
		{"listens to no", job("issue_comment", script("c", check+"\ncore.setOutput('ok', data.permission === 'admin')")+withIf("steps.c.outputs.ok == 'false'")), platform.StartAnyone},
		{"runs although a step refused", job("issue_comment", script("c", check+"\nif (!data) core.setFailed('no')")+withIf("always()")), platform.StartAnyone},
		{"the refusing step may be left out", job("issue_comment", strings.Replace(script("c", check+"\nif (!data) core.setFailed('no')"), "      - id: c", "      - id: c\n        if: github.event.comment.body == 'x'", 1)+use), platform.StartAnyone},
		{"the refusing step runs on success", job("issue_comment", strings.Replace(script("c", check+"\nif (!data) core.setFailed('no')"), "      - id: c", "      - id: c\n        if: success()", 1)+use), platform.StartWriter},
		{"the refusal is ignored", job("issue_comment", strings.Replace(script("c", check+"\nif (!data) core.setFailed('no')"), "      - id: c", "      - id: c\n        continue-on-error: true", 1)+use), platform.StartAnyone},
		{"a shell asks", job("issue_comment", "      - run: gh api repos/a/b/collaborators/$U/permission | grep admin || exit 1\n"+use), platform.StartWriter},
		{"an action refuses", job("issue_comment", "      - uses: skjnldsv/check-actor-permission@v3\n"+use), platform.StartWriter},
		{"a local action refuses", job("issue_comment", "      - uses: ./check\n"+use) + "\n-- check/action.yml --\nname: c\ndescription: c\nruns:\n  using: composite\n  steps:\n    - uses: skjnldsv/check-actor-permission@v3\n", platform.StartWriter},
		{"after, not before", job("issue_comment", use+"      - uses: skjnldsv/check-actor-permission@v3\n"), platform.StartAnyone},
		{"read is let through", job("issue_comment", script("c", check+"\nif (!['admin', 'write', 'read'].includes(data.permission)) core.setFailed('no')")+use), platform.StartAnyone},
		{"the owner is asked for", job("issue_comment", script("c", strings.Replace(check, "context.actor", "context.repo.owner", 1)+"\nif (data.permission !== 'admin') core.setFailed('no')")+use), platform.StartAnyone},
		{"a shell lets read through", job("issue_comment", "      - run: |\n          p=$(gh api repos/a/b/collaborators/$U/permission -q .permission)\n          if [[ $p != write && $p != read ]]; then exit 1; fi\n"+use), platform.StartAnyone},
		{"a shell refuses read and none", job("issue_comment", "      - run: |\n          p=$(gh api repos/a/b/collaborators/$U/permission -q .permission)\n          if [[ $p = read || $p = none ]]; then exit 1; fi\n"+use), platform.StartWriter},
		{"a shell asks for the owner", job("issue_comment", "      - env: { U: \"${{ github.repository_owner }}\" }\n        run: gh api repos/a/b/collaborators/$U/permission | grep admin || exit 1\n"+use), platform.StartAnyone},
		{"a verdict ends the job", job("issue_comment", "      - id: p\n        uses: actions-cool/check-user-permission@v2\n      - if: steps.p.outputs.require-result == 'false'\n        run: |\n          echo no\n          exit 1\n"+use), platform.StartWriter},
		{"the script may end before", job("issue_comment", "      - if: github.event_name == 'issue_comment'\n        run: |\n          if ./unknown; then exit 0; fi\n          exit 1\n"+use), platform.StartAnyone},
		{"the wrong verdict does", job("issue_comment", "      - id: p\n        uses: actions-cool/check-user-permission@v2\n      - if: steps.p.outputs.require-result == 'true'\n        run: exit 1\n"+use), platform.StartAnyone},
		{"a command of any level", job("issue_comment", "      - uses: xt0rted/slash-command-action@v2\n        with: { permission-level: none }\n"+use), platform.StartAnyone},
		{"a command of writers", job("issue_comment", "      - uses: xt0rted/slash-command-action@v2\n"+use), platform.StartWriter},
		{"people who are listed", job("issue_comment", withIf("contains(fromJSON('[\"a\", \"b\"]'), github.event.comment.user.login)")), platform.StartWriter},
		{"people whom a setting lists", job("issue_comment", withIf("contains(fromJSON(vars.PEOPLE), github.event.comment.user.login)")), platform.StartWriter},
		{"people in a text", job("issue_comment", withIf("contains('a, b', github.event.comment.user.login)")), platform.StartAnyone},
		{"members comment, outsiders title", job("issue_comment", withIf("github.event.comment.author_association == 'MEMBER'")), platform.StartWriter},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := false
			for _, s := range flow.Analyse(repository(t, c.repo)).Sinks() {
				if s.Kind != flow.SinkScript {
					continue
				}
				found = true
				if w := s.Worst(); w.Who != platform.StartAnyone || w.Start != c.want {
					t.Errorf("set by %s, started by %s; want anyone and %s", w.Who, w.Start, c.want)
				}
			}
			if !found {
				t.Error("no sink")
			}
		})
	}
}

func TestGatesOfJobs(t *testing.T) {
	two := func(first, needs string) string {
		return "-- .github/workflows/w.yml --\non: issue_comment\njobs:\n  first:\n    runs-on: x\n" + first + "  second:\n    needs: first\n" + needs +
			"    runs-on: x\n    steps:\n      - run: echo ${{ github.event.comment.body }}\n"
	}
	const gate = "    if: github.event.comment.author_association == 'OWNER'\n    steps: [{ run: make }]\n"
	const tells = "    outputs: { ok: \"${{ steps.c.outputs.result }}\" }\n    steps:\n      - id: c\n        uses: actions-cool/check-user-permission@v2\n"
	for _, c := range []struct {
		name, repo string
		want       platform.Starter
	}{
		{"a job that outsiders do not reach", two(gate, ""), platform.StartWriter},
		{"asked for anyway", two(gate, "    if: always()\n"), platform.StartAnyone},
		{"a job that refuses", two("    steps: [{ uses: skjnldsv/check-actor-permission@v3 }]\n", ""), platform.StartWriter},
		{"a job that tells", two(tells, ""), platform.StartAnyone},
		{"a job that tells, and is listened to", two(tells, "    if: needs.first.outputs.ok == 'true'\n"), platform.StartWriter},
		{"a job that does nothing of it", two("    steps: [{ run: make }]\n", ""), platform.StartAnyone},
	} {
		t.Run(c.name, func(t *testing.T) {
			who := platform.StartWriter
			for _, s := range flow.Analyse(repository(t, c.repo)).Sinks() {
				who = max(who, s.Who()) // the comment is the starter's own
			}
			if who != c.want {
				t.Errorf("%s, want %s", who, c.want)
			}
		})
	}
}

// Triggers and conditions about pull requests.
func TestEventsOfPulls(t *testing.T) {
	for _, c := range []struct {
		name, on, cond string
		who, text      platform.Starter
		merged         bool
	}{
		{"open", "pull_request_target", "true", platform.StartAnyone, platform.StartAnyone, false},
		{"labels", "{ pull_request_target: { types: [labeled] } }", "true", platform.StartWriter, platform.StartAnyone, false},
		{"labels and pushes", "{ pull_request_target: { types: [labeled, synchronize] } }", "true", platform.StartAnyone, platform.StartAnyone, false},
		{"the event's own label", "pull_request_target", "github.event.label.name == 'ok'", platform.StartWriter, platform.StartAnyone, false},
		{"a label that stays on", "pull_request_target", "contains(github.event.pull_request.labels.*.name, 'ok')", platform.StartAnyone, platform.StartAnyone, false},
		{"merged", "{ pull_request_target: { types: [closed] } }", "github.event.pull_request.merged == true", platform.StartWriter, platform.StartAnyone, true},
		{"closed without a merge", "{ pull_request_target: { types: [closed] } }", "github.event.pull_request.merged == false", platform.StartAnyone, platform.StartAnyone, false},
		{"own branches", "pull_request_target", "github.event.pull_request.head.repo.full_name == github.repository", platform.StartWriter, platform.StartWriter, false},
		{"runs of pushes", "{ workflow_run: { workflows: [x] } }", "github.event.workflow_run.event == 'push'", platform.StartWriter, platform.StartWriter, false},
		{"runs of pull requests", "{ workflow_run: { workflows: [x] } }", "github.event.workflow_run.event == 'pull_request'", platform.StartAnyone, platform.StartAnyone, false},
		{"not runs of pushes", "{ workflow_run: { workflows: [x] } }", "github.event.workflow_run.event != 'push'", platform.StartAnyone, platform.StartAnyone, false},
		{"runs of a branch's name", "{ workflow_run: { workflows: [x] } }", "github.event.workflow_run.head_branch == 'main'", platform.StartAnyone, platform.StartAnyone, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := repository(t, "-- .github/workflows/w.yml --\non: "+c.on+"\njobs:\n  j:\n    if: "+c.cond+"\n    runs-on: x\n    steps: [{ run: make }]\n")
			events := flow.Analyse(r).Events(r.Files[0].Workflow.Jobs[0])
			if len(events) != 1 || events[0].Who != c.who || events[0].Text != c.text || events[0].Merged != c.merged {
				t.Errorf("%+v", events)
			}
		})
	}
}

// Ways of an outsider's commit into the workspace, and directories.
func TestCheckouts(t *testing.T) {
	for _, c := range []struct{ name, steps, want string }{
		{"a local branch of a fetch", `
      - run: git fetch origin "pull/$N/head:pr-$N"
        env: { N: "${{ github.event.issue.number }}" }
      - run: git checkout "pr-$N"
        env: { N: "${{ github.event.issue.number }}" }
`, "git checkout \"pr-$N\" in \"\""},
		{"a fetch alone", `
      - run: git fetch origin "pull/${{ github.event.issue.number }}/head" && git diff main FETCH_HEAD --stat
`, ""},
		{"into a worktree", `
      - run: |
          git fetch origin "pull/${{ github.event.issue.number }}/head"
          git worktree add ../x/pr FETCH_HEAD
          cd tools && git worktree add pr FETCH_HEAD
`, "git worktree add ../x/pr FETCH_HEAD in \"x/pr\"; git worktree add pr FETCH_HEAD in \"tools/pr\""},
		{"a remote", `
      - id: pr
        uses: actions/github-script@v8
        with:
          script: |
            const { data: pr } = await github.rest.pulls.get({ ...context.repo, pull_number: context.issue.number });
            core.setOutput('url', pr.head.repo.clone_url);
      - run: git remote add fork "$URL" && git fetch fork && git checkout fork/main
        env: { URL: "${{ steps.pr.outputs.url }}" }
`, "git checkout fork/main in \"\""},
		{"a clone", `
      - run: git clone https://github.com/a/b && git -C b checkout main
`, ""},
		{"a path", `
      - uses: actions/checkout@v7
        with: { ref: "refs/pull/${{ github.event.issue.number }}/head", path: ./pr/ }
`, "\"refs/pull/${{ github.event.issue.number }}/head\" in \"pr\""},
		{"format", `
      - uses: actions/checkout@v7
        with: { ref: "${{ format('refs/pull/{0}/merge', github.event.issue.number) }}" }
`, "\"${{ format('refs/pull/{0}/merge', github.event.issue.number) }}\" in \"\""},
		{"what gh tells", `
      - id: pr
        run: echo "sha=$(gh pr view "$N" --json headRefOid --jq .headRefOid)" >> $GITHUB_OUTPUT
        env: { N: "${{ github.event.issue.number }}" }
      - uses: actions/checkout@v7
        with: { ref: "${{ steps.pr.outputs.sha }}" }
`, "\"${{ steps.pr.outputs.sha }}\" in \"\""},
		{"a constant of a step", `
      - id: pr
        run: echo "ref=main" >> $GITHUB_OUTPUT
      - uses: actions/checkout@v7
        with: { ref: "${{ steps.pr.outputs.ref }}" }
`, ""},
		{"a branch named after the number", `
      - run: git checkout -b "fix-${{ github.event.issue.number }}"
`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, s := range flow.Analyse(repository(t, job("issue_comment", c.steps))).Sinks() {
				if s.Kind == flow.SinkCheckout {
					dir, _ := s.Path()
					got = append(got, s.File.Text(s.Span)+" in \""+dir+"\"")
				}
			}
			if strings.Join(got, "; ") != c.want {
				t.Errorf("got %q\nwant %q", strings.Join(got, "; "), c.want)
			}
		})
	}
}

// Somebody without rights comments on what a member wrote: his comment is there, and the
// member's text is not his.
func TestCommenter(t *testing.T) {
	for cond, want := range map[string]string{
		"github.event.issue.author_association == 'OWNER'":                                           "comment anyone, title writer",
		"github.event.comment.author_association == 'OWNER'":                                         "comment writer, title anyone",
		"github.event.issue.author_association == 'OWNER' && github.event.comment.user.login == 'a'": "comment writer, title writer",
		"contains(fromJSON('[\"OWNER\", \"MEMBER\"]'), github.event.issue.author_association)":       "comment anyone, title writer",
	} {
		repo := job("issue_comment", "      - if: "+cond+`
        run: |
          echo ${{ github.event.comment.body }}
          echo ${{ github.event.issue.title }}
`)
		got := map[string]platform.Starter{"comment": platform.StartWriter, "title": platform.StartWriter}
		for _, s := range flow.Analyse(repository(t, repo)).Sinks() {
			w := s.Worst()
			if strings.Contains(w.Source, "comment") {
				got["comment"] = w.Who
			} else {
				got["title"] = w.Who
			}
		}
		if text := "comment " + got["comment"].String() + ", title " + got["title"].String(); text != want {
			t.Errorf("%s: %s, want %s", cond, text, want)
		}
	}
	review := job("pull_request_review", "      - if: github.event.pull_request.head.repo.full_name == github.repository\n        run: echo ${{ github.event.review.body }}\n")
	if s := flow.Analyse(repository(t, review)).Sinks(); len(s) != 1 || s[0].Who() != platform.StartAnyone {
		t.Errorf("a review of a member's pull request: %v", s)
	}
}

// A job that may fail does not keep those that need it from running.
func TestIgnoredRefusal(t *testing.T) {
	for extra, want := range map[string]platform.Starter{"": platform.StartWriter, "    continue-on-error: true\n": platform.StartAnyone} {
		repo := "-- .github/workflows/w.yml --\non: issue_comment\njobs:\n  ask:\n    runs-on: x\n" + extra +
			"    steps: [ { uses: skjnldsv/check-actor-permission@v3 } ]\n  act:\n    needs: ask\n    runs-on: x\n    steps: [ { run: make } ]\n"
		if who, _ := startOf(t, repo); who != want {
			t.Errorf("%q: started by %s, want %s", extra, who, want)
		}
	}
}
