package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/fulcio/fulciotest"
)

// cloudCanary is in everything secret that the stand-ins of this file issue.
const cloudCanary = "cAnAryOfTheCloud0123456789"

// A party is a stand-in of a cloud. It verifies each id-token against the sandbox's
// issuer, and what it issued can be ended once.
type party struct {
	*scene
	audience string
	alive    map[string]bool
	taken    int // id-tokens
	signs    *fulciotest.Fulcio
}

// takes reports whether an id-token is good for the party. Whatever it is shown must be
// seen nowhere.
func (p *party) takes(raw string) bool {
	c, err := p.Verify(raw, p.audience)
	p.mu.Lock()
	defer p.mu.Unlock()
	if raw != "" {
		p.secrets = append(p.secrets, raw, raw[strings.LastIndexByte(raw, '.')+1:])
	}
	if err != nil || c.Get("repository") != "acme/site" {
		return false
	}
	p.taken++
	return true
}

// issue gives a token with the canary in it.
func (p *party) issue(prefix string) string {
	token := prefix + cloudCanary
	p.mu.Lock()
	defer p.mu.Unlock()
	p.alive[token] = true
	return token
}

// end reports whether the token lived until now.
func (p *party) end(token string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	lived := p.alive[token]
	delete(p.alive, token)
	return lived
}

func (p *party) lives(token string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.alive[token]
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if v != nil {
		_ = json.NewEncoder(w).Encode(v)
	}
}

func bearer(r *http.Request) string {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return token
}

type object = map[string]any

// entra answers as Microsoft's token endpoint.
func (p *party) entra(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	if strings.HasSuffix(r.URL.Path, "/openid-configuration") {
		at := "https://" + r.Host + "/" + azureTenant
		reply(w, 200, object{"issuer": at + "/v2.0", "authorization_endpoint": at + "/oauth2/v2.0/authorize", "token_endpoint": at + "/oauth2/v2.0/token"})
		return
	}
	if !p.takes(r.PostForm.Get("client_assertion")) {
		reply(w, 401, object{"error": "invalid_client", "error_description": "AADSTS700027: " + cloudCanary, "error_codes": []int{700027}})
		return
	}
	claims, _ := json.Marshal(object{"aud": "https://management.azure.com", "tid": azureTenant, "appid": azureClient, "uti": "AbCdEf",
		"exp": p.now().Add(75 * time.Minute).Unix()})
	part := base64.RawURLEncoding.EncodeToString
	token := part([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + part(claims) + "." + cloudCanary
	reply(w, 200, object{"token_type": "Bearer", "expires_in": 4500, "ext_expires_in": 4500, "access_token": token})
}

// google answers as Google's token service and its credentials API.
func (p *party) google(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	switch {
	case r.URL.Path == "/v1/token" && p.takes(r.PostForm.Get("subject_token")):
		reply(w, 200, object{"access_token": p.issue("ya29.federated-"), "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
			"token_type": "Bearer", "expires_in": 300})
	case strings.HasSuffix(r.URL.Path, ":generateAccessToken") && p.lives(bearer(r)):
		reply(w, 200, object{"accessToken": p.issue("ya29.account-"), "expireTime": p.now().Add(15 * time.Minute).Format(time.RFC3339)})
	default:
		reply(w, 400, object{"error": "invalid_grant", "error_description": cloudCanary})
	}
}

// vault answers as Vault with one role.
func (p *party) vault(w http.ResponseWriter, r *http.Request) {
	var in struct{ JWT string }
	token := r.Header.Get("X-Vault-Token")
	switch path := strings.TrimPrefix(r.URL.Path, "/v1/auth/"); {
	case path == "jwt/login":
		_ = json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&in)
		if !p.takes(in.JWT) {
			reply(w, 400, object{"errors": []string{"error validating token: " + cloudCanary}})
			return
		}
		reply(w, 200, object{"auth": object{"client_token": p.issue("hvs."), "accessor": "accessor1", "policies": []string{"default"},
			"token_policies": []string{"default"}, "metadata": object{"role": "site"}, "lease_duration": 900, "renewable": true}})
	case path == "token/revoke-self" && p.end(token):
		reply(w, 204, nil)
	case path == "token/lookup-self" && p.lives(token):
		reply(w, 200, object{"data": object{"accessor": "accessor1"}})
	default:
		reply(w, 403, object{"errors": []string{"2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"}})
	}
}

// octo answers as octo-sts and as GitHub's API.
func (p *party) octo(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/sts/exchange" && p.takes(bearer(r)):
		reply(w, 200, object{"token": p.issue("ghs_")})
	case r.Method == http.MethodDelete && r.URL.Path == "/api/v3/installation/token" && p.end(bearer(r)):
		reply(w, 204, nil)
	default:
		reply(w, 401, object{"message": cloudCanary})
	}
}

