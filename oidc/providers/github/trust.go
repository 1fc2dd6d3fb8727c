package github

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/trust"
)

// Trust reads, judges and writes the trust policies of octo-sts.
var Trust = trust.Cloud{Name: "octo-sts", Audience: octoDomain, Find: findSTS, Parse: parseSTS, Render: renderSTS}

const (
	// octoDomain is what octo-sts demands in aud when the policy names nothing.
	octoDomain = "octo-sts.dev"
	// octoDirectory is where octo-sts looks for policies, on the default branch.
	octoDirectory = ".github/chainguard/"
	octoSuffix    = ".sts.yaml"
	// maxSTSBytes is the largest policy that is read, maxPattern the longest pattern.
	maxSTSBytes = 64 << 10
	maxPattern  = 4 << 10
)

// An stsPolicy is a trust policy. Source: pkg/octosts/trust_policy.go of octo-sts, read
// November 2026.
type stsPolicy struct {
	Issuer          string            `yaml:"issuer"`
	IssuerPattern   string            `yaml:"issuer_pattern"`
	Subject         string            `yaml:"subject"`
	SubjectPattern  string            `yaml:"subject_pattern"`
	AudienceText    string            `yaml:"audience"`
	AudiencePattern string            `yaml:"audience_pattern"`
	ClaimPattern    map[string]string `yaml:"claim_pattern"`
	Permissions     map[string]string `yaml:"permissions"`
	Repositories    []string          `yaml:"repositories"`

	path       string
	unresolved bool
	broken     string // why octo-sts does not take the policy, "" when it does
	unknown    []string
	// Both by field, or "claim_pattern." and the claim.
	patterns, grouped compiled
}

// compiled are patterns, ready to match.
type compiled map[string]*regexp.Regexp

// findSTS returns the policy of a file that has octo-sts's suffix, or its fields.
func findSTS(path string, b []byte) ([]trust.Document, error) {
	named := strings.HasSuffix(path, octoSuffix) || strings.HasSuffix(path, ".sts.yml")
	if len(b) > maxSTSBytes || len(bytes.TrimSpace(b)) == 0 {
		if named && len(b) > maxSTSBytes {
			return nil, fmt.Errorf("the policy is larger than %d bytes", maxSTSBytes)
		}
		return nil, nil
	}
	var keys map[string]yaml.Node
	err := yaml.Unmarshal(b, &keys)
	if !named {
		has := func(k string) bool { _, ok := keys[k]; return ok }
		if err != nil || !has("permissions") || !(has("issuer") || has("issuer_pattern")) || !(has("subject") || has("subject_pattern")) {
			return nil, nil
		}
	} else if err != nil {
		return nil, errors.New("the policy is not a YAML mapping, or gives a field twice")
	}
	name := path[strings.LastIndexByte(path, '/')+1:]
	return []trust.Document{{Cloud: "octo-sts", Path: path, Line: 1, Name: strings.TrimSuffix(name, octoSuffix), Body: b}}, nil
}

func parseSTS(d trust.Document) (trust.Policy, error) {
	if len(d.Body) > maxSTSBytes {
		return nil, fmt.Errorf("the policy is larger than %d bytes", maxSTSBytes)
	}
	var keys map[string]any
	if err := yaml.Unmarshal(d.Body, &keys); err != nil || keys == nil {
		return nil, errors.New("the policy is not a YAML mapping, or gives a field twice")
	}
	p := &stsPolicy{path: d.Path, unresolved: len(d.Unresolved) > 0}
	if err := yaml.Unmarshal(d.Body, p); err != nil {
		return nil, errors.New("a field of the policy has the wrong type: texts, a map of texts and a list of texts are wanted")
	}
	known := []string{"issuer", "issuer_pattern", "subject", "subject_pattern", "audience", "audience_pattern", "claim_pattern",
		"permissions", "repositories", "app", "app_pattern"}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		if !slices.Contains(known, k) {
			p.unknown = append(p.unknown, k)
		}
	}
	p.compile()
	if d.HasPlaceholders() {
		return trust.Partial(p, nil), nil
	}
	return p, nil
}

// texts are the patterns by their fields.
func (p *stsPolicy) texts() map[string]string {
	all := map[string]string{}
	for field, text := range map[string]string{"issuer_pattern": p.IssuerPattern, "subject_pattern": p.SubjectPattern, "audience_pattern": p.AudiencePattern} {
		if text != "" {
			all[field] = text
		}
	}
	for claim, text := range p.ClaimPattern {
		all["claim_pattern."+claim] = text
	}
	return all
}

