package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc/sandbox"
)

const grants = `version: 1
grants:
  deploy-site:
    intent: publish the built site
    owner: "@acme/web"
    for: { workflow: .github/workflows/deploy.yml, ref: refs/heads/main, events: [push] }
    ttl: 2m
    aws:
      role: arn:aws:iam::111122223333:role/site-deploy
      region: eu-west-1
      allow: [{ actions: [s3:PutObject], resources: ["arn:aws:s3:::site/*"] }]
`

// A scene is a sandbox with a job in it whose files and outputs are at hand.
type scene struct {
	*stage
	w              world
	at             venue
	dir, file      string
	stdout, stderr bytes.Buffer
	secrets        []string // what must not be seen, as far as it went over the wire

	mu    sync.Mutex
	clock time.Time
}

// The ambient secret that the job has before.
const ambient = "AmBientSecret0123456789ambient/key"

func newScene(t *testing.T, text string, fault func(sandbox.Call) *sandbox.Fault) *scene {
	t.Helper()
	s := &scene{dir: t.TempDir(), clock: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
	s.file = filepath.Join(s.dir, "stint.yml")
	if err := os.WriteFile(s.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := parseGrants(".github/stint.yml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	opts := sandbox.Options{Now: s.now, Fault: fault}
	if err := opts.AddGrants(f, sandbox.Repository{Name: "acme/site"}); err != nil {
		t.Fatal(err)
	}
	box, err := sandbox.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	s.stage = &stage{Sandbox: box, job: jobFor(f.Grants[0], "acme/site")}
	if s.env, err = box.Env(s.job); err != nil {
		t.Fatal(err)
	}
	if s.at, err = venueOf(box); err != nil {
		t.Fatal(err)
	}
	s.secrets = append(s.secrets, s.env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"], ambient)
	s.at.transport = &wiretap{next: s.at.transport, scene: s}
	environ := []string{"AWS_SECRET_ACCESS_KEY=" + ambient, "PATH=" + os.Getenv("PATH")}
	s.w = s.world(world{
		stdin: strings.NewReader(""), stdout: &s.stdout, stderr: &s.stderr, now: s.now,
		getenv: func(name string) string {
			i := slices.IndexFunc(environ, func(e string) bool { return strings.HasPrefix(e, name+"=") })
			if i < 0 {
				return ""
			}
			return environ[i][len(name)+1:]
		},
		environ: func() []string { return slices.Clone(environ) },
		sleep:   func(ctx context.Context, d time.Duration) error { s.pass(d); return ctx.Err() },
	})
	return s
}

func (s *scene) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock
}

func (s *scene) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock = s.clock.Add(d)
}

// A wiretap notes the secrets that go over the wire to the clouds and back.
type wiretap struct {
	next  http.RoundTripper
	scene *scene
}

func (w *wiretap) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if _, token, ok := strings.Cut(string(body), "WebIdentityToken="); ok {
		token, _, _ = strings.Cut(token, "&")
		w.scene.secrets = append(w.scene.secrets, token, token[strings.LastIndexByte(token, '.')+1:])
	}
	resp, err := w.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	reply, err := io.ReadAll(io.LimitReader(resp.Body, 2<<20))
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(reply))
	for _, tag := range []string{"SecretAccessKey", "SessionToken"} {
		if _, rest, ok := strings.Cut(string(reply), "<"+tag+">"); ok {
			value, _, _ := strings.Cut(rest, "<")
			w.scene.secrets = append(w.scene.secrets, value)
		}
	}
	return resp, nil
}

// exec runs a command under the grant, records included, and returns the status
// and the two lines of the error.
func (s *scene) exec(ctx context.Context, command ...string) (status int, message, hint string) {
	o := execOptions{file: s.file, receipts: filepath.Join(s.dir, "receipts.jsonl"), verbose: true}
	err := runExec(ctx, s.w, s.at, o, append([]string{"deploy-site"}, command...))
	if err == nil {
		return exitOK, "", ""
	}
	message, hint = twoLines(err)
	return statusOf(err), message, hint
}

// timeout is an error of the network for a server that does not answer.
type timeout struct{}

