package seal

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providertest"
	"github.com/stint-dev/stint/oidc/receipt"
)

// writeReceipts writes what the bench's job leaves: a decision on its token, an issuance
// and an end. change may alter the claims.
func writeReceipts(t testing.TB, b *providertest.Bench, change func(map[string]string)) []byte {
	t.Helper()
	token, err := b.Token(context.Background(), "sts.amazonaws.com")
	check(t, err)
	if change != nil {
		change(token.Claims.Values)
	}
	path := filepath.Join(t.TempDir(), "receipts.jsonl")
	f, err := receipt.OpenFile(path)
	check(t, err)
	defer f.Close()
	w := receipt.NewWriter(f)
	run := &receipt.Run{Repository: "acme/site", ID: "9876543210", Attempt: "2", Job: "release"}
	for _, e := range []receipt.Event{
		{Kind: receipt.Decision, Claims: receipt.ClaimsOf(token.Claims), Decision: receipt.Admitted},
		{Kind: receipt.Issuance, CredentialID: "ASIATESTKEY000000001"},
		{Kind: receipt.End, CredentialID: "ASIATESTKEY000000001"},
	} {
		e.Time, e.Grant, e.Run = b.Now(), "deploy-site", run
		check(t, w.Write(e))
	}
	text, err := os.ReadFile(path)
	check(t, err)
	return text
}

func chainOf(t testing.TB, file []byte) *receipt.Chain {
	t.Helper()
	c, err := receipt.Read(bytes.NewReader(file))
	check(t, err)
	return c
}

func (s *services) sign(t testing.TB, file []byte) []byte {
	t.Helper()
	signer, err := NewSigner(s.place(), oidc.Secret{}, s.bench, nil)
	check(t, err)
	b, err := signer.Sign(context.Background(), file)
	check(t, err)
	return b
}

func TestSignedByTheJob(t *testing.T) {
	s := newServices(t)
	file := writeReceipts(t, s.bench, nil)
	text := s.sign(t, file)
	s.bench.Cloud.Pass(1000 * time.Hour) // the certificate is long over
	seal, err := Verify(text, file, chainOf(t, file), s.trust(t))
	check(t, err)
	if seal.Lines != 3 || seal.Identity != s.trust(t).Identity || seal.Issuer != s.bench.Issuer() || !seal.At.Equal(providertest.Start) || seal.Logged {
		t.Errorf("%+v", seal)
	}
	for _, claim := range []string{"iss", "repository", "run_id", "run_attempt", "sha", "job_workflow_ref"} {
		if !slices.Contains(seal.Agrees, claim) {
			t.Errorf("%s was not compared, only %v", claim, seal.Agrees)
		}
	}
	var bundle struct{ MediaType string }
	if json.Unmarshal(text, &bundle) != nil || bundle.MediaType != "application/vnd.dev.sigstore.bundle.v0.3+json" {
		t.Errorf("media type %q", bundle.MediaType)
	}
	providertest.Silent(t, s.bench.Tokens(), string(text), seal)
}

func TestCheckpointCoversTheFirstLines(t *testing.T) {
	s := newServices(t)
	file := writeReceipts(t, s.bench, nil)
	chain := chainOf(t, file)
	text := s.sign(t, file[:chain.Lines[1].End])
	seal, err := Verify(text, file, chain, s.trust(t))
	check(t, err)
	if seal.Lines != 2 {
		t.Errorf("%d lines", seal.Lines)
	}
}

// What a chain alone does not show: a signature over its head does.
func TestSignatureShowsWhatTheChainDoesNot(t *testing.T) {
	key, public := keyPEM(t)
	signer, err := NewSigner(Place{KeyFile: "receipts.key"}, key, nil, nil)
	check(t, err)
	file := writeReceipts(t, providertest.NewBench(t), nil)
	text, err := signer.Sign(context.Background(), file)
	check(t, err)
	providertest.Silent(t, []string{key.Reveal()}, string(text))
	if seal, err := Verify(text, file, chainOf(t, file), Trust{Key: public}); err != nil || seal.Lines != 3 {
		t.Fatalf("%+v, %v", seal, err)
	}
	verifies := func(file []byte) bool {
		chain, err := receipt.Read(bytes.NewReader(file))
		if err != nil {
			return false
		}
		_, err = Verify(text, file, chain, Trust{Key: public})
		return err == nil
	}
	for i := range file {
		changed := bytes.Clone(file)
		changed[i] ^= 1
		if verifies(changed) {
			t.Fatalf("byte %d, %q for %q, is not seen", i, changed[i], file[i])
		}
	}
	lines := slices.Collect(bytes.Lines(file))
	for name, changed := range map[string][]byte{
		"without its last line": bytes.Join(lines[:2], nil),
		"without its newline":   file[:len(file)-1],
		"nothing":               nil,
	} {
		if verifies(changed) {
			t.Errorf("%s: the signature holds", name)
		}
	}
}

