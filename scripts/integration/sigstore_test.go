//go:build integration

package integration_test

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers"
	"github.com/stint-dev/stint/oidc/providers/sigstore"
	"github.com/stint-dev/stint/oidc/receipt"
	"github.com/stint-dev/stint/oidc/sandbox"
)

// TestSigstore signs receipts by a Fulcio, a timestamp authority and a transparency log of sigstore's own making, each
// with keys of its own, and verifies them by stint and by cosign. A grant's certificate signs by openssl and cosign.
func TestSigstore(t *testing.T) {
	p := begin(t, "sigstore: Fulcio, timestamp authority, Rekor, cosign")
	s := &signing{stage: newStage(p, sandbox.Options{}), dir: t.TempDir()}
	fulcio, clock := p.binary("STINT_FULCIO", "fulcio"), p.binary("STINT_TSA", "timestamp-server")
	s.stint = filepath.Join(s.dir, "stint")
	p.run("go", "build", "-o", s.stint, "../../cmd/stint")
	s.startFulcio(fulcio)
	s.startClock(clock)
	s.writeReceipts()
	s.write("root.json", s.trustedRoot(nil))

	place := "fulcio=" + s.fulcio + ",tsa=" + s.clock + "/api/v1/timestamp"
	s.sign(place)
	s.checkVerified("root.json")
	s.checkRefusals()
	s.checkCosign("root.json", "--insecure-ignore-tlog")
	s.checkLog(place)
	s.checkGrant()
	s.open("a certificate log: this Fulcio has none, so no promise of one is in the certificate")
}

// A signing is a stage with services that sign.
type signing struct {
	*stage
	dir, stint    string
	fulcio, clock string // addresses
	logKey        *ecdsa.PrivateKey
	log           string
}

const signer = "https://github.com/acme/site/.github/workflows/deploy.yml@refs/heads/main"

func (s *signing) path(name string) string { return filepath.Join(s.dir, name) }

func (s *signing) write(name string, text []byte) {
	s.must(os.WriteFile(s.path(name), text, 0o600), "writing "+name)
}

func (s *signing) startFulcio(binary string) {
	s.write("fulcio.yaml", fmt.Appendf(nil, "oidc-issuers:\n  %[1]s:\n    issuer-url: %[1]s\n    client-id: sigstore\n    type: github-workflow\n", s.issuer.Issuer()))
	address, grpc, metrics := freeAddress(s.t), freeAddress(s.t), freeAddress(s.t)
	s.fulcio = "http://" + address
	server := s.serve(s.dir, []string{"HOME=" + s.dir}, binary, "serve", "--ca", "ephemeralca", "--ct-log-url=", "--config-path", s.path("fulcio.yaml"),
		"--host", "127.0.0.1", "--port", port(address), "--grpc-host", "127.0.0.1", "--grpc-port", port(grpc), "--metrics-port", port(metrics),
		"--legacy-unix-domain-socket", s.path("fulcio.sock"))
	s.waitUntil(server, func() bool { return answers(s.ctx, s.fulcio+"/healthz") })
}

func (s *signing) startClock(binary string) {
	address := freeAddress(s.t)
	s.clock = "http://" + address
	server := s.serve(s.dir, []string{"HOME=" + s.dir}, binary, "serve", "--host", "127.0.0.1", "--port", port(address), "--disable-ntp-monitoring",
		"--timestamp-signer", "memory")
	s.waitUntil(server, func() bool { return answers(s.ctx, s.clock+"/api/v1/timestamp/certchain") })
}

func port(address string) string {
	_, p, _ := net.SplitHostPort(address)
	return p
}

// writeReceipts records a job that got a grant and ended it.
func (s *signing) writeReceipts() {
	raw, err := s.issuer.Token(deployJob(), sandbox.DefaultAudience)
	s.must(err, "getting a token")
	token, err := oidc.ParseToken(raw)
	s.must(err, "reading it")
	f, err := receipt.OpenFile(s.path("receipts.jsonl"))
	s.must(err, "making the receipts")
	defer f.Close()
	run := runOf(deployJob())
	for _, e := range []receipt.Event{
		{Kind: receipt.Decision, Claims: receipt.ClaimsOf(token.Claims), Decision: receipt.Admitted},
		{Kind: receipt.Issuance, Provider: "aws", CredentialID: "ASIATESTKEY000000001"},
		{Kind: receipt.End, Provider: "aws", CredentialID: "ASIATESTKEY000000001"},
	} {
		e.Time, e.Grant, e.Run = time.Now(), "deploy-site", receipt.RunOf(run)
		s.must(receipt.NewWriter(f).Write(e), "writing a receipt")
	}
}

