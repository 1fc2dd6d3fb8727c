package receipt

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	canaryToken  = "canary-id-token-0123456789"
	canarySecret = "canary/secret+key=0123456789"
	canaryRevoke = "canary-revoke-token-0123456789"
	canaryJTI    = "canary-jti-0123456789"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func claims() oidc.Claims {
	v := map[string]string{
		"iss": "https://token.actions.githubusercontent.com", "sub": "repo:acme/site:ref:refs/heads/main", "jti": canaryJTI,
		"repository": "acme/site", "event_name": "push", "environment": "", "repo_property_cost_centre": "secret-project",
	}
	return oidc.Claims{Subject: v["sub"], ID: canaryJTI, Values: v}
}

func credential() *oidc.Credential {
	h := oidc.Handle{Provider: "aws", Grant: "deploy-site", ID: "ASIATESTKEY000000001",
		Identity: "arn:aws:sts::111122223333:assumed-role/site-deploy/gh-9876543210-2-site",
		Expires:  noon.Add(15 * time.Minute), UsableUntil: noon.Add(2 * time.Minute), Revoke: canaryRevoke}
	return &oidc.Credential{
		Vars:     []oidc.Var{{Name: "AWS_SECRET_ACCESS_KEY", Value: oidc.NewSecret(canarySecret)}},
		Identity: h.Identity, Expires: h.Expires, UsableUntil: h.UsableUntil, Handle: h,
		Facts: map[string]string{"session_name": "gh-9876543210-2-site", "policy_digest": "sha256:00", "request_id": "req-1", "attempts": "1"},
	}
}

// base is what all events of a run share.
func base(k Kind) Event {
	return Event{Time: noon, Kind: k, Tool: "stint 1.2.3", Grant: "deploy-site", GrantDigest: "sha256:ab", Intent: "publish the site", Owner: "@acme/web",
		Run: RunOf(oidc.Run{Repository: "acme/site", ID: "9876543210", Attempt: "2", Job: "deploy", URL: "https://github.com/acme/site/actions/runs/9876543210"})}
}

func events() map[string]Event {
	admitted, refused, issued, ended := base(Decision), base(Decision), base(Issuance), base(End)
	admitted.Claims, admitted.Decision = ClaimsOf(claims()), Admitted
	refused.Claims, refused.Decision = ClaimsOf(claims()), Refused
	refused.Reasons = []Reason{{Claim: "event_name", Expected: "push", Got: "workflow_run", Class: "low-trust-event"}}
	issued.Issued(credential(), 2*time.Minute)
	ended.Ended(credential().Handle, oidc.Ending{Outcome: oidc.Expires, At: noon.Add(2 * time.Minute), Detail: "aws cannot end a session early"})
	return map[string]Event{"admitted": admitted, "refused": refused, "issued": issued, "ended": ended}
}

