package sandbox_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/stint-dev/stint/oidc/sandbox"
)

// assume opens a session and returns its keys.
func assume(t *testing.T, s *sandbox.Sandbox, changes map[string]string) aws.Credentials {
	t.Helper()
	_, body := post(t, s, assumeForm(token(t, s, pushJob()), changes))
	var reply struct {
		Result struct {
			Credentials struct{ AccessKeyId, SecretAccessKey, SessionToken string }
		} `xml:"AssumeRoleWithWebIdentityResult"`
	}
	if err := xml.Unmarshal([]byte(body), &reply); err != nil || reply.Result.Credentials.AccessKeyId == "" {
		t.Fatalf("no session: %v %s", err, body)
	}
	c := reply.Result.Credentials
	return aws.Credentials{AccessKeyID: c.AccessKeyId, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}
}

// signed makes a request that AWS's own signer has signed.
func signed(t *testing.T, c aws.Credentials, at time.Time, method, address, body string) *http.Request {
	t.Helper()
	return signedFor(t, c, at, "s3", newRequest(t, method, address, strings.NewReader(body)), body)
}

func signedFor(t *testing.T, c aws.Credentials, at time.Time, service string, r *http.Request, body string) *http.Request {
	t.Helper()
	sum := sha256.Sum256([]byte(body))
	hash := hex.EncodeToString(sum[:])
	if service == "s3" {
		r.Header.Set("X-Amz-Content-Sha256", hash)
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	if err := signer.SignHTTP(t.Context(), c, r, hash, service, "eu-west-1", at); err != nil {
		t.Fatal(err)
	}
	return r
}

// expect sends a request and compares status and code.
func expect(t *testing.T, r *http.Request, status int, code string) string {
	t.Helper()
	resp, body := do(t, r)
	if resp.StatusCode != status || errorCode(body) != code {
		t.Errorf("%s %s: status %d, code %q; want %d, %q", r.Method, r.URL.Path, resp.StatusCode, errorCode(body), status, code)
	}
	return body
}

// sessionPolicy is what stint sends for a grant of one right with a short ttl.
func sessionPolicy(until time.Time) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::press/site/*"},`+
		`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":%q}}}]}`, until.Format(time.RFC3339))
}

// TestGrantBoundsTheSession is what a demonstration shows: the put that the grant
// names goes through; another place, another right and another hour do not.
func TestGrantBoundsTheSession(t *testing.T) {
	t.Parallel()
	s, c := start(t, sandbox.Options{Roles: []sandbox.Role{shipRole()}})
	until := c.Now().Add(5 * time.Minute)
	inside := assume(t, s, map[string]string{"Policy": sessionPolicy(until), "DurationSeconds": "900"})
	whole := assume(t, s, nil)
	url := func(path string) string { return s.StoreURL() + path }

	expect(t, signed(t, inside, c.Now(), "PUT", url("/press/site/index.html"), "hello"), 200, "")
	expect(t, signed(t, inside, c.Now(), "PUT", url("/press/other.html"), "hello"), 403, "AccessDenied")
	expect(t, signed(t, inside, c.Now(), "PUT", url("/elsewhere/site/index.html"), "hello"), 403, "AccessDenied")
	expect(t, signed(t, inside, c.Now(), "GET", url("/press/site/index.html"), ""), 403, "AccessDenied")
	expect(t, signed(t, inside, c.Now(), "DELETE", url("/press/site/index.html"), ""), 403, "AccessDenied")

	// Without a session policy the role's own rights hold, and no more.
	if got := expect(t, signed(t, whole, c.Now(), "GET", url("/press/site/index.html"), ""), 200, ""); got != "hello" {
		t.Errorf("read %q", got)
	}
	expect(t, signed(t, whole, c.Now(), "PUT", url("/elsewhere/x"), "x"), 403, "AccessDenied")

	// A session policy gives nothing that the role does not have.
	wide := assume(t, s, map[string]string{"Policy": `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`})
	expect(t, signed(t, wide, c.Now(), "PUT", url("/press/x"), "x"), 200, "")
	expect(t, signed(t, wide, c.Now(), "PUT", url("/elsewhere/x"), "x"), 403, "AccessDenied")

	c.Advance(5 * time.Minute)
	expect(t, signed(t, inside, c.Now(), "PUT", url("/press/site/index.html"), "at the time"), 200, "")
	c.Advance(time.Second)
	expect(t, signed(t, inside, c.Now(), "PUT", url("/press/site/index.html"), "too late"), 403, "AccessDenied")

	c.Advance(10 * time.Minute)
	expect(t, signed(t, inside, c.Now(), "PUT", url("/press/site/index.html"), "over"), 400, "ExpiredToken")
	if got := expect(t, signed(t, whole, c.Now(), "GET", url("/press/site/index.html"), ""), 200, ""); got != "at the time" {
		t.Errorf("read %q", got)
	}
	expect(t, signed(t, whole, c.Now(), "DELETE", url("/press/site/index.html"), ""), 204, "")
	expect(t, signed(t, whole, c.Now(), "GET", url("/press/site/index.html"), ""), 404, "NoSuchKey")
}

// TestManagedPolicyBoundsTheSession: a managed session policy narrows as well.
func TestManagedPolicyBoundsTheSession(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:iam::444455556666:policy/read"
	s, c := start(t, sandbox.Options{
		Roles:           []sandbox.Role{shipRole()},
		ManagedPolicies: map[string]string{arn: `{"Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}`},
	})
	keys := assume(t, s, map[string]string{"PolicyArns.member.1.arn": arn})
	expect(t, signed(t, keys, c.Now(), "PUT", s.StoreURL()+"/press/x", "x"), 403, "AccessDenied")
	expect(t, signed(t, keys, c.Now(), "GET", s.StoreURL()+"/press/x", ""), 404, "NoSuchKey")
}

// TestSignedPaths: the signature check agrees with AWS's signer on awkward names.
func TestSignedPaths(t *testing.T) {
	t.Parallel()
	s, c := start(t, sandbox.Options{Roles: []sandbox.Role{shipRole()}})
	keys := assume(t, s, nil)
	for _, path := range []string{
		"/press/a%20b", "/press/%C3%A9%E2%82%AC", "/press/a%2Bb", "/press/x?x-id=PutObject", "/press/x?b=2&a=1&a=0",
		"/press/x?q=a%20b%2Fc", "/press/a//b", "/press/a/../b", "/press/~-_.%21%2A%27%28%29", "/press/%25", "/press/a%3Db%26c",
	} {
		expect(t, signed(t, keys, c.Now(), "PUT", s.StoreURL()+path, "x"), 200, "")
	}
}

// TestSignatureOfRequests: whatever is changed after signing is refused.
func TestSignatureOfRequests(t *testing.T) {
	t.Parallel()
	s, c := start(t, sandbox.Options{Roles: []sandbox.Role{shipRole()}})
	keys, others := assume(t, s, nil), assume(t, s, nil)
	good := func() *http.Request { return signed(t, keys, c.Now(), "PUT", s.StoreURL()+"/press/x", "body") }
	tests := []struct {
		name   string
		make   func() *http.Request
		status int
		code   string
	}{
		{"untouched", good, 200, ""},
		{"another body", func() *http.Request {
			r := good()
			r.Body = http.NoBody
			r.ContentLength = 0
			return r
		}, 400, "XAmzContentSHA256Mismatch"},
		{"another body and hash", func() *http.Request {
			r := good()
			fresh := signed(t, others, c.Now(), "PUT", s.StoreURL()+"/press/x", "evil")
			r.Body, r.ContentLength = fresh.Body, fresh.ContentLength
			r.Header.Set("X-Amz-Content-Sha256", fresh.Header.Get("X-Amz-Content-Sha256"))
			return r
		}, 403, "SignatureDoesNotMatch"},
		{"another path", func() *http.Request { r := good(); r.URL.Path = "/press/y"; return r }, 403, "SignatureDoesNotMatch"},
		{"another query", func() *http.Request { r := good(); r.URL.RawQuery = "a=b"; return r }, 403, "SignatureDoesNotMatch"},
		{"another method", func() *http.Request { r := good(); r.Method = "DELETE"; return r }, 403, "SignatureDoesNotMatch"},
		{"another date", func() *http.Request {
			r := good()
			r.Header.Set("X-Amz-Date", c.Now().Add(time.Second).Format("20060102T150405Z"))
			return r
		}, 403, "SignatureDoesNotMatch"},
		{"date of another day", func() *http.Request {
			r := good()
			r.Header.Set("X-Amz-Date", c.Now().AddDate(0, 0, 1).Format("20060102T150405Z"))
			return r
		}, 403, "SignatureDoesNotMatch"},
		{"no date", func() *http.Request { r := good(); r.Header.Del("X-Amz-Date"); return r }, 403, "SignatureDoesNotMatch"},
		{"unsigned x-amz header", func() *http.Request { r := good(); r.Header.Set("X-Amz-Acl", "public-read"); return r }, 403, "SignatureDoesNotMatch"},
		{"another secret", func() *http.Request {
			k := keys
			k.SecretAccessKey = others.SecretAccessKey
			return signed(t, k, c.Now(), "PUT", s.StoreURL()+"/press/x", "body")
		}, 403, "SignatureDoesNotMatch"},
		{"another session's token", func() *http.Request {
			k := keys
			k.SessionToken = others.SessionToken
			return signed(t, k, c.Now(), "PUT", s.StoreURL()+"/press/x", "body")
		}, 400, "InvalidToken"},
		{"no session token", func() *http.Request {
			k := keys
			k.SessionToken = ""
			return signed(t, k, c.Now(), "PUT", s.StoreURL()+"/press/x", "body")
		}, 400, "InvalidToken"},
		{"unknown key", func() *http.Request {
			k := keys
			k.AccessKeyID = "ASIAAAAAAAAAAAAAAAAA"
			return signed(t, k, c.Now(), "PUT", s.StoreURL()+"/press/x", "body")
		}, 403, "InvalidAccessKeyId"},
		{"too early", func() *http.Request {
			return signed(t, keys, c.Now().Add(16*time.Minute), "PUT", s.StoreURL()+"/press/x", "body")
		}, 403, "RequestTimeTooSkewed"},
		{"too old", func() *http.Request {
			return signed(t, keys, c.Now().Add(-16*time.Minute), "PUT", s.StoreURL()+"/press/x", "body")
		}, 403, "RequestTimeTooSkewed"},
		{"for another service", func() *http.Request {
			return signedFor(t, keys, c.Now(), "sts", newRequest(t, "PUT", s.StoreURL()+"/press/x", strings.NewReader("body")), "body")
		}, 400, "AuthorizationHeaderMalformed"},
		{"not signed", func() *http.Request {
			return newRequest(t, "PUT", s.StoreURL()+"/press/x", strings.NewReader("body"))
		}, 403, "AccessDenied"},
		{"not a signature", func() *http.Request { r := good(); r.Header.Set("Authorization", "Bearer x"); return r }, 400, "AuthorizationHeaderMalformed"},
		{"a chunked upload", func() *http.Request {
			r := newRequest(t, "PUT", s.StoreURL()+"/press/x", strings.NewReader("body"))
			r.Header.Set("X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
			if err := v4.NewSigner().SignHTTP(t.Context(), keys, r, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "s3", "eu-west-1", c.Now()); err != nil {
				t.Fatal(err)
			}
			return r
		}, 501, "NotImplemented"},
		{"a bucket", func() *http.Request { return signed(t, keys, c.Now(), "GET", s.StoreURL()+"/press", "") }, 501, "NotImplemented"},
		{"another verb", func() *http.Request { return signed(t, keys, c.Now(), "POST", s.StoreURL()+"/press/x", "") }, 501, "NotImplemented"},
		{"too large", func() *http.Request {
			return signed(t, keys, c.Now(), "PUT", s.StoreURL()+"/press/x", strings.Repeat("x", 1<<20+1))
		}, 413, "RequestEntityTooLarge"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { expect(t, tt.make(), tt.status, tt.code) })
	}
}

// TestConditionOfAKeyThatIsNotKnown: the sandbox refuses what it cannot decide.
func TestConditionOfAKeyThatIsNotKnown(t *testing.T) {
	t.Parallel()
	var buffer logBuffer
	s, c := start(t, sandbox.Options{Roles: []sandbox.Role{shipRole()}, Log: buffer.logger()})
	keys := assume(t, s, map[string]string{
		"Policy": `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"s3:x-amz-acl":"private"}}}}`,
	})
	expect(t, signed(t, keys, c.Now(), "PUT", s.StoreURL()+"/press/x", "x"), 403, "AccessDenied")
	if !strings.Contains(buffer.String(), `value of \"s3:x-amz-acl\" is not known`) {
		t.Errorf("the log does not say why:\n%s", buffer.String())
	}
}
