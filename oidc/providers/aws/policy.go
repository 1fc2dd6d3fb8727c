package aws

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/stint-dev/stint/oidc/providers/wire"
)

// maxPolicyChars is how many characters the inline session policy and the arns of
// the managed ones may have together (API reference of AssumeRoleWithWebIdentity,
// field Policy). AWS then packs them under a second limit, which only AWS can
// compute: it answers PackedPolicyTooLarge.
const maxPolicyChars = 2048

// policyTime is the layout of aws:CurrentTime. It is of one length, so the budget
// can be checked before the time is known.
const policyTime = "2006-01-02T15:04:05Z"

// A document is an IAM policy with the keys in the order in which they are written.
type document struct {
	Version   string
	Statement []statement
}

type statement struct {
	Effect    string
	Action    any // a string or []string
	Resource  any
	Condition map[string]map[string]string `json:",omitempty"`
}

// sessionPolicy returns the inline session policy as compact JSON, and "" when the
// session needs none. A zero deny leaves the clock out.
//
// Session policies intersect with the role's rights, and without any the session
// has all of them. So a deny on its own needs an Allow beside it: of everything
// when neither allow nor managed policies say less. That session has the role's
// own rights until the deny.
func (s *settings) sessionPolicy(deny time.Time) string {
	var statements []statement
	for _, r := range mergeRights(s.Allow) {
		statements = append(statements, statement{Effect: "Allow", Action: oneOrList(r.Actions), Resource: oneOrList(r.Resources)})
	}
	if !deny.IsZero() {
		if len(s.Allow) == 0 && len(s.ManagedPolicies) == 0 {
			statements = append(statements, statement{Effect: "Allow", Action: "*", Resource: "*"})
		}
		statements = append(statements, denyAfter(deny, s.everything()))
	}
	if len(statements) == 0 {
		return ""
	}
	return compact(statements)
}

// denyAfter is an explicit Deny and not a condition on the Allow, so that it also
// covers rights that a resource's own policy gives to the session.
func denyAfter(t time.Time, actions string) statement {
	return statement{Effect: "Deny", Action: actions, Resource: "*", Condition: map[string]map[string]string{
		"DateGreaterThan": {"aws:CurrentTime": t.UTC().Format(policyTime)},
	}}
}

// everything is the pattern of all actions that a session can be denied. MinIO reads
// "*" as one of STS actions and takes no clock on those; what its sessions can do is
// S3 (observed with its source of 2026-02-12, scripts/integration).
func (s *settings) everything() string {
	if s.role.partition == "minio" {
		return "s3:*"
	}
	return "*"
}

