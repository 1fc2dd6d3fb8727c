package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stint-dev/stint/oidc/providers/aws/policy"
)

const (
	provider = "token.actions.githubusercontent.com"
	account  = "444455556666"
	arn      = "arn:aws:iam::444455556666:oidc-provider/token.actions.githubusercontent.com"
	mainSub  = "repo:birch/press:ref:refs/heads/main"
)

// claims of a push to main of birch/press, changed by pairs of name and value; a
// value of "-" removes the claim.
func claims(changes ...string) map[string]string {
	c := map[string]string{
		"iss": "https://" + provider, "aud": "sts.amazonaws.com", "sub": mainSub,
		"repository": "birch/press", "repository_id": "31", "repository_owner": "birch", "repository_owner_id": "7",
		"ref": "refs/heads/main", "event_name": "push", "actor": "ada", "runner_environment": "github-hosted",
		"job_workflow_ref": "birch/press/.github/workflows/ship.yml@refs/heads/main",
	}
	for i := 0; i < len(changes); i += 2 {
		if changes[i+1] == "-" {
			delete(c, changes[i])
		} else {
			c[changes[i]] = changes[i+1]
		}
	}
	return c
}

// statement builds a trust statement with a condition block; K: stands for the
// provider's prefix of keys.
func statement(effect, condition string) string {
	return fmt.Sprintf(`{"Effect":%q,"Principal":{"Federated":%q},"Action":"sts:AssumeRoleWithWebIdentity","Condition":%s}`,
		effect, arn, strings.ReplaceAll(condition, "K:", provider+":"))
}