// compile reads the patterns as octo-sts does. Until September 2026 that was "^", the
// pattern, "$", with no group around it, so that each anchor belongs to one alternative
// of a pattern that has any; since then there is a group.
func (p *stsPolicy) compile() {
	switch {
	case (p.Issuer == "") == (p.IssuerPattern == ""):
		p.broken = "it needs exactly one of issuer and issuer_pattern"
	case (p.Subject == "") == (p.SubjectPattern == ""):
		p.broken = "it needs exactly one of subject and subject_pattern"
	case p.AudienceText != "" && p.AudiencePattern != "":
		p.broken = "it has both audience and audience_pattern"
	}
	p.patterns, p.grouped = compiled{}, compiled{}
	all := p.texts()
	for _, field := range slices.Sorted(maps.Keys(all)) {
		if len(all[field]) > maxPattern {
			p.broken = fmt.Sprintf("%.80q is longer than %d bytes", field, maxPattern)
			return
		}
		_, alone := regexp.Compile(all[field]) // a group around "a)|(b" would make it whole
		loose, err := regexp.Compile("^" + all[field] + "$")
		tight, groupErr := regexp.Compile("^(?:" + all[field] + ")$")
		if alone != nil || err != nil || groupErr != nil {
			p.broken = fmt.Sprintf("%.80q is not a regular expression", field)
			return
		}
		p.patterns[field], p.grouped[field] = loose, tight
	}
}

// Decide compares the claims as the exchange does. What only the older reading of a
// pattern admits is admitted, but not for certain.
func (p *stsPolicy) Decide(c oidc.Claims) trust.Answer {
	a := trust.Answer{Exact: !p.unresolved}
	if a.Why = p.refusal(c, p.patterns); a.Why != "" {
		return a
	}
	a.Admits, a.Why = true, "issuer, subject, audience and claims fit the policy"
	if newer := p.refusal(c, p.grouped); newer != "" {
		a.Exact, a.Why = false, "fits an alternative that is anchored on one side; an octo-sts since September 2026 refuses it: "+newer
	}
	return a
}

func (p *stsPolicy) refusal(c oidc.Claims, in compiled) string {
	switch iss, sub := c.Get("iss"), c.Get("sub"); {
	case p.broken != "":
		return "octo-sts does not take the policy: " + p.broken
	case !in.fits("issuer_pattern", p.Issuer, iss):
		return fmt.Sprintf("iss is %.200q, the policy wants %.200q", iss, p.Issuer+p.IssuerPattern)
	case !validSubject(sub):
		return fmt.Sprintf("sub is %.300q, and octo-sts takes no subject with such characters", sub)
	case !in.fits("subject_pattern", p.Subject, sub):
		return fmt.Sprintf("sub is %.300q, the policy wants %.300q", sub, p.Subject+p.SubjectPattern)
	case !p.fitsAudience(c.Audience, in):
		return fmt.Sprintf("aud is %.200q, the policy wants %.200q", strings.Join(c.Audience, ", "), p.wantedAudience())
	}
	for _, claim := range slices.Sorted(maps.Keys(p.ClaimPattern)) {
		if !c.Has(claim) {
			return fmt.Sprintf("the token has no claim %.60q", claim)
		}
		if !in["claim_pattern."+claim].MatchString(c.Get(claim)) {
			return fmt.Sprintf("claim %.60q is %.300q, which does not fit %.300q", claim, c.Get(claim), p.ClaimPattern[claim])
		}
	}
	return ""
}

// fits compares with the exact text, or with the pattern where there is none.
func (in compiled) fits(field, exact, got string) bool {
	if exact != "" {
		return got == exact
	}
	return in[field].MatchString(got)
}

func (p *stsPolicy) fitsAudience(audiences []string, in compiled) bool {
	return slices.ContainsFunc(audiences, func(a string) bool {
		if p.AudiencePattern != "" {
			return in["audience_pattern"].MatchString(a)
		}
		return a == p.Audience()
	})
}

func (p *stsPolicy) wantedAudience() string {
	if p.AudiencePattern != "" {
		return p.AudiencePattern
	}
	return p.Audience()
}

// maxSubject is the longest subject that octo-sts takes, in characters.
const maxSubject = 255

// validSubject refuses what octo-sts refuses before it looks at a policy: quotes,
// brackets, blanks, control characters and what a shell reads. Source:
// pkg/oidcvalidate of octo-sts.
func validSubject(s string) bool {
	return s != "" && utf8.RuneCountInString(s) <= maxSubject && !strings.ContainsAny(s, " \"'`\\<>;&$(){}[]") &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// Audience returns what the token must be for, "" when a pattern says so.
func (p *stsPolicy) Audience() string {
	switch {
	case p.AudienceText != "":
		return p.AudienceText
	case p.AudiencePattern != "":
		if re := p.patterns["audience_pattern"]; re != nil {
			if text, whole := regexp.MustCompile(p.AudiencePattern).LiteralPrefix(); whole {
				return text
			}
		}
		return ""
	}
	return octoDomain
}

// Targets reads the exact values and what the patterns mean.
func (p *stsPolicy) Targets() []trust.Target {
	if p.broken != "" {
		return nil
	}
	named := map[string][]string{"aud": {p.Audience()}, "iss": {p.Issuer}, "sub": {p.Subject}}
	if p.Issuer == "" {
		named["iss"] = meanings(p.IssuerPattern)
	}
	if p.Subject == "" {
		named["sub"] = meanings(p.SubjectPattern)
	}
	if p.AudiencePattern != "" {
		named["aud"] = meanings(p.AudiencePattern)
	}
	for claim, text := range p.ClaimPattern {
		named[claim] = meanings(text)
	}
	return trust.Named(named)
}
