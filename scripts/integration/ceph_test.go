//go:build integration

package integration_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"

	"github.com/stint-dev/stint/oidc/sandbox"
)

// cephBinaries are what a cluster needs; all come with a distribution's packages.
var cephBinaries = []string{"ceph-mon", "ceph-mgr", "ceph-osd", "ceph", "ceph-authtool", "monmaptool", "radosgw", "radosgw-admin"}

// cephRole begins the ARN of a role: users without a tenant have no account.
const cephRole = "arn:aws:iam:::role/"

// iamVersion is the version of the IAM API.
const iamVersion = "2010-05-08"

// TestCeph trades a grant at the STS of Ceph's object gateway, where roles have trust policies and identities have the
// form of AWS's.
func TestCeph(t *testing.T) {
	p := begin(t, "Ceph object gateway, as STS, IAM and S3")
	p.installed(cephBinaries...)
	s := newStage(p, sandbox.Options{})
	c := s.startCluster()
	admin := c.user("admin", "oidc-provider=*;roles=*")
	iam := client{s.ctx, c.endpoint, "iam", admin}
	c.registerIssuer(iam)
	c.registerRole(iam, "other-deploy", "repo:acme/other:ref:refs/heads/main")
	c.registerRole(iam, "site-deploy", "repo:acme/site:ref:refs/heads/main")

	c.checkRoles()
	s.use(cephRole+"site-deploy", c.endpoint, "1m")
	narrow, whole := s.lease("deploy-site"), s.lease("whole-role")
	identity := narrow.Credentials()[0].Identity
	s.check(identity == "arn:aws:sts:::assumed-role/site-deploy/gh-9876543210-2-site", "the identity that came back is the one asked for: %s", identity)
	c.checkTrust()
	s.checkTokens()
	s3 := func(keys awssdk.Credentials) client { return client{s.ctx, c.endpoint, "s3", keys} }
	s.makeBuckets(s3(leaseKeys(whole.Vars())))
	s.checkRights(s3(leaseKeys(narrow.Vars())), s3(leaseKeys(whole.Vars())))
	s.checkDeny(narrow, s3(leaseKeys(narrow.Vars())))

	s.open("trust: conditions on claims other than sub, such as repository_id and job_workflow_ref, and operators other than StringEquals")
	s.open("AWS's own limits: packed policy size, MaxSessionDuration, regional endpoints, error codes, a real account in the ARNs")
}

// registerIssuer makes our issuer known, by the thumbprint of the certificate in its key set (x5c).
func (c *cluster) registerIssuer(iam client) {
	c.iam(iam, "CreateOpenIDConnectProvider", url.Values{
		"Url":                     {c.issuer.Issuer()},
		"ThumbprintList.member.1": {strings.ToUpper(c.issuer.Thumbprint())},
		"ClientIDList.member.1":   {sandbox.DefaultAudience},
	})
}

// registerRole makes a role that may do everything and that one subject of our issuer may assume.
func (c *cluster) registerRole(iam client, name, subject string) {
	issuer := strings.TrimPrefix(c.issuer.Issuer(), "http://")
	c.iam(iam, "CreateRole", url.Values{"RoleName": {name}, "Path": {"/"}, "AssumeRolePolicyDocument": {c.policyText(map[string]any{
		"Effect":    "Allow",
		"Principal": map[string]any{"Federated": []string{"arn:aws:iam:::oidc-provider/" + issuer}},
		"Action":    []string{"sts:AssumeRoleWithWebIdentity"},
		"Condition": map[string]any{"StringEquals": map[string]string{issuer + ":sub": subject}},
	})}})
	c.iam(iam, "PutRolePolicy", url.Values{"RoleName": {name}, "PolicyName": {"all"}, "PolicyDocument": {c.policyText(map[string]any{
		"Effect": "Allow", "Action": []string{"s3:*"}, "Resource": "arn:aws:s3:::*",
	})}})
}

func (c *cluster) iam(as client, action string, form url.Values) {
	form.Set("Action", action)
	form.Set("Version", iamVersion)
	r, err := as.do(http.MethodPost, "/", form.Encode())
	c.must(err, action)
	c.check(r.ok(), "%s: %s", action, statusText(r.status, r.code))
}

// checkRoles tries two roles with jobs of two repositories: each admits one of them. So it is the condition that decides.
func (c *cluster) checkRoles() {
	for _, role := range []string{"other", "site"} {
		c.use(cephRole+role+"-deploy", c.endpoint, "1m")
		for _, repository := range []string{"other", "site"} {
			j := deployJob()
			j.Repository = "acme/" + repository
			_, err := c.exchange("deploy-site", j, nil)
			if what := "the job of " + j.Repository + " at a role that trusts acme/" + role; repository == role {
				c.check(err == nil, "%s gets a session", what)
			} else {
				c.checkRefused(err, what)
			}
		}
	}
}

// checkTrust sends good tokens of jobs that the role's trust policy does not admit.
func (c *cluster) checkTrust() {
	for _, job := range []struct {
		of     string
		change func(*sandbox.Job)
	}{
		{"another repository", func(j *sandbox.Job) { j.Repository = "acme/site2" }},
		{"a repository of that name elsewhere", func(j *sandbox.Job) { j.Repository = "evil/site" }},
		{"a repository in another case", func(j *sandbox.Job) { j.Repository = "Acme/site" }},
		{"another branch", func(j *sandbox.Job) { j.Ref = "refs/heads/feature" }},
		{"a pull request", func(j *sandbox.Job) { j.Event, j.Ref = "pull_request", "refs/pull/7/merge" }},
		{"an environment", func(j *sandbox.Job) { j.Environment = "production" }},
		{"the same job under its immutable subject", func(j *sandbox.Job) { j.ImmutableSubject = true }},
	} {
		j := deployJob()
		job.change(&j)
		_, err := c.exchange("deploy-site", j, nil)
		c.checkRefused(err, "a good token of "+job.of)
	}
}
