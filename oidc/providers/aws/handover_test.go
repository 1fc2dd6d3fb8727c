package aws

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	sdkconfig "github.com/aws/aws-sdk-go-v2/config"

	"github.com/stint-dev/stint/oidc"
)

// asSDK loads the default credentials of AWS's own SDK under an environment of its own.
func asSDK(t *testing.T, vars []oidc.Var) (id, secret, session string, expires time.Time, err error) {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for _, v := range vars {
		t.Setenv(v.Name, v.Value.Reveal())
	}
	c, err := sdkconfig.LoadDefaultConfig(t.Context(), sdkconfig.WithRetryMaxAttempts(1))
	if err != nil {
		t.Fatal(err)
	}
	if c.Region != "eu-west-1" {
		t.Errorf("region %q", c.Region)
	}
	k, err := c.Credentials.Retrieve(t.Context())
	return k.AccessKeyID, k.SecretAccessKey, k.SessionToken, k.Expires, err
}

func brokeredOf(t *testing.T, p oidc.Provider) oidc.Brokered {
	t.Helper()
	b, ok := p.(oidc.Brokered)
	if !ok {
		t.Fatal("not brokered")
	}
	return b
}

// AWS's own SDK finds the endpoint by the variables, sends the bearer as it is, and
// takes the answer with the earlier of the two ends.
func TestTheSDKAsksTheEndpoint(t *testing.T) {
	b := newBench(t, 2*time.Minute, good(goodFields(time.Now().Add(15*time.Minute))))
	p := brokeredOf(t, b.provider)
	c, err := b.exchange(t)
	if err != nil {
		t.Fatal(err)
	}
	c.UsableUntil = time.Now().Add(10 * time.Minute).UTC().Truncate(time.Second)
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if got := r.Header.Get("Authorization"); got != "the-bearer" || r.URL.Path != "/one" {
			t.Errorf("asked %s with %q", r.URL, got)
		}
		body, err := p.Answer(r.Context(), c, oidc.Request{})
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(body.Reveal()))
	}))
	defer server.Close()
	vars, files := p.Point(server.URL+"/one", oidc.NewSecret("the-bearer"))
	if len(files) != 0 {
		t.Errorf("files %v", files)
	}
	for _, v := range vars {
		if v.Public == (v.Value.Reveal() == "the-bearer") {
			t.Errorf("%s: public is %v", v.Name, v.Public)
		}
	}
	want := keysOf(c)
	id, secret, session, expires, err := asSDK(t, vars)
	if err != nil || asked != 1 || id != want.AccessKeyID || secret != want.SecretAccessKey || session != want.SessionToken || id == "" {
		t.Fatalf("%v after %d requests", err, asked)
	}
	// The SDK asks again five minutes ahead of what it is told.
	if want := c.UsableUntil.Add(-5 * time.Minute); !expires.Equal(want) {
		t.Errorf("expires %s, want %s", expires, want)
	}
}

func TestTheSDKReadsTheFile(t *testing.T) {
	b := newBench(t, 15*time.Minute, good(goodFields(time.Now().Add(15*time.Minute))))
	c, err := b.exchange(t)
	if err != nil {
		t.Fatal(err)
	}
	vars, files := b.provider.InFiles(c)
	if len(files) != 1 || strings.Contains(vars[0].Value.Reveal()+vars[1].Value.Reveal(), keysOf(c).SecretAccessKey) {
		t.Fatalf("%v %v", vars, files)
	}
	path := filepath.Join(t.TempDir(), files[0].Name)
	if err := os.WriteFile(path, []byte(files[0].Content.Reveal()), 0o600); err != nil {
		t.Fatal(err)
	}
	id, secret, session, _, err := asSDK(t, append(vars, oidc.Var{Name: files[0].Var, Value: oidc.NewSecret(path)}))
	if want := keysOf(c); err != nil || id != want.AccessKeyID || secret != want.SecretAccessKey || session != want.SessionToken {
		t.Error(err)
	}
}

// The answer has the four fields of the endpoint and no other.
func TestAnswerOfTheEndpoint(t *testing.T) {
	b := newBench(t, 15*time.Minute, good(goodFields(time.Now().Add(15*time.Minute))))
	c, err := b.exchange(t)
	if err != nil {
		t.Fatal(err)
	}
	body, err := b.provider.Answer(context.Background(), c, oidc.Request{})
	var fields map[string]string
	if err != nil || json.Unmarshal([]byte(body.Reveal()), &fields) != nil || len(fields) != 4 {
		t.Fatalf("%v, %d fields", err, len(fields))
	}
	for _, name := range []string{"AccessKeyId", "SecretAccessKey", "Token", "Expiration"} {
		if fields[name] == "" {
			t.Errorf("no %s", name)
		}
	}
}
