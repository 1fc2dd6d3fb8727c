//go:build integration

package integration_test

import (
	"encoding/pem"
	"errors"
	"fmt"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/stint-dev/stint/oidc/sandbox"
)

// actGrants are the grants of the repository that act runs: one for the workflow, one for another.
const actGrants = `version: 1
grants:
  deploy-site:
    intent: publish the built site
    owner: "@acme/web"
    for: { workflow: .github/workflows/deploy.yml, refs: [refs/heads/main], events: [push] }
    ttl: 5m
    aws:
      role: arn:aws:iam::111122223333:role/site-deploy
      region: us-east-1
      endpoint: %[1]s
      allow: [{ actions: [s3:PutObject, s3:GetObject], resources: ["arn:aws:s3:::site/public/*"] }]
  release:
    intent: publish a release
    owner: "@acme/web"
    for: { workflow: .github/workflows/release.yml, refs: [refs/heads/main], events: [push] }
    ttl: 5m
    aws:
      role: arn:aws:iam::111122223333:role/site-release
      region: us-east-1
      endpoint: %[1]s
`

// An actor is a repository that act can run, beside a server of its own: a GitHub server on loopback, under TLS, that
// the job is told is its own. So the very binary that "make build" gives is run: stint asks its own server for
// tokens, and needs no switch for it. Only the certificate is one that the machine does not know, hence SSL_CERT_FILE.
type actor struct {
	*stage
	binary string
	dir    string // all below it
	front  *httptest.Server
}

// startServer puts TLS before the issuer, under the name of the GitHub server that it stands for.
func (a *actor) startServer(p *proof) {
	var issuer *url.URL
	a.front = httptest.NewUnstartedServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(issuer) }})
	a.front.StartTLS()
	p.t.Cleanup(a.front.Close)
	opts := sandbox.Options{Issuer: a.front.URL + "/_services/token"}
	p.must(opts.AddGrants(p.parseGrants(fmt.Appendf(nil, actGrants, "http://127.0.0.1:1")), sandbox.Repository{Name: "acme/site"}), "making the roles")
	a.stage = newStage(p, opts)
	var err error
	issuer, err = url.Parse(a.issuer.IssuerURL())
	p.must(err, "reading the issuer's address")
}

// writeRepository makes the repository that has the action in it: "uses: ./".
func (a *actor) writeRepository() {
	root, err := filepath.Abs("../..")
	a.must(err, "finding the module")
	repo := a.path("repo")
	a.must(os.CopyFS(filepath.Join(repo, "action"), os.DirFS(filepath.Join(root, "action"))), "copying the action")
	for to, from := range map[string]string{"action.yml": filepath.Join(root, "action.yml"), ".github/workflows/deploy.yml": "testdata/deploy.yml"} {
		text, err := os.ReadFile(from)
		a.must(err, "reading "+from)
		a.write(filepath.Join("repo", to), string(text))
	}
	a.write("repo/.github/stint.yml", fmt.Sprintf(actGrants, a.issuer.STSURL()))
	a.run("go", "build", "-trimpath", "-o", filepath.Join(repo, "bin", "stint"), filepath.Join(root, "cmd", "stint"))
	a.run("git", "init", "--quiet", "--initial-branch", "main", repo)
	a.run("git", "-C", repo, "remote", "add", "origin", a.front.URL+"/acme/site.git")
	a.run("git", "-C", repo, "add", "--all")
	a.run("git", "-C", repo, "-c", "user.name=integration", "-c", "user.email=integration@stint.example", "commit", "--quiet", "--message", "all")
	a.must(os.Mkdir(a.path("seen"), 0o700), "making a directory")
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.front.Certificate().Raw})
	a.write("front.pem", string(cert))
}

func (a *actor) path(name string) string { return filepath.Join(a.dir, name) }

func (a *actor) write(name, text string) {
	a.must(os.MkdirAll(filepath.Dir(a.path(name)), 0o700), "making a directory")
	a.must(os.WriteFile(a.path(name), []byte(text), 0o600), "writing "+name)
}

// act runs one job of the workflow and gives what act prints and whether the job succeeded.
func (a *actor) act(job string) (out string, ok bool) {
	run := deployJob()
	run.Name = job
	env, err := a.issuer.Env(run)
	a.must(err, "registering the job")
	vars := []string{
		"ACTIONS_ID_TOKEN_REQUEST_URL=" + strings.Replace(env["ACTIONS_ID_TOKEN_REQUEST_URL"], a.issuer.IssuerURL(), a.front.URL, 1),
		"ACTIONS_ID_TOKEN_REQUEST_TOKEN=" + env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"],
		"GITHUB_RUN_ID=" + run.RunID, "GITHUB_RUN_ATTEMPT=" + run.RunAttempt,
		"SSL_CERT_FILE=" + a.path("front.pem"), "SEEN=" + a.path("seen"),
	}
	a.write("env", strings.Join(vars, "\n")+"\n")
	server, _ := strings.CutPrefix(a.front.URL, "https://")
	cmd := exec.CommandContext(a.ctx, a.binary, "push", "--job", job, "--platform", "ubuntu-latest=-self-hosted",
		"--github-instance", server, "--env-file", a.path("env"), "--rm")
	cmd.Dir = a.path("repo")
	cmd.Env = append(os.Environ(), "HOME="+a.path("home"), "XDG_CACHE_HOME="+a.path("home/cache"), "XDG_CONFIG_HOME="+a.path("home/config"))
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopTimeout
	text, err := cmd.CombinedOutput()
	var status *exec.ExitError
	if err != nil && !errors.As(err, &status) {
		a.must(err, "running act")
	}
	return string(text), err == nil
}