// sign signs as a job does that has its token in a file.
func (s *signing) sign(place string) {
	raw, err := s.issuer.Token(deployJob(), "sigstore")
	s.must(err, "getting a token")
	s.write("token", []byte(raw))
	out, status := s.call("receipt", "sign", s.path("receipts.jsonl"), "--by", place, "--token-file", s.path("token"))
	s.check(status == 0, "the receipts are signed with the job's own token%s", unless(status == 0, out))
	bundle, err := os.ReadFile(s.path("receipts.jsonl.sigstore.json"))
	s.must(err, "reading the bundle")
	s.check(!strings.Contains(string(bundle), raw), "the token is not in the bundle")
}

// call runs stint.
func (s *signing) call(args ...string) (out string, status int) {
	cmd := exec.CommandContext(s.ctx, s.stint, args...)
	text, _ := cmd.CombinedOutput()
	return string(text), cmd.ProcessState.ExitCode()
}

func (s *signing) verify(root, identity, issuer, file string) (string, int) {
	return s.call("receipt", "verify", file, "--bundle", s.path("receipts.jsonl.sigstore.json"), "--trusted-root", s.path(root),
		"--certificate-identity", identity, "--certificate-oidc-issuer", issuer)
}

func (s *signing) checkVerified(root string) {
	out, status := s.verify(root, signer, s.issuer.Issuer(), s.path("receipts.jsonl"))
	ok := status == 0 && strings.Contains(out, "holds over lines 1 to 3") && strings.Contains(strings.Join(strings.Fields(out), " "), "iss, repository, repository_id, run_id, run_attempt, event_name, ref, sha")
	s.check(ok, "stint verifies chain, signature, timestamp, and the claims against Fulcio's certificate%s", unless(ok, out))
}

func (s *signing) checkRefusals() {
	text, err := os.ReadFile(s.path("receipts.jsonl"))
	s.must(err, "reading the receipts")
	lines := strings.SplitAfter(string(text), "\n")
	s.write("short.jsonl", []byte(lines[0]+lines[1]))
	s.write("changed.jsonl", []byte(lines[0]+lines[1]+strings.Replace(lines[2], "deploy-site", "deploy-sitf", 1)))
	issuer := s.issuer.Issuer()
	for _, c := range []struct{ what, identity, issuer, file string }{
		{"receipts without their last line", signer, issuer, "short.jsonl"},
		{"receipts with a changed last line", signer, issuer, "changed.jsonl"},
		{"the signature as that of another workflow", strings.Replace(signer, "deploy", "release", 1), issuer, "receipts.jsonl"},
		{"the signature as that of another issuer", signer, "https://token.actions.githubusercontent.com", "receipts.jsonl"},
	} {
		out, status := s.verify("root.json", c.identity, c.issuer, s.path(c.file))
		s.check(status == 1, "refused: %s%s", c.what, unless(status == 1, out))
	}
}

// checkCosign lets cosign judge the same bundle.
func (s *signing) checkCosign(root string, flags ...string) {
	binary, err := exec.LookPath(cmp.Or(os.Getenv("STINT_COSIGN"), "cosign"))
	if err != nil {
		s.line("skipped", "cosign: %s", cmp.Or(os.Getenv("STINT_COSIGN_WHY"), "it is not on this machine"))
		return
	}
	judge := func(file string) (string, bool) {
		cmd := exec.CommandContext(s.ctx, binary, append([]string{"verify-blob", s.path(file), "--bundle", s.path("receipts.jsonl.sigstore.json"),
			"--trusted-root", s.path(root), "--certificate-identity", signer, "--certificate-oidc-issuer", s.issuer.Issuer(),
			"--insecure-ignore-sct", "--use-signed-timestamps"}, flags...)...)
		cmd.Env = append(os.Environ(), "HOME="+s.dir)
		out, err := cmd.CombinedOutput()
		return string(out), err == nil
	}
	out, ok := judge("receipts.jsonl")
	s.check(ok, "cosign verify-blob verifies the same bundle over the file%s", unless(ok, out))
	out, ok = judge("short.jsonl")
	s.check(!ok, "and refuses it over the file without its last line%s", unless(!ok, out))
}

