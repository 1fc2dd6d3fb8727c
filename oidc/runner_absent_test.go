package oidc

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func writeFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// pullEvent is the part of a pull_request event that tells a fork.
func pullEvent(head, base string) string {
	return `{"action":"opened","pull_request":{"title":"x","head":{"repo":` + head + `},"base":{"repo":` + base + `}}}`
}

func TestRunnerSaysWhyThereIsNoToken(t *testing.T) {
	const site = `{"full_name":"acme/site","fork":false}`
	gone := map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": "", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": ""}
	pull := func(event string) map[string]string {
		return map[string]string{"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": writeFile(t, event)}
	}
	const fork, permission, own = "a pull_request from a fork", "not given id-token: write", "the run is a pull_request"
	tests := map[string]struct {
		change map[string]string
		want   string
	}{
		"no permission":             {nil, permission},
		"a schedule":                {map[string]string{"GITHUB_EVENT_NAME": "schedule"}, permission},
		"not in a job":              {map[string]string{"GITHUB_ACTIONS": ""}, "not a GitHub Actions job"},
		"no bearer":                 {map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": "https://x.example"}, "only one of"},
		"no URL":                    {map[string]string{"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "b"}, "only one of"},
		"dependabot":                {map[string]string{"GITHUB_ACTOR": "dependabot[bot]"}, "started by Dependabot"},
		"a fork":                    {pull(pullEvent(`{"full_name":"eve/site","fork":true}`, site)), fork},
		"a fork with another name":  {pull(pullEvent(`{"full_name":"eve/copy","fork":false}`, site)), fork},
		"a deleted fork":            {pull(pullEvent(`null`, site)), fork},
		"a fork, base not known":    {pull(pullEvent(`{"full_name":"eve/site","fork":true}`, `null`)), fork},
		"the repository's own":      {pull(pullEvent(site, site)), own},
		"a fork's own pull request": {pull(pullEvent(`{"full_name":"eve/site","fork":true}`, `{"full_name":"eve/site","fork":true}`)), own},
		"no event file":             {map[string]string{"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": "/nonexistent"}, own},
		"an event of junk":          {pull(`{"pull_request":`), own},
		"an event without the part": {pull(`{}`), own},
		"an event that is too big":  {pull(pullEvent(`{"fork":true,"x":"`+strings.Repeat("x", maxEventBytes)+`"}`, `null`)), own},
		"a directory as event":      {map[string]string{"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": t.TempDir()}, own},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			env := map[string]string{}
			for _, m := range []map[string]string{gone, test.change} {
				for k, v := range m {
					env[k] = v
				}
			}
			r, w, _ := newTestRunner(env, answer{status: 200})
			_, err := r.Token(t.Context(), "sts.example")
			wantError(t, err, test.want)
			if len(w.asked) != 0 {
				t.Error("something was asked")
			}
		})
	}
}