func compact(statements []statement) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // six characters for an ampersand would come out of the budget
	if err := enc.Encode(document{Version: "2012-10-17", Statement: statements}); err != nil {
		return "" // strings and maps of strings always encode
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func oneOrList(list []string) any {
	if len(list) == 1 {
		return list[0]
	}
	return list
}

// mergeRights makes fewer statements that allow exactly the same: entries with the
// same resources share their actions, then entries with the same actions share
// their resources. The order of first mention is kept.
func mergeRights(list []rights) []rights {
	var byResource []rights
	for _, r := range list {
		r = rights{Actions: unique(r.Actions), Resources: unique(r.Resources)}
		i := slices.IndexFunc(byResource, func(o rights) bool { return sameSet(o.Resources, r.Resources) })
		if i < 0 {
			byResource = append(byResource, r)
			continue
		}
		byResource[i].Actions = unique(append(byResource[i].Actions, r.Actions...))
	}
	var merged []rights
	for _, r := range byResource {
		i := slices.IndexFunc(merged, func(o rights) bool { return sameSet(o.Actions, r.Actions) })
		if i < 0 {
			merged = append(merged, r)
			continue
		}
		merged[i].Resources = unique(append(merged[i].Resources, r.Resources...))
	}
	return merged
}

// unique returns list without repetitions, "*" alone when it is one of them.
func unique(list []string) []string {
	if slices.Contains(list, "*") {
		return []string{"*"}
	}
	out := make([]string, 0, len(list))
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func sameSet(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	return !slices.ContainsFunc(a, func(s string) bool { return !slices.Contains(b, s) })
}

var (
	actionName = regexp.MustCompile(`^([a-z0-9][a-z0-9-]{0,62}:[A-Za-z0-9*?]{1,128}|\*)$`)
	// A resource is ASCII without quotes and backslashes, which would have to be
	// escaped and which no arn has.
	resourceText = regexp.MustCompile(`^arn:([a-z0-9-]+):([a-z0-9-]+):[a-z0-9*?-]*:[A-Za-z0-9*?_-]*:[ !#-\[\]-~]+$`)
)

func (s *settings) checkAllow(at wire.Block) error {
	for i, r := range s.Allow {
		if len(r.Actions) == 0 || len(r.Resources) == 0 {
			return at.Errorf(`write both, as in { actions: [s3:PutObject], resources: ["arn:aws:s3:::site/*"] }`,
				"entry %d of allow lacks actions or resources", i+1)
		}
		for _, a := range r.Actions {
			if !actionName.MatchString(a) {
				return at.Errorf("write service:Action with the service in lower case, as in s3:PutObject or s3:Get*",
					"entry %d of allow has action %.200q, which is not one", i+1, a)
			}
		}
		for _, res := range r.Resources {
			if err := s.checkResource(at, i, res); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *settings) checkResource(at wire.Block, i int, res string) error {
	if res == "*" {
		return nil
	}
	m := resourceText.FindStringSubmatch(res)
	if m == nil || len(res) > maxPolicyChars {
		return at.Errorf(`write an arn, as in "arn:aws:s3:::site/*", or "*"`,
			"entry %d of allow has resource %.200q, which is not an arn", i+1, res)
	}
	if s.onAWS() && m[1] != s.role.partition {
		return at.Errorf("use arn:"+s.role.partition+":…",
			"entry %d of allow has resource %.200q in partition %q; the role is in %q", i+1, res, m[1], s.role.partition)
	}
	return nil
}

// checkBudget holds the policy that the grant's ttl needs against the limit.
func (s *settings) checkBudget(at wire.Block) error {
	_, deny := durations(s.ttl, time.Unix(0, 0))
	inline, managed := len(s.sessionPolicy(deny)), 0
	for _, arn := range s.ManagedPolicies {
		managed += len(arn)
	}
	if inline+managed <= maxPolicyChars {
		return nil
	}
	hint := "name fewer or shorter actions and resources under allow (wildcards are shorter), or move rights into a managed policy"
	if longest := s.longest(); longest != "" {
		hint = "shorten allow, longest entry first (" + longest + "), or move rights into a managed policy"
	}
	return at.Errorf(hint, "the session policy has %d characters (inline %d, arns of managed policies %d); aws takes %d",
		inline+managed, inline, managed, maxPolicyChars)
}

// longest is the action or resource that takes most of the budget, quoted.
func (s *settings) longest() string {
	longest := ""
	for _, r := range s.Allow {
		for _, v := range slices.Concat(r.Actions, r.Resources) {
			if len(v) > len(longest) {
				longest = v
			}
		}
	}
	if longest == "" {
		return ""
	}
	if len(longest) > 80 {
		longest = longest[:80] + "…"
	}
	return `"` + longest + `"`
}

// durations returns what to ask of AWS for a ttl that begins at start, and from
// when the session policy has to deny: the zero time when AWS can issue the ttl
// itself. DurationSeconds is whole seconds, 900 at least.
func durations(ttl time.Duration, start time.Time) (asked time.Duration, deny time.Time) {
	asked = max(minDuration, (ttl + time.Second - 1).Truncate(time.Second))
	if asked == ttl {
		return asked, time.Time{}
	}
	return asked, start.Add(ttl).UTC().Truncate(time.Second)
}
