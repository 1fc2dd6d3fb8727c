package oidc

import (
	"encoding/json"
	"io"
	"os"
	"syscall"
)

// maxEventBytes is the largest event file that is read to explain an absence.
const maxEventBytes = 4 << 20

// whyAbsent says why the runner gave the job no means to ask for id-tokens.
func (r *Runner) whyAbsent(hasURL, hasBearer bool) error {
	e := &Error{Stage: StageToken}
	event := r.env("GITHUB_EVENT_NAME")
	switch {
	case hasURL != hasBearer:
		e.Message = "only one of ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN is set"
		e.Hint = "the runner sets both: look for the step that removes or replaces the other"
	case r.env("GITHUB_ACTIONS") != "true":
		e.Message = "there is no id-token to ask for: this is not a GitHub Actions job"
		e.Hint = "run it in a job with `permissions: id-token: write`, or give a token file, or try the grant with `stint sandbox`"
	case event == "pull_request" && r.fromFork():
		e.Message = "a pull_request from a fork gets no id-token"
		e.Hint = "ask in a job that runs after the merge; do not move it to pull_request_target, where the fork's code would run with your rights"
	case r.env("GITHUB_ACTOR") == "dependabot[bot]":
		e.Message = "a run started by Dependabot gets no id-token"
		e.Hint = "skip the job for Dependabot, or ask in a job that runs after the merge"
	case event == "pull_request":
		e.Message = "the job has no id-token: the run is a pull_request and was not given id-token: write"
		e.Hint = permissionHint + "; runs from forks get none at all"
	default:
		e.Message = "the job has no id-token: it was not given id-token: write"
		e.Hint = permissionHint
	}
	return e
}

// permissionHint covers the called workflow too: the environment does not tell
// the job of a reusable workflow from any other, and its caller must grant the
// permission as well.
const permissionHint = "add `permissions: id-token: write` to this job; if the job is in a reusable workflow, also to the job that calls it"

// fromFork reports whether the event file says that the head of the pull request
// is in another repository. A file that cannot be read says no: the answer only
// chooses the words of an error.
func (r *Runner) fromFork() bool {
	b, err := readRegular(r.env("GITHUB_EVENT_PATH"), maxEventBytes)
	if err != nil {
		return false
	}
	type side struct {
		Repo *struct {
			FullName string `json:"full_name"`
			Fork     bool   `json:"fork"`
		} `json:"repo"`
	}
	var event struct {
		PullRequest *struct {
			Head side `json:"head"`
			Base side `json:"base"`
		} `json:"pull_request"`
	}
	if json.Unmarshal(b, &event) != nil || event.PullRequest == nil {
		return false
	}
	head, base := event.PullRequest.Head.Repo, event.PullRequest.Base.Repo
	switch {
	case head == nil:
		return true // the fork has been deleted since
	case base == nil || base.FullName == "" || head.FullName == "":
		return head.Fork
	}
	// A fork's pull request to itself has fork: true and is none from a fork.
	return head.FullName != base.FullName
}

// readRegular reads a regular file of at most limit bytes. Opening does not
// block on a named pipe, which is then refused.
func readRegular(path string, limit int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = errTooLarge
	}
	return b, err
}
