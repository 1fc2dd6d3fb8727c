package allsecretsexposed

import (
	"slices"
	"testing"

	"github.com/stint-dev/stint/lint/linttest"
	"github.com/stint-dev/stint/workflows"
)

func TestRule(t *testing.T) { linttest.Run(t, Rule) }

// namesOf answers only when it knows every name: a wrong list would tell people to
// keep the wrong secrets.
func TestNamesOf(t *testing.T) {
	file := workflows.Parse(".github/workflows/a.yml", []byte(`on:
  workflow_dispatch: { inputs: { stage: { type: choice, options: [x, y] } } }
  workflow_call: { inputs: { stage: { type: string } } }
jobs:
  a:
    strategy: { matrix: { one: [p, q], same: [p, p], deep: [{ k: r }], mixed: [p, '${{ github.ref }}'] } }
    runs-on: ubuntu-24.04
    steps: [{ run: true }]
`))
	job := file.Workflow.Jobs[0]
	for text, want := range map[string][]string{
		"'A'":                                  {"A"},
		"matrix.one":                           {"p", "q"},
		"matrix['one']":                        {"p", "q"},
		"matrix.ONE":                           {"p", "q"},
		"matrix.same":                          {"p"},
		"matrix.deep.k":                        {"r"},
		"format('{0}-{1}', matrix.one, 'z')":   {"p-z", "q-z"},
		"format(matrix.one)":                   {"p", "q"},
		"matrix.one == 'p' && 'A' || 'B'":      {"A", "B"},
		"matrix.mixed":                         nil,
		"matrix.none":                          nil,
		"matrix.deep.none":                     nil,
		"inputs.stage":                         nil, // a caller may pass any text
		"github.ref_name":                      nil,
		"format('{0}', github.ref_name)":       nil,
		"format('{0}_{1}', 'a', inputs.stage)": nil,
		"toJSON(matrix)":                       nil,
		"1":                                    nil,
		"github.ref && github.ref || 'A'":      nil,
	} {
		n, err := workflows.ParseExpr(text)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := namesOf(job, n)
		if ok != (want != nil) || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v", text, got, ok)
		}
	}
}
