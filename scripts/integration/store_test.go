//go:build integration

package integration_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"io"
	"net/http"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/stint-dev/stint/oidc"
)

// region is what both servers take their requests to be for.
const region = "us-east-1"

const maxReplyBytes = 1 << 20

// A client signs requests to a server with somebody's keys, as an AWS SDK would.
type client struct {
	ctx      context.Context
	endpoint string
	service  string // "s3" or "iam"
	keys     awssdk.Credentials
}

// A reply is a server's answer. Code is that of an error, "" without one.
type reply struct {
	status int
	code   string
	body   string
}

func (r reply) ok() bool      { return r.status >= 200 && r.status < 300 }
func (r reply) refused() bool { return r.status == http.StatusForbidden && r.code == "AccessDenied" }

// leaseKeys are the keys that a lease hands over.
func leaseKeys(vars []oidc.Var) awssdk.Credentials {
	var keys awssdk.Credentials
	for _, v := range vars {
		switch v.Name {
		case "AWS_ACCESS_KEY_ID":
			keys.AccessKeyID = v.Value.Reveal()
		case "AWS_SECRET_ACCESS_KEY":
			keys.SecretAccessKey = v.Value.Reveal()
		case "AWS_SESSION_TOKEN":
			keys.SessionToken = v.Value.Reveal()
		}
	}
	return keys
}

// makeBuckets makes the bucket that the grant names, and another.
func (p *proof) makeBuckets(as client) {
	p.t.Helper()
	for _, bucket := range []string{"site", "other"} {
		r, err := as.put(bucket, "")
		p.must(err, "making the bucket "+bucket)
		p.check(r.ok(), "the bucket %s is made (%s)", bucket, statusText(r.status, r.code))
	}
}

func (c client) put(object, text string) (reply, error) {
	return c.do(http.MethodPut, "/"+object, text)
}
func (c client) get(object string) (reply, error)    { return c.do(http.MethodGet, "/"+object, "") }
func (c client) remove(object string) (reply, error) { return c.do(http.MethodDelete, "/"+object, "") }

// do sends one signed request. A body to the path "/" is a form, which is how IAM is spoken to.
func (c client) do(method, path, body string) (reply, error) {
	req, err := http.NewRequestWithContext(c.ctx, method, c.endpoint+path, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	if path == "/" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	sum := sha256.Sum256([]byte(body))
	digest := hex.EncodeToString(sum[:])
	req.Header.Set("X-Amz-Content-Sha256", digest)
	if err := v4.NewSigner().SignHTTP(c.ctx, c.keys, req, digest, c.service, region, time.Now()); err != nil {
		return reply{}, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxReplyBytes))
	return reply{resp.StatusCode, errorCode(text), string(text)}, err
}

// errorCode reads <Error><Code>, also where IAM wraps it.
func errorCode(body []byte) string {
	var e struct {
		XMLName xml.Name
		Code    string `xml:"Code"`
		Inner   string `xml:"Error>Code"`
	}
	if xml.Unmarshal(body, &e) != nil {
		return ""
	}
	return e.Code + e.Inner
}
