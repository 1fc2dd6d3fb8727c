package reach

import (
	"testing"

	"github.com/stint-dev/stint/workflows"
)

// A command keeps its directory, so that a script of the tree is told from a tool.
func TestExecutesKnowsScriptsOfTheTree(t *testing.T) {
	for script, want := range map[string]string{
		"./build.sh all":            "./build.sh all",
		".github/scripts/sign.sh":   ".github/scripts/sign.sh",
		"sudo scripts/x":            "scripts/x",
		"./gradlew build":           "./gradlew build",
		"/usr/bin/make all":         "/usr/bin/make all",
		"/usr/local/bin/tool":       "",
		"echo ./build.sh":           "",
		"node_modules/.bin/jest -u": "node_modules/.bin/jest -u",
	} {
		src := "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: " + script + "\n"
		f := workflows.Parse(".github/workflows/a.yml", []byte(src))
		if got, _ := Executes(f.Workflow.Jobs[0].Steps[0]); got != want {
			t.Errorf("%q: %q, want %q", script, got, want)
		}
	}
}
