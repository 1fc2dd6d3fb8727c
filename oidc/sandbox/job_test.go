package sandbox_test

import (
	"strings"
	"testing"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/sandbox"
)

// TestSubject goes through the forms of sub.
func TestSubject(t *testing.T) {
	t.Parallel()
	s, _ := start(t, sandbox.Options{})
	tests := []struct {
		name   string
		change func(*sandbox.Job)
		want   string
	}{
		{"branch", func(*sandbox.Job) {}, mainSub},
		{"tag", func(j *sandbox.Job) { j.Ref = "refs/tags/v1" }, "repo:birch/press:ref:refs/tags/v1"},
		{"environment", func(j *sandbox.Job) { j.Environment = "live" }, "repo:birch/press:environment:live"},
		{"colon in the environment", func(j *sandbox.Job) { j.Environment = "live:eu%3A" }, "repo:birch/press:environment:live%3Aeu%3A"},
		{"pull request", func(j *sandbox.Job) { j.Event, j.Ref = "pull_request", "refs/pull/4/merge" }, "repo:birch/press:pull_request"},
		{"pull request with environment", func(j *sandbox.Job) { j.Event, j.Environment = "pull_request", "live" }, "repo:birch/press:environment:live"},
		{"pull_request_target", func(j *sandbox.Job) { j.Event = "pull_request_target" }, "repo:birch/press:pull_request"},
		{"issue_comment looks like a push", func(j *sandbox.Job) { j.Event = "issue_comment" }, mainSub},
		{"called workflow keeps the caller's", func(j *sandbox.Job) { j.JobWorkflowRef = "elm/x/.github/workflows/y.yml@v1" }, mainSub},
		{"immutable", func(j *sandbox.Job) { j.ImmutableSubject = true }, "repo:birch@7/press@31:ref:refs/heads/main"},
		{"immutable environment", func(j *sandbox.Job) { j.ImmutableSubject, j.Environment = true, "live" }, "repo:birch@7/press@31:environment:live"},
		{"template", func(j *sandbox.Job) { j.SubjectKeys = []string{"repo", "context", "job_workflow_ref"} }, mainSub + ":job_workflow_ref:birch/press/.github/workflows/ship.yml@refs/heads/main"},
		{"template of values", func(j *sandbox.Job) {
			j.SubjectKeys, j.Environment = []string{"environment", "repository_owner"}, "a:b"
		}, "environment:a%3Ab:repository_owner:birch"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			job := pushJob()
			tt.change(&job)
			parsed, err := oidc.ParseToken(token(t, s, job))
			if err != nil {
				t.Fatal(err)
			}
			if parsed.Claims.Subject != tt.want {
				t.Errorf("sub %q, want %q", parsed.Claims.Subject, tt.want)
			}
		})
	}
}

func TestJobIsChecked(t *testing.T) {
	t.Parallel()
	s, _ := start(t, sandbox.Options{})
	for want, change := range map[string]func(*sandbox.Job){
		`repository "birch" is not owner/name`:                func(j *sandbox.Job) { j.Repository = "birch" },
		`repository "birch/press/x" is not owner/name`:        func(j *sandbox.Job) { j.Repository = "birch/press/x" },
		`ref "main" does not begin with refs/`:                func(j *sandbox.Job) { j.Ref = "main" },
		`the job has no workflow path`:                        func(j *sandbox.Job) { j.WorkflowPath = "" },
		`wants "environment", which this job does not have`:   func(j *sandbox.Job) { j.SubjectKeys = []string{"environment"} },
		`wants "no_such_claim", which this job does not have`: func(j *sandbox.Job) { j.SubjectKeys = []string{"no_such_claim"} },
	} {
		job := pushJob()
		change(&job)
		if _, err := s.Env(job); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
		if _, err := s.Token(job, "a"); err == nil {
			t.Errorf("a token was signed in spite of %q", want)
		}
	}
}
