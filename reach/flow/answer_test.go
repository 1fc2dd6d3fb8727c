package flow_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stint-dev/stint/reach/flow"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// startOf returns who can start the job named last with his own text, and false when
// nobody can.
func startOf(t *testing.T, repo string) (platform.Starter, bool) {
	t.Helper()
	r := repository(t, repo)
	var last *workflows.Job
	for _, f := range r.Files {
		if f.Workflow != nil && f.Path == ".github/workflows/w.yml" {
			last = f.Workflow.Jobs[len(f.Workflow.Jobs)-1]
		}
	}
	who, any := platform.StartWriter, false
	for _, e := range flow.Analyse(r).Events(last) {
		who, any = max(who, e.Who), true
	}
	return who, any
}

// gated is a workflow of two jobs: the steps of the first set its output ok, and the
// second runs under a condition.
func gated(on, outputs, steps, cond string) string {
	return "-- .github/workflows/w.yml --\non: " + on + "\njobs:\n  first:\n    runs-on: x\n    outputs:\n      ok: " + outputs + "\n      unread: \"${{ steps.unread.outputs.x }}\"\n    steps:\n      - id: unread\n        run: ./unread.sh\n" + steps +
		"  second:\n    needs: first\n    if: " + cond + "\n    runs-on: x\n    steps: [{ run: make }]\n"
}

func asking(lines ...string) string {
	return "      - id: c\n        uses: actions/github-script@v8\n        with:\n          script: |\n            " +
		"const { data } = await github.rest.repos.getCollaboratorPermissionLevel({ ...context.repo, username: context.actor });\n            " + strings.Join(lines, "\n            ") + "\n"
}

const okOfC = `"${{ steps.c.outputs.ok }}"`