func (timeout) Error() string   { return "i/o timeout" }
func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Whatever goes wrong on the way to a credential: two lines that say what and what
// to do next, nothing handed over, no command run, nothing secret left behind.
func TestFailuresOnTheWay(t *testing.T) {
	at := func(endpoint sandbox.Endpoint, f sandbox.Fault) func(sandbox.Call) *sandbox.Fault {
		return func(c sandbox.Call) *sandbox.Fault {
			if c.Endpoint == endpoint {
				return &f
			}
			return nil
		}
	}
	issuer := func(f sandbox.Fault) func(sandbox.Call) *sandbox.Fault { return at(sandbox.EndpointIssuer, f) }
	sts := func(f sandbox.Fault) func(sandbox.Call) *sandbox.Fault { return at(sandbox.EndpointSTS, f) }
	var tooMuch []string
	for range 60 {
		tooMuch = append(tooMuch, `"arn:aws:s3:::a-bucket-with-a-rather-long-name/`+strings.Repeat("x", len(tooMuch))+`/*"`)
	}
	cases := map[string]struct {
		fault   func(sandbox.Call) *sandbox.Fault
		change  func(string) string // of the grant file
		prepare func(*testing.T, *scene)
		status  int
		message string // what the error says
		hint    string
	}{
		"an expired token":       {fault: issuer(sandbox.Fault{Expired: time.Hour}), status: 3, message: "expired", hint: "clock"},
		"a foreign key":          {fault: issuer(sandbox.Fault{ForeignKey: true}), status: 3, message: "did not take the id-token", hint: "oidc provider"},
		"the wrong audience":     {fault: issuer(sandbox.Fault{Audience: "elsewhere"}), status: 3, message: "audience", hint: "audience"},
		"a busy cloud":           {fault: sts(sandbox.Fault{Status: 503}), status: 3, message: "is busy", hint: "later"},
		"a role that refuses":    {fault: sts(sandbox.Fault{Code: "AccessDenied", Status: 403}), status: 3, message: "did not let this job assume the role", hint: "trust policy"},
		"a reply of 100 MB":      {fault: sts(sandbox.Fault{Bytes: 100 << 20}), status: 3, message: "is larger than", hint: "endpoint"},
		"a token of 100 MB":      {fault: issuer(sandbox.Fault{Bytes: 100 << 20}), status: 3, message: "large", hint: ""},
		"a redirect":             {fault: sts(sandbox.Fault{Redirect: "https://evil.example/"}), status: 3, message: `to "evil.example"), and the token does not follow`, hint: "proxy"},
		"a redirected request":   {fault: issuer(sandbox.Fault{Redirect: "https://evil.example/"}), status: 3, message: "redirect", hint: "proxy"},
		"a dropped connection":   {fault: sts(sandbox.Fault{Drop: true}), status: 3, message: "breaks off", hint: "network"},
		"a policy too large":     {change: replace(`"arn:aws:s3:::site/*"`, strings.Join(tooMuch, ", ")), status: 2, message: "2048", hint: "allow"},
		"another job":            {change: replace("refs/heads/main", "refs/heads/release"), status: 1, message: "is not for this job", hint: "refs/heads/release"},
		"no such grant":          {change: replace("deploy-site:", "deploy-docs:"), status: 2, message: `no grant "deploy-site"`, hint: "deploy-docs"},
		"an unknown key":         {change: replace("grants:", "grant: {}\ngrants:"), status: 2, message: `there is no key "grant"`, hint: "grants"},
		"the wrong account":      {prepare: otherAccount, status: 3, message: "another identity", hint: "nothing was handed over"},
		"a dead endpoint":        {prepare: deadEndpoint, status: 3, message: "refuses connections", hint: "endpoint"},
		"a slow endpoint":        {prepare: slowEndpoint, status: 3, message: "did not answer in time", hint: "network"},
		"an issuer elsewhere":    {prepare: issuerElsewhere, status: 3, message: "ACTIONS_ID_TOKEN_REQUEST_URL is not used", hint: "nothing was sent"},
		"receipts in a link":     {prepare: linkedReceipts, status: 2, message: "receipt", hint: "path"},
		"no command by the name": {prepare: func(*testing.T, *scene) {}, status: 127, message: `there is no command`, hint: "PATH"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			text := grants
			s := newScene(t, text, c.fault)
			if c.change != nil {
				text = c.change(text)
				if err := os.WriteFile(s.file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if c.prepare != nil {
				c.prepare(t, s)
			}
			witness := filepath.Join(s.dir, "witness")
			command := []string{"touch", witness}
			if c.status == 127 {
				command = []string{"no-such-command-anywhere"}
			}
			status, message, hint := s.exec(t.Context(), command...)
			if status != c.status || !strings.Contains(message, c.message) || !strings.Contains(hint, c.hint) || hint == "" {
				t.Errorf("status %d\n%s\n%s", status, message, hint)
			}
			for _, line := range []string{message, hint} {
				if strings.ContainsAny(line, "\n\x1b") || len(line) > 1000 {
					t.Errorf("not one line: %q", line)
				}
			}
			if _, err := os.Stat(witness); err == nil {
				t.Error("the command ran")
			}
			s.noSecrets(t, message+hint)
		})
	}
}

func replace(old, with string) func(string) string {
	return func(text string) string { return strings.ReplaceAll(text, old, with) }
}

// otherAccount has the reply name another account than the one asked.
func otherAccount(_ *testing.T, s *scene) {
	next := s.at.transport
	s.at.transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body = io.NopCloser(strings.NewReader(strings.ReplaceAll(string(b), "sts::111122223333:", "sts::999999999999:")))
		return resp, err
	})
}