func document(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

func parse(t testing.TB, kind policy.Kind, text string) *policy.Document {
	t.Helper()
	d, err := policy.Parse(kind, []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return d
}

func trust(t *testing.T, text string, c map[string]string) policy.Decision {
	t.Helper()
	return parse(t, policy.Trust, text).Evaluate(policy.WebIdentityRequest("aws", account, provider, c))
}

// TestConditions goes through every operator with the key present and absent.
func TestConditions(t *testing.T) {
	t.Parallel()
	env := []string{"environment", "live"}
	tests := []struct {
		name, condition string
		claims          []string
		want            policy.Outcome
	}{
		{"equals", `{"StringEquals":{"K:sub":"repo:birch/press:ref:refs/heads/main"}}`, nil, policy.Allow},
		{"equals is case-sensitive", `{"StringEquals":{"K:sub":"repo:Birch/press:ref:refs/heads/main"}}`, nil, policy.Deny},
		{"equals takes a wildcard as it stands", `{"StringEquals":{"K:sub":"repo:birch/*"}}`, nil, policy.Deny},
		{"key names are not case-sensitive", `{"StringEquals":{"TOKEN.actions.githubusercontent.COM:Sub":"repo:birch/press:ref:refs/heads/main"}}`, nil, policy.Allow},
		{"values are alternatives", `{"StringEquals":{"K:ref":["refs/heads/next","refs/heads/main"]}}`, nil, policy.Allow},
		{"keys are all needed", `{"StringEquals":{"K:ref":"refs/heads/main","K:actor":"bob"}}`, nil, policy.Deny},
		{"operators are all needed", `{"StringEquals":{"K:ref":"refs/heads/main"},"StringLike":{"K:sub":"repo:elm/*"}}`, nil, policy.Deny},
		{"equals on an absent key", `{"StringEquals":{"K:environment":"live"}}`, nil, policy.Deny},

		{"like over slashes and colons", `{"StringLike":{"K:sub":"repo:birch/*"}}`, nil, policy.Allow},
		{"like is anchored", `{"StringLike":{"K:sub":"birch/*"}}`, nil, policy.Deny},
		{"a question mark is one character", `{"StringLike":{"K:actor":"a?a"}}`, nil, policy.Allow},
		{"a question mark is not none", `{"StringLike":{"K:actor":"ada?"}}`, nil, policy.Deny},
		{"a star may be empty", `{"StringLike":{"K:actor":"ada*"}}`, nil, policy.Allow},
		{"like is case-sensitive", `{"StringLike":{"K:actor":"A*"}}`, nil, policy.Deny},
		{"escaped star", `{"StringLike":{"K:sub":"repo:birch/${*}"}}`, []string{"sub", "repo:birch/*"}, policy.Allow},
		{"escaped star is only a star", `{"StringLike":{"K:sub":"repo:birch/${*}"}}`, nil, policy.Deny},

		{"ignore case", `{"StringEqualsIgnoreCase":{"K:actor":"ADA"}}`, nil, policy.Allow},
		{"not equals", `{"StringNotEquals":{"K:actor":"bob"}}`, nil, policy.Allow},
		{"not equals means none of them", `{"StringNotEquals":{"K:actor":["bob","ada"]}}`, nil, policy.Deny},
		{"not equals on an absent key", `{"StringNotEquals":{"K:environment":"live"}}`, nil, policy.Allow},
		{"not like on an absent key", `{"StringNotLike":{"K:environment":"*"}}`, nil, policy.Allow},
		{"not like", `{"StringNotLike":{"K:sub":"*:pull_request"}}`, nil, policy.Allow},
		{"not equal but for case", `{"StringNotEqualsIgnoreCase":{"K:actor":"ADA"}}`, nil, policy.Deny},

		{"if exists, absent", `{"StringEqualsIfExists":{"K:environment":"live"}}`, nil, policy.Allow},
		{"if exists, present", `{"StringEqualsIfExists":{"K:environment":"live"}}`, []string{"environment", "dev"}, policy.Deny},
		{"null true, absent", `{"Null":{"K:environment":"true"}}`, nil, policy.Allow},
		{"null true, present", `{"Null":{"K:environment":true}}`, env, policy.Deny},
		{"null false, present", `{"Null":{"K:environment":"false"}}`, env, policy.Allow},
		{"null false, absent", `{"Null":{"K:environment":"false"}}`, nil, policy.Deny},

		{"for all, absent", `{"ForAllValues:StringEquals":{"K:environment":"live"}}`, nil, policy.Allow},
		{"for all, present", `{"ForAllValues:StringEquals":{"K:environment":"live"}}`, []string{"environment", "dev"}, policy.Deny},
		{"for all on a misspelt key", `{"ForAllValues:StringEquals":{"K:suject":"x"}}`, nil, policy.Allow},
		{"for all, empty text", `{"ForAllValues:StringEquals":{"K:environment":"live"}}`, []string{"environment", ""}, policy.Allow},
		{"equals, empty text", `{"StringEqualsIfExists":{"K:environment":"live"}}`, []string{"environment", ""}, policy.Deny},
		{"for any, absent", `{"ForAnyValue:StringEquals":{"K:environment":"live"}}`, nil, policy.Deny},
		{"for any, present", `{"ForAnyValue:StringLike":{"K:environment":"l*"}}`, env, policy.Allow},
		{"for any, negated, absent", `{"ForAnyValue:StringNotEquals":{"K:environment":"live"}}`, nil, policy.Deny},
		{"for any, if exists, absent", `{"ForAnyValue:StringEqualsIfExists":{"K:environment":"live"}}`, nil, policy.Allow},

		{"a claim that AWS does not fill", `{"StringEquals":{"K:event_name":"push"}}`, nil, policy.Deny},
		{"a claim that AWS does not fill, if exists", `{"StringEqualsIfExists":{"K:runner_environment":"self-hosted"}}`, nil, policy.Allow},
		{"another provider's key", `{"StringEquals":{"gitlab.com:sub":"x"}}`, nil, policy.Deny},

		{"an unknown operator narrows nothing", `{"StringMatches":{"K:sub":"x"}}`, nil, policy.Unknown},
		{"a family that does not fit a claim", `{"NumericEquals":{"K:repository_id":"99"}}`, nil, policy.Unknown},
		{"a variable", `{"StringEquals":{"K:actor":"${aws:username}"}}`, nil, policy.Unknown},
		{"a variable that cannot fit", `{"StringEquals":{"K:actor":"x${aws:username}"}}`, nil, policy.Deny},
		{"a key of AWS", `{"StringEquals":{"aws:SourceVpc":"vpc-1"}}`, nil, policy.Unknown},
		{"a key of AWS, null", `{"Null":{"aws:SourceVpc":"true"}}`, nil, policy.Unknown},
		{"an unread part beside one that fails", `{"StringEquals":{"aws:SourceVpc":"vpc-1","K:actor":"bob"}}`, nil, policy.Deny},
		{"no values", `{"StringEquals":{"K:actor":[]}}`, nil, policy.Unknown},
		{"null wants a truth value", `{"Null":{"K:actor":"maybe"}}`, nil, policy.Unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := trust(t, document(statement("Allow", tt.condition)), claims(tt.claims...))
			if got.Outcome != tt.want {
				t.Errorf("outcome %v, want %v: %s", got.Outcome, tt.want, got.Why)
			}
		})
	}
}

// TestServiceKeys covers the operators that do not fit claims.
func TestServiceKeys(t *testing.T) {
	t.Parallel()
	context := map[string][]string{
		"aws:CurrentTime": {"2026-11-21T20:00:00Z"}, "aws:EpochTime": {"1795291200"}, "aws:SourceIp": {"10.1.2.3"},
		"aws:SecureTransport": {"false"}, "aws:PrincipalArn": {"arn:aws:iam::444455556666:role/ship"},
		"aws:TagKeys": {"team", "cost"}, "s3:max-keys": {"20"}, "aws:MultiFactorAuthAge": {"many"},
	}
	tests := []struct {
		condition string
		want      policy.Outcome
	}{
		{`{"DateGreaterThan":{"aws:CurrentTime":"2026-11-21T19:59:59Z"}}`, policy.Allow},
		{`{"DateGreaterThan":{"aws:CurrentTime":"2026-11-21T20:00:00Z"}}`, policy.Deny},
		{`{"DateGreaterThanEquals":{"aws:CurrentTime":"2026-11-21T21:00:00+01:00"}}`, policy.Allow},
		{`{"DateLessThan":{"aws:CurrentTime":"2026-11-22"}}`, policy.Allow},
		{`{"DateLessThanEquals":{"aws:EpochTime":1795291200}}`, policy.Allow},
		{`{"DateEquals":{"aws:CurrentTime":"2026-11-21T20:00Z"}}`, policy.Allow},
		{`{"DateNotEquals":{"aws:CurrentTime":"2026-11-21T20:00Z"}}`, policy.Deny},
		{`{"DateLessThan":{"aws:CurrentTime":"tomorrow"}}`, policy.Unknown},
		{`{"NumericLessThan":{"s3:max-keys":"100"}}`, policy.Allow},
		{`{"NumericLessThanEquals":{"s3:max-keys":19.5}}`, policy.Deny},
		{`{"NumericGreaterThan":{"s3:max-keys":"2e1"}}`, policy.Deny},
		{`{"NumericGreaterThanEquals":{"s3:max-keys":20}}`, policy.Allow},
		{`{"NumericEquals":{"s3:max-keys":[5,20]}}`, policy.Allow},
		{`{"NumericNotEquals":{"s3:max-keys":"20"}}`, policy.Deny},
		{`{"NumericEquals":{"s3:max-keys":"0x14"}}`, policy.Unknown},
		{`{"NumericLessThan":{"aws:MultiFactorAuthAge":"60"}}`, policy.Unknown},
		{`{"NumericLessThanIfExists":{"s3:absent":"60"}}`, policy.Allow},
		{`{"Bool":{"aws:SecureTransport":false}}`, policy.Allow},
		{`{"Bool":{"aws:SecureTransport":"TRUE"}}`, policy.Deny},
		{`{"IpAddress":{"aws:SourceIp":["192.0.2.0/24","10.1.0.0/16"]}}`, policy.Allow},
		{`{"NotIpAddress":{"aws:SourceIp":"10.1.2.3"}}`, policy.Deny},
		{`{"IpAddress":{"aws:SourceIp":"10.1.2"}}`, policy.Unknown},
		{`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/s*"}}`, policy.Allow},
		{`{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::44*66:role/ship"}}`, policy.Allow},
		{`{"ArnLike":{"aws:PrincipalArn":"arn:aws:*:role/ship"}}`, policy.Unknown},
		{`{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam:::role/*"}}`, policy.Allow},
		{`{"ArnNotEquals":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"}}`, policy.Deny},
		{`{"BinaryEquals":{"aws:PrincipalArn":"YQ=="}}`, policy.Unknown},
		{`{"ForAllValues:StringEquals":{"aws:TagKeys":["team","cost","x"]}}`, policy.Allow},
		{`{"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}}`, policy.Deny},
		{`{"ForAnyValue:StringEquals":{"aws:TagKeys":["cost"]}}`, policy.Allow},
		{`{"ForAnyValue:StringNotEquals":{"aws:TagKeys":["team","cost"]}}`, policy.Deny},
		{`{"StringEquals":{"aws:TagKeys":["team"]}}`, policy.Unknown},
	}
	for _, tt := range tests {
		text := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":` + tt.condition + `}}`
		got := parse(t, policy.Identity, text).Evaluate(policy.Request{Action: "s3:PutObject", Resource: "arn:aws:s3:::b/k", Context: context})
		if got.Outcome != tt.want {
			t.Errorf("%s: outcome %v, want %v: %s", tt.condition, got.Outcome, tt.want, got.Why)
		}
	}
}

func TestTrustStatements(t *testing.T) {
	t.Parallel()
	onMain := `{"StringEquals":{"K:sub":"` + mainSub + `"}}`
	allow := statement("Allow", onMain)
	change := func(old, replacement string) string {
		changed := strings.Replace(allow, old, replacement, 1)
		if changed == allow {
			t.Fatalf("%q is not in the statement", old)
		}
		return document(changed)
	}
	const action = `"Action":"sts:AssumeRoleWithWebIdentity"`
	federated := `{"Federated":"` + arn + `"}`
	tests := []struct {
		name, text string
		want       policy.Outcome
	}{
		{"plain", document(allow), policy.Allow},
		{"no statements", document(), policy.Deny},
		{"a single object", `{"Statement":` + allow + `}`, policy.Allow},
		{"any of two", document(statement("Allow", `{"StringEquals":{"K:sub":"x"}}`), allow), policy.Allow},
		{"deny wins", document(allow, statement("Deny", `{"StringEquals":{"K:actor":"ada"}}`)), policy.Deny},
		{"deny that does not apply", document(allow, statement("Deny", `{"StringEquals":{"K:actor":"bob"}}`)), policy.Allow},
		{"unread deny is not certain", document(allow, statement("Deny", `{"StringEquals":{"aws:SourceVpc":"v"}}`)), policy.Unknown},
		{"certain deny beside an unread one", document(allow, statement("Deny", `{"StringEquals":{"aws:SourceVpc":"v"}}`), statement("Deny", `{}`)), policy.Deny},
		{"action in any case", change(action, `"Action":"STS:assumerolewithwebidentity"`), policy.Allow},
		{"action in a list", change(action, `"Action":["sts:TagSession","sts:AssumeRoleWithWebIdentity"]`), policy.Allow},
		{"action by wildcard", change(action, `"Action":"sts:Assume*"`), policy.Allow},
		{"every action", change(action, `"Action":"*"`), policy.Allow},
		{"another action", change(action, `"Action":"sts:AssumeRole"`), policy.Deny},
		{"no action", change(action, `"Action":[]`), policy.Deny},
		{"not-action of another", change(action, `"NotAction":"sts:TagSession"`), policy.Allow},
		{"not-action of this", change(action, `"NotAction":"sts:*"`), policy.Deny},
		{"principal in a list", change(federated, `{"Federated":["arn:aws:iam::444455556666:oidc-provider/gitlab.com","`+arn+`"]}`), policy.Allow},
		{"everybody", change(federated, `"*"`), policy.Allow},
		{"everybody under AWS", change(federated, `{"AWS":"*"}`), policy.Allow},
		{"the account is not its providers", change(federated, `{"AWS":"444455556666"}`), policy.Deny},
		{"no wildcard inside a principal", change(federated, `{"Federated":"arn:aws:iam::444455556666:oidc-provider/*"}`), policy.Deny},
		{"provider of another account", change(federated, `{"Federated":"`+strings.Replace(arn, "4444", "9999", 1)+`"}`), policy.Deny},
		{"not-principal of another", change(`"Principal":`+federated, `"NotPrincipal":{"AWS":"444455556666"}`), policy.Allow},
		{"not-principal of this", change(`"Principal":`+federated, `"NotPrincipal":`+federated), policy.Deny},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := trust(t, tt.text, claims()); got.Outcome != tt.want {
				t.Errorf("outcome %v, want %v: %s", got.Outcome, tt.want, got.Why)
			}
		})
	}
}

