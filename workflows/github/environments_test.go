package github

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stint-dev/stint/workflows"
)

// environmentsPage holds each demand alone, none, and a name that would be another path.
const environmentsPage = `{"total_count": 8, "environments": [
 {"name": "open", "created_at": "2026-10-01T00:00:00Z", "can_admins_bypass": true, "protection_rules": [], "deployment_branch_policy": null},
 {"name": "zero", "protection_rules": [{"type": "wait_timer", "wait_timer": 0}, {"type": "required_reviewers", "reviewers": []}], "deployment_branch_policy": {"protected_branches": false}},
 {"name": "Person", "protection_rules": [{"type": "required_reviewers", "reviewers": [{"type": "User", "reviewer": {"login": "ann"}}]}]},
 {"name": "team", "protection_rules": [{"type": "required_reviewers", "reviewers": [{"type": "Team", "reviewer": {"slug": "core"}}]}]},
 {"name": "app", "protection_rules": [{"type": "some-app"}]},
 {"name": "wait", "protection_rules": [{"type": "wait_timer", "wait_timer": 30}]},
 {"name": "../../acme/other/environments?x=%2e#\u001b[31m", "protection_rules": [{"type": "branch_policy"}], "deployment_branch_policy": {"protected_branches": true}},
 {"name": "two words", "protection_rules": [{"type": "branch_policy"}], "deployment_branch_policy": {"custom_branch_policies": true}}]}`

func TestEnvironment(t *testing.T) {
	c, asked := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.Header.Get("Authorization") != "Bearer "+canary {
			t.Errorf("%s %s without the token", r.Method, r.URL)
		}
		if strings.ToLower(r.URL.RequestURI()) != "/api/repos/acme/site/environments?per_page=100" {
			t.Errorf("asked for %s", r.URL)
		}
		fmt.Fprint(w, environmentsPage)
	})
	for name, want := range map[string]workflows.Protection{
		"open": {}, "zero": {}, "person": {Approval: true}, "TEAM": {Approval: true}, "app": {Approval: true}, "wait": {Wait: true},
		"../../acme/other/environments?x=%2e#\x1b[31m": {Refs: true}, "Two Words": {Refs: true},
	} {
		if got, err := c.Environment(t.Context(), "Acme", "site", name); err != nil || got != want {
			t.Errorf("%q: %+v, %v", name, got, err)
		}
	}
	for _, name := range []string{"", "none", "open/", "../site/environments/open", "two%20words", strings.Repeat("x", 1<<20)} {
		if got, err := c.Environment(t.Context(), "acme", "Site", name); !errors.Is(err, workflows.ErrNotFound) || got != (workflows.Protection{}) {
			t.Errorf("%.40q: %+v, %v", name, got, err)
		}
	}
	if asked.Load() != 1 {
		t.Errorf("asked %d times", asked.Load())
	}
	for _, bad := range [][2]string{{"..", "site"}, {"acme", ".."}, {"acme/x", "site"}, {"acme", "site?x"}, {"acme", "a/b"}} {
		if _, err := c.Environment(t.Context(), bad[0], bad[1], "open"); err == nil || errors.Is(err, workflows.ErrNotFound) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	c.Token = ""
	if _, err := c.Environment(t.Context(), "acme", "other", "open"); !errors.Is(err, ErrNoToken) || asked.Load() != 1 {
		t.Errorf("without a token: %v", err)
	}
}

func TestEnvironmentsOnSeveralPages(t *testing.T) {
	c, asked := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("page") == "" {
			w.Header().Set("Link", `</api/repos/acme/site/environments?per_page=100&page=2>; rel="next"`)
			fmt.Fprint(w, `{"total_count": 2, "environments": [{"name": "a"}]}`)
			return
		}
		fmt.Fprint(w, `{"total_count": 2, "environments": [{"name": "b", "deployment_branch_policy": {"protected_branches": true}}]}`)
	})
	if p, err := c.Environment(t.Context(), "acme", "site", "b"); err != nil || !p.Refs || asked.Load() != 2 {
		t.Errorf("%+v, %v, asked %d times", p, err, asked.Load())
	}
}

// What is not the whole list says of no environment that it is not there.
func TestNoAnswerAboutEnvironments(t *testing.T) {
	denied := "the environments of acme/site: the token may not read them: it takes actions: read"
	for name, test := range map[string]struct {
		h    http.HandlerFunc
		want string // "" for any
	}{
		"401":              {text(401, "", canary), denied},
		"403":              {text(403, "", canary), denied},
		"404":              {text(404, "", `{"message": "Not Found"}`), denied},
		"429":              {text(429, "", ""), ErrLimited.Error()},
		"none left":        {text(403, "X-RateLimit-Remaining: 0", ""), ErrLimited.Error()},
		"500":              {text(500, "", canary), "the environments of acme/site: status 500"},
		"no JSON":          {text(200, "", "<html>"+canary), ""},
		"a list":           {text(200, "", "[]"), ""},
		"no total":         {text(200, "", `{"message": "x"}`), ""},
		"half":             {text(200, "", environmentsPage[:300]), ""},
		"one is missing":   {text(200, "", `{"total_count": 2, "environments": [{"name": "a"}]}`), ""},
		"another server":   {text(302, "Location: https://example.test/x", ""), ""},
		"a hostile link":   {text(200, `Link: <https://example.test/x>; rel="next"`, environmentsPage), ""},
		"without an end":   {text(200, `Link: </api/repos/acme/site/environments>; rel="next"`, environmentsPage), ""},
		"reviewers of odd": {text(200, "", `{"total_count": 1, "environments": [{"name": "a", "protection_rules": [{"type": "required_reviewers", "reviewers": 5}]}]}`), ""},
	} {
		c, asked := answering(t, test.h)
		for range 2 {
			_, err := c.Environment(t.Context(), "acme", "site", "gone")
			if err == nil || errors.Is(err, workflows.ErrNotFound) || strings.Contains(err.Error(), canary) || test.want != "" && err.Error() != test.want {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n := asked.Load(); n > maxEnvironmentPages {
			t.Errorf("%s: asked %d times", name, n)
		}
	}
}

// FuzzEnvironments holds that no reply makes the reading panic, and that nothing is said
// of environments from one that does not say how many there are.
func FuzzEnvironments(f *testing.F) {
	for _, s := range []string{environmentsPage, `{"total_count": 0, "environments": []}`, `{"environments": [null]}`,
		`{"total_count": 1, "environments": [null, {"name": "gone", "protection_rules": [null, {"type": "required_reviewers", "reviewers": [null, {}, {"type": null}]}]}]}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, reply string) {
		c := &Client{API: "https://api.example.test", Token: canary, Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(reply)), Request: r}, nil
		})}
		_, err := c.Environment(t.Context(), "acme", "site", "gone")
		if (err == nil || errors.Is(err, workflows.ErrNotFound)) && !strings.Contains(strings.ToLower(reply), "total_count") && !strings.Contains(reply, `\u`) {
			t.Errorf("%q is taken for a list", reply)
		}
	})
}
