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
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"

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

// TestAct runs the action in jobs: action.yml, the launcher, main and post, as a runner that others wrote reads them.
func TestAct(t *testing.T) {
	p := begin(t, "act, as runner")
	a := &actor{binary: p.binary("STINT_ACT", "act"), dir: t.TempDir()}
	p.installed("git", "node", "bash")
	a.startServer(p)
	a.writeRepository()
	a.checkPublish()
	a.checkBroken()
	a.checkRefused()
	a.open("the runner's own handling of masks, of the state between main and post, and of a cancelled job: act has its own")
	a.open("node24: act takes the node of the machine (%s) whatever action.yml says", strings.TrimSpace(a.run("node", "--version")))
	a.open("the launcher's download and its list of checksums: a local action may bring a binary of its own")
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
	cmd.WaitDelay = 10 * time.Second
	text, err := cmd.CombinedOutput()
	var status *exec.ExitError
	if err != nil && !errors.As(err, &status) {
		a.must(err, "running act")
	}
	return string(text), err == nil
}

// seen reads what a step wrote down of its environment, nil when it did not run.
func (a *actor) seen(name string) map[string]string {
	text, err := os.ReadFile(a.path(filepath.Join("seen", name)))
	if err != nil {
		return nil
	}
	vars := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		vars[name] = value
	}
	return vars
}

func (a *actor) checkPublish() {
	out, ok := a.act("publish")
	a.check(ok, "a job with the action in it succeeds%s", unless(ok, out))
	before, vars := a.seen("publish-before"), a.seen("publish")
	a.check(before != nil && len(before) == 0, "the step before it has no credentials")
	a.check(vars["AWS_SECRET_ACCESS_KEY"] != "" && vars["AWS_SESSION_TOKEN"] != "" && vars["AWS_REGION"] == region, "the step after it has them, and the region")
	a.check(vars["IDENTITY"] == "arn:aws:sts::111122223333:assumed-role/site-deploy/gh-9876543210-2-site", "the output identity is %s", vars["IDENTITY"])
	a.check(vars["EXPIRES"] != "", "the output expires is %s", vars["EXPIRES"])
	a.checkUse(vars)
	masked := strings.Contains(out, "a careless step says *** and ***")
	a.check(masked, "a step that prints them prints *** and ***%s", unless(masked, out))
	a.checkEnded(out, vars)
}

// checkUse uses what the step was given, at the sandbox's store.
func (a *actor) checkUse(vars map[string]string) {
	c := client{a.ctx, a.issuer.StoreURL(), "s3", awssdk.Credentials{
		AccessKeyID: vars["AWS_ACCESS_KEY_ID"], SecretAccessKey: vars["AWS_SECRET_ACCESS_KEY"], SessionToken: vars["AWS_SESSION_TOKEN"]}}
	in, errIn := c.put("site/public/index.html", "built")
	outside, errOut := c.put("site/private/index.html", "built")
	a.checkSeen(seen{"put of an object that the grant names, with the step's credentials", in, errIn, true},
		seen{"put beside it", outside, errOut, false})
}

// checkEnded holds what must be true of every job that was given a lease, however it ended.
func (a *actor) checkEnded(out string, vars map[string]string) {
	a.check(strings.Contains(out, "Post ./"), "post ran")
	a.check(strings.Contains(out, "aws cannot end a session early"), "post says what became of the lease%s", unless(strings.Contains(out, "aws cannot end"), out))
	a.check(!strings.Contains(out, vars["AWS_SECRET_ACCESS_KEY"]) && !strings.Contains(out, vars["AWS_SESSION_TOKEN"]), "neither secret key nor session token is in the log of the job")
	left := a.left()
	a.check(left == "", "nothing is left behind%s", unless(left == "", left))
}

// left lists what is there after a job and was not before, but for act's own cache. Like the runner, act itself empties
// the temporary directory of a job, where the launcher's copy of the binary and the receipts are.
func (a *actor) left() string {
	list := a.run("git", "-C", a.path("repo"), "status", "--porcelain")
	err := filepath.WalkDir(a.path("home"), func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !strings.Contains(path, "actcache") {
			list += path + "\n"
		}
		return err
	})
	a.must(err, "looking for what is left")
	return list
}

func (a *actor) checkBroken() {
	out, ok := a.act("broken")
	vars := a.seen("broken")
	a.check(!ok && vars["AWS_SECRET_ACCESS_KEY"] != "" && a.seen("broken-after") == nil, "a step after the action fails, and so does the job")
	a.checkEnded(out, vars)
}

func (a *actor) checkRefused() {
	out, ok := a.act("refused")
	vars := a.seen("refused")
	a.check(!ok && vars != nil && len(vars) == 0, "a job that asks for a grant of another workflow fails, and its later steps get nothing%s", unless(!ok, out))
	a.check(strings.Contains(out, "release.yml"), "the log says which workflow the grant is for%s", unless(strings.Contains(out, "release.yml"), out))
}

// unless is the text that explains a check that failed.
func unless(ok bool, text string) string {
	if ok {
		return ""
	}
	return ":\n" + text
}
