package sigstore

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/fulcio"
	"github.com/stint-dev/stint/oidc/trust"
)

// Trust reads, judges and writes what a verifier demands of a certificate, in the terms
// of cosign's flags.
var Trust = trust.Cloud{Name: Name, Audience: fulcio.Audience, Find: findIdentity, Parse: parseIdentity, Render: renderIdentity}

// maxPattern is the longest regular expression that is read.
const maxPattern = 4 << 10

// An identity is what `cosign verify` and its kin are told of a certificate. Its keys are
// the names of the flags (cosign 3.1, read November 2026). Names are compared whole, with
// their letter case; an expression is searched for, so that it needs anchors of its own.
type identity struct {
	SAN           string `json:"certificate-identity,omitempty"`
	SANPattern    string `json:"certificate-identity-regexp,omitempty"`
	Issuer        string `json:"certificate-oidc-issuer,omitempty"`
	IssuerPattern string `json:"certificate-oidc-issuer-regexp,omitempty"`
	Repository    string `json:"certificate-github-workflow-repository,omitempty"`
	Ref           string `json:"certificate-github-workflow-ref,omitempty"`
	SHA           string `json:"certificate-github-workflow-sha,omitempty"`
	Trigger       string `json:"certificate-github-workflow-trigger,omitempty"`
	Workflow      string `json:"certificate-github-workflow-name,omitempty"`
	audience      string
	unresolved    bool
	san, issuer   *regexp.Regexp // of the patterns, nil where there is none
}

// A flag is one of cosign's.
type flag struct{ name, value string }

// exact are the flags whose values are compared with claims, by the claim.
func (p *identity) exact() map[string]flag {
	return map[string]flag{
		"repository": {"certificate-github-workflow-repository", p.Repository},
		"ref":        {"certificate-github-workflow-ref", p.Ref},
		"sha":        {"certificate-github-workflow-sha", p.SHA},
		"event_name": {"certificate-github-workflow-trigger", p.Trigger},
		"workflow":   {"certificate-github-workflow-name", p.Workflow},
	}
}

// findIdentity returns a JSON object that has a flag for the issuer.
func findIdentity(path string, b []byte) ([]trust.Document, error) {
	b = bytes.TrimSpace(b)
	if len(b) == 0 || len(b) > trust.MaxDocumentBytes || b[0] != '{' || !bytes.Contains(b, []byte(`"certificate-oidc-issuer`)) {
		return nil, nil
	}
	var keys map[string]json.RawMessage
	if json.Unmarshal(b, &keys) != nil || keys["certificate-oidc-issuer"] == nil && keys["certificate-oidc-issuer-regexp"] == nil {
		return nil, nil
	}
	return []trust.Document{{Cloud: Name, Path: path, Line: 1, Name: "signer-identity", Body: b}}, nil
}

// parseIdentity reads one strictly.
func parseIdentity(d trust.Document) (trust.Policy, error) {
	dec := json.NewDecoder(bytes.NewReader(d.Body))
	dec.DisallowUnknownFields()
	p := &identity{audience: fulcio.Audience, unresolved: len(d.Unresolved) > 0}
	if dec.Decode(p) != nil {
		return nil, fmt.Errorf("%.200q is not an object of cosign's certificate flags", d.Name)
	}
	switch {
	case (p.SAN == "") == (p.SANPattern == ""):
		return nil, errors.New("it needs exactly one of certificate-identity and certificate-identity-regexp")
	case p.Issuer == "" && p.IssuerPattern == "":
		return nil, errors.New("it needs certificate-oidc-issuer or certificate-oidc-issuer-regexp")
	}
	var err error
	if p.san, err = compile(p.SANPattern); err == nil {
		p.issuer, err = compile(p.IssuerPattern)
	}
	return p, err
}

func compile(pattern string) (*regexp.Regexp, error) {
	if pattern == "" {
		return nil, nil
	}
	re, err := regexp.Compile(pattern)
	if err != nil || len(pattern) > maxPattern {
		return nil, fmt.Errorf("%.200q is not a regular expression, or longer than %d bytes", pattern, maxPattern)
	}
	return re, nil
}

// Audience is that of the tokens that the Fulcio takes.
func (p *identity) Audience() string { return p.audience }

// Decide answers whether a signature by a certificate for the token is accepted. The
// Fulcio decides about the token itself; of its rules only the audience is looked at.
func (p *identity) Decide(c oidc.Claims) trust.Answer {
	a := trust.Answer{Exact: !p.unresolved && ofGitHub(c.Issuer)}
	if a.Why = p.refusal(c); a.Why != "" {
		return a
	}
	a.Admits, a.Why = true, "the certificate for this token has the demanded issuer, identity and workflow"
	return a
}