// index answers as PyPI.
func (p *party) index(w http.ResponseWriter, r *http.Request) {
	var in struct{ Token string }
	_ = json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&in)
	if r.URL.Path != "/_/oidc/mint-token" || !p.takes(in.Token) {
		reply(w, 422, object{"message": cloudCanary, "errors": []object{}})
		return
	}
	reply(w, 200, object{"success": true, "token": p.issue("pypi-"), "expires": p.now().Add(15 * time.Minute).Unix()})
}

// fulcio answers as sigstore's authority.
func (p *party) fulcio(w http.ResponseWriter, r *http.Request) { p.signs.ServeHTTP(w, r) }

// newFulcio makes one that takes what the party takes.
func (p *party) newFulcio(t *testing.T) *fulciotest.Fulcio {
	return fulciotest.New(t, func(raw, _ string) (oidc.Claims, error) {
		if !p.takes(raw) {
			return oidc.Claims{}, errors.New("no token of ours")
		}
		return p.Verify(raw, p.audience)
	}, p.now)
}

const (
	azureTenant = "11111111-2222-3333-4444-555555555555"
	azureClient = "66666666-7777-8888-9999-aaaaaaaaaaaa"
)

// What a mode hands over.
const (
	handsToken   = "the cloud's token"
	handsIDToken = "an id-token"
	handsKey     = "a private key, in a file"
	refuses      = "nothing: it is refused before any token is asked for"
)

// A cloudCase is one cloud beside AWS. URL in its block stands for the stand-in's.
type cloudCase struct {
	name, ttl, audience, block string
	serve                      func(*party, http.ResponseWriter, *http.Request)
	modes                      map[string]string
	end                        string // what is said of it
}

var cloudCases = []cloudCase{
	{"azure", "90m", "api://AzureADTokenExchange", "{ tenant: " + azureTenant + ", client-id: " + azureClient + ", endpoint: URL }", (*party).entra,
		map[string]string{modeEnv: handsIDToken, modeBroker: handsIDToken, modeFile: handsIDToken, modeProfile: refuses}, "stays valid until 2026-11-21T13:15:00Z"},
	{"gcp", "15m", "https://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/github/providers/site",
		"{ provider: projects/1/locations/global/workloadIdentityPools/github/providers/site, service-account: site@acme-site.iam.gserviceaccount.com, endpoint: URL }", (*party).google,
		map[string]string{modeEnv: handsToken, modeBroker: handsIDToken, modeFile: refuses, modeProfile: refuses}, "until 2026-11-21T12:15:00Z"},
	{"vault", "15m", "https://vault.example", "{ address: URL, audience: https://vault.example, role: site, token: true }", (*party).vault,
		map[string]string{modeEnv: handsToken, modeBroker: refuses, modeFile: refuses, modeProfile: refuses}, "revoked, with all that was leased under it"},
	{"github", "1h", "octo.example", "{ scope: acme/site, identity: release, audience: octo.example, permissions: { contents: write }, endpoint: URL, api: URL/api/v3 }", (*party).octo,
		map[string]string{modeEnv: handsToken, modeBroker: refuses, modeFile: refuses, modeProfile: refuses}, "revoked; a call with it is answered with 401"},
	{"pypi", "15m", "testpypi", "{ package: acme-site, audience: testpypi, endpoint: URL }", (*party).index,
		map[string]string{modeEnv: handsToken, modeBroker: refuses, modeFile: refuses, modeProfile: refuses}, "until 2026-11-21T12:15:00Z"},
	{"sigstore", "10m", "ca.example", "{ fulcio: URL, audience: ca.example }", (*party).fulcio,
		map[string]string{modeEnv: handsKey, modeBroker: refuses, modeFile: handsKey, modeProfile: refuses}, "can sign until 2026-11-21T12:10:00Z"},
}

