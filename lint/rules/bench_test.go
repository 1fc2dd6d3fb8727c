package rules_test

import (
	"cmp"
	"context"
	"os"
	"testing"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/lint/rules"
	"github.com/stint-dev/stint/workflows"
)

// BenchmarkLint reads and lints all repositories below STINT_CORPUS with every
// rule, as stint lint does. BenchmarkActionlintParse in package workflows is what to compare it with:
// the bare parse of the same files by actionlint.
func BenchmarkLint(b *testing.B) {
	dir := cmp.Or(os.Getenv("STINT_CORPUS"), "../../../shared/corpus/open")
	if _, err := os.Stat(dir); err != nil {
		dir = "../../testdata/incidents"
	}
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		bytes, files := 0, 0
		for repo, err := range workflows.ReadAhead(ctx, workflows.Open([]string{dir}, nil)) {
			if err != nil {
				b.Fatal(err)
			}
			for _, f := range repo.Files {
				bytes += len(f.Source)
				files++
			}
			lint.Run(ctx, repo, lint.Options{Rules: rules.All})
		}
		b.SetBytes(int64(bytes))
		b.ReportMetric(float64(files), "files")
	}
}
