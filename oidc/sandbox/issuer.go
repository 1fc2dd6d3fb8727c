package sandbox

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Paths of the issuer.
const (
	discoveryPath = "/.well-known/openid-configuration"
	keysPath      = "/.well-known/jwks"
	tokenPath     = "/job/"
	apiVersion    = "2.0"
)

// maxAudienceBytes is the longest audience that is signed.
const maxAudienceBytes = 2048

// notBefore is how far nbf lies before iat, as seen in GitHub's tokens.
const notBefore = 5 * time.Minute

// A registeredJob is a job that may ask for tokens.
type registeredJob struct {
	job    Job
	bearer string
}

// Env registers a job and returns the variables that it would have, those of the
// token request included. The bearer among them is random and good for this job
// of this sandbox only.
func (s *Sandbox) Env(j Job) (map[string]string, error) {
	j, err := checked(j)
	if err != nil {
		return nil, err
	}
	id, bearer := newID(), randomText(48)
	s.mu.Lock()
	s.jobs[id] = &registeredJob{j, bearer}
	s.mu.Unlock()

	env := j.environ()
	env["ACTIONS_ID_TOKEN_REQUEST_URL"] = s.issuer.url() + tokenPath + id + "?api-version=" + apiVersion
	env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = bearer
	return env, nil
}

// Token signs a token for a job without asking over HTTP.
func (s *Sandbox) Token(j Job, audience string) (string, error) {
	j, err := checked(j)
	if err != nil {
		return "", err
	}
	raw, _, err := s.mint(j, audience, nil)
	return raw, err
}

func checked(j Job) (Job, error) {
	j = j.withDefaults()
	return j, j.check()
}

// randomText returns n random bytes as text for a URL.
func randomText(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

func (s *Sandbox) serveIssuer(w http.ResponseWriter, r *http.Request, note *entry) {
	if r.Method != http.MethodGet {
		issuerError(w, note, http.StatusMethodNotAllowed, "MethodNotAllowed", "only GET is served")
		return
	}
	switch id, isToken := strings.CutPrefix(r.URL.Path, tokenPath); {
	case isToken:
		note.action = "token"
		s.serveToken(w, r, note, id)
	case r.URL.Path == discoveryPath:
		note.action = "discovery"
		writeJSON(w, s.discovery())
	case r.URL.Path == keysPath:
		note.action = "keys"
		writeJSON(w, s.keys.public())
	default:
		issuerError(w, note, http.StatusNotFound, "NotFound", "no such path")
	}
}

// discovery is the document of OpenID Connect Discovery 1.0 §3.
func (s *Sandbox) discovery() map[string]any {
	return map[string]any{
		"issuer":                                s.opts.Issuer,
		"jwks_uri":                              s.issuer.url() + keysPath,
		"subject_types_supported":               []string{"public", "pairwise"},
		"response_types_supported":              []string{"id_token"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"scopes_supported":                      []string{"openid"},
		"claims_supported": []string{
			"sub", "aud", "exp", "iat", "iss", "jti", "nbf", "ref", "sha", "repository", "repository_id",
			"repository_owner", "repository_owner_id", "environment", "job_workflow_ref", "event_name",
		},
	}
}

// serveToken is the runner's endpoint: GET, bearer, api-version and one audience
// at most.
func (s *Sandbox) serveToken(w http.ResponseWriter, r *http.Request, note *entry, id string) {
	job := s.authorized(id, r.Header.Get("Authorization"))
	query, err := url.ParseQuery(r.URL.RawQuery)
	switch {
	case job == nil:
		issuerError(w, note, http.StatusUnauthorized, "Unauthorized", "the bearer is not that of a job")
		return
	case err != nil || query.Get("api-version") != apiVersion:
		issuerError(w, note, http.StatusBadRequest, "BadRequest", "api-version must be "+apiVersion)
		return
	case len(query["audience"]) > 1 || len(query.Get("audience")) > maxAudienceBytes:
		issuerError(w, note, http.StatusBadRequest, "BadRequest", "one audience of a sensible length is wanted")
		return
	}
	audience := query.Get("audience")
	if audience == "" {
		audience = "https://github.com/" + job.job.owner()
	}
	raw, claims, err := s.mint(job.job, audience, note.fault)
	if err != nil {
		issuerError(w, note, http.StatusInternalServerError, "Internal", "the token could not be made")
		return
	}
	note.claims = digest(claims)
	writeJSON(w, struct {
		Count int    `json:"count"`
		Value string `json:"value"`
	}{len(raw), raw})
}

// authorized returns the job whose bearer is presented. Unknown jobs cost the
// same comparison as known ones.
func (s *Sandbox) authorized(id, header string) *registeredJob {
	bearer, _ := strings.CutPrefix(header, "Bearer ")
	s.mu.Lock()
	job := s.jobs[id]
	s.mu.Unlock()
	want := ""
	if job != nil {
		want = job.bearer
	}
	if subtle.ConstantTimeCompare([]byte(bearer), []byte(want)) != 1 {
		return nil
	}
	return job
}

// mint makes and signs the claims; a fault spoils them.
func (s *Sandbox) mint(j Job, audience string, fault *Fault) (raw string, payload []byte, err error) {
	if fault == nil {
		fault = &Fault{}
	}
	subject, err := j.subject()
	if err != nil {
		return "", nil, err
	}
	if fault.Audience != "" {
		audience = fault.Audience
	}
	now := s.opts.Now()
	expires := now.Add(s.opts.TokenLife)
	if fault.Expired > 0 {
		expires = now.Add(-fault.Expired)
	}
	issued := expires.Add(-s.opts.TokenLife)
	claims := map[string]any{
		"iss": s.opts.Issuer, "sub": subject, "aud": audience, "jti": newID(),
		"iat": issued.Unix(), "nbf": issued.Add(-notBefore).Unix(), "exp": expires.Unix(),
	}
	for name, value := range j.claims() {
		claims[name] = value
	}
	if payload, err = json.Marshal(claims); err != nil {
		return "", nil, err
	}
	key := s.keys.current()
	if fault.ForeignKey {
		if key, err = s.keys.impostor(now); err != nil {
			return "", nil, err
		}
	}
	raw, err = key.sign(payload)
	return raw, payload, err
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(v) // an error here is the client's hanging up
}

// issuerError answers in the shape of the service behind the runner.
func issuerError(w http.ResponseWriter, note *entry, status int, code, message string) {
	note.code = code
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"message": message, "typeKey": code, "errorCode": 0})
}