// checkLog signs again with an entry of a transparency log.
func (s *signing) checkLog(place string) {
	binary, err := exec.LookPath(cmp.Or(os.Getenv("STINT_REKOR"), "rekor-server-posix"))
	if err != nil {
		s.line("skipped", "Rekor: %s", cmp.Or(os.Getenv("STINT_REKOR_WHY"), "it is not on this machine"))
		return
	}
	s.startLog(binary)
	s.sign(place + ",rekor=" + s.log)
	s.write("root.json", s.trustedRoot(s.entry()))
	s.checkVerified("root.json")
	out, _ := s.verify("root.json", signer, s.issuer.Issuer(), s.path("receipts.jsonl"))
	s.check(!strings.Contains(out, "none was verified"), "with the entry of the log, its inclusion proof and its checkpoint")
	s.checkCosign("root.json")
}

func (s *signing) startLog(binary string) {
	var err error
	s.logKey, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	s.must(err, "making a key")
	der, err := x509.MarshalPKCS8PrivateKey(s.logKey)
	s.must(err, "writing it")
	s.write("log.key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	s.must(os.Mkdir(s.path("log"), 0o700), "making a directory")
	address, grpc, metrics := freeAddress(s.t), freeAddress(s.t), freeAddress(s.t)
	s.log = "http://" + address
	server := s.serve(s.dir, []string{"HOME=" + s.dir}, binary, "serve", "--http-port", port(address), "--grpc-port", port(grpc), "--http-metrics-port", port(metrics),
		"--hostname", "127.0.0.1", "--signer-filepath", s.path("log.key"), "--storage-dir", s.path("log"), "--checkpoint-interval", "2s")
	s.waitUntil(server, func() bool { return answers(s.ctx, s.log+"/healthz") })
}

// entry is the log's id, which a client takes from the bundle; the key beside it is the one that we gave the log.
func (s *signing) entry() map[string]any {
	text, err := os.ReadFile(s.path("receipts.jsonl.sigstore.json"))
	s.must(err, "reading the bundle")
	var b struct {
		VerificationMaterial struct {
			TlogEntries []struct {
				LogID map[string]any `json:"logId"`
			} `json:"tlogEntries"`
		} `json:"verificationMaterial"`
	}
	s.must(json.Unmarshal(text, &b), "reading the bundle")
	entries := b.VerificationMaterial.TlogEntries
	s.check(len(entries) == 1, "the bundle holds one entry of the log")
	if len(entries) != 1 {
		s.t.FailNow()
	}
	der, err := x509.MarshalPKIXPublicKey(&s.logKey.PublicKey)
	s.must(err, "writing a key")
	return map[string]any{"baseUrl": s.log, "hashAlgorithm": "SHA2_256", "logId": entries[0].LogID,
		"publicKey": map[string]any{"rawBytes": der, "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": since()}}
}

func since() map[string]any {
	return map[string]any{"start": time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)}
}

// trustedRoot is what somebody has who trusts these servers, and a log if there is one.
func (s *signing) trustedRoot(log map[string]any) []byte {
	var bundle struct {
		Chains []struct{ Certificates []string }
	}
	s.must(json.Unmarshal(s.fetch(s.fulcio+"/api/v2/trustBundle"), &bundle), "reading Fulcio's certificates")
	root := map[string]any{
		"mediaType":              "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
		"certificateAuthorities": []any{s.authority(s.fulcio, strings.Join(bundle.Chains[0].Certificates, "\n"))},
		"timestampAuthorities":   []any{s.authority(s.clock, string(s.fetch(s.clock+"/api/v1/timestamp/certchain")))},
	}
	if log != nil {
		root["tlogs"] = []any{log}
	}
	text, err := json.Marshal(root)
	s.must(err, "writing the trusted root")
	return text
}

func (s *signing) authority(uri, chain string) map[string]any {
	var list []any
	for rest := []byte(chain); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		list = append(list, map[string]any{"rawBytes": block.Bytes})
	}
	return map[string]any{"uri": uri, "subject": map[string]any{"organization": "integration", "commonName": "integration"},
		"certChain": map[string]any{"certificates": list}, "validFor": since()}
}

func (s *signing) fetch(url string) []byte {
	req, err := http.NewRequestWithContext(s.ctx, http.MethodGet, url, nil)
	s.must(err, "asking")
	resp, err := http.DefaultClient.Do(req)
	s.must(err, "asking "+url)
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	s.must(err, "reading "+url)
	return body
}

