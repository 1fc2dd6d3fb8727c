package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers"
	"github.com/stint-dev/stint/oidc/sandbox"
)

// demoChild marks a process of the test's own program that plays the part of
// `stint demo put`.
const demoChild = "TEST_DEMO_PUT" // no STINT_…: a command under a grant does not get those

// TestDemoPutProcess is no test of its own: the demo's test starts it as the
// command that runs under the grant.
func TestDemoPutProcess(t *testing.T) {
	if os.Getenv(demoChild) == "" {
		t.Skip("only as a child of TestDemo")
	}
	os.Exit(run(t.Context(), realWorld(os.Stdout, os.Stderr), []string{"demo", "put", flag.Arg(0)}))
}

func realWorld(stdout, stderr *os.File) world {
	return world{stdin: bytes.NewReader(nil), stdout: stdout, stderr: stderr, getenv: os.Getenv, environ: os.Environ, now: time.Now}
}

// runDemo runs the demo with the test's program in the place of stint.
func runDemo(t *testing.T, child string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	w := realWorld(nil, nil)
	w.stdout, w.stderr = &out, &out
	w.environ = func() []string { return append(os.Environ(), demoChild+"=1") }
	err := demo{w: w, self: []string{os.Args[0], "-test.run=^" + child + "$", "--"}}.run(t.Context())
	return out.String(), err
}

func TestDemo(t *testing.T) {
	out, err := runDemo(t, "TestDemoPutProcess")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for i, line := range strings.Split(out, "\n") {
		if n := len([]rune(line)); n > defaultWidth {
			t.Errorf("line %d has %d columns: %s", i+1, n, line)
		}
	}
	for _, claim := range []string{
		"put site/index.html: 200 ok", "refuses to put payroll/2026.csv: 403 AccessDenied",
		`grant "deploy-site" is not for this job`, "exit status 0", "exit status 1",
	} {
		if strings.Count(out, claim) != 1 {
			t.Errorf("the demo does not say %q once", claim)
		}
	}
	if m := regexp.MustCompile(`eyJ|SecretAccessKey|secret_access_key"|SessionToken`).FindString(out); m != "" {
		t.Errorf("something that looks like a credential is shown: %s", m)
	}
	compareDemo(t, settle(out))
}

// unsettled are the parts that differ from run to run.
var unsettled = []struct{ what, with string }{
	{`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`, "TIME"},
	{`ASIA[0-9A-Z]{16}`, "ACCESS-KEY-ID"},
	{`"got_seconds": (900|89\d)`, `"got_seconds": 900`}, // from when the call began
	{`"(request_id|jti_hash)": "[^"]*"`, `"$1": "…"`},
	{`sha256:[0-9a-f]+`, "sha256:"},
	// Rules come and go; TestDemoCountsFindings holds these numbers.
	{`and \d+ more; stint lint`, "and N more; stint lint"},
	{`Findings before: \d+\. After: \d+,`, "Findings before: N. After: N,"},
}

func settle(out string) string {
	for _, u := range unsettled {
		out = regexp.MustCompile(u.what).ReplaceAllString(out, u.with)
	}
	return out
}

func compareDemo(t *testing.T, got string) {
	t.Helper()
	golden := filepath.Join("testdata", "demo.golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("the demo says something else than %s (run go test -update and read the diff):\n%s", golden, got)
	}
}

// A demo whose command does nothing must not claim that it worked.
func TestDemoFailsWhenItsClaimsDo(t *testing.T) {
	out, err := runDemo(t, "NoSuchTest")
	if err == nil || !strings.Contains(err.Error(), "not with") {
		t.Errorf("a command that always succeeds: %v\n%s", err, out)
	}
	bare := *readSample(sampleArchive)
	bare.refs = sampleResolver{} // the tags cannot be resolved, so that the fix is not whole
	d := demo{w: realWorld(nil, nil)}
	d.w.stdout = &bytes.Buffer{}
	if err := d.fix(t.Context(), &bare, bare.lint(t.Context())); err == nil || !strings.Contains(err.Error(), "zero") {
		t.Errorf("a fix that leaves pairs: %v", err)
	}
}

func TestDemoCountsFindings(t *testing.T) {
	s := readSample(sampleArchive)
	before := s.lint(t.Context())
	var out bytes.Buffer
	d := demo{w: realWorld(nil, nil)}
	d.w.stdout = &out
	d.findings(before)
	if err := d.fix(t.Context(), s, before); err != nil {
		t.Fatal(err)
	}
	all := len(before.Findings)
	for _, want := range []string{fmt.Sprintf("and %d more;", all-demoFindings), fmt.Sprintf("Findings before: %d. After: ", all), "standing credential. After: 0.\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the demo does not say %q:\n%s", want, out.String())
		}
	}
	if len(worst(nil)) != 0 || len(worst(before.Findings)) != demoFindings {
		t.Error("not the worst of each rule are shown")
	}
}

