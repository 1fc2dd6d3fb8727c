package github

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/workflows"
)

func TestArchived(t *testing.T) {
	c, asked := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+canary {
			t.Errorf("%s without the token", r.URL)
		}
		switch strings.ToLower(r.URL.Path) { // as GitHub reads names
		case "/api/repos/acme/attic":
			fmt.Fprint(w, `{"archived": true, "name": "attic"}`)
		case "/api/repos/acme/old":
			http.Redirect(w, r, "/api/repos/acme/attic", http.StatusMovedPermanently)
		case "/api/repos/acme/tool":
			fmt.Fprint(w, `{"archived": false}`)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
	for repo, want := range map[string]bool{"attic": true, "Attic": true, "old": true, "tool": false} {
		if is, err := c.Archived(t.Context(), "acme", repo); err != nil || is != want {
			t.Errorf("%s: %t, %v", repo, is, err)
		}
	}
	if _, err := c.Archived(t.Context(), "acme", "none"); !errors.Is(err, workflows.ErrNotFound) {
		t.Errorf("none: %v", err)
	}
	before := asked.Load()
	c.Token = ""
	if _, err := c.Archived(t.Context(), "acme", "other"); !errors.Is(err, ErrNoToken) || asked.Load() != before {
		t.Errorf("without a token: %v", err)
	}
}

const pageOne = `[
 {"ghsa_id": "GHSA-aaaa-bbbb-cccc", "html_url": "https://example.test/a", "published_at": "2026-10-01T00:00:00Z", "vulnerabilities": [
  {"package": {"ecosystem": "actions", "name": "Acme/Tool"}, "vulnerable_version_range": ">= 1.0, < 1.2.1", "first_patched_version": "1.2.1"},
  {"package": {"ecosystem": "npm", "name": "acme/tool"}, "vulnerable_version_range": "< 9", "first_patched_version": "9"},
  {"package": {"ecosystem": "actions", "name": "no name"}, "vulnerable_version_range": "< 9", "first_patched_version": "9"}]},
 {"ghsa_id": "GHSA-aaaa-bbbb-dddd", "withdrawn_at": "2026-10-02T00:00:00Z", "vulnerabilities": [
  {"package": {"ecosystem": "actions", "name": "acme/withdrawn"}, "vulnerable_version_range": "< 9"}]},
 {"ghsa_id": "<script>", "vulnerabilities": [
  {"package": {"ecosystem": "actions", "name": "acme/odd"}, "vulnerable_version_range": "< 9"}]}]`

const pageTwo = `[{"ghsa_id": "GHSA-aaaa-bbbb-eeee", "html_url": "https://example.test/e", "published_at": "2026-10-03T00:00:00Z", "vulnerabilities": [
  {"package": {"ecosystem": "actions", "name": "acme/tool/sub"}, "vulnerable_version_range": "<= 3", "first_patched_version": null}]}]`

func TestAdvisories(t *testing.T) {
	c, asked := answering(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.RequestURI() {
		case "/api/advisories?ecosystem=actions&per_page=100":
			w.Header().Set("Link", `<http://`+r.Host+`/api/advisories?after=x>; rel="next", <http://`+r.Host+`/api/advisories>; rel="first"`)
			fmt.Fprint(w, pageOne)
		case "/api/advisories?after=x":
			w.Header().Set("Link", `<http://`+r.Host+`/api/advisories>; rel="prev"`)
			fmt.Fprint(w, pageTwo)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
	want := []workflows.RemoteAdvisory{
		{ID: "GHSA-aaaa-bbbb-cccc", Action: "acme/tool", Range: ">= 1.0, < 1.2.1", Fixed: "1.2.1", Date: "2026-10-01", URL: "https://example.test/a"},
		{ID: "GHSA-aaaa-bbbb-eeee", Action: "acme/tool/sub", Range: "<= 3", Date: "2026-10-03", URL: "https://example.test/e"},
	}
	for range 3 {
		if got, err := c.Advisories(t.Context()); err != nil || !slices.Equal(got, want) {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if asked.Load() != 2 {
		t.Errorf("asked %d times", asked.Load())
	}
}

// A list that is not whole is none.
func TestBadAdvisories(t *testing.T) {
	other, otherAsked := answering(t, text(200, "", "[]"))
	for name, h := range map[string]http.HandlerFunc{
		"no JSON":        text(200, "", "<html>"),
		"an object":      text(200, "", `{"message": "x"}`),
		"half":           text(200, "", pageOne[:200]),
		"another server": text(200, "Link: <"+other.Server+`/api/advisories>; rel="next"`, pageOne),
		"a hostile link": text(200, "Link: <https://u:p@example.test>; rel=\"next\"", pageOne),
		"500":            text(500, "", canary),
		"401":            text(401, "", ""),
		"403":            text(403, "", ""),
		"without an end": text(200, `Link: </api/advisories>; rel="next"`, "[]"),
		"over the limit": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "["+strings.Repeat(" ", maxAPIBytes)+"]") },
		"a page too short": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9")
			fmt.Fprint(w, "[")
		},
	} {
		c, _ := answering(t, h)
		if list, err := c.Advisories(t.Context()); err == nil || list != nil || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %+v, %v", name, list, err)
		}
	}
	if otherAsked.Load() > 0 {
		t.Error("the token went to another server")
	}
}

// After the API has said that it is asked too much it is left alone; git is not.
func TestRateLimit(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"429":                text(429, "", ""),
		"403, none left":     text(403, "X-RateLimit-Remaining: 0", ""),
		"403, later, please": text(403, "Retry-After: 60", ""),
	} {
		s := newStandIn(t)
		c, asked := answering(t, func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/api/") {
				h(w, r)
				return
			}
			s.ServeHTTP(w, r)
		})
		for _, repo := range []string{"a", "b", "c"} {
			if _, err := c.Archived(t.Context(), "acme", repo); !errors.Is(err, ErrLimited) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := c.Advisories(t.Context()); !errors.Is(err, ErrLimited) || asked.Load() != 1 {
			t.Errorf("%s: %v, asked %d times", name, err, asked.Load())
		}
		if _, err := c.Refs(t.Context(), "acme", "tool"); err != nil {
			t.Errorf("%s: git: %v", name, err)
		}
	}
}