// checkGrant takes a certificate of this Fulcio under a grant, and signs with it.
func (s *signing) checkGrant() {
	text := fmt.Appendf(nil, "version: 1\ngrants:\n  sign:\n    intent: sign the site\n    owner: \"@acme/web\"\n"+
		"    for: { workflow: .github/workflows/deploy.yml, ref: refs/heads/main, events: [push] }\n    ttl: 10m\n    sigstore: { fulcio: %q }\n", s.fulcio)
	s.write("stint.yml", text)
	s.write("site.txt", []byte("a site\n"))
	g := s.parseGrants(text).Grants[0]
	made, err := providers.New(g, providers.Options{})
	s.must(err, "making the provider")
	req := oidc.Request{Source: s.source(deployJob(), time.Now), TTL: g.TTL, Run: runOf(deployJob())}
	c, err := made[0].Exchange(s.ctx, req)
	s.must(err, "asking for a certificate")
	err = made[0].Verify(c, req)
	s.check(err == nil && c.Identity == signer, "a grant gets a certificate for the job, and believes it%s", unless(err == nil, fmt.Sprint(err)))
	for _, f := range c.Files {
		s.write(f.Name, []byte(f.Content.Reveal()))
	}
	out, ok := s.shell("openssl dgst -sha256 -sign \"$SIGNING_KEY_FILE\" -out site.sig site.txt && " +
		"openssl x509 -in \"$SIGNING_CERT_FILE\" -noout -pubkey > site.pub && openssl dgst -sha256 -verify site.pub -signature site.sig site.txt")
	s.check(ok && strings.Contains(out, "Verified OK"), "openssl signs with its key, and the certificate verifies that%s", unless(ok, out))
	binary, err := exec.LookPath(cmp.Or(os.Getenv("STINT_COSIGN"), "cosign"))
	if err != nil {
		s.line("skipped", "cosign: %s", cmp.Or(os.Getenv("STINT_COSIGN_WHY"), "it is not on this machine"))
		return
	}
	s.write("signing.json", fmt.Appendf(nil, `{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json","rekorTlogConfig":{},"tsaConfig":{"selector":"ANY"},`+
		`"tsaUrls":[{"url":%q,"majorApiVersion":1,"validFor":{"start":"2024-01-01T00:00:00Z"},"operator":"acme"}]}`, s.clock+"/api/v1/timestamp"))
	out, ok = s.shell("export COSIGN_PASSWORD= && " + binary + " import-key-pair --key \"$SIGNING_KEY_FILE\" --output-key-prefix \"$(dirname \"$SIGNING_KEY_FILE\")/cosign\" --yes && " +
		binary + " sign-blob --key \"$(dirname \"$SIGNING_KEY_FILE\")/cosign.key\" --certificate \"$SIGNING_CERT_FILE\" --signing-config signing.json --bundle site.json --yes site.txt")
	s.check(ok, "cosign signs with it, as the README of the provider says%s", unless(ok, out))
	flags, _ := s.call("grant", "render", "sign", "--file", s.path("stint.yml"), "--repository", "acme/site", "--format", "json")
	s.checkSigner(binary, flags)
}

// shell runs a script that finds the files of the hand-over.
func (s *signing) shell(script string) (string, bool) {
	cmd := exec.CommandContext(s.ctx, "sh", "-c", script)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "HOME="+s.dir, sigstore.KeyVar+"="+s.path(sigstore.KeyFile), sigstore.CertVar+"="+s.path(sigstore.CertFile))
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

// checkSigner holds the bundle against the rendered identity, whose issuer is github.com's: this one's takes its place.
func (s *signing) checkSigner(binary, rendered string) {
	var lock struct{ Documents []struct{ Body string } }
	flags := map[string]string{}
	s.must(json.Unmarshal([]byte(rendered), &lock), "reading the lock")
	s.must(json.Unmarshal([]byte(lock.Documents[0].Body), &flags), "reading the identity")
	flags["certificate-oidc-issuer"] = s.issuer.Issuer()
	judge := func() (string, bool) {
		args := []string{"verify-blob", "--bundle", s.path("site.json"), "--trusted-root", s.path("root.json"),
			"--insecure-ignore-sct", "--insecure-ignore-tlog", "--use-signed-timestamps", s.path("site.txt")}
		for name, value := range flags {
			args = append(args, "--"+name, value)
		}
		cmd := exec.CommandContext(s.ctx, binary, args...)
		cmd.Env = append(os.Environ(), "HOME="+s.dir)
		out, err := cmd.CombinedOutput()
		return string(out), err == nil
	}
	out, ok := judge()
	s.check(ok && len(flags) > 2, "cosign accepts it by the flags that stint grant render gives%s", unless(ok, out))
	for name, value := range flags {
		flags[name] = value + "x"
		out, ok := judge()
		s.check(!ok, "and refuses it with another --%s%s", name, unless(!ok, out))
		flags[name] = value
	}
}
