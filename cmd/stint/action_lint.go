package main

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/stint-dev/stint/lint/report"
	"github.com/stint-dev/stint/workflows/git"
)

// maxEventBytes is the most that is read of the event that started a run; GitHub sends
// 25 MiB at the most.
const maxEventBytes = 32 << 20

// An event is what is used of the webhook's payload.
type event struct {
	PullRequest *struct {
		Number int `json:"number"`
		Base   struct {
			SHA string `json:"sha"`
		} `json:"base"`
		Head struct {
			SHA string `json:"sha"`
		} `json:"head"`
	} `json:"pull_request"`
	MergeGroup *struct {
		BaseSHA string `json:"base_sha"`
	} `json:"merge_group"`
}

// readEvent reads the event of the run that the process is part of.
func readEvent(w world) (event, error) {
	var e event
	b, err := readBounded(machine{}, w.getenv("GITHUB_EVENT_PATH"), maxEventBytes)
	if err == nil {
		err = json.Unmarshal(b, &e)
	}
	if err != nil {
		return e, &failure{exitUsage, "the event of this run cannot be read", "run it in a job of GitHub Actions, where GITHUB_EVENT_PATH names the file"}
	}
	return e, nil
}

// actionLint is what lint/action.yml runs: annotations on standard output, the step
// summary, and SARIF where a file is named. Standard output is all commands to the runner,
// which the format escapes.
func actionLint(ctx context.Context, w world) error {
	w.stderr = report.Inert(w.stderr)
	o, paths, err := lintInputs(ctx, w)
	if token := w.input("token"); o.online || o.suggest {
		w = w.with("GITHUB_TOKEN", token)
	}
	if err == nil {
		err = runLint(ctx, w, o, paths)
	}
	var status errStatus
	if err != nil && !errors.As(err, &status) {
		annotate(w.stdout, "error", err)
	}
	return err
}

// input returns an input of the action; the runner passes it on as INPUT_NAME.
func (w world) input(name string) string {
	return strings.TrimSpace(w.getenv("INPUT_" + strings.ToUpper(name)))
}

// with returns the world with one more variable in it.
func (w world) with(name, value string) world {
	was := w.getenv
	w.getenv = func(n string) string {
		if n == name {
			return value
		}
		return was(n)
	}
	return w
}

// lintInputs makes the command line of lint from the inputs.
func lintInputs(ctx context.Context, w world) (lintOptions, []string, error) {
	o := lintOptions{
		formats: []string{"github"}, baseline: w.input("baseline"),
		minSeverity: w.input("min-severity"), failOn: w.input("fail-on"),
		online: w.input("online") == "true", suggest: w.input("suggest") == "true",
	}
	if summary := w.getenv("GITHUB_STEP_SUMMARY"); summary != "" {
		o.formats = append(o.formats, "markdown="+summary)
	}
	if file := w.input("sarif"); file != "" {
		o.formats = append(o.formats, "sarif="+file)
	}
	var err error
	if o.baseline == "" {
		o.since, err = inputSince(ctx, w, w.input("since"))
	}
	return o, strings.Fields(w.input("paths")), err
}

// inputSince returns the ref that the input since means, "" for none. The checkout of a
// pull request is, if nobody asks for another, the merge of it into its base, so that the
// base is the first parent; the event's own base may be older and not fetched.
func inputSince(ctx context.Context, w world, since string) (string, error) {
	switch since {
	case "none":
		return "", nil
	case "base", "":
	default:
		return since, nil
	}
	e, err := readEvent(w)
	switch {
	case err != nil:
		return "", err
	case e.MergeGroup != nil:
		return e.MergeGroup.BaseSHA, nil
	case e.PullRequest == nil:
		return "", nil
	}
	head, err := git.Open(".", w.environ()).Head(ctx)
	if err != nil {
		return "", gitFailure(err)
	}
	if head == w.getenv("GITHUB_SHA") {
		return "HEAD^1", nil
	}
	return e.PullRequest.Base.SHA, nil
}