// newCloudScene is a scene with a grant for one stand-in, at stint.yml, and a private
// temporary directory.
func newCloudScene(t *testing.T, name string) (*scene, *party) {
	t.Helper()
	c := cloudCases[slices.IndexFunc(cloudCases, func(c cloudCase) bool { return c.name == name })]
	p := &party{audience: c.audience, alive: map[string]bool{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { c.serve(p, w, r) }))
	t.Cleanup(server.Close)
	p.scene = newScene(t, strings.ReplaceAll(cloudGrant(c.name, c.ttl, c.block), "URL", server.URL), nil)
	p.signs = p.newFulcio(t)
	p.secrets = append(p.secrets, cloudCanary)
	p.at.transport = &http.Transport{DisableKeepAlives: true}
	p.env["RUNNER_TEMP"] = filepath.Join(p.dir, "temp")
	if err := os.Mkdir(p.env["RUNNER_TEMP"], 0o700); err != nil {
		t.Fatal(err)
	}
	return p.scene, p
}

func cloudGrant(provider, ttl, block string) string {
	return fmt.Sprintf("version: 1\ngrants:\n  deploy-site:\n    intent: publish the built site\n    owner: \"@acme/web\"\n"+
		"    for: { workflow: .github/workflows/deploy.yml, ref: refs/heads/main, events: [push] }\n    ttl: %s\n    %s: %s\n", ttl, provider, block)
}

// revealMain prints what a command is handed over: variables, the private files that
// they name, and what the broker says to the right bearer. What the broker says to
// a wrong one goes to REFUSALS.
func revealMain() {
	var refusals []byte
	ask := func(url string, headers map[string]string) {
		refusals = append(refusals, get(url, map[string]string{"Authorization": "Bearer of nothing"})...)
		fmt.Printf("%s\n", get(url, headers))
	}
	for _, entry := range os.Environ() {
		fmt.Println(entry)
		_, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(value, os.Getenv("RUNNER_TEMP")+string(filepath.Separator)) {
			continue
		}
		b, err := os.ReadFile(value)
		if err != nil {
			fail("reveal: %v", err)
		}
		fmt.Printf("%s\n", b)
		var file struct {
			Source struct {
				URL     string
				Headers map[string]string
			} `json:"credential_source"`
		}
		if json.Unmarshal(b, &file) == nil && file.Source.URL != "" {
			ask(file.Source.URL, file.Source.Headers)
		}
	}
	if url := os.Getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI"); url != "" {
		ask(url, map[string]string{"Authorization": os.Getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN")})
	}
	if err := os.WriteFile(os.Getenv("REFUSALS"), refusals, 0o600); err != nil {
		fail("reveal: %v", err)
	}
}

func get(url string, headers map[string]string) []byte {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		fail("reveal: %v", err)
	}
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		fail("reveal: %v", err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		fail("reveal: %v", err)
	}
	return fmt.Appendf(b, " %v", resp.Header)
}

// reveal runs exec in a mode, with a command that shows what it gets, and returns that.
func (s *scene) reveal(t *testing.T, mode string) (handed string, err error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := filepath.Join(t.TempDir(), "reveal")
	if err := os.Symlink(self, command); err != nil {
		t.Fatal(err)
	}
	s.env["REFUSALS"] = filepath.Join(s.dir, "refusals")
	o := execOptions{file: s.file, receipts: filepath.Join(s.dir, "receipts.jsonl"), mode: mode, verbose: true}
	err = runExec(t.Context(), s.w, s.at, o, []string{"deploy-site", command})
	handed = s.stdout.String()
	s.stdout.Reset()
	return handed, err
}

