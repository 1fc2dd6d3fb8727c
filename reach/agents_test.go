package reach_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

func TestAgents(t *testing.T) {
	for _, c := range []struct {
		step, want string // name, allowance, whether it refuses outsiders
	}{
		{"uses: actions/checkout@v4", ""},
		{"uses: github/gh-aw-actions/setup@v1", ""},
		{"run: echo claude", ""},
		{"uses: actions/ai-inference@v1", "actions/ai-inference 0 false"},
		{"uses: anthropics/claude-code-action@v1", "anthropics/claude-code-action 2 true"},
		{"{ uses: anthropics/claude-code-action@v1, with: { allowed_non_write_users: 'anna' } }", "anthropics/claude-code-action 2 true"},
		{"{ uses: anthropics/claude-code-action@v1, with: { allowed_non_write_users: '*' } }", "anthropics/claude-code-action 2 false"},
		{"{ uses: anthropics/claude-code-action@v1, with: { allowed_non_write_users: '${{ inputs.who }}' } }", "anthropics/claude-code-action 2 false"},
		{"uses: anomalyco/opencode/github@v1", "anomalyco/opencode 3 true"},
		{"run: npx -y @google/gemini-cli --yolo -p hello", "@google/gemini-cli 3 false"},
		{"run: claude -p one && codex exec two", "claude 1 false, codex 1 false"},
	} {
		f := workflows.Parse(".github/workflows/w.yml", []byte("on: issues\njobs:\n  j:\n    runs-on: x\n    steps:\n      - "+c.step+"\n"))
		step := f.Workflow.Jobs[0].Steps[0]
		var got []string
		for _, a := range reach.Agents(step) {
			got = append(got, fmt.Sprintf("%s %d %t", a.Name, a.Allowance, reach.Gated(step)))
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s: got %q, want %q", c.step, got, c.want)
		}
	}
}

// An agent whose own gate is shut is no way in for an outsider, and one whose gate is
// open is.
func TestGatedAgentIsNoAgentCode(t *testing.T) {
	for with, want := range map[string]reach.Trust{"": reach.MutableThirdParty, "{ allowed_non_write_users: anna }": reach.MutableThirdParty, "{ allowed_non_write_users: '*' }": reach.AgentCode} {
		f := workflows.Parse(".github/workflows/w.yml", []byte("on: issues\njobs:\n  j:\n    runs-on: x\n    steps:\n      - uses: anthropics/claude-code-action@v1\n        with: "+with+"\n"))
		g := reach.Build(&workflows.Repository{Files: []*workflows.File{f}})
		if got := g.Jobs[0].Trust(); got != want {
			t.Errorf("with %s: %s, want %s", with, got, want)
		}
	}
}

func TestStepEvents(t *testing.T) {
	f := workflows.Parse(".github/workflows/w.yml", []byte(`
on: [issue_comment, push]
jobs:
  j:
    runs-on: x
    steps:
      - run: echo everybody
      - if: github.event_name == 'push'
        run: echo writers
      - uses: skjnldsv/check-actor-permission@v3
      - run: echo after the question
`))
	g := reach.Build(&workflows.Repository{Files: []*workflows.File{f}})
	job := f.Workflow.Jobs[0]
	for i, want := range []string{"issue_comment anyone push writer", "push writer", "issue_comment anyone push writer", "issue_comment writer push writer"} {
		var got []string
		for _, e := range g.Flow.StepEvents(job, job.Steps[i]) {
			got = append(got, e.Name, e.Who.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("step %d: got %q, want %q", i, got, want)
		}
	}
}

// An action that only installs agents acts in no job.
func TestSetupIsNoAgentCode(t *testing.T) {
	for uses, want := range map[string]reach.Trust{"github/gh-aw-actions/setup@v1": reach.PlatformCode, "warpdotdev/oz-agent-action@v1": reach.AgentCode} {
		f := workflows.Parse(".github/workflows/w.yml", []byte("on: issues\njobs:\n  j:\n    runs-on: x\n    steps:\n      - uses: "+uses+"\n"))
		g := reach.Build(&workflows.Repository{Files: []*workflows.File{f}})
		if got := g.Jobs[0].Trust(); got != want {
			t.Errorf("%s: %s, want %s", uses, got, want)
		}
	}
}

// What an agent prints is run, so that it may do anything whatever its tools are.
func TestExecutedAnswers(t *testing.T) {
	for run, want := range map[string]int{
		"claude -p x": 1, "claude -p x | tee log": 1, "claude -p x | bash": 3, "claude -p x | tr -d x | sh": 3, `eval "$(claude -p x)"`: 3,
		`bash -c "$(llm x)"`: 3, `echo "$(llm x)"`: 0, "llm x | python3 parse.py": 0,
	} {
		f := workflows.Parse(".github/workflows/w.yml", []byte("on: issues\njobs:\n  j:\n    runs-on: x\n    steps:\n      - run: |\n          "+run+"\n"))
		if agents := reach.Agents(f.Workflow.Jobs[0].Steps[0]); len(agents) != 1 || int(agents[0].Allowance) != want {
			t.Errorf("%s: %+v", run, agents)
		}
	}
}
