package sandbox

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Sign must say what the signer of AWS's own SDK says.
func TestSignAgreesWithTheSDK(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.FixedZone("", 3600))
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	const hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
	for _, row := range []struct{ method, url, body, hash, token string }{
		{http.MethodPut, "http://127.0.0.1:9000/site/index.html", "hello", hello, "session"},
		{http.MethodGet, "http://127.0.0.1:9000/site/a%20b/c?x=2&x=1&a=%2F", "", empty, "session"},
		{http.MethodDelete, "https://store.example/site/ü", "", empty, ""},
	} {
		request := func() *http.Request {
			r, err := http.NewRequestWithContext(t.Context(), row.method, row.url, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		ours, theirs := request(), request()
		Sign(ours, []byte(row.body), Keys{"AKIDEXAMPLE", "secret", row.token}, "eu-west-1", "s3", now)
		theirs.Header.Set(payloadHeader, row.hash)
		signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
		keys := aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret", SessionToken: row.token}
		if err := signer.SignHTTP(t.Context(), keys, theirs, row.hash, "s3", "eu-west-1", now); err != nil {
			t.Fatal(err)
		}
		if got, want := ours.Header.Get("Authorization"), theirs.Header.Get("Authorization"); got != want || strings.Contains(got, "secret") {
			t.Errorf("%s %s:\n%s\n%s", row.method, row.url, got, want)
		}
	}
}
