package main

import (
	"testing"

	"github.com/stint-dev/stint/oidc"
)

func TestIssuerOfTheServer(t *testing.T) {
	for server, want := range map[string]string{
		"https://github.com":          "https://token.actions.githubusercontent.com",
		"https://GitHub.com":          "https://token.actions.githubusercontent.com",
		"not a server":                "https://token.actions.githubusercontent.com",
		"https://acme.ghe.com":        "https://token.actions.acme.ghe.com",
		"https://ghes.example.com":    "https://ghes.example.com/_services/token",
		"https://evil-ghe.com":        "https://evil-ghe.com/_services/token",
		"https://github.com.evil.org": "https://github.com.evil.org/_services/token",
	} {
		if got := (job{server: server}).issuer(); got != want {
			t.Errorf("%s: %s, want %s", server, got, want)
		}
	}
}

// An enterprise may put its slug behind the issuer; nothing else passes for it.
func TestIssuerWithASlug(t *testing.T) {
	const own, ghes = publicIssuer, "https://ghes.example.com/_services/token"
	for _, c := range []struct{ own, got, want string }{
		{own, own, own},
		{own, own + "/acme", own + "/acme"},
		{own, own + "/acme-corp-2", own + "/acme-corp-2"},
		{own, own + "/", own},
		{own, own + "/acme/evil", own},
		{own, own + "/acme?x", own},
		{own, own + "/-acme", own},
		{own, own + ".evil.org/acme", own},
		{own, "https://evil.org", own},
		{own, "", own},
		{ghes, ghes + "/acme", ghes},
	} {
		if got := issuerOf(c.own, oidc.Claims{Issuer: c.got}); got != c.want {
			t.Errorf("%q: expects %q, want %q", c.got, got, c.want)
		}
	}
}

// The run is the token's, where there is a token; a label is no claim.
func TestRunOfTheToken(t *testing.T) {
	j := job{server: "https://github.com", repository: "acme/site", id: "1", attempt: "2", name: "deploy"}
	want := oidc.Run{Repository: "acme/site", ID: "1", Attempt: "2", Job: "deploy", URL: "https://github.com/acme/site/actions/runs/1"}
	if got := j.run(oidc.Claims{}); got != want {
		t.Errorf("%+v", got)
	}
	want = oidc.Run{Repository: "acme/web", ID: "7", Attempt: "1", Job: "deploy", URL: "https://github.com/acme/web/actions/runs/7"}
	if got := j.run(oidc.Claims{Values: map[string]string{"repository": "acme/web", "run_id": "7", "run_attempt": "1"}}); got != want {
		t.Errorf("%+v", got)
	}
	if got := (job{}).run(oidc.Claims{}); got.URL != "" {
		t.Errorf("the URL of nothing is %q", got.URL)
	}
}