func TestIdentityStatements(t *testing.T) {
	t.Parallel()
	tests := []struct {
		element, resource string
		want              policy.Outcome
	}{
		{`"Resource":"*"`, "arn:aws:s3:::site/a/b", policy.Allow},
		{`"Resource":"arn:aws:s3:::site/*"`, "arn:aws:s3:::site/a/b", policy.Allow},
		{`"Resource":"arn:aws:s3:::site/*"`, "arn:aws:s3:::site", policy.Deny},
		{`"Resource":"arn:aws:s3:::site/*"`, "arn:aws:s3:::site-b/a", policy.Deny},
		{`"Resource":"arn:aws:s3:::Site/*"`, "arn:aws:s3:::site/a", policy.Deny},
		{`"Resource":["arn:aws:sns:*:1:t","arn:aws:s3:*:*:si?e/*"]`, "arn:aws:s3:::site/a:b", policy.Allow},
		{`"Resource":"arn:aws:s3:*:site/*"`, "arn:aws:s3:::site/a", policy.Unknown},
		{`"Resource":"arn:aws:logs:*:*:log-group:g:*"`, "arn:aws:logs:eu-west-1:444455556666:log-group:g:stream:s", policy.Allow},
		{`"Resource":"arn:aws:logs:*:*:log-group:g:*"`, "arn:aws:logs:eu-west-1:444455556666:log-group:h:stream", policy.Deny},
		{`"Resource":"arn:aws:logs:*:*:*"`, "arn:aws:logs:eu-west-1:444455556666:log-group:g:s", policy.Allow},
		{`"Resource":"arn:*:*:*:*:*"`, "not an arn", policy.Deny},
		{`"NotResource":"arn:aws:s3:::site/*"`, "arn:aws:s3:::site/a", policy.Deny},
		{`"NotResource":"arn:aws:s3:::site/*"`, "arn:aws:s3:::other/a", policy.Allow},
		{`"Resource":"arn:aws:s3:::home/${aws:username}/*"`, "arn:aws:s3:::home/ada/x", policy.Unknown},
		{`"Resource":"arn:aws:s3:::home/${aws:username}/*"`, "arn:aws:s3:::site/a", policy.Deny},
		{`"NotResource":"arn:aws:s3:::home/${aws:username}/*"`, "arn:aws:s3:::site/a", policy.Allow},
	}
	for _, tt := range tests {
		text := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Put*",` + tt.element + `}]}`
		got := parse(t, policy.Identity, text).Evaluate(policy.Request{Action: "s3:PutObject", Resource: tt.resource})
		if got.Outcome != tt.want {
			t.Errorf("%s for %s: outcome %v, want %v: %s", tt.element, tt.resource, got.Outcome, tt.want, got.Why)
		}
	}
}