// Every byte of a bundle counts, or does not change what is verified.
func TestChangedBundle(t *testing.T) {
	s := newServices(t)
	file := writeReceipts(t, s.bench, nil)
	chain, text, trust := chainOf(t, file), s.sign(t, file), s.trust(t)
	want, err := Verify(text, file, chain, trust)
	check(t, err)
	for i := range text {
		changed := bytes.Clone(text)
		changed[i] ^= 1
		if got, err := Verify(changed, file, chain, trust); err == nil && (got.Lines != want.Lines || got.Identity != want.Identity || !got.At.Equal(want.At)) {
			t.Fatalf("byte %d: %+v", i, got)
		}
	}
}

func TestWhatIsNotBelieved(t *testing.T) {
	s := newServices(t)
	other := newServices(t)
	_, otherKey := keyPEM(t)
	file := writeReceipts(t, s.bench, nil)
	text := s.sign(t, file)
	with := func(change func(*Trust)) Trust {
		trust := s.trust(t)
		change(&trust)
		return trust
	}
	late := newServices(t)
	late.stampAfter = 11 * time.Minute
	lateFile := writeReceipts(t, late.bench, nil)
	early := newServices(t)
	early.stampAfter = -time.Minute
	earlyFile := writeReceipts(t, early.bench, nil)
	for _, c := range []struct {
		name       string
		text, file []byte
		trust      Trust
		want       string
	}{
		{"other authorities", text, file, with(func(o *Trust) { o.Root = other.trustedRoot(t) }), "does not hold"},
		{"another workflow", text, file, with(func(o *Trust) { o.Identity = strings.Replace(o.Identity, "main", "dev", 1) }), "another identity"},
		{"a part of the identity", text, file, with(func(o *Trust) { o.Identity = "https://github.com/acme/" }), "another identity"},
		{"another issuer", text, file, with(func(o *Trust) { o.Issuer = "https://token.actions.githubusercontent.com" }), "another identity"},
		{"no identity", text, file, with(func(o *Trust) { o.Identity = "" }), "nobody said"},
		{"no issuer", text, file, with(func(o *Trust) { o.Issuer = "" }), "nobody said"},
		{"a key in place of authorities", text, file, Trust{Key: otherKey}, "not of this key"},
		{"no key", text, file, Trust{Key: []byte("none")}, "not a public"},
		{"no trusted root", text, file, with(func(o *Trust) { o.Root = []byte("{}") }), "trusted root"},
		{"no bundle", []byte("{}"), file, s.trust(t), "not a sigstore bundle"},
		{"a bundle without its timestamp", withoutTimestamp(t, text), file, s.trust(t), "does not hold"},
		{"a certificate that was over", late.sign(t, lateFile), lateFile, late.trust(t), "does not hold"},
		{"a certificate that was yet to come", early.sign(t, earlyFile), earlyFile, early.trust(t), "does not hold"},
		{"other receipts", text, writeReceipts(t, s.bench, func(v map[string]string) { v["actor"] = "mallory" }), s.trust(t), "neither the receipts"},
	} {
		seal, err := Verify(c.text, c.file, chainOf(t, c.file), c.trust)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %+v, %v", c.name, seal, err)
		}
		providertest.Silent(t, s.bench.Tokens(), err)
	}
}

// A job can sign what it did not do; the certificate says whose signature it is.
func TestReceiptsOfAnotherJobAreRefused(t *testing.T) {
	s := newServices(t)
	for claim, value := range map[string]string{
		"repository": "acme/other", "run_id": "1", "run_attempt": "3", "sha": strings.Repeat("a", 40), "ref": "refs/heads/dev",
		"event_name": "schedule", "repository_id": "77", "workflow_ref": "acme/site/.github/workflows/x.yml@refs/heads/main", "iss": "https://elsewhere.example",
	} {
		file := writeReceipts(t, s.bench, func(v map[string]string) { v[claim] = value })
		_, err := Verify(s.sign(t, file), file, chainOf(t, file), s.trust(t))
		if err == nil || !strings.Contains(err.Error(), "line 1 is of another job than the signature: its "+claim) {
			t.Errorf("%s: %v", claim, err)
		}
	}
	s.Bare = true
	file := writeReceipts(t, s.bench, func(v map[string]string) { v["repository"] = "acme/other" })
	seal, err := Verify(s.sign(t, file), file, chainOf(t, file), s.trust(t))
	check(t, err)
	if !slices.Equal(seal.Agrees, []string{"iss"}) {
		t.Errorf("a certificate that states nothing agrees in %v", seal.Agrees)
	}
}

func withoutTimestamp(t testing.TB, text []byte) []byte {
	t.Helper()
	var b map[string]any
	check(t, json.Unmarshal(text, &b))
	delete(b["verificationMaterial"].(map[string]any), "timestampVerificationData")
	out, err := json.Marshal(b)
	check(t, err)
	return out
}

