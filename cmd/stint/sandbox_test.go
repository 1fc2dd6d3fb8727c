package main

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A waiting sandbox says where it is, whose job it has and how to use it, and ends
// when it is interrupted.
func TestSandboxDescribesItself(t *testing.T) {
	file := filepath.Join(t.TempDir(), "stint.yml")
	if err := os.WriteFile(file, []byte(grants), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	var stdout, stderr bytes.Buffer
	w := world{stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, now: time.Now,
		getenv: func(string) string { return "" }, environ: func() []string { return nil }}
	if status := run(ctx, w, []string{"sandbox", "--file", file, "--repository", "acme/site", "--ref", "refs/heads/other"}); status != exitOK {
		t.Fatalf("status %d\n%s", status, stderr.String())
	}
	for _, want := range []string{
		"\n  issuer      http://127.0.0.1:", "\n  sts         http://127.0.0.1:", "\n  store       http://127.0.0.1:",
		"\n  job of      acme/site\n", "\n  event       push\n", "\n  ref         refs/heads/other\n",
		"\n  workflow    .github/workflows/deploy.yml\n", "\n  environment none\n",
		"\n  export ACTIONS_ID_TOKEN_REQUEST_URL='http://127.0.0.1:", "\n  export AWS_ENDPOINT_URL_S3='http://127.0.0.1:",
		`&audience=sts.amazonaws.com"`, "\n  stint sandbox run deploy-site -- CMD\n",
	} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("%q is missing in\n%s", want, stdout.String())
		}
	}
}

// The commands of a sandbox's job trade on loopback alone, whatever the
// environment says.
func TestOuterVenueIsOnLoopback(t *testing.T) {
	const here, there = "http://127.0.0.1:9000/x?y", "https://sts.amazonaws.com"
	for _, c := range []struct {
		request, sts string
		ok           bool
	}{
		{here, here, true},
		{"http://[::1]:1/", here, true},
		{there, here, false},
		{here, there, false},
		{here, "", false},
		{"", here, false},
		{"http://localhost:9000/", here, false},
		{"http://127.0.0.1.evil.example/", here, false},
		{"http://127.0.0.1:9000@evil.example/", here, false},
		{"ftp://127.0.0.1/", here, false},
	} {
		env := map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": c.request, stsVariable: c.sts}
		v, err := outerVenue(world{getenv: func(name string) string { return env[name] }})
		if (err == nil) != c.ok {
			t.Errorf("%+v: %v", c, err)
		}
		if err == nil && (!v.loopback || v.issuer == "" || v.transport == nil) {
			t.Errorf("%+v: the venue is %+v", c, v)
		}
	}
	if v, _ := realVenue(world{}); v.loopback || v.issuer != "" || v.transport != nil || v.vars != nil {
		t.Errorf("the real venue is %+v", v)
	}
}

// A detour changes where a request goes, unless it stays on loopback already.
func TestDetour(t *testing.T) {
	var asked []string
	d := &detour{to: &url.URL{Scheme: "http", Host: "127.0.0.1:1"}, next: roundTrip(func(r *http.Request) (*http.Response, error) {
		asked = append(asked, r.URL.String()+" as "+r.Host)
		return nil, timeout{}
	})}
	for _, address := range []string{"https://sts.eu-west-1.amazonaws.com/?a=b", "http://127.0.0.1:9000/"} {
		r, err := http.NewRequest(http.MethodPost, address, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = d.RoundTrip(r)
		if r.URL.String() != address {
			t.Errorf("the caller's request was changed to %s", r.URL)
		}
	}
	want := "http://127.0.0.1:1/?a=b as 127.0.0.1:1\nhttp://127.0.0.1:9000/ as 127.0.0.1:9000"
	if got := strings.Join(asked, "\n"); got != want {
		t.Errorf("asked\n%s", got)
	}
}