// TestVariablesNeedTheNewVersion: "${…}" is plain text in the older language.
func TestVariablesNeedTheNewVersion(t *testing.T) {
	t.Parallel()
	text := `{"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/${x}"}}`
	d := parse(t, policy.Identity, text)
	for resource, want := range map[string]policy.Outcome{"arn:aws:s3:::b/${x}": policy.Allow, "arn:aws:s3:::b/ada": policy.Deny} {
		if got := d.Evaluate(policy.Request{Action: "s3:GetObject", Resource: resource}); got.Outcome != want {
			t.Errorf("%s: %v, want %v", resource, got.Outcome, want)
		}
	}
}

// TestDecisionNamesTheStatement: who decides is named, and a refusal says what
// was asked for and what came, without control characters.
func TestDecisionNamesTheStatement(t *testing.T) {
	t.Parallel()
	deny := strings.Replace(statement("Deny", `{"StringEquals":{"K:actor":"mal"}}`), `{"Effect"`, `{"Sid":"NoMal","Effect"`, 1)
	text := document(statement("Allow", `{"StringEquals":{"K:sub":"`+mainSub+`"}}`), deny)
	tests := []struct {
		changes   []string
		statement int
		explicit  bool
		why       string
	}{
		{nil, 0, false, "allowed by statement 1"},
		{[]string{"actor", "mal"}, 1, true, `denied by statement 2 ("NoMal")`},
		{
			[]string{"sub", "repo:elm/x:pull_request\x1b[2J"}, -1, false,
			`no statement allows it: statement 1: "token.actions.githubusercontent.com:sub" is "repo:elm/x:pull_request\x1b[2J", StringEquals "` + mainSub + `"`,
		},
		{
			[]string{"sub", "-"}, -1, false,
			`no statement allows it: statement 1: "token.actions.githubusercontent.com:sub" is absent, StringEquals "` + mainSub + `"`,
		},
	}
	for _, tt := range tests {
		got := trust(t, text, claims(tt.changes...))
		if got.Statement != tt.statement || got.Explicit() != tt.explicit || got.Why != tt.why {
			t.Errorf("%q: got %+v\nwant why %s", tt.changes, got, tt.why)
		}
	}
}

