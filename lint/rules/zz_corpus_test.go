package rules_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/lint/rules"
	"github.com/stint-dev/stint/workflows"
)

func TestCorpus(t *testing.T) {
	dir := os.Getenv("CORPUS")
	if dir == "" {
		t.Skip()
	}
	n := 0
	var tLint time.Duration
	for repo, err := range workflows.Open([]string{dir}, nil).Repositories(context.Background()) {
		if err != nil {
			fmt.Println(err)
			continue
		}
		start := time.Now()
		res := lint.Run(context.Background(), repo, lint.Options{Rules: rules.All, Today: "2026-11-21"})
		tLint += time.Since(start)
		n += len(repo.Files)
		for _, f := range res.Failures {
			fmt.Println(repo.Root, f)
		}
		for _, f := range res.Findings {
			p := f.File.Position(f.Span.Start)
			fmt.Printf("%s/%s:%d:%d %s %s %s | %s\n", repo.Root, f.File.Path, p.Line, p.Column, f.Severity, f.Rule.ID, f.Message, f.Next)
		}
		again := lint.Mend(res.Findings, true)
		for _, f := range again.Files {
			fmt.Println(string(f.Diff()))
		}
	}
	fmt.Println(n, "files", tLint)
}