var idTokenForm = regexp.MustCompile(`eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+`)

// privateKey finds a key; the lines between its first and its last are secret.
var privateKey = regexp.MustCompile(`-----BEGIN PRIVATE KEY-----\n((?:[A-Za-z0-9+/=]+\n)+)`)

// Every cloud in every mode: the command has what its tools need, and nothing secret is
// seen anywhere else, in what the broker refuses neither, nor left behind. A mode that a
// cloud has no tools for is refused before anything is asked.
func TestExecOfEveryCloud(t *testing.T) {
	for _, c := range cloudCases {
		for mode, hands := range c.modes {
			t.Run(c.name+"/"+mode, func(t *testing.T) {
				s, p := newCloudScene(t, c.name)
				handed, err := s.reveal(t, mode)
				said := s.stderr.String()
				if hands == refuses {
					if err == nil || statusOf(err) != exitUsage || p.taken != 0 && mode != modeFile {
						t.Errorf("%v, %d tokens\n%s", err, p.taken, said)
					}
				} else if err != nil || !strings.Contains(said, c.end) {
					t.Fatalf("%v\n%s", err, said)
				}
				if got := strings.Contains(handed, cloudCanary); got != (hands == handsToken) {
					t.Errorf("the command has the cloud's token: %v\n%s", got, handed)
				}
				var good bool
				for _, token := range idTokenForm.FindAllString(handed, -1) {
					_, err := p.Verify(token, p.audience)
					good = good || err == nil
					s.secrets = append(s.secrets, token)
				}
				if good != (hands == handsIDToken) {
					t.Errorf("the command has an id-token: %v\n%s", good, handed)
				}
				key := privateKey.FindStringSubmatch(handed)
				if (key != nil) != (hands == handsKey) {
					t.Errorf("the command has a private key: %v\n%s", key != nil, handed)
				}
				for _, lines := range key[min(1, len(key)):] {
					s.secrets = append(s.secrets, strings.Fields(lines)...)
				}
				s.noSecrets(t, fmt.Sprint(err))
				if left, _ := os.ReadDir(s.env["RUNNER_TEMP"]); len(left) != 0 {
					t.Errorf("%v are left", left)
				}
			})
		}
	}
}

// A stand-in that does not take the token is explained without what it said.
func TestExecOfEveryCloudRefused(t *testing.T) {
	for _, c := range cloudCases {
		s, p := newCloudScene(t, c.name)
		p.audience = "elsewhere"
		_, err := s.reveal(t, modeEnv)
		if err == nil || statusOf(err) != exitIncomplete {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if message, hint := twoLines(err); hint == "" || strings.Contains(message+hint, cloudCanary) {
			t.Errorf("%s: %s\n%s", c.name, message, hint)
		}
		s.noSecrets(t, err.Error())
	}
}

// The same of AWS, whose tools have all four ways.
func TestExecOfAWSInEveryMode(t *testing.T) {
	for _, mode := range []string{modeEnv, modeBroker, modeFile, modeProfile} {
		s := newScene(t, grants, nil)
		s.env["RUNNER_TEMP"] = filepath.Join(s.dir, "temp")
		if err := os.Mkdir(s.env["RUNNER_TEMP"], 0o700); err != nil {
			t.Fatal(err)
		}
		handed, err := s.reveal(t, mode)
		if err != nil {
			t.Fatalf("%s: %v\n%s", mode, err, s.stderr.String())
		}
		if len(s.secrets) < 6 {
			t.Fatalf("%s: %d secrets are known", mode, len(s.secrets))
		}
		key := s.secrets[4]
		if got := strings.Contains(handed, key); got != (mode != modeProfile) {
			t.Errorf("%s: the command has the key: %v", mode, got)
		}
		s.noSecrets(t, "")
		if left, _ := os.ReadDir(s.env["RUNNER_TEMP"]); len(left) != 0 {
			t.Errorf("%s: %v are left", mode, left)
		}
	}
}
