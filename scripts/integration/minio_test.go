//go:build integration

package integration_test

import (
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"

	"github.com/stint-dev/stint/oidc/sandbox"
)

// TestMinIO trades a grant at MinIO's STS and uses what it gets at MinIO's S3.
func TestMinIO(t *testing.T) {
	p := begin(t, "MinIO, as STS and S3")
	binary := p.binary("STINT_MINIO", "minio")
	s := newStage(p, sandbox.Options{})
	root, endpoint := s.startMinIO(binary)
	s.makeBuckets(root)
	role := minioRole(sandbox.DefaultAudience)
	s.use(role, endpoint, "1m")
	narrow, whole := s.lease("deploy-site"), s.lease("whole-role")
	s.check(true, "a token of our issuer is taken, its keys read from the discovery document, and a session comes back")
	s.checkTokens()
	client := func(keys awssdk.Credentials) client { return client{s.ctx, endpoint, "s3", keys} }
	s.checkRights(client(leaseKeys(narrow.Vars())), client(leaseKeys(whole.Vars())))
	s.checkDeny(narrow, client(leaseKeys(narrow.Vars())))

	s.open("identity: MinIO states none, so stint's check of account, role and session name has nothing to compare")
	s.open("trust: MinIO tests signature, expiry and audience only; any repository that our issuer signs for gets the role")
	s.open("AWS's own limits: packed policy size, MaxSessionDuration, regional endpoints, error codes")
}

// startMinIO starts a server with one role, which may do everything and which tokens for our audience open.
func (s *stage) startMinIO(binary string) (root client, endpoint string) {
	user, password := rand.Text(), rand.Text()
	address, dir := freeAddress(s.t), s.t.TempDir()
	endpoint = "http://" + address
	server := s.serve(dir, []string{
		"HOME=" + dir,
		"MINIO_ROOT_USER=" + user, "MINIO_ROOT_PASSWORD=" + password,
		"MINIO_UPDATE=off", "MINIO_BROWSER=off", "MINIO_CI_CD=on",
		"MINIO_IDENTITY_OPENID_CONFIG_URL=" + s.issuer.IssuerURL() + "/.well-known/openid-configuration",
		"MINIO_IDENTITY_OPENID_CLIENT_ID=" + sandbox.DefaultAudience,
		"MINIO_IDENTITY_OPENID_ROLE_POLICY=readwrite",
	}, binary, "server", "--quiet", "--address", address, dir+"/data")
	root = client{s.ctx, endpoint, "s3", awssdk.Credentials{AccessKeyID: user, SecretAccessKey: password}}
	// MinIO calls itself ready before it knows its users.
	s.waitUntil(server, func() bool { r, err := root.do(http.MethodGet, "/", ""); return err == nil && r.ok() })
	return root, endpoint
}

// minioRole is the role of a provider with a role policy: MinIO names it by the hash of the client id.
func minioRole(clientID string) string {
	sum := sha1.Sum([]byte(clientID))
	return "arn:minio:iam:::role/" + base64.RawURLEncoding.EncodeToString(sum[:])
}
