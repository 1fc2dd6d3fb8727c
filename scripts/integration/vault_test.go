//go:build integration

package integration_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/lease"
	"github.com/stint-dev/stint/oidc/providers/vault"
	"github.com/stint-dev/stint/oidc/receipt"
	"github.com/stint-dev/stint/oidc/receipt/reconcile"
	"github.com/stint-dev/stint/oidc/sandbox"
	"github.com/stint-dev/stint/oidc/trust"
)

// vaultGrants has one grant, for a role whose claims are bound and for a secret of the key-value store.
const vaultGrants = `version: 1
grants:
  read-site:
    intent: read what the site is published with
    owner: "@acme/web"
    for: { workflow: .github/workflows/deploy.yml, refs: [refs/heads/main], events: [push] }
    ttl: 10m
    vault:
      address: %s
      role: site
      audience: vault.example
      policies: [site]
      secrets:
        - { path: secret/data/site, fields: { npm: NPM_TOKEN } }
        - { path: ssh/creds/site, data: { ip: 10.0.0.7 }, fields: { key: SSH_OTP } }
      token: true
`

// TestVault trades a grant at a Vault in its development mode, and sees its token refused after the end.
func TestVault(t *testing.T) {
	p := begin(t, "Vault: the rendered role, jwt login, secrets, revocation, audit log")
	v := &vaultStage{stage: newStage(p, sandbox.Options{}), dir: t.TempDir(), secret: rand.Text()}
	v.start(p.binary("STINT_VAULT", "vault"))
	v.setUp()
	l := v.open(deployJob(), true)
	vars := map[string]string{}
	for _, one := range l.Vars() {
		vars[one.Name] = one.Value.Reveal()
	}
	p.check(vars["NPM_TOKEN"] == v.secret, "a job that the bound claims admit gets the secret that the grant names")
	token := vars["VAULT_TOKEN"]
	p.check(v.call(token, http.MethodGet, "secret/data/site", nil) == http.StatusOK, "its token reads that path")
	p.check(v.call(token, http.MethodGet, "secret/data/other", nil) == http.StatusForbidden, "and no other: 403")
	lease := map[string]any{"lease_id": v.dynamic}
	p.check(vars["SSH_OTP"] != "" && v.call(v.root, http.MethodPut, "sys/leases/lookup", lease) == http.StatusOK,
		"a dynamic secret, a one-time password of the ssh engine, is made for the job under a lease")
	ended := l.End(p.ctx)
	p.check(len(ended) == 1 && ended[0].Outcome == oidc.Revoked, "at the end stint says: %s", ended[0].Detail)
	p.check(v.call(token, http.MethodGet, "auth/token/lookup-self", nil) == http.StatusForbidden, "the token is refused after it: 403")
	p.check(v.call(v.root, http.MethodPut, "sys/leases/lookup", lease) == http.StatusBadRequest, "and the lease of the dynamic secret ended with it: the server knows it no more")
	other := deployJob()
	other.Repository = "acme/other"
	v.open(other, false)
	v.checkAudit()
}

type vaultStage struct {
	*stage
	dir, address, root, secret string
	receipts                   []receipt.Event
	dynamic                    string // the lease of what was made for the job
}

func (v *vaultStage) start(binary string) {
	address := freeAddress(v.t)
	v.address, v.root = "http://"+address, rand.Text()
	server := v.serve(v.dir, []string{"HOME=" + v.dir, "SKIP_SETCAP=1"}, binary, "server", "-dev", "-dev-no-store-token",
		"-dev-root-token-id="+v.root, "-dev-listen-address="+address)
	v.waitUntil(server, func() bool { return answers(v.ctx, v.address+"/v1/sys/health") })
}

// call makes a call and gives its status.
func (v *vaultStage) call(token, method, path string, body any) int {
	text, err := json.Marshal(body)
	v.must(err, "writing a request")
	req, err := http.NewRequestWithContext(v.ctx, method, v.address+"/v1/"+path, strings.NewReader(string(text)))
	v.must(err, "asking")
	req.Header.Set("X-Vault-Token", token)
	resp, err := http.DefaultClient.Do(req)
	v.must(err, "asking "+path)
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	return resp.StatusCode
}