func TestGoldenLines(t *testing.T) {
	for name, e := range events() {
		line, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", name+".jsonl")
		if *update {
			if err := os.WriteFile(path, line, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(line, want) {
			t.Errorf("%s:\ngot  %s\nwant %s", name, line, want)
		}
		again, _ := e.Encode()
		if !bytes.Equal(line, again) {
			t.Errorf("%s: two encodings differ", name)
		}
	}
}

func TestNoSecretInAnyLine(t *testing.T) {
	for name, e := range events() {
		line, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		for _, canary := range []string{canaryToken, canarySecret, canaryRevoke, canaryJTI, "secret-project"} {
			if bytes.Contains(line, []byte(canary)) || strings.Contains(fmt.Sprintf("%+v", e), canary) {
				t.Errorf("%s shows %q: %s", name, canary, line)
			}
		}
	}
}

// A new field is a new way out: whoever adds one comes by here and documents it.
func TestFieldsAreThoseOfTheSchema(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	typ := reflect.TypeFor[Event]()
	for i := range typ.NumField() {
		name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		if !strings.Contains(string(doc), "//\t"+name) && !strings.Contains(string(doc), ", "+name+" ") {
			t.Errorf("doc.go does not say what %q is", name)
		}
	}
	if typ.NumField() != 25 {
		t.Errorf("%d fields: look at the schema and at what the new one may hold", typ.NumField())
	}
}

func TestClaimsDigest(t *testing.T) {
	a, b := ClaimsOf(claims()), ClaimsOf(claims())
	if !reflect.DeepEqual(a, b) || a.Digest == "" || a.JTIHash == "" {
		t.Errorf("%+v and %+v", a, b)
	}
	c := claims()
	c.Values["repo_property_cost_centre"] = "other"
	if ClaimsOf(c).Digest == a.Digest {
		t.Error("a claim that is not chosen does not count in the digest")
	}
	if v, ok := a.Chosen["environment"]; !ok || v != "" {
		t.Error("an empty claim is not an absent one")
	}
	if _, ok := a.Chosen["ref"]; ok {
		t.Error("an absent claim is recorded")
	}
}

func TestHostileTextStaysOnItsLine(t *testing.T) {
	e := base(Decision)
	hostile := "a\n{\"kind\":\"issuance\"}\r\x1b[31m\x7f\u009b\u202e\u2028é😀\"\\" + string([]byte{0xff})
	e.Grant, e.Intent, e.Run.Job = hostile, hostile, hostile
	e.Reasons = []Reason{{Claim: hostile, Got: hostile}}
	e.Facts = map[string]string{hostile: hostile}
	e.Claims = &Claims{Chosen: map[string]string{"sub": hostile}}
	line, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	checkLine(t, line)
	var back Event
	if err := json.Unmarshal(line, &back); err != nil {
		t.Fatal(err)
	}
	if want := strings.ToValidUTF8(hostile, "\ufffd"); back.Intent != want || back.Reasons[0].Got != want || back.Claims.Chosen["sub"] != want {
		t.Errorf("came back as %q", back.Intent)
	}
}

// checkLine demands one line of printable ASCII.
func checkLine(t *testing.T, line []byte) {
	t.Helper()
	body, ok := bytes.CutSuffix(line, []byte("\n"))
	if !ok || len(line) > MaxLineBytes || !json.Valid(body) {
		t.Fatalf("line %q", line)
	}
	for _, c := range body {
		if c < ' ' || c > '~' {
			t.Fatalf("byte %#x in %q", c, line)
		}
	}
}

func TestLongTextsAreCut(t *testing.T) {
	long := strings.Repeat("é", 4000)
	e := base(Issuance)
	e.Intent, e.Identity = long, long
	e.Facts = map[string]string{}
	for i := range 100 {
		e.Facts[fmt.Sprintf("fact-%03d", i)] = "x"
		e.Reasons = append(e.Reasons, Reason{Claim: "x"})
	}
	line, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	checkLine(t, line)
	var back Event
	if err := json.Unmarshal(line, &back); err != nil {
		t.Fatal(err)
	}
	if want := strings.Repeat("é", (maxText-len("…"))/2) + "…"; back.Intent != want || len(back.Facts) != maxFacts || len(back.Reasons) != maxReasons {
		t.Errorf("%d bytes, %d facts, %d reasons", len(back.Intent), len(back.Facts), len(back.Reasons))
	}
	if _, kept := back.Facts["fact-000"]; !kept || e.Intent != long || len(e.Facts) != 100 {
		t.Error("the wrong facts were kept, or the caller's event was changed")
	}
}

func TestLineOverItsLimit(t *testing.T) {
	e := base(Decision)
	for range maxReasons {
		e.Reasons = append(e.Reasons, Reason{Claim: strings.Repeat("\u202e", 300), Expected: strings.Repeat("\u202e", 300), Got: strings.Repeat("\u202e", 300)})
	}
	if line, err := e.Encode(); err == nil {
		t.Errorf("a line of %d bytes", len(line))
	}
}

func TestWriterWritesWholeLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "receipts.jsonl")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { // as four processes would
			f, err := open(path)
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			w := NewWriter(f)
			for range 50 {
				for _, e := range events() {
					if err := w.Write(e); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range bytes.Lines(b) {
		checkLine(t, line)
		n++
	}
	if n != 4*50*len(events()) {
		t.Errorf("%d lines", n)
	}
	if info, _ := os.Stat(path); runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %s", info.Mode())
	}
}

// open opens the file as often as it takes: of several that make it at once, one
// succeeds and the others see it the next time.
func open(path string) (*os.File, error) {
	f, err := OpenFile(path)
	if err != nil {
		return OpenFile(path)
	}
	return f, nil
}

func TestOpenFileRefuses(t *testing.T) {
	dir := t.TempDir()
	target, link, dangling := filepath.Join(dir, "target"), filepath.Join(dir, "link"), filepath.Join(dir, "dangling")
	if err := os.WriteFile(target, []byte("mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Skip("no links here")
	}
	_ = os.Symlink(filepath.Join(dir, "absent"), dangling)
	for _, path := range []string{link, dangling, dir, "", filepath.Join(dir, "no", "such", "dir")} {
		if f, err := OpenFile(path); err == nil {
			_ = f.Close()
			t.Errorf("%q was opened", path)
		}
	}
	if b, _ := os.ReadFile(target); string(b) != "mine\n" {
		t.Errorf("target %q", b)
	}
}

func TestWriterReportsAFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "receipts.jsonl")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path) // for reading only: a write fails as on a full disk
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	err = NewWriter(f).Write(base(End))
	if err == nil || !strings.Contains(err.Error(), "could not be written") {
		t.Errorf("error %v", err)
	}
}

func FuzzEncode(f *testing.F) {
	f.Add("grant", "intent", "a\x00b", "\u202e")
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		e := base(Decision)
		e.Grant, e.Intent, e.Reasons, e.Facts = a, b, []Reason{{Claim: c, Got: d}}, map[string]string{c: d}
		e.Claims = ClaimsOf(oidc.Claims{ID: a, Values: map[string]string{"sub": b, c: d}})
		line, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		checkLine(t, line)
	})
}
