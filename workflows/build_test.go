package workflows

import (
	"fmt"
	"strings"
	"testing"
)

func TestKindOf(t *testing.T) {
	tests := map[string]Kind{
		".github/workflows/ci.yml":          KindWorkflow,
		".github/workflows/ci.yaml":         KindWorkflow,
		".github/workflows/action.yml":      KindWorkflow,
		".github/workflows/actions.lock":    KindLock,
		".github/workflows/sub/ci.yml":      KindUnknown,
		"sub/.github/workflows/ci.yml":      KindUnknown,
		".github/workflows/ci.yml.disabled": KindUnknown,
		"action.yml":                        KindAction,
		"a/b/action.yaml":                   KindAction,
		".github/actions/x/action.yml":      KindAction,
		"my-action.yml":                     KindUnknown,
		".github/dependabot.yml":            KindDependabot,
		".github/dependabot.yaml":           KindDependabot,
		"dependabot.yml":                    KindUnknown,
		"-":                                 KindUnknown,
	}
	for path, want := range tests {
		if got := KindOf(path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
}

func TestKindByContent(t *testing.T) {
	tests := []struct {
		source string
		want   Kind
	}{
		{"on: push\njobs: {}\n", KindWorkflow},
		{"jobs: {}\n", KindWorkflow},
		{"runs: {using: node24, main: x}\n", KindAction},
		{"name: x\n", KindUnknown},
		{"[on]\n", KindUnknown},
	}
	for _, test := range tests {
		f := Parse("-", []byte(test.source))
		if f.Kind != test.want || (f.Workflow != nil) != (test.want == KindWorkflow) || (f.Action != nil) != (test.want == KindAction) {
			t.Errorf("%q is %v, want %v", test.source, f.Kind, test.want)
		}
		if lost := len(f.Problems) > 0 && f.Problems[0].Whole; lost != (test.want == KindUnknown) {
			t.Errorf("%q: problems %v", test.source, f.Problems)
		}
	}
}

// parseJob parses a workflow of one job.
func parseJob(t *testing.T, job string) (*File, *Job) {
	t.Helper()
	f := Parse(workflowPath, []byte("on: push\njobs:\n  a:\n"+job))
	if f.Workflow == nil || len(f.Workflow.Jobs) != 1 {
		t.Fatal(messages(f))
	}
	return f, f.Workflow.Jobs[0]
}

func TestShells(t *testing.T) {
	tests := []struct {
		name, job string
		want      Shell
	}{
		{"default", "    runs-on: ubuntu-latest\n", ShellPOSIX},
		{"macos", "    runs-on: macos-15\n", ShellPOSIX},
		{"windows", "    runs-on: windows-2025\n", ShellPowerShell},
		{"own windows", "    runs-on: [self-hosted, Windows, x64]\n", ShellPowerShell},
		{"windows group", "    runs-on: {group: g, labels: windows-large}\n", ShellPowerShell},
		{"matrix", "    runs-on: ${{ matrix.os }}\n", ShellPOSIX},
		{"job's default", "    runs-on: windows-2025\n    defaults: {run: {shell: bash}}\n", ShellPOSIX},
		{"expression", "    runs-on: windows-2025\n    defaults: {run: {shell: '${{ x }}'}}\n", ShellPOSIX},
	}
	for _, test := range tests {
		// Wherever the other keys stand: before the steps or behind them.
		for _, job := range []string{test.job + "    steps: [{run: x}]\n", "    steps: [{run: x}]\n" + test.job} {
			t.Run(test.name, func(t *testing.T) {
				f, j := parseJob(t, job)
				if got := j.Steps[0].Run.Shell; got != test.want || len(f.Problems) > 0 {
					t.Errorf("shell %v, want %v; %v", got, test.want, messages(f))
				}
			})
		}
	}
	commands := map[string]Shell{
		"bash": ShellPOSIX, "sh": ShellPOSIX, "bash -e {0}": ShellPOSIX, "/bin/bash -l {0}": ShellPOSIX, "Bash": ShellPOSIX,
		`C:\msys64\usr\bin\bash.exe -l {0}`: ShellPOSIX, "nix develop -c bash -e {0}": ShellPOSIX, "sudo sh {0}": ShellPOSIX,
		"pwsh": ShellPowerShell, "powershell": ShellPowerShell, "pwsh -command \". '{0}'\"": ShellPowerShell,
		"cmd": ShellCmd, "python": ShellOther, "perl {0}": ShellOther, "Rscript {0}": ShellOther, "": ShellOther,
	}
	for command, want := range commands {
		if got := shellNamed(command); got != want {
			t.Errorf("shell: %s is %v, want %v", command, got, want)
		}
	}
}

func TestWorkflowShell(t *testing.T) {
	f := Parse(workflowPath, []byte("defaults: {run: {shell: pwsh}}\non: push\njobs: {a: {runs-on: x, steps: [{run: x}, {run: x, shell: sh}]}}\n"))
	steps := f.Workflow.Jobs[0].Steps
	if steps[0].Run.Shell != ShellPowerShell || steps[1].Run.Shell != ShellPOSIX {
		t.Errorf("shells %v %v", steps[0].Run.Shell, steps[1].Run.Shell)
	}
}

func TestTriggers(t *testing.T) {
	tests := []struct{ on, want string }{
		{"push", "push"},
		{"[push, pull_request]", "push pull_request"},
		{"{push: , pull_request: {branches: x}}", "push pull_request(filtered)"},
		{"{push: {tags-ignore: [x]}, fork: ~}", "push(filtered) fork"},
		{"{push: {paths: [x]}}", "push"},
		{"{new_event: {new_filter: [x]}}", "new_event"},
		{"{schedule: [{cron: a, timezone: z}, {cron: b}]}", "schedule a b"},
		{"{workflow_call: {inputs: {a: , b: {type: string, required: true}}, secrets: {c: }, outputs: {d: {value: e}, f: }}}",
			"workflow_call a b:string:required c d=e f="},
		{"{workflow_dispatch: {inputs: {a: {type: choice, options: [x, y], default: x}}}}", "workflow_dispatch a:choice[x y]=x"},
	}
	for _, test := range tests {
		t.Run(test.on, func(t *testing.T) {
			f := Parse(workflowPath, []byte("on: "+test.on+"\njobs: {a: {runs-on: x, steps: []}}\n"))
			var got []string
			for _, trigger := range f.Workflow.On {
				got = append(got, showTrigger(trigger))
				if f.Text(trigger.Span) != trigger.Event {
					t.Errorf("%s at %q", trigger.Event, f.Text(trigger.Span))
				}
			}
			if strings.Join(got, " ") != test.want || len(f.Problems) > 0 || f.Text(f.Workflow.OnSpan) != "on" {
				t.Errorf("got %q, want %q; %v", got, test.want, messages(f))
			}
		})
	}
}

func showTrigger(t *Trigger) string {
	out := t.Event
	if t.Filtered() {
		out += "(filtered)"
	}
	for _, c := range t.Cron {
		out += " " + c.Value
	}
	for _, in := range append(append([]*Input(nil), t.Inputs...), t.Secrets...) {
		out += " " + in.Name.Value
		if in.Type != "" {
			out += ":" + in.Type
		}
		if in.Required {
			out += ":required"
		}
		if in.Options != nil {
			out += fmt.Sprint(in.Options)
		}
		if in.Default != nil {
			out += "=" + in.Default.Value
		}
	}
	for _, o := range t.Outputs {
		out += " " + o.Key.Value + "=" + o.Value.Value
	}
	return out
}

// TestUses holds what a uses: gets from its surroundings.
func TestUses(t *testing.T) {
	f, j := parseJob(t, `    runs-on: x
    steps:
      - uses: a/b@v1 # v1.2.3
      - uses: "a/b@ma\x69n"
        # not trailing
      - { uses: 'a/b@v2' , with: { x: y } } # behind the bracket
      - uses: >-
          a/b@v3
      - uses: a/b@v4
`)
	var got []string
	for _, s := range j.Steps {
		comment := "-"
		if s.Uses.Comment != nil {
			comment = s.Uses.Comment.Text
		}
		got = append(got, f.Text(s.Uses.RefSpan)+" "+comment+" "+f.Text(s.UsesSpan))
	}
	want := `v1 v1.2.3 uses|ma\x69n - uses|v2 behind the bracket uses|v3 - uses|v4 - uses`
	if strings.Join(got, "|") != want {
		t.Errorf("got %q", got)
	}
	_, call := parseJob(t, "    uses: a/b/c.yml@v1\n    secrets: inherit\n")
	if !call.Uses.Workflow || call.InheritSecrets.String() != "inherit" || call.Secrets != nil {
		t.Errorf("call %+v", call)
	}
}

// TestCondition holds that an if: is an expression in either form, also when an
// alias shares its text with a place where it is none.
func TestCondition(t *testing.T) {
	f, j := parseJob(t, `    if: "  a == 'b'  "
    runs-on: x
    name: &x success()
    steps:
      - if: ${{ a }} == b
        run: x
      - if: *x
        run: x
      - if:
        run: x
`)
	if e := j.If.Exprs; len(e) != 1 || e[0].Text != "a == 'b'" || f.Text(e[0].Span) != e[0].Text || j.If.Value[e[0].Start:e[0].End] != e[0].Text {
		t.Errorf("bare condition %+v", e)
	}
	if e := j.Steps[0].If.Exprs; len(e) != 1 || e[0].Text != "a" || f.Text(e[0].Span) != "${{ a }}" {
		t.Errorf("marked condition %+v", e)
	}
	if len(j.Steps[1].If.Exprs) != 1 || len(j.Name.Exprs) != 0 {
		t.Error("the alias changed the text it stands for")
	}
	if j.Steps[2].If != nil {
		t.Error("an empty condition is one")
	}
}

func TestSteps(t *testing.T) {
	_, j := parseJob(t, `    runs-on: x
    steps:
      - run: one
      - name: side by side
        parallel:
          - { id: two, run: x }
          - parallel: [ { uses: a/three@v1 } ]
      - { run: "\n  four\n  five", background: true, new-key: { a: [b] } }
      - parallel: []
`)
	var got []string
	for _, s := range j.AllSteps() {
		got = append(got, fmt.Sprintf("%d %s", s.Index, s.Title()))
	}
	if want := "0 one|1 side by side|0 two|1 parallel|0 a/three@v1|2 four|3 parallel"; strings.Join(got, "|") != want {
		t.Errorf("got %q", got)
	}
	last := j.Steps[2]
	if last.Background.String() != "true" || len(last.Unknown) != 1 || last.Unknown[0].Key.Value != "new-key" ||
		last.Unknown[0].Value.Field("a").Items[0].Text().String() != "b" {
		t.Errorf("step %+v", last)
	}
	if title := (&Step{}).Title(); title != "" {
		t.Errorf("title of nothing %q", title)
	}
}

func TestMapsAndValues(t *testing.T) {
	_, j := parseJob(t, "    runs-on: x\n    env: { A: 1, b: , C: '${{ x }}' }\n    steps: []\n")
	if j.Env.Get("B").String() != "" || j.Env.Get("B") == nil || j.Env.Get("a").String() != "1" || j.Env.Get("D") != nil {
		t.Errorf("env %+v", j.Env)
	}
	if _, ok := j.Env.Get("C").Const(); ok {
		t.Error("an expression is constant")
	}
	if v, ok := j.Env.Get("A").Const(); !ok || v != "1" {
		t.Error("a text is not constant")
	}
	var none *Map
	var nothing *Value
	var text *Scalar
	if none.Get("a") != nil || none.All() != nil || nothing.Field("a") != nil || nothing.Text() != nil || text.String() != "" {
		t.Error("something in nothing")
	}
	if _, ok := text.Const(); ok {
		t.Error("nothing is constant")
	}
}

// TestEmptyAndAbsent holds the difference where it counts: permissions.
func TestEmptyAndAbsent(t *testing.T) {
	for value, want := range map[string]string{"{}": "stated 0", "read-all": "stated read-all", "": "none", "[a]": "none", "{contents: read}": "stated 1"} {
		f, j := parseJob(t, "    runs-on: x\n    permissions: "+value+"\n    steps: []\n")
		got := "none"
		if p := j.Permissions; p != nil {
			got = "stated " + p.All.String()
			if p.All == nil {
				got = fmt.Sprintf("stated %d", len(p.Scopes))
			}
		}
		if got != want || (want == "none") != (len(f.Problems) > 0) {
			t.Errorf("permissions: %s gives %s, want %s; %v", value, got, want, messages(f))
		}
	}
}
