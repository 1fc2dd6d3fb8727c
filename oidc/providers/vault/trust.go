package vault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/trust"
)

// Trust reads, judges and writes the roles of the JWT auth method of Vault and OpenBao.
var Trust = trust.Cloud{Name: "vault", Find: findRoles, Parse: parseRole, Render: renderRole}

// A role is what the JWT method compares with a token. Source: path_role.go,
// path_login.go and claims.go of vault-plugin-auth-jwt and of OpenBao, read November 2026.
type role struct {
	Type            string `json:"role_type"` // "" is oidc
	UserClaim       string `json:"user_claim"`
	UserPointer     bool   `json:"user_claim_json_pointer"`
	GroupsClaim     string `json:"groups_claim"`
	Audiences       texts  `json:"bound_audiences"`
	Subject         string `json:"bound_subject"`
	ClaimsType      string `json:"bound_claims_type"`
	Claims          bounds `json:"bound_claims"`
	CIDRs           texts  `json:"token_bound_cidrs"`
	Policies        texts  `json:"token_policies"`
	PolicyTemplates bool   `json:"token_policies_template_claims"` // OpenBao
	TTL             length `json:"token_ttl"`
	MaxTTL          length `json:"token_max_ttl"`
	ExplicitMaxTTL  length `json:"token_explicit_max_ttl"`
	Period          length `json:"token_period"`
	TokenType       string `json:"token_type"`
	ExpiryLeeway    length `json:"expiration_leeway"`
	NotBeforeLeeway length `json:"not_before_leeway"`
	ClockLeeway     length `json:"clock_skew_leeway"`
	// Program is that of OpenBao's auth/jwt/cel/role.
	Program json.RawMessage `json:"cel_program"`
	// Mount is the configuration of the mount that the role is of: no part of a role,
	// added by a live read; nil where it is not known.
	Mount *mount `json:"mount"`

	unresolved bool
}

// A mount is what auth/MOUNT/config says of the issuer. Source: path_config.go and
// path_login.go of vault-plugin-auth-jwt.
type mount struct {
	BoundIssuer  string `json:"bound_issuer"`
	DiscoveryURL string `json:"oidc_discovery_url"`
}

// refusal says that a token is of another issuer than the mount's: one that it demands,
// or the one by whose keys alone it verifies. Keys that are set by hand say no issuer.
func (m *mount) refusal(c oidc.Claims) string {
	if m == nil {
		return ""
	}
	switch iss := c.Get("iss"); {
	case m.BoundIssuer != "" && iss != m.BoundIssuer:
		return fmt.Sprintf("iss is %.200q, bound_issuer of the mount wants %.200q", iss, m.BoundIssuer)
	case m.DiscoveryURL != "" && strings.TrimSuffix(iss, "/") != strings.TrimSuffix(m.DiscoveryURL, "/"):
		return fmt.Sprintf("iss is %.200q, and the mount has the keys of %.200q", iss, m.DiscoveryURL)
	}
	return ""
}

// roleFields are fields that only such a role has.
var roleFields = []string{"bound_audiences", "bound_claims", "bound_subject", "bound_claims_type", "cel_program"}

// findRoles returns the role of a body, or of `vault read -format=json auth/jwt/role/x`.
func findRoles(path string, b []byte) ([]trust.Document, error) {
	b = bytes.TrimSpace(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")))
	if len(b) > trust.MaxDocumentBytes || len(b) == 0 || b[0] != '{' {
		return nil, nil
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(b, &object) != nil {
		return nil, nil
	}
	body := b
	if data, ok := object["data"]; ok && !isRole(object) {
		object = nil
		if json.Unmarshal(data, &object) != nil {
			return nil, nil
		}
		body = data
	}
	if !isRole(object) {
		return nil, nil
	}
	at := max(bytes.Index(b, body), 0)
	return []trust.Document{{Cloud: "vault", Path: path, Line: 1 + bytes.Count(b[:at], []byte("\n")), Body: body}}, nil
}

func isRole(object map[string]json.RawMessage) bool {
	return slices.ContainsFunc(roleFields, func(f string) bool { _, ok := object[f]; return ok })
}

func parseRole(d trust.Document) (trust.Policy, error) {
	if len(d.Body) > trust.MaxDocumentBytes {
		return nil, fmt.Errorf("the role is larger than %d bytes", trust.MaxDocumentBytes)
	}
	if err := checkFields(d.Body); err != nil {
		return nil, fmt.Errorf("the role is not as Vault writes it: %w", err)
	}
	r := &role{unresolved: len(d.Unresolved) > 0}
	if err := json.Unmarshal(d.Body, r); err != nil {
		return nil, fmt.Errorf("the role is not as Vault writes it: %s", jsonProblem(err))
	}
	if d.HasPlaceholders() {
		return trust.Partial(r, nil), nil
	}
	return r, nil
}

// checkFields refuses a role that Vault would read as another: with a field twice, or
// one with a capital, which Vault passes over.
func checkFields(b []byte) error {
	var object map[string]json.RawMessage
	if json.Unmarshal(b, &object) == nil {
		for name := range object {
			if name != strings.ToLower(name) {
				return fmt.Errorf("the field %.60q has a capital, and Vault passes over it", name)
			}
		}
	}
	return trust.CheckKeys(b)
}

// jsonProblem says where a decoder stopped, without the text that it stopped at.
func jsonProblem(err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("not JSON at byte %d", syntax.Offset)
	case errors.As(err, &kind):
		return fmt.Sprintf("%.60q has the wrong type", kind.Field)
	case errors.Is(err, errKind):
		return err.Error()
	}
	return "not JSON"
}

var errKind = errors.New("a value has the wrong type")

// texts is a list, or a text with commas between, as Vault takes both.
type texts []string

// UnmarshalJSON reads either form.
func (t *texts) UnmarshalJSON(b []byte) error {
	var list []string
	if json.Unmarshal(b, &list) == nil {
		*t = list
		return nil
	}
	var one string
	if json.Unmarshal(b, &one) != nil {
		return fmt.Errorf("%w: a list of texts is wanted", errKind)
	}
	*t = nil
	for part := range strings.SplitSeq(one, ",") {
		if part = strings.TrimSpace(part); part != "" {
			*t = append(*t, part)
		}
	}
	return nil
}

// A length is a time in seconds, as a number or as text with a unit.
type length time.Duration

// maxSeconds is the longest that a length can be.
const maxSeconds = int64(1<<63-1) / int64(time.Second)

// UnmarshalJSON reads 900, "900" and "15m".
func (l *length) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	if text == "" || text == "null" {
		return nil
	}
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil && seconds >= -maxSeconds && seconds <= maxSeconds {
		*l = length(time.Duration(seconds) * time.Second)
		return nil
	}
	if days, err := strconv.ParseInt(strings.TrimSuffix(text, "d"), 10, 16); err == nil && strings.HasSuffix(text, "d") {
		*l = length(time.Duration(days) * 24 * time.Hour)
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%w: a length of time is wanted", errKind)
	}
	*l = length(d)
	return nil
}

