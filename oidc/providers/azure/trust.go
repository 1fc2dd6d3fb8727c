package azure

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/trust"
)

// Trust reads, judges and writes the federated identity credentials of Entra
// applications and user-assigned identities.
var Trust = trust.Cloud{Name: "azure", Audience: audiences["public"], Find: findFederated, Parse: parseFederated, Render: renderFederated}

// Limits of federated identity credentials. Source: Microsoft Learn, "Workload identity
// federation" and "Flexible federated identity credentials", read November 2026.
const (
	maxFederated        = 20 // of one application or identity
	maxFederatedSubject = 600
	maxFederatedName    = 120
)

// A federated is one federated identity credential: exact, or with an expression.
type federated struct {
	Name      string      `json:"name"`
	Issuer    string      `json:"issuer"`
	Subject   string      `json:"subject"`
	Audiences []string    `json:"audiences"`
	Matching  *expression `json:"claimsMatchingExpression"`

	clauses []clause
	refused string // why Entra does not take the expression, "" when it does
	uneven  bool   // two clauses are about one claim, which is not documented
}

// An expression is claimsMatchingExpression as Graph writes it.
type expression struct {
	Value           string `json:"value"`
	LanguageVersion int    `json:"languageVersion"`
}

// findFederated returns the credentials of an object, a list, or an export of Graph
// or Resource Manager. Each is a document of its own, since any of them admits.
func findFederated(path string, b []byte) ([]trust.Document, error) {
	b = bytes.TrimSpace(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")))
	if len(b) > trust.MaxDocumentBytes || len(b) == 0 || b[0] != '{' && b[0] != '[' {
		return nil, nil
	}
	var docs []trust.Document
	for _, raw := range federatedObjects(b) {
		var named struct {
			Name string `json:"name"`
		}
		if err := json.Unmarshal(raw, &named); err != nil {
			return nil, fmt.Errorf("a federated credential is not as Graph writes it: %s", jsonProblem(err))
		}
		at := bytes.Index(b, raw)
		docs = append(docs, trust.Document{Cloud: "azure", Path: path, Name: named.Name, Body: raw,
			Line: 1 + bytes.Count(b[:max(at, 0)], []byte("\n"))})
	}
	return docs, nil
}

// federatedObjects are the parts of a file that look like credentials.
func federatedObjects(b []byte) []json.RawMessage {
	var list []json.RawMessage
	if b[0] == '[' {
		if json.Unmarshal(b, &list) != nil {
			return nil
		}
	} else {
		var object map[string]json.RawMessage
		if json.Unmarshal(b, &object) != nil {
			return nil
		}
		list = []json.RawMessage{b}
		if value := bytes.TrimSpace(object["value"]); len(value) > 0 && value[0] == '[' {
			if json.Unmarshal(value, &list) != nil {
				return nil
			}
		}
	}
	return slices.DeleteFunc(list, func(raw json.RawMessage) bool { return !isFederated(raw) })
}

// isFederated demands the two fields that only these credentials have together.
func isFederated(raw json.RawMessage) bool {
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil {
		return false
	}
	if inner, ok := object["properties"]; ok {
		object = nil
		if json.Unmarshal(inner, &object) != nil {
			return false
		}
	}
	_, issuer := object["issuer"]
	_, subject := object["subject"]
	_, matching := object["claimsMatchingExpression"]
	_, audiences := object["audiences"]
	return issuer && (subject || matching || audiences)
}

// parseFederated reads one credential, or a list of them, any of which admits.
func parseFederated(d trust.Document) (trust.Policy, error) {
	if len(d.Body) > trust.MaxDocumentBytes {
		return nil, fmt.Errorf("the credential is larger than %d bytes", trust.MaxDocumentBytes)
	}
	body := bytes.TrimSpace(d.Body)
	if err := trust.CheckKeys(body); err != nil {
		return nil, fmt.Errorf("the credential is not as Graph writes it: %w", err)
	}
	raws := []json.RawMessage{body}
	if len(body) > 0 && body[0] == '[' {
		if err := json.Unmarshal(body, &raws); err != nil {
			return nil, fmt.Errorf("the list of credentials is not JSON: %s", jsonProblem(err))
		}
	}
	p := federatedPolicy{unresolved: len(d.Unresolved) > 0}
	for _, raw := range raws {
		f, err := readFederated(raw)
		if err != nil {
			return nil, err
		}
		p.any = append(p.any, f)
	}
	if len(p.any) == 0 {
		return nil, fmt.Errorf("the list of credentials is empty")
	}
	if d.HasPlaceholders() {
		return trust.Partial(p, nil), nil
	}
	return p, nil
}

// readFederated reads the form of Graph, or that of Resource Manager, which has
// everything but the name below properties.
func readFederated(raw json.RawMessage) (*federated, error) {
	var outer struct {
		federated
		Properties *federated `json:"properties"`
	}
	if err := json.Unmarshal(raw, &outer); err != nil {
		return nil, fmt.Errorf("the credential is not as Graph writes it: %s", jsonProblem(err))
	}
	f := outer.federated
	if outer.Properties != nil {
		f = *outer.Properties
		f.Name = outer.Name
	}
	switch {
	case f.Issuer == "":
		return nil, fmt.Errorf("the credential %.100q has no issuer", f.Name)
	}
	f.compile()
	return &f, nil
}

func (f *federated) compile() {
	if f.Matching == nil {
		return
	}
	var err error
	f.clauses, err = parseExpression(f.Matching.Value)
	switch {
	case err != nil:
		f.refused = err.Error()
	case f.Subject != "":
		f.refused = "it has both subject and claimsMatchingExpression"
	}
	seen := map[string]bool{}
	for _, c := range f.clauses {
		f.uneven = f.uneven || seen[c.claim]
		seen[c.claim] = true
	}
}

// jsonProblem says where a decoder stopped, without the text that it stopped at.
func jsonProblem(err error) string {
	switch e := err.(type) {
	case *json.SyntaxError:
		return fmt.Sprintf("not JSON at byte %d", e.Offset)
	case *json.UnmarshalTypeError:
		return fmt.Sprintf("%.60q has the wrong type", e.Field)
	}
	return "not JSON"
}

// A federatedPolicy admits what any of its credentials admits.
type federatedPolicy struct {
	any        []*federated
	unresolved bool
}

// Decide asks each credential. Signature and time are the tenant's business.
func (p federatedPolicy) Decide(c oidc.Claims) trust.Answer {
	exact := !p.unresolved
	var last string
	for _, f := range p.any {
		a := f.decide(c)
		exact = exact && a.Exact
		if a.Admits {
			a.Exact = exact
			return a
		}
		last = a.Why
	}
	if len(p.any) > 1 {
		last = fmt.Sprintf("none of %d credentials fits; the last: %s", len(p.any), last)
	}
	return trust.Answer{Exact: exact, Why: last}
}

func (f *federated) decide(c oidc.Claims) trust.Answer {
	no := func(format string, args ...any) trust.Answer {
		return trust.Answer{Exact: !f.uneven, Why: fmt.Sprintf(format, args...)}
	}
	switch {
	case f.refused != "":
		return no("entra does not take the credential: %s", f.refused)
	case c.Get("iss") != f.Issuer:
		return no("iss is %.200q, the credential is for %.200q", c.Get("iss"), f.Issuer)
	case !slices.ContainsFunc(c.Audience, func(a string) bool { return slices.Contains(f.Audiences, a) }):
		return no("aud is %.200q, the credential is for %.200q", strings.Join(c.Audience, ", "), strings.Join(f.Audiences, ", "))
	}
	if f.Matching == nil {
		if sub := c.Get("sub"); !c.Has("sub") || sub != f.Subject {
			return no("sub is %.300q, the credential wants %.300q", sub, f.Subject)
		}
		return trust.Answer{Admits: true, Exact: true, Why: fmt.Sprintf("sub is %.300q, as the credential wants", f.Subject)}
	}
	for _, m := range f.clauses {
		if !m.holds(c) {
			return no("%s is %.300q, which does not fit %s", m.claim, c.Get(m.claim), m)
		}
	}
	return trust.Answer{Admits: true, Exact: !f.uneven, Why: fmt.Sprintf("each of %d clauses fits", len(f.clauses))}
}

// Audience returns the first credential's audience.
func (p federatedPolicy) Audience() string {
	switch a := p.any[0].Audiences; {
	case len(a) == 0:
		return ""
	case strings.EqualFold(a[0], audiences["public"]):
		return audiences["public"] // another case of it is a slip
	default:
		return a[0]
	}
}

// Targets reads the subjects and the clauses.
func (p federatedPolicy) Targets() []trust.Target {
	var targets []trust.Target
	for _, f := range p.any {
		named := map[string][]string{"iss": {f.Issuer}, "aud": f.Audiences}
		if f.Matching == nil {
			named["sub"] = []string{f.Subject}
		}
		for _, c := range f.clauses {
			named[c.claim] = append(named[c.claim], c.value)
		}
		targets = append(targets, trust.Named(named)...)
	}
	return targets
}
