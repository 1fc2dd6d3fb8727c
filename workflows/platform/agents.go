package platform

import (
	"slices"
	"strings"
)

// An Allowance is what an agent may do by itself, rising.
type Allowance int

// Allowances.
const (
	// Answers: its text goes to the steps after it.
	Answers Allowance = iota
	// Reads: it reads files as well, and can send nothing away.
	Reads
	// Acts: it edits files, asks the network, works with the job's token by tools that
	// were listed, or runs commands in a sandbox without network.
	Acts
	// RunsAnything: it runs whatever command it likes.
	RunsAnything
)

// answering are agents' actions and commands whose model has no tools. Sources: their
// repositories, 2026-11.
var answering = []string{
	"actions/ai-inference", "github/ai-moderator", "coderabbitai/ai-pr-reviewer", "codiumai/pr-agent", "qodo-ai/pr-agent", "ultralytics/actions",
	"llm", "gh", "mods", "aichat", "sgpt",
}

// reading are those that only read. Sources: as above.
var reading = []string{"anthropics/claude-code-security-review", "bitwarden/gh-actions/run-code-review"}

// allowAll are what lets an agent do everything without asking, wherever it stands:
// flags of the commands and words of their settings. Sources: the tools' documentation, 2026-11.
var allowAll = []string{
	"--dangerously-skip-permissions", "bypassPermissions", "--yolo", "--approval-mode=yolo", "--allow-all-tools", "--allow-all",
	"--dangerously-bypass-approvals-and-sandbox", "danger-full-access", "--trust-all-tools", "--yes-always",
}

// AgentAllowance returns what an agent's action lets it do, by its inputs. Sources: the
// actions' action.yml and documentation, 2026-11: claude-code-action with a prompt has
// the tools that are listed, and without one edits files and answers on GitHub;
// run-gemini-cli runs the tool with --yolo, so that its settings are the only limit;
// codex-action's sandbox is workspace-write unless it is set.
func AgentAllowance(action string, input func(name string) string) Allowance {
	switch {
	case action == "actions/ai-inference" && strings.EqualFold(input("enable-github-mcp"), "true"):
		return Acts
	case slices.Contains(answering, action):
		return Answers
	case slices.Contains(reading, action):
		return Reads
	case strings.HasPrefix(action, "anthropics/claude-code"):
		listed := claudeTools(input("claude_args") + " " + input("settings") + " --allowedTools " + quoted(input("allowed_tools")))
		prompt := input("prompt") + input("prompt_file") + input("direct_prompt")
		if prompt == "" || strings.HasPrefix(prompt, "/") {
			return max(Acts, listed) // a command of the repository lists its tools in its own file
		}
		return listed
	case strings.HasSuffix(action, "/run-gemini-cli"), strings.HasSuffix(action, "/gemini-cli-action"):
		return geminiTools(input("settings") + input("settings_json"))
	case action == "openai/codex-action":
		return codexSandbox(input("sandbox")+" "+input("permission-profile")+" "+input("codex-args"), Acts)
	}
	return RunsAnything
}

// CommandAllowance returns what an agent's command line lets it do. Sources: the
// manuals of the tools, 2026-11: without a flag claude, gemini and copilot ask before
// they act, and codex exec works in a sandbox that only reads.
func CommandAllowance(words []string) Allowance {
	if words = unwrap(words); len(words) == 0 {
		return Answers
	}
	line := strings.Join(words, " ")
	switch name := strings.ToLower(words[0]); {
	case slices.Contains(answering, name), len(words) > 1 && slices.Contains(settingUp, words[1]):
		return Answers
	case strings.Contains(name, "claude"):
		if !slices.Contains(words, "-p") && !slices.Contains(words, "--print") {
			return Answers // it sets something up
		}
		return claudeTools(quotedWords(words))
	case containsAny(line, allowAll), slices.Contains(words, "-y"):
		return RunsAnything
	case strings.Contains(name, "codex"):
		return codexSandbox(line, Reads)
	case strings.Contains(name, "gemini"), strings.Contains(name, "copilot"), strings.Contains(name, "qwen"):
		return shellTools(line)
	case strings.HasPrefix(name, "aider"):
		return Acts
	}
	return RunsAnything
}

// settingUp are the first words of commands that start no model. Source: the tools'
// own help, 2026-11.
var settingUp = []string{"--version", "-v", "--help", "login", "logout", "auth", "mcp", "config", "install", "update", "upgrade", "doctor", "setup-token", "completion", "extensions", "plugin"}

