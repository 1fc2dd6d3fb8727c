package rules_test

import (
	"cmp"
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/lint/rules"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// gcPercent is what the command sets.
const gcPercent = 400

// corpus is the directory that STINT_CORPUS names, or what is in the tree.
func corpus() string {
	dir := cmp.Or(os.Getenv("STINT_CORPUS"), "../../../shared/corpus/open")
	if _, err := os.Stat(dir); err != nil {
		return "../../testdata/incidents"
	}
	return dir
}

// BenchmarkLint reads and lints all repositories below STINT_CORPUS with every
// rule, as stint lint does. BenchmarkActionlintParse in package workflows is what to compare it with:
// the bare parse of the same files by actionlint.
func BenchmarkLint(b *testing.B) {
	ctx := context.Background()
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	b.ReportAllocs()
	for b.Loop() {
		bytes, files := 0, 0
		repos := workflows.ReadAhead(ctx, workflows.Open([]string{corpus()}, nil))
		for result, err := range lint.RunAll(ctx, repos, func(*workflows.Repository) (lint.Options, error) {
			return lint.Options{Rules: rules.All}, nil
		}) {
			if err != nil {
				b.Fatal(err)
			}
			for _, f := range result.Repository.Files {
				bytes += len(f.Source)
				files++
			}
		}
		b.SetBytes(int64(bytes))
		b.ReportMetric(float64(files), "files")
	}
}

// BenchmarkStages times what lint is made of, each on one processor over the same
// files: the parse, the graph with its flows, and the rules together. Rules are to
// cost less than the parse.
func BenchmarkStages(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	repos := read(b)
	b.Run("parse", func(b *testing.B) {
		for b.Loop() {
			for _, repo := range repos {
				for _, f := range repo.Files {
					workflows.Parse(f.Path, f.Source)
				}
			}
		}
	})
	b.Run("graph", func(b *testing.B) {
		for b.Loop() {
			for _, repo := range repos {
				reach.Build(repo)
			}
		}
	})
	var graphs []*reach.Graph
	for _, repo := range repos {
		graphs = append(graphs, reach.Build(repo))
	}
	benchmarkRules(b, "rules", graphs, rules.All)
	for _, r := range rules.All {
		benchmarkRules(b, "rules/"+r.ID, graphs, []*lint.Rule{r})
	}
}

// benchmarkRules times rules over repositories whose graphs are built.
func benchmarkRules(b *testing.B, name string, graphs []*reach.Graph, list []*lint.Rule) {
	b.Run(name, func(b *testing.B) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		for b.Loop() {
			for _, g := range graphs {
				lint.Run(context.Background(), g.Repository, lint.Options{Rules: list, Graph: g})
			}
		}
	})
}

// read reads the corpus once.
func read(b *testing.B) []*workflows.Repository {
	var repos []*workflows.Repository
	for repo, err := range workflows.Open([]string{corpus()}, nil).Repositories(context.Background()) {
		if err != nil {
			b.Fatal(err)
		}
		repos = append(repos, repo)
	}
	return repos
}
