package gcp

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/stint-dev/stint/oidc/providers/gcp/cel"
	"github.com/stint-dev/stint/oidc/trust"
)

// Trust reads, judges and writes workload identity pool providers together with the
// IAM members that are bound to them.
var Trust = trust.Cloud{Name: Name, Find: findLocks, Parse: parseLock, Render: renderLock}

// Limits of Google. Source: IAM documentation, "Workload Identity Federation" and the
// REST reference of projects.locations.workloadIdentityPools.providers, November 2026.
const (
	maxConditionChars = 4096
	maxMappingChars   = 2048 // of one expression
	maxMappingBytes   = 8 << 10
	maxAttributes     = 50
	maxAudiences      = 10
	maxSubjectBytes   = 127
	subjectAttribute  = "google.subject"
	groupsAttribute   = "google.groups"
	customPrefix      = "attribute."
	workloadUserRole  = "roles/iam.workloadIdentityUser"
)

// A lockBody is a provider as the API returns it, with the members that are bound to
// its pool. The members are in member or members; without either they are not known.
// A body without attributeMapping is members alone, whose provider is not known.
type lockBody struct {
	Name               string            `json:"name"`
	State              string            `json:"state"`
	Disabled           bool              `json:"disabled"`
	AttributeMapping   map[string]string `json:"attributeMapping"`
	AttributeCondition string            `json:"attributeCondition"`
	OIDC               *struct {
		IssuerURI        string   `json:"issuerUri"`
		AllowedAudiences []string `json:"allowedAudiences"`
	} `json:"oidc"`
	AWS    json.RawMessage `json:"aws"`
	SAML   json.RawMessage `json:"saml"`
	X509   json.RawMessage `json:"x509"`
	Member string          `json:"member"`
	// Members are bound without a condition, ConditionalMembers with one, which is not read.
	Members            []string `json:"members"`
	ConditionalMembers []string `json:"conditionalMembers"`
	// PoolProviders is how many providers the pool has, 0 when that is not known.
	PoolProviders int `json:"poolProviders"`
}

// hasProvider reports whether the body says anything of a provider.
func (b *lockBody) hasProvider() bool {
	return b.AttributeMapping != nil || b.AttributeCondition != "" || b.OIDC != nil || b.otherKind()
}

// otherKind reports whether the provider takes something else than id-tokens.
func (b *lockBody) otherKind() bool { return b.AWS != nil || b.SAML != nil || b.X509 != nil }

// A lock is a provider with its members, ready to be asked. It implements trust.Policy.
type lock struct {
	body      lockBody
	mapping   map[string]*cel.Expression
	condition *cel.Expression // nil: there is none, or it cannot be read
	broken    []string        // what Google refuses to store
	members   []member
	known     bool // members are known
	pool      pool // "" where neither the name nor a member says it
	provider  string
	open      bool // the document has expressions that are not resolved
}

// A pool is a workload identity pool.
type pool struct{ project, id string }

func (p pool) String() string {
	return "projects/" + p.project + "/locations/global/workloadIdentityPools/" + p.id
}

var (
	providerName = regexp.MustCompile(`^projects/([a-z0-9:.-]{1,60})/locations/global/workloadIdentityPools/([a-z0-9-]{1,40})/providers/([a-z0-9-]{1,40})$`)
	memberName   = regexp.MustCompile(`^(principal|principalSet)://iam\.googleapis\.com/projects/([^/]{1,60})/locations/global/workloadIdentityPools/([^/]{1,40})/(.+)$`)
	attributeKey = regexp.MustCompile(`^attribute\.[a-z0-9_]{1,100}$`)
	digits       = regexp.MustCompile(`^[0-9]{1,20}$`)
)

// parseLock reads one lock.
func parseLock(d trust.Document) (trust.Policy, error) {
	l, err := readLock(d)
	if err != nil {
		return nil, err
	}
	if d.HasPlaceholders() {
		return trust.Partial(l, nil), nil
	}
	return l, nil
}

func readLock(d trust.Document) (*lock, error) {
	if len(d.Body) > trust.MaxDocumentBytes {
		return nil, fmt.Errorf("the provider is larger than %d bytes", trust.MaxDocumentBytes)
	}
	if err := trust.CheckKeys(d.Body); err != nil {
		return nil, fmt.Errorf("the provider is not as the api writes it: %w", err)
	}
	l := &lock{mapping: map[string]*cel.Expression{}, open: len(d.Unresolved) > 0}
	if err := json.Unmarshal(d.Body, &l.body); err != nil {
		return nil, fmt.Errorf("the provider is not as the api writes it: %s", jsonProblem(err))
	}
	if !l.body.hasProvider() && l.body.Member == "" && l.body.Members == nil && l.body.ConditionalMembers == nil {
		return nil, errors.New("neither a provider nor members of a workload identity pool")
	}
	l.readMembers()
	l.place()
	l.compile()
	return l, nil
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
	}
	return "not JSON"
}

