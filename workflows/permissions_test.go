package workflows

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func jobWith(t *testing.T, workflow, job string) *Job {
	t.Helper()
	f := parseWorkflow("on: push\n" + workflow + "jobs:\n  a:\n    runs-on: x\n" + job + "    steps:\n      - run: a\n")
	if len(f.Workflow.Jobs) != 1 {
		t.Fatalf("%v", f.Problems)
	}
	return f.Workflow.Jobs[0]
}

func TestEffectivePermissions(t *testing.T) {
	tests := []struct {
		name, workflow, job string
		origin              Origin
		// of are the levels of contents, id-token and packages as digits.
		of     string
		writes []string
		unread bool
	}{
		{"none stated", "", "", OriginDefault, "202", nil, false},
		{"workflow", "permissions:\n  contents: read\n", "", OriginWorkflow, "100", nil, false},
		{"job over workflow", "permissions: write-all\n", "    permissions:\n      packages: write\n", OriginJob, "002", []string{"packages"}, false},
		{"empty job over workflow", "permissions: write-all\n", "    permissions: {}\n", OriginJob, "000", nil, false},
		{"empty", "permissions: {}\n", "", OriginWorkflow, "000", nil, false},
		{"write-all", "permissions: write-all\n", "", OriginWorkflow, "222", []string{"*"}, false},
		{"read-all", "permissions: read-all\n", "", OriginWorkflow, "101", nil, false},
		{"explicit none", "permissions:\n  contents: none\n  id-token: write\n", "", OriginWorkflow, "020", []string{"id-token"}, false},
		{"case of names", "permissions:\n  Contents: write\n", "", OriginWorkflow, "200", []string{"contents"}, false},
		{"scopes of 2025 and 2026", "permissions:\n  models: read\n  attestations: write\n  code-quality: write\n  vulnerability-alerts: read\n  drives: read\n  copilot-requests: write\n", "",
			OriginWorkflow, "000", []string{"attestations", "code-quality", "copilot-requests"}, false},
		{"flow style", "permissions: {packages: write, contents: read}\n", "", OriginWorkflow, "102", []string{"packages"}, false},
		{"unknown level", "permissions:\n  contents: admin\n  packages: write\n", "", OriginWorkflow, "002", []string{"packages"}, true},
		{"level in capitals", "permissions:\n  contents: Write\n", "", OriginWorkflow, "000", nil, true},
		{"unknown word", "permissions: all\n", "", OriginWorkflow, "000", nil, true},
		{"expression", "permissions: ${{ inputs.x }}\n", "", OriginWorkflow, "000", nil, true},
		{"expression as level", "permissions:\n  contents: ${{ inputs.x }}\n", "", OriginWorkflow, "000", nil, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := jobWith(t, test.workflow, test.job).EffectivePermissions()
			of := fmt.Sprint(int(e.Of("contents")), int(e.Of("id-token")), int(e.Of("packages")))
			if of = strings.ReplaceAll(of, " ", ""); of != test.of {
				t.Errorf("levels %s, want %s", of, test.of)
			}
			if e.Origin != test.origin || (e.Block == nil) != (test.origin == OriginDefault) || e.Unread != test.unread {
				t.Errorf("%+v", e)
			}
			if !slices.Equal(e.Writes(), test.writes) {
				t.Errorf("writes %v, want %v", e.Writes(), test.writes)
			}
			if e.Of("Contents") != e.Of("contents") {
				t.Error("the case of a scope's name counts")
			}
		})
	}
}

func TestEffectiveEnv(t *testing.T) {
	j := jobWith(t, "env:\n  A: w\n  B: w\n  a: lower\n", "    env:\n      B: j\n      C: j\n")
	step := &Step{Env: &Map{Entries: []Entry{
		{&Scalar{Value: "C"}, &Scalar{Value: "s"}}, {&Scalar{Value: "D"}, &Scalar{Value: "s"}}}}}
	show := func(env []Entry) string {
		var parts []string
		for _, e := range env {
			parts = append(parts, e.Key.Value+"="+e.Value.Value)
		}
		return strings.Join(parts, " ")
	}
	if got, want := show(j.EffectiveEnv(step)), "A=w B=j a=lower C=s D=s"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := show(j.EffectiveEnv(nil)), "A=w B=j a=lower C=j"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if env := (&Job{}).EffectiveEnv(&Step{}); env != nil {
		t.Errorf("no env is %v", env)
	}
}
