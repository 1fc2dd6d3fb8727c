package main

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/org"
	orgreport "github.com/stint-dev/stint/org/report"
	"github.com/stint-dev/stint/workflows"
)

// writeReachHTML writes the page of an organization's report for the repositories at
// hand: their reach with what lint finds in them, by their own configuration, offline.
func writeReachHTML(ctx context.Context, w world, args []string) error {
	lints := lintOptions{offline: true}
	opts, err := lints.engine(w)
	if err != nil {
		return err
	}
	var results []*lint.Result
	status := exitOK
	repos := workflows.ReadAhead(ctx, workflows.Open(args, w.stdin))
	for result, err := range lint.RunAll(ctx, repos, func(repo *workflows.Repository) (lint.Options, error) { return lints.of(ctx, w, repo, opts) }) {
		if err != nil {
			printError(w.stderr, err)
			status = max(status, statusOf(err))
			continue
		}
		if reportUnread(w.stderr, result.Repository) {
			status = max(status, exitIncomplete)
		}
		results = append(results, result)
	}
	if len(results) == 0 {
		return errStatus(max(status, exitIncomplete))
	}
	doc := org.DocumentOf(results, version, w.now())
	for i := range doc.Repositories {
		doc.Repositories[i].Name = titleOf(doc.Repositories[i].Name)
		if len(results[i].Repository.Files) == 0 && len(results[i].Repository.Unread) == 0 {
			doc.Repositories[i].Status = org.StatusEmpty
			doc.Coverage.By[org.StatusOK]--
			doc.Coverage.By[org.StatusEmpty]++
		}
	}
	if err := orgreport.HTML(w.stdout, doc, orgreport.Options{}); err != nil {
		return err
	}
	if status != exitOK {
		return errStatus(status)
	}
	return nil
}

// titleOf names a repository that is known by its directory only.
func titleOf(name string) string {
	if name == "-" {
		return "standard input"
	}
	if full, err := filepath.Abs(name); err == nil && filepath.Clean(name) == "." {
		return filepath.Base(full)
	}
	return strings.TrimRight(name, "/")
}
