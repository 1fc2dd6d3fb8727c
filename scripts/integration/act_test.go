//go:build integration

package integration_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
)

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
	a.open("the runner's own handling of masks, of the state between main and post, of a cancelled job, and how it empties its temporary directory: act has its own")
	a.open("node24: act takes the node of the machine (%s) whatever action.yml says", strings.TrimSpace(a.run("node", "--version")))
	a.open("the launcher's download and its list of checksums: a local action may bring a binary of its own")
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
	a.checkEnded("that job", out, vars)
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
func (a *actor) checkEnded(job, out string, vars map[string]string) {
	a.check(strings.Contains(out, "Post ./"), "post of %s ran", job)
	a.check(strings.Contains(out, "aws cannot end a session early"), "post says what became of the lease%s", unless(strings.Contains(out, "aws cannot end"), out))
	a.check(!strings.Contains(out, vars["AWS_SECRET_ACCESS_KEY"]) && !strings.Contains(out, vars["AWS_SESSION_TOKEN"]), "neither secret key nor session token is in the log of %s", job)
	left := a.left()
	a.check(left == "", "nothing is left behind by %s%s", job, unless(left == "", left))
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
	a.checkEnded("the failed job", out, vars)
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