// deadEndpoint asks at an address where nobody listens any more.
func deadEndpoint(t *testing.T, s *scene) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	rewriteGrant(t, s, "      region:", "      endpoint: http://"+l.Addr().String()+"\n      region:")
}

// slowEndpoint asks one that lets the time run out, which passes at once here.
func slowEndpoint(_ *testing.T, s *scene) {
	s.at.transport = roundTrip(func(*http.Request) (*http.Response, error) {
		s.pass(15 * time.Second)
		return nil, timeout{}
	})
}

// issuerElsewhere is what an earlier step of a job can try.
func issuerElsewhere(_ *testing.T, s *scene) {
	s.env["ACTIONS_ID_TOKEN_REQUEST_URL"] = "https://evil.example/?api-version=2.0"
}

func linkedReceipts(t *testing.T, s *scene) {
	if err := os.Symlink(filepath.Join(s.dir, "elsewhere"), filepath.Join(s.dir, "receipts.jsonl")); err != nil {
		t.Skip(err)
	}
}

func rewriteGrant(t *testing.T, s *scene, old, with string) {
	t.Helper()
	b, err := os.ReadFile(s.file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.file, []byte(strings.Replace(string(b), old, with, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// noSecrets looks for the secrets in everything that was written.
func (s *scene) noSecrets(t *testing.T, more string) {
	t.Helper()
	texts := map[string]string{"error": more, "stdout": s.stdout.String(), "stderr": s.stderr.String()}
	err := filepath.WalkDir(s.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		texts[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range texts {
		for _, secret := range s.secrets {
			if secret != "" && strings.Contains(text, secret) {
				t.Errorf("a secret is in %s:\n%s", where, text)
			}
		}
	}
}

// A token from a file is traded like the runner's. The real exec takes it for what
// it is: the token of another issuer, which goes nowhere.
func TestExecWithATokenFile(t *testing.T) {
	s := newScene(t, grants, nil)
	token, err := s.Token(s.job, "sts.amazonaws.com")
	if err != nil {
		t.Fatal(err)
	}
	s.secrets = append(s.secrets, token)
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	o := execOptions{file: s.file, tokenFile: path}
	for name := range s.env {
		if strings.HasPrefix(name, "ACTIONS_") {
			delete(s.env, name)
		}
	}
	command := []string{"deploy-site", "true"}
	if err := runExec(t.Context(), s.w, s.at, o, command); err != nil {
		t.Errorf("%v\n%s", err, s.stderr.String())
	}
	real := venue{transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		t.Errorf("asked %s", r.URL)
		return nil, timeout{}
	})}
	err = runExec(t.Context(), s.w, real, o, command)
	if err == nil || statusOf(err) != exitFindings || !strings.Contains(s.stderr.String(), "iss (issuer)\n  expected    "+publicIssuer+"\n") {
		t.Errorf("%v\n%s", err, s.stderr.String())
	}
	s.noSecrets(t, "")
}

// Interrupted before the command runs, exec ends what it has and runs nothing.
func TestExecInterruptedBeforeTheCommand(t *testing.T) {
	s := newScene(t, grants, nil)
	ctx, cancel := context.WithCancel(t.Context())
	next := s.at.transport
	s.at.transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		cancel() // when the credential is on its way
		return resp, err
	})
	witness := filepath.Join(s.dir, "witness")
	status, message, _ := s.exec(ctx, "touch", witness)
	if _, err := os.Stat(witness); err == nil || status != exitIncomplete || !strings.HasPrefix(message, "stopped before") {
		t.Errorf("status %d, %s", status, message)
	}
	s.noSecrets(t, message)
}