// What the outputs of a job before say to a guard.
func TestGuardsOfOutputs(t *testing.T) {
	permitted := asking("core.setOutput('ok', ['admin', 'write'].includes(data.permission));")
	branched := asking("if (data.permission === 'admin') {", "  core.setOutput('ok', 'true');", "} else {", "  core.setOutput('ok', 'false');", "}")
	shell := "      - id: c\n        run: |\n          PERMISSION=$(gh api \"repos/$R/collaborators/$U/permission\" --jq .permission)\n"
	const yes = "needs.first.outputs.ok == 'true'"
	for _, c := range []struct {
		name, outputs, steps, cond string
		open                       bool
	}{
		{"the answer", okOfC, permitted, yes, false},
		{"the answer, turned round", okOfC, permitted, "needs.first.outputs.ok != 'true'", true},
		{"the answer, quoted", okOfC, permitted, `"${{ needs.first.outputs.ok == 'true' }}"`, false},
		{"the answer as JSON", okOfC, permitted, "fromJSON(needs.first.outputs.ok)", false},
		{"a bare 'false' is true", okOfC, permitted, "needs.first.outputs.ok", true},
		{"a bare answer that is set or not", okOfC, asking("if (data.permission === 'admin') core.setOutput('ok', 'true');"), "needs.first.outputs.ok", false},
		{"is not empty", okOfC, asking("if (data.permission === 'admin') core.setOutput('ok', 'true');"), "needs.first.outputs.ok != ''", false},
		{"both branches are set", okOfC, branched, yes, false},
		{"both branches are not empty", okOfC, branched, "needs.first.outputs.ok != ''", true},
		{"the level", okOfC, asking("core.setOutput('ok', data.permission);"), "contains(fromJSON('[\"admin\", \"write\"]'), needs.first.outputs.ok)", false},
		{"readers are let in", okOfC, asking("core.setOutput('ok', data.permission);"), "contains(fromJSON('[\"read\", \"write\"]'), needs.first.outputs.ok)", true},
		{"an answer with a way around it", `"${{ steps.c.outputs.ok || 'true' }}"`, asking("if (data.permission === 'admin') core.setOutput('ok', 'true');"), yes, true},
		{"an answer and more", `"${{ steps.c.outputs.ok == 'true' && steps.d.outputs.x == 'y' }}"`, permitted, yes, false},
		{"an answer or more", `"${{ steps.c.outputs.ok == 'true' || steps.d.outputs.x == 'y' }}"`, permitted, yes, true},
		{"another output of the step that asks", `"${{ steps.c.outputs.sha }}"`, asking("core.setOutput('ok', data.permission);", "core.setOutput('sha', sha);"), "needs.first.outputs.ok != ''", true},
		{"another output after a return", `"${{ steps.c.outputs.sha }}"`, asking("if (data.permission !== 'admin') return;", "core.setOutput('sha', sha);"), "needs.first.outputs.ok != ''", false},
		{"set before it asks", okOfC, strings.Replace(permitted, "const {", "core.setOutput('ok', 'true'); const {", 1), yes, true},
		{"says no when set", `"${{ steps.c.outputs.skip }}"`, asking("if (data.permission !== 'admin') core.setOutput('skip', 'true');"), "needs.first.outputs.ok != 'true'", false},
		{"runs for those who are refused", `"${{ steps.c.outputs.skip }}"`, asking("if (data.permission !== 'admin') core.setOutput('skip', 'true');"), yes, true},
		{"a shell that asks", okOfC, shell + "          if [ \"$PERMISSION\" = admin ]; then echo ok=true >> \"$GITHUB_OUTPUT\"; else echo ok=false >> \"$GITHUB_OUTPUT\"; fi\n", yes, false},
		{"a shell that tells the level", okOfC, shell + "          echo \"ok=$PERMISSION\" >> $GITHUB_OUTPUT\n", "needs.first.outputs.ok == 'admin' || needs.first.outputs.ok == 'write'", false},
		{"a shell that tells the number", okOfC, shell + "          echo \"ok=$NUMBER\" >> $GITHUB_OUTPUT\n", "needs.first.outputs.ok != ''", true},
		{"a step that outsiders skip", okOfC, "      - id: c\n        if: github.event.comment.author_association == 'OWNER'\n        run: echo ok=true >> $GITHUB_OUTPUT\n", yes, false},
		{"a step behind one that refuses", okOfC, "      - uses: skjnldsv/check-actor-permission@v3\n        continue-on-error: true\n        id: g\n      - id: c\n        if: steps.g.outcome == 'success'\n        run: echo ok=true >> $GITHUB_OUTPUT\n", yes, false},
		{"a step that any may reach", okOfC, "      - id: c\n        if: github.event.comment.body == 'go'\n        run: echo ok=true >> $GITHUB_OUTPUT\n", yes, true},
		{"a constant that fits", okOfC, "      - id: c\n        run: echo ok=true >> $GITHUB_OUTPUT\n", yes, true},
		{"a module of gh-aw", "\"${{ steps.m.outputs.is_team_member == 'true' }}\"", "      - id: m\n        uses: actions/github-script@v8\n        with:\n          script: |\n            const { main } = require('check_membership.cjs');\n            await main();\n", yes, false},
		{"an action that tells", `"${{ steps.c.outputs.require-result }}"`, "      - id: c\n        uses: actions-cool/check-user-permission@v2\n", yes, false},
		{"an action that is not known", okOfC, "      - id: c\n        uses: some/check@v2\n", yes, true},
		{"an output of a step that is not there", `"${{ steps.none.outputs.ok }}"`, "      - run: make\n", yes, true},
		{"an output that is not there", okOfC, permitted, "needs.first.outputs.none == ''", true},
		{"the result of a job that refuses", okOfC, "      - uses: skjnldsv/check-actor-permission@v3\n", "always() && needs.first.result == 'success'", false},
		{"any result of it", okOfC, "      - uses: skjnldsv/check-actor-permission@v3\n", "always()", true},
		{"a text around it", okOfC, permitted, "\"${{ needs.first.outputs.ok == 'true' }} \"", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			who, any := startOf(t, gated("issue_comment", c.outputs, c.steps, c.cond))
			if !any {
				t.Fatal("the job never runs")
			}
			if (who == platform.StartAnyone) != c.open {
				t.Errorf("started by %s", who)
			}
		})
	}
}