// The sample is whole: every file is read without a problem, every tag that it
// names is in its list, its grant is good, and it holds what the demo tells of.
func TestDemoSample(t *testing.T) {
	s := readSample(sampleArchive)
	for _, f := range s.files {
		if len(f.Problems) > 0 {
			t.Errorf("%s: %s", f.Path, f.Problems[0].Message)
		}
	}
	res := s.lint(t.Context())
	unasked := slices.DeleteFunc(slices.Clone(res.NotChecked), func(n string) bool { return strings.HasSuffix(n, "--online") })
	if len(res.Failures) > 0 || len(unasked) > 0 {
		t.Errorf("not checked: %v %v", res.Failures, unasked)
	}
	f, err := grant.Parse(grant.Path, s.grants, grant.Options{Providers: providers.Names()})
	if err != nil || len(f.Grants) != 1 {
		t.Fatalf("%v %v", f, err)
	}
	if !slices.ContainsFunc(res.Findings, func(f lint.Finding) bool { return f.Rule.ID == "unpinned-inside" }) {
		t.Error("the reviewdog path is not in the sample")
	}
	for _, name := range []string{"tj-actions/changed-files@v47", "reviewdog/action-setup@v1"} {
		hit := res.Graph.If(strings.Split(name, "@")[0], strings.Split(name, "@")[1])
		if len(hit) != 1 || len(hit[0].Standing()) == 0 {
			t.Errorf("%s: %d jobs", name, len(hit))
		}
	}
}

func TestDemoPut(t *testing.T) {
	reply := http.StatusOK
	body := ""
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(reply)
		_, _ = w.Write([]byte(body))
	}))
	defer store.Close()
	rows := []struct {
		name, endpoint, object string
		reply                  int
		body, want             string
		status                 int
	}{
		{"put", store.URL, "b/k", 200, "", "put b/k: 200 ok", exitOK},
		{"refused", store.URL, "b/k", 403, "<Error><Code>AccessDenied</Code></Error>", "403 AccessDenied", exitFindings},
		{"no reason", store.URL, "b/k", 500, "nothing that is XML", "500 without a reason", exitFindings},
		{"hostile reason", store.URL, "b/k", 403, "<Error><Code>a\x1b[2J\nb</Code></Error>", "without a reason", exitFindings},
		{"long reply", store.URL, "b/k", 403, "<Error>" + strings.Repeat("<a></a>", 20_000) + "<Code>X</Code></Error>", "without a reason", exitFindings},
		{"gone", "http://127.0.0.1:1", "b/k", 0, "", "does not answer", exitIncomplete},
		{"not on loopback", "https://store.example", "b/k", 0, "", "not an address on loopback", exitUsage},
		{"no store", "", "b/k", 0, "", "not an address on loopback", exitUsage},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			reply, body = row.reply, row.body
			var out bytes.Buffer
			w := realWorld(nil, nil)
			w.stdout, w.stderr = &out, &out
			w.getenv = func(name string) string {
				return map[string]string{storeVariable: row.endpoint, "AWS_REGION": "eu-west-1", "AWS_SECRET_ACCESS_KEY": "canary"}[name]
			}
			status := run(t.Context(), w, []string{"demo", "put", row.object})
			if got := out.String(); status != row.status || !strings.Contains(got, row.want) || strings.ContainsAny(got, "\x1b") || strings.Contains(got, "canary") {
				t.Errorf("status %d, %q", status, got)
			}
		})
	}
}

// Nothing listens any more when the demo's sandbox is closed.
func TestDemoSandboxEnds(t *testing.T) {
	f, err := grant.Parse(grant.Path, readSample(sampleArchive).grants, grant.Options{Providers: providers.Names()})
	if err != nil {
		t.Fatal(err)
	}
	s, err := openDemoSandbox(realWorld(nil, nil), f)
	if err != nil {
		t.Fatal(err)
	}
	url := s.STSURL()
	if s.job.Repository != sampleName || s.env["ACTIONS_ID_TOKEN_REQUEST_URL"] == "" {
		t.Errorf("job %+v", s.job)
	}
	if err := s.begin(sandbox.Job{}); err == nil {
		t.Error("a job without a name is a job of the stage")
	}
	s.close()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := http.DefaultClient.Do(req); err == nil {
		_ = resp.Body.Close()
		t.Error("the sandbox still answers")
	}
}