func TestServicesThatFail(t *testing.T) {
	const leak = "reply-of-a-service-0123456789"
	fail := func(path string, status int, header ...string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != path {
				return false
			}
			if len(header) > 0 {
				w.Header().Set("Location", header[0])
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte(leak + r.Header.Get("Authorization")))
			return true
		}
	}
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request) bool
		want   string
	}{
		"the token is refused":  {fail("/api/v2/signingCert", 400), "status 400"},
		"a redirect":            {fail("/api/v2/signingCert", 307, "https://elsewhere.example/"), "status 307"},
		"no certificate":        {fail("/api/v2/signingCert", 200), "of no use"},
		"no timestamp":          {fail("/tsa", 403), "status 403"},
		"a timestamp of no use": {fail("/tsa", 201), "of no use"},
	} {
		s := newServices(t)
		s.answer = c.answer
		signer, err := NewSigner(s.place(), oidc.Secret{}, s.bench, nil)
		check(t, err)
		text, err := signer.Sign(context.Background(), []byte("{}\n"))
		if err == nil || !strings.Contains(err.Error(), c.want) || text != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		providertest.Silent(t, append(s.bench.Tokens(), leak), err)
	}
}

func TestSignatureEndsWithItsContext(t *testing.T) {
	s := newServices(t)
	ctx, cancel := context.WithCancel(context.Background())
	s.answer = func(_ http.ResponseWriter, r *http.Request) bool {
		_, _ = io.Copy(io.Discard, r.Body) // only then does the server see that the client is gone
		cancel()
		<-r.Context().Done()
		return true
	}
	signer, err := NewSigner(s.place(), oidc.Secret{}, s.bench, nil)
	check(t, err)
	if _, err := signer.Sign(ctx, []byte("{}\n")); err == nil || !strings.Contains(err.Error(), "stopped before") {
		t.Errorf("error %v", err)
	}
}

func TestPlaces(t *testing.T) {
	for text, want := range map[string]Place{
		"key=receipts.key": {KeyFile: "receipts.key"},
		"fulcio=https://ca.example,tsa=https://clock.example/api/v1/timestamp":                               {Fulcio: "https://ca.example", Timestamp: "https://clock.example/api/v1/timestamp"},
		"fulcio=http://127.0.0.1:5555, tsa=http://localhost:3000/x, rekor=https://log.example":               {Fulcio: "http://127.0.0.1:5555", Timestamp: "http://localhost:3000/x", Rekor: "https://log.example"},
		"fulcio=https://fulcio.sigstore.dev,tsa=https://timestamp.sigstore.dev/api/v1/timestamp,publish=yes": {Fulcio: "https://fulcio.sigstore.dev", Timestamp: "https://timestamp.sigstore.dev/api/v1/timestamp", Publish: true},
	} {
		if got, err := ParsePlace(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"": "no setting", "fulcio": "empty", "fulcio=": "empty", "url=https://x": "no setting", "key=a,key=b": "twice",
		"key=a,fulcio=https://ca.example":                                                           "not by both",
		"fulcio=https://ca.example":                                                                 "needed together",
		"tsa=https://ca.example":                                                                    "needed together",
		"fulcio=http://ca.example,tsa=https://c.example":                                            "not https",
		"fulcio=https://u:p@ca.example,tsa=https://c.example":                                       "not an URL",
		"fulcio=https://ca.example?x,tsa=https://c.example":                                         "not an URL",
		"fulcio=https://fulcio.sigstore.dev,tsa=https://c.example":                                  "is public",
		"fulcio=https://Fulcio.Sigstore.Dev.,tsa=https://c.example":                                 "is public",
		"fulcio=https://c.example,tsa=https://c.example,rekor=https://log2025-1.rekor.sigstore.dev": "is public",
		"fulcio=https://c.example,tsa=https://c.example,publish=no":                                 "publish is yes",
	} {
		if got, err := ParsePlace(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}

func TestKeys(t *testing.T) {
	for _, text := range []string{"", "canary-key-0123456789", "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----\n"} {
		_, err := NewSigner(Place{KeyFile: "k"}, oidc.NewSecret(text), nil, nil)
		if err == nil {
			t.Fatalf("%q is a key", text)
		}
		providertest.Silent(t, []string{"canary-key-0123456789", "Y2FuYXJ5"}, err)
	}
}

func FuzzVerify(f *testing.F) {
	key, public := keyPEM(f)
	signer, err := NewSigner(Place{KeyFile: "k"}, key, nil, nil)
	check(f, err)
	file := []byte("{}\n")
	text, err := signer.Sign(context.Background(), file)
	check(f, err)
	f.Add(text, file)
	f.Add([]byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","messageSignature":{}}`), file)
	f.Fuzz(func(t *testing.T, text, other []byte) {
		chain, err := receipt.Read(bytes.NewReader(other))
		if err != nil {
			return
		}
		if seal, err := Verify(text, other, chain, Trust{Key: public}); err == nil && !bytes.HasPrefix(other, file) {
			t.Errorf("%+v of %q", seal, other)
		}
		_, _ = Verify(text, other, chain, Trust{Root: text, Identity: "a", Issuer: "b"})
	})
}
