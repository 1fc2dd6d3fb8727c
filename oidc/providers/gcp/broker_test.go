package gcp

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2/google"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providertest"
)

// Google's own client library reads the file, asks the loopback with the bearer, and
// makes the exchange.
func TestTheCredentialsFileWorksInGooglesLibrary(t *testing.T) {
	for _, block := range []string{account, "project: my-project"} {
		c := newCloud(t)
		p := c.make(t, "15m", block).(oidc.Brokered)
		bearer := oidc.NewSecret("canary-bearer")
		loopback := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer "+bearer.Reveal() {
				http.Error(w, "who?", http.StatusUnauthorized)
				return
			}
			body, err := p.Answer(r.Context(), nil, c.bench.Request(15*time.Minute))
			if err != nil {
				t.Error(err)
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(body.Reveal()))
		}))
		defer loopback.Close()
		vars, files := p.Point(loopback.URL+"/a", bearer)
		providertest.Silent(t, []string{bearer.Reveal()}, vars, files)
		names := map[string]bool{}
		for _, f := range files {
			names[f.Var] = true
			readByGoogle(t, c, f.Content.Reveal())
		}
		if !names["GOOGLE_APPLICATION_CREDENTIALS"] || !names["CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE"] || len(files) != 2 || files[0].Name == files[1].Name {
			t.Errorf("files %v", names)
		}
		if n := len(c.bench.Tokens()); n != 2 {
			t.Errorf("%d id-tokens for two readings", n)
		}
	}
}

func readByGoogle(t *testing.T, c *cloud, file string) {
	t.Helper()
	for _, token := range c.bench.Tokens() {
		if strings.Contains(file, token) {
			t.Error("the file holds an id-token")
		}
	}
	creds, err := google.CredentialsFromJSONWithType(context.Background(), []byte(file), google.ExternalAccount, cloudPlatform)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := creds.TokenSource.Token()
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := c.tokens[tok.AccessToken]; !ok {
		t.Error("the library has a token that the stand-in did not give")
	}
}

// The file opens what a default token of the account opens; a grant that says less
// must not have it.
func TestWhatIsNarrowedIsNotBrokered(t *testing.T) {
	c := newCloud(t)
	for block, want := range map[string]bool{
		"15m|" + account: true,
		"1h|" + account:  true,
		"5m|" + account:  false, // a file asks for ten minutes at least
		"2h|" + account:  false, // and the libraries for an hour at most, without a word of the organization
		"15m|" + account + ", scopes: [https://www.googleapis.com/auth/devstorage.read_only]":   false,
		"15m|" + account + ", allow: [{ bucket: my-site, permissions: [roles/storage.admin] }]": false,
		"15m|service-account: " + middleman + ", delegates: [" + testAccount + "]":              false,
		"1h|" + account + ", id-token-audience: https://service.example":                        false,
		"15m|project: my-project": true,
	} {
		ttl, rest, _ := strings.Cut(block, "|")
		if _, got := c.make(t, ttl, rest).(oidc.Brokered); got != want {
			t.Errorf("%s: brokered is %v", block, got)
		}
	}
}

func TestTheFileSaysTheLifetime(t *testing.T) {
	c := newCloud(t)
	_, files := c.make(t, "20m", account).(oidc.Brokered).Point("http://127.0.0.1:1/x", oidc.NewSecret("b"))
	var file credentialsFile
	if err := json.Unmarshal([]byte(files[0].Content.Reveal()), &file); err != nil {
		t.Fatal(err)
	}
	if file.Impersonation == nil || file.Impersonation.Seconds != 1200 || file.Audience != "//iam.googleapis.com/"+testProvider || file.Source.Format.Field != subjectField {
		t.Errorf("%+v", file)
	}
}
