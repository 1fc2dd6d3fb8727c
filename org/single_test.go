package org

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

const singleWorkflow = `on: issue_comment
permissions: {}
jobs:
  answer:
    runs-on: ubuntu-latest
    steps:
      - uses: owl/answer@v1
        with: { token: "${{ secrets.OWL_TOKEN }}" }
`

func TestDocumentOfRepositoriesAtHand(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, ".github", "workflows", "answer.yml")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(singleWorkflow), 0o644); err != nil {
		t.Fatal(err)
	}
	var results []*lint.Result
	for repo, err := range workflows.Open([]string{dir}, nil).Repositories(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, lint.Run(context.Background(), repo, lint.Options{Config: &lint.Config{}}))
	}
	d := DocumentOf(results, "1.0.0", time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC))
	if d.Pairs != 1 || len(d.Repositories) != 1 || !d.Coverage.Complete || d.Repositories[0].Head != "" {
		t.Fatalf("%+v", d)
	}
	a, err := d.Read(d.Repositories[0].Analysis)
	if err != nil {
		t.Fatal(err)
	}
	j := &a.Jobs[0]
	code, trust := j.WorstCode()
	if j.Starter() != platform.StartAnyone || !j.ActsAlone() || code == nil || trust != reach.MutableThirdParty || !slices.Equal(j.Standing(), []string{"OWL_TOKEN"}) {
		t.Errorf("starter %v, code %v (%v), standing %v", j.Starter(), code, trust, j.Standing())
	}
	results[0].Failures = []string{"a rule broke"}
	if DocumentOf(results, "", time.Time{}).Coverage.Complete {
		t.Error("a run in which a rule broke counts as complete")
	}
}

func TestJobWithoutAnything(t *testing.T) {
	var j Job
	if code, trust := j.WorstCode(); code != nil || trust != reach.OwnCode || j.Starter() != platform.StartWriter || j.ActsAlone() || j.Standing() != nil {
		t.Error("an empty job has something")
	}
}