// Decide compares the claims as a login does. Signature and time belong to the mount and
// are not part of a role; so does the issuer, which is compared where the mount is known.
func (r *role) Decide(c oidc.Claims) trust.Answer {
	a := trust.Answer{Exact: !r.unresolved}
	if a.Why = r.refusal(c); a.Why != "" {
		return a
	}
	a.Admits, a.Why = true, "audience, subject and claims fit the role"
	switch {
	case r.Program != nil:
		a.Exact, a.Why = false, "the audience fits; the role's CEL program is not read"
	case len(r.CIDRs) > 0:
		a.Exact, a.Why = false, a.Why+", if the login comes from token_bound_cidrs"
	}
	return a
}

// refusal says why the login fails, "" when it does not.
func (r *role) refusal(c oidc.Claims) string {
	if why := r.Mount.refusal(c); why != "" {
		return why
	}
	if r.Program == nil && r.Type != "jwt" {
		return fmt.Sprintf("role_type is %.40q, and a login with a token needs jwt", orDefault(r.Type, "oidc"))
	}
	if why := r.refusedAudience(c); why != "" || r.Program != nil {
		return why
	}
	if r.Subject != "" && c.Get("sub") != r.Subject {
		return fmt.Sprintf("sub is %.300q, bound_subject wants %.300q", c.Get("sub"), r.Subject)
	}
	if why := r.broken(); why != "" {
		return "vault does not take the role: " + why
	}
	for _, name := range r.Claims.names() {
		if why := r.Claims[name].refusal(name, c, r.ClaimsType == "glob"); why != "" {
			return why
		}
	}
	return r.refusedIdentity(c)
}

// refusedAudience demands one of the list; a token that has an audience needs a list.
func (r *role) refusedAudience(c oidc.Claims) string {
	got := strings.Join(c.Audience, ", ")
	switch {
	case len(r.Audiences) == 0 && len(c.Audience) > 0 && r.Program == nil:
		return fmt.Sprintf("the token is for %.200q, and the role has no bound_audiences", got)
	case len(r.Audiences) > 0 && !slices.ContainsFunc(c.Audience, func(a string) bool { return slices.Contains(r.Audiences, a) }):
		return fmt.Sprintf("aud is %.200q, which is none of bound_audiences", got)
	}
	return ""
}

// refusedIdentity demands the claims of which the login makes an entity and groups.
func (r *role) refusedIdentity(c oidc.Claims) string {
	user := r.UserClaim
	if user != "" && !r.UserPointer {
		if !c.Has(user) {
			return fmt.Sprintf("the token has no claim %.60q, which user_claim names", user)
		}
	} else if user != "" && len(claimValues(user, c)) == 0 {
		return fmt.Sprintf("the token has no claim %.60q, which user_claim names", user)
	}
	if r.GroupsClaim != "" && len(claimValues(r.GroupsClaim, c)) == 0 {
		return fmt.Sprintf("the token has no claim %.60q, which groups_claim names", r.GroupsClaim)
	}
	return ""
}

// broken says why Vault would refuse to store the role.
func (r *role) broken() string {
	if r.ClaimsType != "" && r.ClaimsType != "string" && r.ClaimsType != "glob" {
		return fmt.Sprintf("bound_claims_type is %.40q, neither string nor glob", r.ClaimsType)
	}
	if r.ClaimsType == "glob" {
		for _, name := range r.Claims.names() {
			if r.Claims[name].others {
				return fmt.Sprintf("bound_claims_type is glob, and %.60q has a value that is not text", name)
			}
		}
	}
	return ""
}

// Audience returns the first of bound_audiences.
func (r *role) Audience() string {
	if len(r.Audiences) == 0 {
		return ""
	}
	return r.Audiences[0]
}

// Targets reads the bound claims.
func (r *role) Targets() []trust.Target {
	named := map[string][]string{"aud": r.Audiences}
	for name, b := range r.Claims {
		named[strings.TrimPrefix(name, "/")] = b.texts
	}
	if r.Subject != "" {
		named["sub"] = []string{r.Subject}
	}
	return trust.Named(named)
}

func orDefault(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