func (p *identity) refusal(c oidc.Claims) string {
	san := sanOf(c.Get("job_workflow_ref"))
	switch {
	case !slices.Contains(c.Audience, p.audience):
		return fmt.Sprintf("the audience is not %q, which the fulcio expects", p.audience)
	case c.Get("job_workflow_ref") == "":
		return "the token has no job_workflow_ref, which names the signer"
	case p.Issuer != "" && c.Issuer != p.Issuer, p.issuer != nil && !p.issuer.MatchString(c.Issuer):
		return fmt.Sprintf("the issuer is %.200q, %.200q is demanded", c.Issuer, cmp.Or(p.Issuer, p.IssuerPattern))
	case p.SAN != "" && san != p.SAN, p.san != nil && !p.san.MatchString(san):
		return fmt.Sprintf("the certificate's identity would be %.300q, %.300q is demanded", san, cmp.Or(p.SAN, p.SANPattern))
	}
	for _, claim := range []string{"repository", "ref", "sha", "event_name", "workflow"} {
		if want := p.exact()[claim].value; want != "" && c.Get(claim) != want {
			return fmt.Sprintf("%s is %.200q, %.200q is demanded", claim, c.Get(claim), want)
		}
	}
	return ""
}

// server is the address that a Fulcio puts before the file that defines a job
// (pkg/identity/github of sigstore/fulcio).
const server = "https://github.com/"

// sanOf is the identity of a job's certificate, joined as the Fulcio joins it.
func sanOf(file string) string {
	u := url.URL{Scheme: "https", Host: "github.com", Path: "/"}
	return u.JoinPath(file).String()
}

// ofGitHub reports whether an issuer is one of github.com. For others a Fulcio may be
// told to name another server.
func ofGitHub(issuer string) bool {
	return issuer == trust.GitHubIssuer || strings.HasPrefix(issuer, trust.GitHubIssuer+"/")
}

// Targets reads the file of the identity and the flags. A file is meant to run in its own
// repository unless a flag names another.
func (p *identity) Targets() []trust.Target {
	file := strings.TrimPrefix(p.SAN, server)
	if p.san != nil {
		file = meaning(p.SANPattern)
	}
	named := map[string][]string{"aud": {p.audience}}
	if p.Issuer != "" {
		named["iss"] = []string{p.Issuer}
	}
	for claim, f := range p.exact() {
		if f.value != "" {
			named[claim] = []string{f.value}
		}
	}
	if parts := strings.Split(file, "/"); len(parts) > 1 && p.Repository == "" {
		named["repository"] = []string{parts[0] + "/" + parts[1]}
	}
	if strings.Count(file, "/") > 1 {
		named["job_workflow_ref"] = []string{file}
	}
	return trust.Named(named)
}

// meaning is the file, or the beginning of files with a star behind it, that an expression
// is for: its text before the first sign that stands for others. A lone dot is meant as one.
func meaning(pattern string) string {
	text, whole := strings.CutSuffix(strings.TrimPrefix(strings.TrimPrefix(pattern, "^"), "(?:"), "$")
	if at := strings.IndexAny(text, "*+?()[]{}|"); at >= 0 {
		text, whole = strings.TrimSuffix(text[:at], "."), false // the dot of ".*"
	}
	text = strings.ReplaceAll(text, `\`, "")
	text = strings.TrimPrefix(strings.TrimPrefix(text, "https://"), "github.com/")
	if whole {
		return text
	}
	return text + "*"
}

// Review tells what the text leaves open beyond its answers.
func (p *identity) Review() []trust.Finding {
	var found []trust.Finding
	for _, one := range []flag{{"certificate-identity-regexp", p.SANPattern}, {"certificate-oidc-issuer-regexp", p.IssuerPattern}} {
		if one.value != "" && !strings.HasPrefix(one.value, "^") && !strings.HasPrefix(one.value, `\A`) {
			f := trust.Found("substring-match", trust.Bad)
			f.Message = fmt.Sprintf("%s %.200q is searched for, not compared: whatever holds it somewhere fits", one.name, one.value)
			f.Next = "begin it with ^ and end it with $"
			found = append(found, f)
		}
	}
	if p.Repository == "" {
		f := trust.Found("called-workflow-only", trust.Caution)
		f.Severity = "medium"
		f.Message = "if the file can be called from other repositories, their jobs sign with the same identity"
		f.Next = "demand the repository as well: certificate-github-workflow-repository"
		found = append(found, f)
	}
	return found
}