// shellTools reads the flags by which gemini, qwen and copilot are allowed tools.
// Sources: their manuals, 2026-11.
func shellTools(line string) Allowance {
	_, listed, found := strings.Cut(strings.ReplaceAll(line, "=", " "), "--allow")
	shell := strings.NewReplacer("shell(", "", "run_shell_command(", "").Replace(listed)
	switch {
	case strings.Contains(line, "--approval-mode yolo"), found && strings.Contains(shell, "shell"):
		return RunsAnything
	case found, strings.Contains(line, "auto_edit"), strings.Contains(line, "auto-edit"):
		return Acts
	}
	return Reads
}

// toolFlags name the tools that claude uses without asking.
var toolFlags = []string{"--allowedTools", "--allowed-tools", "--allowedtools"}

// readingTools are those of claude's tools that neither change nor send anything.
var readingTools = []string{"Read", "Glob", "Grep", "LS", "NotebookRead", "Task", "TodoRead", "TodoWrite", "Agent", "Skill", "StructuredOutput"}

func claudeTools(args string) Allowance {
	if containsAny(args, allowAll) {
		return RunsAnything
	}
	allowed := Reads
	if strings.Contains(args, "acceptEdits") {
		allowed = Acts
	}
	if _, rules, ok := strings.Cut(args, `"allow"`); ok { // settings, as a file has them
		_, rules, _ = strings.Cut(rules, "[")
		rules, _, _ = strings.Cut(rules, "]")
		for _, tool := range toolList(rules) {
			allowed = max(allowed, claudeTool(tool))
		}
	}
	for _, flag := range toolFlags {
		rest := args
		for found := true; ; {
			if _, rest, found = strings.Cut(rest, flag); !found {
				break
			}
			for _, tool := range toolList(rest) {
				allowed = max(allowed, claudeTool(tool))
			}
		}
	}
	return allowed
}

func claudeTool(tool string) Allowance {
	name, pattern, limited := strings.Cut(tool, "(")
	switch {
	case slices.Contains(readingTools, name):
		return Reads
	case name == "Bash" && (!limited || strings.Trim(pattern, ":*)") == ""):
		return RunsAnything
	}
	return Acts
}

// toolList reads the tools after a flag, up to the next flag: separated by commas,
// spaces and lines, each with an optional pattern in parentheses.
func toolList(s string) []string {
	var out []string
	depth, start := 0, 0
	end := func(at int) bool {
		word := strings.Trim(s[start:at], "\"'=\\")
		start = at + 1
		if strings.HasPrefix(word, "--") {
			return false
		}
		if word != "" {
			out = append(out, word)
		}
		return true
	}
	for i, r := range s {
		switch {
		case r == '(':
			depth++
		case r == ')':
			depth = max(0, depth-1)
		case depth == 0 && strings.ContainsRune(", \t\r\n", r):
			if !end(i) {
				return out
			}
		}
	}
	end(len(s))
	return out
}

func quoted(s string) string { return "'" + s + "'" }

func quotedWords(words []string) string {
	var b strings.Builder
	for _, w := range words {
		b.WriteString(strings.TrimSpace(w) + "\n")
	}
	return b.String()
}

// geminiTools reads the list of tools in the settings; without one all are there.
func geminiTools(settings string) Allowance {
	i := max(strings.Index(settings, `"core"`), strings.Index(settings, `"coreTools"`))
	if i < 0 {
		return RunsAnything
	}
	_, list, _ := strings.Cut(settings[i:], "[")
	list, _, _ = strings.Cut(list, "]")
	switch {
	case strings.Contains(list, `"run_shell_command"`):
		return RunsAnything
	case containsAny(list, []string{"run_shell_command(", "write_file", "replace", "web_fetch"}), strings.Contains(settings, "mcpServers"):
		return Acts
	case strings.TrimSpace(list) == "":
		return Answers
	}
	return Reads
}

// codexSandbox reads a sandbox's name.
func codexSandbox(text string, otherwise Allowance) Allowance {
	switch {
	case containsAny(text, allowAll):
		return RunsAnything
	case strings.Contains(text, "read-only"):
		return Reads
	case strings.Contains(text, "workspace-write"), strings.Contains(text, "--full-auto"):
		return Acts
	}
	return otherwise
}

// OpensToAll reports whether the value of an agent's [RoleActors] input lets in
// everybody, or every bot.
func OpensToAll(value string) bool {
	return slices.ContainsFunc(strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(", \n\t\"'", r) }), func(w string) bool { return w == "*" || strings.EqualFold(w, "true") })
}