func TestIntersect(t *testing.T) {
	t.Parallel()
	allow := policy.Decision{Outcome: policy.Allow, Statement: 3}
	open := policy.Decision{Outcome: policy.Unknown, Statement: 1}
	silent := policy.Decision{Outcome: policy.Deny, Statement: -1}
	denied := policy.Decision{Outcome: policy.Deny, Statement: 0}
	tests := []struct{ a, b, want policy.Decision }{
		{allow, allow, allow}, {allow, open, open}, {open, silent, silent}, {silent, denied, denied}, {denied, silent, denied},
	}
	for _, tt := range tests {
		if got := policy.Intersect(tt.a, tt.b); got != tt.want {
			t.Errorf("Intersect(%v, %v) = %v", tt.a, tt.b, got)
		}
	}
}

func TestPrincipalAccount(t *testing.T) {
	t.Parallel()
	session := policy.Caller{Type: "AWS", IDs: []string{"arn:aws:sts::444455556666:assumed-role/ship/run", "arn:aws:iam::444455556666:role/ship"}}
	for principal, want := range map[string]policy.Outcome{
		"444455556666":                                  policy.Allow,
		"arn:aws:iam::444455556666:root":                policy.Allow,
		"arn:aws:iam::444455556666:role/ship":           policy.Allow,
		"arn:aws:sts::444455556666:assumed-role/ship/x": policy.Deny,
		"arn:aws:iam::999955556666:root":                policy.Deny,
		"*":                                             policy.Allow,
	} {
		text := fmt.Sprintf(`{"Statement":{"Effect":"Allow","Principal":{"AWS":%q},"Action":"sts:AssumeRole"}}`, principal)
		got := parse(t, policy.Trust, text).Evaluate(policy.Request{Principal: session, Action: "sts:AssumeRole"})
		if got.Outcome != want {
			t.Errorf("%s: %v, want %v", principal, got.Outcome, want)
		}
	}
}

func TestClaimKeys(t *testing.T) {
	t.Parallel()
	for name, gitHub := range map[string]bool{
		"token.actions.githubusercontent.com":       true,
		"token.actions.githubusercontent.com/birch": true,
		"token.actions.birch.ghe.com":               true,
		"token.actions.a.b.ghe.com":                 false,
		"token.actions.githubusercontent.com.evil":  false,
		"ghes.example/_services/token":              false,
		"gitlab.com":                                false,
	} {
		keys := policy.ClaimKeys(name)
		if got := strings.Contains(strings.Join(keys, " "), "job_workflow_ref"); got != gitHub {
			t.Errorf("%s: keys %v", name, keys)
		}
		for _, k := range []string{"sub", "aud"} {
			if !strings.Contains(strings.Join(keys, " "), k) {
				t.Errorf("%s: no %s", name, k)
			}
		}
	}
}