// place finds out which pool and provider it is.
func (l *lock) place() {
	if m := providerName.FindStringSubmatch(l.body.Name); m != nil {
		l.pool, l.provider = pool{m[1], m[2]}, m[3]
		return
	}
	for _, m := range l.members {
		if m.pool.id != "" {
			l.pool = m.pool
			return
		}
	}
}

// compile reads the expressions and notes what Google does not take.
func (l *lock) compile() {
	refuse := func(format string, args ...any) { l.broken = append(l.broken, fmt.Sprintf(format, args...)) }
	total := 0
	for _, key := range sortedKeys(l.body.AttributeMapping) {
		src := l.body.AttributeMapping[key]
		total += len(key) + len(src)
		if key != subjectAttribute && key != groupsAttribute && !attributeKey.MatchString(key) {
			refuse("%.100q is not an attribute", key)
		}
		if n := len([]rune(src)); n > maxMappingChars {
			refuse("the mapping of %s has %d characters; %d are taken", key, n, maxMappingChars)
		}
		x, err := cel.Parse(src)
		if err != nil {
			refuse("the mapping of %.100q is no expression %v", key, err)
			continue
		}
		l.mapping[key] = x
	}
	switch {
	case l.body.OIDC != nil && l.body.AttributeMapping[subjectAttribute] == "":
		refuse("google.subject is not mapped")
	case len(l.body.AttributeMapping) > maxAttributes+2:
		refuse("%d attributes are mapped; %d are taken", len(l.body.AttributeMapping), maxAttributes)
	case total > maxMappingBytes:
		refuse("the mapping has %d bytes; %d are taken", total, maxMappingBytes)
	}
	if l.body.OIDC != nil && len(l.body.OIDC.AllowedAudiences) > maxAudiences {
		refuse("%d audiences are allowed; %d are taken", len(l.body.OIDC.AllowedAudiences), maxAudiences)
	}
	l.compileCondition(refuse)
}

func (l *lock) compileCondition(refuse func(string, ...any)) {
	src := l.body.AttributeCondition
	if strings.TrimSpace(src) == "" {
		return
	}
	if n := len([]rune(src)); n > maxConditionChars {
		refuse("the condition has %d characters; %d are taken", n, maxConditionChars)
	}
	var err error
	if l.condition, err = cel.Parse(src); err != nil {
		refuse("the condition is no expression %v", err)
	}
}

// hasCondition reports whether there is a condition, readable or not.
func (l *lock) hasCondition() bool { return strings.TrimSpace(l.body.AttributeCondition) != "" }

// A memberKind is what a member names of its pool.
type memberKind uint8

const (
	otherMember memberKind = iota // not of a pool: a user, a service account
	wholePool
	oneSubject
	oneGroup
	oneAttribute
)

// A member is one member of an IAM binding.
type member struct {
	kind        memberKind
	text        string
	pool        pool
	attribute   string // "attribute.ref"
	value       string
	conditional bool
}

func (l *lock) readMembers() {
	list := l.body.Members
	if l.body.Member != "" {
		list = append([]string{l.body.Member}, list...)
	}
	for _, text := range list {
		l.members = append(l.members, parseMember(text, false))
	}
	for _, text := range l.body.ConditionalMembers {
		l.members = append(l.members, parseMember(text, true))
	}
	l.known = l.body.Member != "" || l.body.Members != nil || l.body.ConditionalMembers != nil
}

func parseMember(text string, conditional bool) member {
	out := member{text: text, conditional: conditional}
	m := memberName.FindStringSubmatch(text)
	if m == nil {
		return out
	}
	out.pool = pool{m[2], m[3]}
	name, value, valued := strings.Cut(m[4], "/")
	set := m[1] == "principalSet"
	switch {
	case set && m[4] == "*":
		out.kind = wholePool
	case !set && name == "subject" && valued:
		out.kind, out.value = oneSubject, value
	case set && name == "group" && valued:
		out.kind, out.value = oneGroup, value
	case set && strings.HasPrefix(name, customPrefix) && valued:
		out.kind, out.attribute, out.value = oneAttribute, name, value
	}
	return out
}

// Audience returns the first audience that is allowed, else the provider's own URL.
// For a provider whose name is not known it is the URL of one called "provider".
func (l *lock) Audience() string {
	if l.body.OIDC != nil && len(l.body.OIDC.AllowedAudiences) > 0 {
		return l.body.OIDC.AllowedAudiences[0]
	}
	if l.pool.id == "" {
		return ""
	}
	id := l.provider
	if id == "" {
		id = "provider"
	}
	return "https:" + audienceOf(l.pool, id)
}

// audienceOf is the name of a provider in an STS request.
func audienceOf(p pool, provider string) string {
	return "//iam.googleapis.com/" + p.String() + "/providers/" + provider
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
