package platform

import (
	"strings"
	"testing"
)

func TestAgentAllowance(t *testing.T) {
	for _, c := range []struct {
		action string
		inputs map[string]string
		want   Allowance
	}{
		{"actions/ai-inference", nil, Answers},
		{"actions/ai-inference", map[string]string{"enable-github-mcp": "true"}, Acts},
		{"anthropics/claude-code-security-review", nil, Reads},
		{"anthropics/claude-code-action", nil, Acts},
		{"anthropics/claude-code-action", map[string]string{"prompt": "sort"}, Reads},
		{"anthropics/claude-code-action", map[string]string{"prompt": "/triage 3"}, Acts},
		{"anthropics/claude-code-action", map[string]string{"prompt": "sort", "claude_args": `--allowedTools "Read,Glob,Grep" --max-turns 3`}, Reads},
		{"anthropics/claude-code-action", map[string]string{"prompt": "sort", "claude_args": `--allowedTools "Bash(gh label list:*),Read"`}, Acts},
		{"anthropics/claude-code-action", map[string]string{"prompt": "sort", "claude_args": `--allowedTools "Bash(gh issue view:*)" "Bash"`}, RunsAnything},
		{"anthropics/claude-code-action", map[string]string{"prompt": "sort", "claude_args": `--allowedTools=Bash(*)`}, RunsAnything},
		{"anthropics/claude-code-action", map[string]string{"prompt": "sort", "claude_args": `--disallowedTools "Bash"`}, Reads},
		{"anthropics/claude-code-action", map[string]string{"prompt": "sort", "allowed_tools": "WebFetch"}, Acts},
		{"anthropics/claude-code-action", map[string]string{"prompt": "sort", "claude_args": "--model x\n--allowed-tools\nRead\nBash"}, RunsAnything},
		{"anthropics/claude-code-action", map[string]string{"prompt": "sort", "settings": `{"permissions": {"allow": ["Read", "Bash"], "deny": ["WebFetch"]}}`}, RunsAnything},
		{"anthropics/claude-code-action", map[string]string{"prompt": "sort", "settings": `{"permissions": {"allow": ["Read", "Edit(docs/**)"]}}`}, Acts},
		{"anthropics/claude-code-action", map[string]string{"prompt": "sort", "settings": `{"permissions": {"allow": ["Read"], "deny": ["Bash"]}}`}, Reads},
		{"google-github-actions/run-gemini-cli", map[string]string{"prompt": "sort"}, RunsAnything},
		{"google-github-actions/run-gemini-cli", map[string]string{"settings": `{"tools": {"core": []}}`}, Answers},
		{"google-github-actions/run-gemini-cli", map[string]string{"settings": `{"tools": {"core": ["read_file"]}}`}, Reads},
		{"google-github-actions/run-gemini-cli", map[string]string{"settings": `{"coreTools": ["run_shell_command(echo)"]}`}, Acts},
		{"google-github-actions/run-gemini-cli", map[string]string{"settings": `{"coreTools": ["run_shell_command"]}`}, RunsAnything},
		{"openai/codex-action", nil, Acts},
		{"openai/codex-action", map[string]string{"sandbox": "read-only"}, Reads},
		{"openai/codex-action", map[string]string{"sandbox": "danger-full-access"}, RunsAnything},
		{"anomalyco/opencode/github", nil, RunsAnything},
	} {
		if got := AgentAllowance(c.action, func(n string) string { return c.inputs[n] }); got != c.want {
			t.Errorf("%s %v: got %d, want %d", c.action, c.inputs, got, c.want)
		}
	}
}

func TestCommandAllowance(t *testing.T) {
	for line, want := range map[string]Allowance{
		"claude mcp add x":                                                  Answers,
		"claude -p hello":                                                   Reads,
		"claude -p hello --allowedTools Bash":                               RunsAnything,
		"claude -p hello --allowedTools Read --max-turns 2":                 Reads,
		"npx @anthropic-ai/claude-code -p x --dangerously-skip-permissions": RunsAnything,
		"gemini -p hello":                                                   Reads,
		"gemini --yolo -p hello":                                            RunsAnything,
		"codex exec hello":                                                  Reads,
		"codex exec --full-auto hello":                                      Acts,
		"copilot -p hello --allow-all-tools":                                RunsAnything,
		"gh models run m hello":                                             Answers,
		"aider --message hello":                                             Acts,
		"opencode run hello":                                                RunsAnything,
		"":                                                                  Answers,
		"gemini --approval-mode yolo -p hello":                              RunsAnything,
		"gemini --approval-mode auto_edit -p hello":                         Acts,
		"gemini --allowed-tools run_shell_command -p hello":                 RunsAnything,
		"gemini --allowed-tools run_shell_command(ls) -p hello":             Acts,
		"copilot -p hello --allow-tool shell":                               RunsAnything,
		"copilot -p hello --allow-tool=shell(git:*)":                        Acts,
		"claude -p hello --permission-mode acceptEdits":                     Acts,
		"codex login --with-api-key":                                        Answers,
		"opencode auth login":                                               Answers,
		"aider --version":                                                   Answers,
		"aichat hello":                                                      Answers,
	} {
		if got := CommandAllowance(strings.Fields(line)); got != want {
			t.Errorf("%q: got %d, want %d", line, got, want)
		}
	}
}

func TestOpensToAll(t *testing.T) {
	for value, want := range map[string]bool{"": false, "*": true, "anna, bert": false, "anna,*": true, "true": true, "false": false, "dependabot[bot]": false} {
		if OpensToAll(value) != want {
			t.Errorf("%q", value)
		}
	}
}