// A dispatcher that names a command for each event.
func TestGuardsOfCommands(t *testing.T) {
	const steps = `      - id: c
        uses: actions/github-script@v8
        env: { KIND: "${{ github.event_name }}.${{ github.event.action }}", WORDS: "${{ github.event.comment.body }}" }
        with:
          script: |
            const kind = process.env.KIND;
            if (kind === 'pull_request_target.opened') {
              core.setOutput('ok', 'review');
            } else if (['issues.opened', 'issues.reopened'].includes(kind)) {
              core.setOutput('ok', 'sort');
            } else if (process.env.WORDS.startsWith('/fix')) {
              core.setOutput('ok', 'fix');
            } else {
              core.setOutput('ok', 'none');
            }
`
	const on = "{ pull_request_target: { types: [opened] }, issues: { types: [opened, reopened] }, issue_comment: { types: [created] } }"
	for cond, want := range map[string]string{
		"review": "pull_request_target", "sort": "issues", "fix": "issue_comment", "none": "issue_comment", "other": "",
	} {
		r := repository(t, gated(on, okOfC, steps, "needs.first.outputs.ok == '"+cond+"'"))
		var got []string
		for _, e := range flow.Analyse(r).Events(r.Files[0].Workflow.Jobs[1]) {
			got = append(got, e.Name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: started by %v, want %s", cond, got, want)
		}
	}
}

// Gates in composite actions and reusable workflows.
func TestGuardsElsewhere(t *testing.T) {
	action := "-- check/action.yml --\nname: c\ndescription: c\noutputs:\n  ok: { value: \"${{ steps.c.outputs.ok }}\" }\nruns:\n  using: composite\n  steps:\n" +
		asking("core.setOutput('ok', data.permission === 'admin');")
	called := "-- .github/workflows/check.yml --\non:\n  workflow_call:\n    outputs:\n      ok: { value: \"${{ jobs.ask.outputs.ok }}\" }\njobs:\n  ask:\n    runs-on: x\n    outputs:\n      ok: \"${{ steps.c.outputs.ok }}\"\n    steps:\n" +
		asking("core.setOutput('ok', data.permission === 'admin');")
	call := "-- .github/workflows/w.yml --\non: issue_comment\njobs:\n  first:\n    uses: ./.github/workflows/check.yml\n  second:\n    needs: first\n    if: %s\n    runs-on: x\n    steps: [{ run: make }]\n"
	for _, c := range []struct {
		name, repo string
		open       bool
	}{
		{"action", gated("issue_comment", okOfC, "      - id: c\n        uses: ./check\n", "needs.first.outputs.ok == 'true'") + action, false},
		{"action, not listened to", gated("issue_comment", okOfC, "      - id: c\n        uses: ./check\n", "needs.first.outputs.ok != ''") + action, true},
		{"workflow", fmt.Sprintf(call, "needs.first.outputs.ok == 'true'") + called, false},
		{"workflow, not listened to", fmt.Sprintf(call, "needs.first.outputs.ok != 'true'") + called, true},
	} {
		if who, any := startOf(t, c.repo); !any || (who == platform.StartAnyone) != c.open {
			t.Errorf("%s: started by %s", c.name, who)
		}
	}
}

// randomCondition makes a condition of what is known, not known and an answer.
func randomCondition(r *rand.Rand, depth int) string {
	atoms := []string{
		"needs.first.outputs.ok == 'true'", "needs.first.outputs.ok != 'true'", "needs.first.outputs.unread == 'y'", "needs.first.outputs.ok", "true", "false",
		"github.event_name == 'issue_comment'", "github.event.comment.author_association == 'OWNER'", "fromJSON(needs.first.outputs.ok)", "vars.SWITCH == 'on'",
		"contains(fromJSON('[\"true\"]'), needs.first.outputs.ok)", "startsWith(needs.first.outputs.ok, 't')",
	}
	if depth == 0 {
		return atoms[r.IntN(len(atoms))]
	}
	x, y := randomCondition(r, depth-1), randomCondition(r, depth-1)
	return []string{"(" + x + " && " + y + ")", "(" + x + " || " + y + ")", "!(" + x + ")", x}[r.IntN(4)]
}

// A guard that is added never lets more people in, one that cannot be read keeps
// nobody out, and a condition and its opposite are never both shut.
func TestGuardProperties(t *testing.T) {
	const seed = 7
	r := rand.New(rand.NewPCG(seed, seed))
	rank := func(steps, cond string) int {
		who, any := startOf(t, gated("issue_comment", okOfC, steps, "${{ "+cond+" }}"))
		if !any {
			return -1
		}
		return int(who)
	}
	for range 100 {
		cond := randomCondition(r, 2)
		for _, steps := range []string{asking("core.setOutput('ok', data.permission === 'admin');"), "      - id: c\n        run: ./ask.sh\n"} {
			alone := rank(steps, cond)
			for _, guard := range []string{"needs.first.outputs.ok == 'true'", "vars.SWITCH == 'on'"} {
				if both := rank(steps, cond+" && "+guard); both > alone {
					t.Errorf("%s: %d, and with %s %d", cond, alone, guard, both)
				}
			}
			if unread := rank(steps, cond+" && needs.first.outputs.unread == 'x'"); unread != alone {
				t.Errorf("%s: %d, and with a guard that is not read %d", cond, alone, unread)
			}
			if opposite := rank(steps, "!("+cond+")"); max(alone, opposite) < int(platform.StartAnyone) {
				t.Errorf("%s: neither it nor its opposite holds for outsiders", cond)
			}
		}
	}
}

// Whatever a script looks like, its guard is decided in bounded time, and one that is
// not about the person's rights keeps nobody out of a job that listens to nothing.
func FuzzGuardScript(f *testing.F) {
	for _, seed := range []string{
		"core.setOutput('ok', 'true')", "if (context.eventName === 'push') { core.setOutput('ok', 'true') } else { core.setOutput('ok', 'no') }",
		"if (a) b(); else if (", "} else { core.setOutput(`ok`, '\\'", "return ['x'].includes(process.env.KIND)", "const { data } = getCollaboratorPermissionLevel(); core.setOutput('ok', data.permission)",
	} {
		f.Add(seed, "needs.first.outputs.ok == 'true'")
	}
	f.Fuzz(func(t *testing.T, script, cond string) {
		if len(script) > 20_000 || len(cond) > 200 {
			t.Skip()
		}
		lines := strings.FieldsFunc(script, func(r rune) bool { return r == '\n' || r == '\r' })
		step := "      - id: c\n        uses: actions/github-script@v8\n        with:\n          script: |\n            x\n            " + strings.Join(lines, "\n            ") + "\n"
		source := strings.TrimPrefix(gated("issue_comment", okOfC, step, "true"), "-- .github/workflows/w.yml --\n")
		file := workflows.Parse(".github/workflows/w.yml", []byte(source+"  third:\n    needs: first\n    if: "+strconv.Quote(cond)+"\n    runs-on: x\n    steps: [{ run: make }]\n"))
		analysis := flow.Analyse(&workflows.Repository{Files: []*workflows.File{file}})
		if file.Workflow == nil || len(file.Workflow.Jobs) != 3 || strings.Contains(source, "\x00") {
			return
		}
		refuses := strings.ContainsAny(script, "$") || platform.ScriptGate(source) == platform.Refuses
		events := analysis.Events(file.Workflow.Jobs[1])
		if !refuses && (len(events) != 1 || events[0].Who != platform.StartAnyone) {
			t.Errorf("%+v", events)
		}
	})
}