// setUp does what an operator does: an audit log, the JWT method, two secrets, an engine, and the lock of the grant as
// stint renders it: role, policy and the configuration of the mount.
func (v *vaultStage) setUp() {
	g := v.grant()
	lock, err := vault.Trust.Render(g, g.Targets[0], trust.Repository{Name: deployJob().Repository, Issuer: v.issuer.Issuer()})
	v.must(err, "rendering the lock")
	type step struct {
		path string
		body any
	}
	steps := []step{
		{"sys/audit/file", map[string]any{"type": "file", "options": map[string]any{"file_path": v.audit()}}},
		{"sys/auth/jwt", map[string]any{"type": "jwt"}},
		{"sys/mounts/ssh", map[string]any{"type": "ssh"}},
		{"ssh/roles/site", map[string]any{"key_type": "otp", "default_user": "site", "cidr_list": "10.0.0.0/24"}},
		{"secret/data/site", map[string]any{"data": map[string]any{"npm": v.secret}}},
		{"secret/data/other", map[string]any{"data": map[string]any{"npm": v.secret}}},
	}
	for _, d := range lock.Documents {
		switch d.Name {
		case "role":
			steps = append(steps, step{"auth/jwt/role/site", json.RawMessage(d.Body)})
		case "mount-config":
			steps = append(steps, step{"auth/jwt/config", json.RawMessage(d.Body)})
		case "policy":
			steps = append(steps, step{"sys/policies/acl/site", map[string]any{"policy": d.Body}})
		}
	}
	for _, s := range steps {
		if status := v.call(v.root, http.MethodPost, s.path, s.body); status >= 300 {
			v.must(fmt.Errorf("status %d", status), "setting "+s.path)
		}
	}
}

func (v *vaultStage) audit() string { return filepath.Join(v.dir, "audit.log") }

func (v *vaultStage) grant() *grant.Grant {
	f, err := grant.Parse(grant.Path, fmt.Appendf(nil, vaultGrants, v.address), grant.Options{Providers: []string{"vault"}})
	v.must(err, "reading the grants")
	return f.Grants[0]
}

// open goes the whole way of stint with a job's token, or for a job that stint's own decision would stop before,
// only the exchange, so that it is Vault that judges.
func (v *vaultStage) open(j sandbox.Job, admitted bool) *lease.Lease {
	g := v.grant()
	provider, err := vault.New(g.Targets[0], g, vault.Options{})
	v.must(err, "making the provider")
	if !admitted {
		_, err := provider.Exchange(v.ctx, oidc.Request{Source: v.source(j, nil), TTL: g.TTL, Run: runOf(j)})
		v.check(err != nil, "a good token of another repository is refused by the role's bound claims")
		return nil
	}
	l, err := lease.Open(v.ctx, g, []oidc.Provider{provider}, v.source(j, nil), lease.Options{
		Run: runOf(j), Expect: grant.Expect{Repository: j.Repository, Issuer: v.issuer.Issuer()}, Observe: v.observe})
	v.must(err, "opening the lease")
	return l
}

func (v *vaultStage) observe(e lease.Event) {
	r := receipt.Event{Time: e.At, Kind: receipt.Kind(e.Kind), Grant: e.Grant}
	switch e.Kind {
	case lease.Issuance:
		r.Issued(e.Credential, e.TTL)
		v.dynamic = e.Credential.Facts[vault.FactLeases]
	case lease.End:
		r.Ended(e.Ended.Handle, e.Ended.Ending)
	}
	v.receipts = append(v.receipts, r)
}

// checkAudit joins the receipts with the log of the server, then leaves a receipt out.
func (v *vaultStage) checkAudit() {
	for _, with := range []bool{true, false} {
		var l reconcile.Ledger
		chain := &receipt.Chain{}
		for _, e := range v.receipts {
			chain.Lines = append(chain.Lines, receipt.Line{Event: e})
		}
		if with {
			l.AddReceipts(chain)
		}
		v.must(l.AddRole("jwt/site"), "naming the role")
		f, err := os.Open(v.audit())
		v.must(err, "opening the audit log")
		err = l.AddVault(f)
		_ = f.Close()
		v.must(err, "reading the audit log")
		r := l.Report()
		if with {
			v.check(len(r.Findings) == 0 && r.Records > 0, "the server's log of hashed accessors holds nothing without a receipt: %d events, %d findings", r.Records, len(r.Findings))
		} else {
			v.check(len(r.Findings) == 1 && r.Findings[0].Class == reconcile.Minted, "without the receipts the same login is found as minted by something else")
		}
	}
}
