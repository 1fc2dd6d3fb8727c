package sandbox_test

import (
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc/sandbox"
)

func TestVerifyTakesOnlyWhatTheIssuerSignedForTheAudience(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	job := sandbox.Job{Repository: "acme/site", Ref: "refs/heads/main", WorkflowPath: ".github/workflows/release.yml"}
	open := func() *sandbox.Sandbox {
		s, err := sandbox.New(sandbox.Options{Now: func() time.Time { return now }, Issuer: "https://issuer.example", Key: signingKey()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	box, foreign := open(), open()
	if err := foreign.RotateKey(); err != nil {
		t.Fatal(err)
	}
	good, err := box.Token(job, "registry.example")
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := foreign.Token(job, "registry.example")
	if err != nil {
		t.Fatal(err)
	}
	if c, err := box.Verify(good, "registry.example"); err != nil || c.Get("repository") != "acme/site" {
		t.Errorf("a good token: %v, %v", c.Values, err)
	}
	for name, try := range map[string]struct{ raw, audience string }{
		"other audience": {good, "elsewhere.example"},
		"other key":      {stranger, "registry.example"},
		"not a token":    {"x.y.z", "registry.example"},
	} {
		if _, err := box.Verify(try.raw, try.audience); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	now = now.Add(time.Hour)
	if _, err := box.Verify(good, "registry.example"); err == nil {
		t.Error("an expired token is taken")
	}
}
