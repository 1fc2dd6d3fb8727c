package providers

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
)

const file = `version: 1
grants:
  deploy-site:
    intent: publish the built site
    owner: "@acme/web"
    for: { workflow: .github/workflows/deploy.yml, ref: refs/heads/main }
    aws:
      role: arn:aws:iam::111122223333:role/site-deploy
      region: eu-west-1
      allow: [{ actions: [s3:PutObject], resources: ["arn:aws:s3:::site/*"] }]
`

func parse(t *testing.T, text string, providers ...string) *grant.Grant {
	t.Helper()
	f, err := grant.Parse(grant.Path, []byte(text), grant.Options{Providers: providers})
	if err != nil {
		t.Fatal(err)
	}
	return f.Grants[0]
}

// The key in a grant, the directory and the handle of a provider have one name.
func TestNamesAreTheDirectories(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("*", "provider.go"))
	if err != nil {
		t.Fatal(err)
	}
	var dirs []string
	for _, f := range files {
		dirs = append(dirs, filepath.Dir(f))
	}
	if len(dirs) == 0 || !slices.Equal(Names(), dirs) {
		t.Errorf("names %q, directories %q", Names(), dirs)
	}
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, "doc.go")); err != nil {
			t.Errorf("%s does not introduce itself: %v", dir, err)
		}
	}
}

func TestNewMakesTheProvidersOfAGrant(t *testing.T) {
	made, err := New(parse(t, file, Names()...), Options{})
	if err != nil || len(made) != 1 || made[0].Name() != "aws" || made[0].Audience() != "sts.amazonaws.com" {
		t.Errorf("made %v, %v", made, err)
	}
}

func TestNewRefuses(t *testing.T) {
	bad := parse(t, "version: 1\ngrants:\n  a:\n    intent: x\n    owner: x\n    for: { ref: refs/heads/main }\n    aws: { role: nonsense, region: eu-west-1 }\n", Names()...)
	foreign := parse(t, "version: 1\ngrants:\n  a:\n    intent: x\n    owner: x\n    for: { ref: refs/heads/main }\n    elsewhere: { x: y }\n", "elsewhere")
	for _, g := range []*grant.Grant{bad, foreign} {
		var e *oidc.Error
		if made, err := New(g, Options{}); made != nil || !errors.As(err, &e) || e.Hint == "" {
			t.Errorf("made %v, %v", made, err)
		}
	}
}

func TestEveryProviderHasAnEnderWithTheClock(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	enders := Enders(Options{Now: func() time.Time { return now }})
	for _, name := range Names() {
		h := oidc.Handle{Provider: name, Expires: now.Add(-time.Hour), UsableUntil: now.Add(-time.Hour)}
		if e := enders[name].End(context.Background(), h); e.Outcome != oidc.Expired {
			t.Errorf("%s says %+v of a credential that is over", name, e)
		}
	}
}

// An editor that knows the schema must not call a provider's block a mistake.
func TestSchemaKnowsEveryProvider(t *testing.T) {
	var schema struct {
		Defs struct {
			Grant struct {
				Properties map[string]any
				AnyOf      []struct{ Required []string }
			}
		} `json:"$defs"`
	}
	if err := json.Unmarshal(grant.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	for _, name := range Names() {
		enough := slices.ContainsFunc(schema.Defs.Grant.AnyOf, func(a struct{ Required []string }) bool { return slices.Equal(a.Required, []string{name}) })
		if schema.Defs.Grant.Properties[name] == nil || !enough {
			t.Errorf("the schema of the grant file does not have the block of %s", name)
		}
	}
}

// A transport that answers 204 and 401, and counts.
type deletion struct{ deleted, looked int }

func (d *deletion) RoundTrip(r *http.Request) (*http.Response, error) {
	status := http.StatusUnauthorized
	if r.Method == http.MethodDelete {
		status = http.StatusNoContent
		d.deleted++
	} else {
		d.looked++
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// An Ender has the transport too: what a cloud can end is ended from the saved state.
func TestEndersCallTheCloudsThatCanEnd(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for name, looked := range map[string]int{"crates": 0, "github": 1} {
		var d deletion
		ender := Enders(Options{Now: func() time.Time { return now }, Transport: &d})[name]
		h := oidc.Handle{Provider: name, Revoke: "token", Expires: now.Add(time.Hour), UsableUntil: now.Add(time.Hour)}
		if e := ender.End(t.Context(), h); e.Outcome != oidc.Revoked || d.deleted != 1 || d.looked != looked {
			t.Errorf("%s: %+v after %+v", name, e, d)
		}
	}
}
