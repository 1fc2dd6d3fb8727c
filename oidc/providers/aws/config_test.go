package aws

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
)

var update = flag.Bool("update", false, "write the golden files anew")

func settingsOf(c config, ttl time.Duration) (*settings, error) {
	return newSettings(c, &grant.Grant{Name: "deploy-site", TTL: ttl}, 12)
}

func TestParseRoleARN(t *testing.T) {
	good := map[string]roleARN{
		"arn:aws:iam::111122223333:role/deploy":              {"aws", "111122223333", "/", "deploy"},
		"arn:aws-cn:iam::111122223333:role/a/b/de+pl=o,y.@-": {"aws-cn", "111122223333", "/a/b/", "de+pl=o,y.@-"},
		"arn:minio:iam:::role/nOybJqMNzNmroqEKq5D0":          {"minio", "", "/", "nOybJqMNzNmroqEKq5D0"},
		"arn:aws:iam::RGW00889737169837717:role/deploy":      {"aws", "RGW00889737169837717", "/", "deploy"},
	}
	for s, want := range good {
		if got, err := parseRoleARN(s); err != nil || got != want || got.String() != s {
			t.Errorf("%s gives %+v, %v", s, got, err)
		}
	}
	for _, s := range []string{
		"", "deploy", "arn:aws:iam::1:role/", "arn:aws:iam::111122223333:user/deploy", "arn:aws:sts::111122223333:assumed-role/deploy/x",
		"arn:aws:iam:us-east-1:111122223333:role/deploy", "arn:aws:iam::111122223333:role/", "arn:aws:iam::111122223333:role/a b",
		"arn:aws:iam::111122223333:role/deploy\n", "arn:aws:iam::111122223333:role//deploy", "ARN:aws:iam::111122223333:role/deploy",
		"arn:AWS:iam::111122223333:role/deploy", "arn:aws:iam::111122223333:role/" + strings.Repeat("a", 65),
		"arn:aws:iam::111122223333:role/" + strings.Repeat("a/", 300) + "b", "arn:aws:iam::111122223333:role/" + strings.Repeat("a", 3000),
		"arn:aws:iam::1111 2222333:role/deploy", "arn:aws:iam::111122223333:root",
	} {
		if r, err := parseRoleARN(s); err == nil {
			t.Errorf("%.60q gives %+v", s, r)
		}
	}
}

func TestBlock(t *testing.T) {
	rows := map[string]struct {
		change func(*config)
		want   string // "" when it is good
	}{
		"as it is":                  {func(*config) {}, ""},
		"no role":                   {func(c *config) { c.Role = "" }, "role is missing"},
		"role name only":            {func(c *config) { c.Role = "site-deploy" }, "not the arn of a role"},
		"short account":             {func(c *config) { c.Role = "arn:aws:iam::1111222:role/site-deploy" }, "no account of aws"},
		"no region":                 {func(c *config) { c.Region = "" }, "not a region"},
		"odd region":                {func(c *config) { c.Region = "eu-west-1.evil.example/" }, "not a region"},
		"china role, other region":  {func(c *config) { c.Role = "arn:aws-cn:iam::111122223333:role/x" }, `partition "aws-cn", but region "eu-west-1" is in "aws"`},
		"role, china region":        {func(c *config) { c.Region = "cn-north-1" }, `is in "aws-cn"`},
		"role, government region":   {func(c *config) { c.Region = "us-gov-west-1" }, `is in "aws-us-gov"`},
		"unknown partition":         {func(c *config) { c.Role = "arn:minio:iam:::role/xyzxyzxyz" }, "does not know"},
		"endpoint https":            {func(c *config) { c.Endpoint = "https://sts.example:8443/" }, ""},
		"endpoint loopback":         {func(c *config) { c.Endpoint = "http://127.0.0.1:9000" }, ""},
		"endpoint loopback 6":       {func(c *config) { c.Endpoint = "http://[::1]:9000" }, ""},
		"endpoint localhost":        {func(c *config) { c.Endpoint = "http://localhost:9000" }, ""},
		"endpoint http":             {func(c *config) { c.Endpoint = "http://sts.example" }, "open line"},
		"endpoint looks local":      {func(c *config) { c.Endpoint = "http://127.0.0.1.evil.example" }, "open line"},
		"endpoint localhost prefix": {func(c *config) { c.Endpoint = "http://localhost.evil.example" }, "open line"},
		"endpoint file":             {func(c *config) { c.Endpoint = "file:///etc/passwd" }, "not an url"},
		"endpoint with a user":      {func(c *config) { c.Endpoint = "https://user:pw@sts.example" }, "without user"},
		"endpoint with a path":      {func(c *config) { c.Endpoint = "https://sts.example/x" }, "without user"},
		"endpoint with a query":     {func(c *config) { c.Endpoint = "https://sts.example?x=1" }, "without user"},
		"endpoint, own partition":   {func(c *config) { c.Endpoint, c.Role = "https://s3.example", "arn:minio:iam:::role/xyzxyzxyz" }, ""},
		"audience":                  {func(c *config) { c.Audience = "sts.example" }, ""},
		"audience everyone has":     {func(c *config) { c.Audience = "https://github.com/acme" }, "every token without"},
		"audience with a space":     {func(c *config) { c.Audience = "a b" }, "is not one"},
		"no allow":                  {func(c *config) { c.Allow = nil }, ""},
		"allow without actions":     {func(c *config) { c.Allow[0].Actions = nil }, "lacks actions"},
		"allow without resources":   {func(c *config) { c.Allow[0].Resources = nil }, "lacks actions or resources"},
		"action without service":    {func(c *config) { c.Allow[0].Actions = []string{"PutObject"} }, "not one"},
		"action in capitals":        {func(c *config) { c.Allow[0].Actions = []string{"S3:PutObject"} }, "not one"},
		"action with a quote":       {func(c *config) { c.Allow[0].Actions = []string{`s3:Put","x`} }, "not one"},
		"action with a newline":     {func(c *config) { c.Allow[0].Actions = []string{"s3:Put\n"} }, "not one"},
		"wildcard action":           {func(c *config) { c.Allow[0].Actions = []string{"s3:Get*", "s3:?utObject", "*"} }, ""},
		"resource of another kind":  {func(c *config) { c.Allow[0].Resources = []string{"site/*"} }, "not an arn"},
		"resource with a quote":     {func(c *config) { c.Allow[0].Resources = []string{`arn:aws:s3:::a"b`} }, "not an arn"},
		"resource with a backslash": {func(c *config) { c.Allow[0].Resources = []string{`arn:aws:s3:::a\u0041`} }, "not an arn"},
		"resource with é":           {func(c *config) { c.Allow[0].Resources = []string{"arn:aws:s3:::é"} }, "not an arn"},
		"resource, other partition": {func(c *config) { c.Allow[0].Resources = []string{"arn:aws-cn:s3:::a"} }, `partition "aws-cn"`},
		"resource with a variable":  {func(c *config) { c.Allow[0].Resources = []string{"arn:aws:s3:::a/${aws:userid}/b c&d"} }, ""},
		"any resource":              {func(c *config) { c.Allow[0].Resources = []string{"*"} }, ""},
		"managed":                   {func(c *config) { c.ManagedPolicies = []string{"arn:aws:iam::111122223333:policy/team/site"} }, ""},
		"managed by aws":            {func(c *config) { c.ManagedPolicies = []string{"arn:aws:iam::aws:policy/ReadOnlyAccess"} }, ""},
		"managed, other account":    {func(c *config) { c.ManagedPolicies = []string{"arn:aws:iam::999922223333:policy/site"} }, "not of the role's account"},
		"managed, other partition":  {func(c *config) { c.ManagedPolicies = []string{"arn:aws-cn:iam::111122223333:policy/site"} }, "not of the role's account"},
		"managed that is a role":    {func(c *config) { c.ManagedPolicies = []string{testRole} }, "not the arn of a policy"},
		"managed twice":             {func(c *config) { c.ManagedPolicies = managed(1, 1) }, "twice"},
		"ten managed":               {func(c *config) { c.ManagedPolicies = managed(1, 2, 3, 4, 5, 6, 7, 8, 9, 10) }, ""},
		"eleven managed":            {func(c *config) { c.ManagedPolicies = managed(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11) }, "aws takes 10"},
	}
	for name, row := range rows {
		c := testConfig()
		row.change(&c)
		_, err := settingsOf(c, 15*time.Minute)
		if row.want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		var e *oidc.Error
		if !errors.As(err, &e) || !strings.Contains(e.Message, row.want) || !strings.Contains(e.Message, "line 12") || e.Hint == "" {
			t.Errorf("%s: %v, want %q", name, err, row.want)
		}
	}
}

func managed(numbers ...int) (list []string) {
	for _, n := range numbers {
		list = append(list, fmt.Sprintf("arn:aws:iam::111122223333:policy/site-%d", n))
	}
	return list
}

func TestTTLRange(t *testing.T) {
	for ttl, good := range map[time.Duration]bool{0: false, 59 * time.Second: false, time.Minute: true, 12 * time.Hour: true, 12*time.Hour + 1: false} {
		if _, err := settingsOf(testConfig(), ttl); (err == nil) != good {
			t.Errorf("ttl %s: %v", ttl, err)
		}
	}
}

func TestEndpointAndAudienceFollowThePartition(t *testing.T) {
	rows := []struct{ role, region, url, audience string }{
		{"arn:aws:iam::111122223333:role/x", "eu-west-1", "https://sts.eu-west-1.amazonaws.com", "sts.amazonaws.com"},
		{"arn:aws:iam::111122223333:role/x", "us-east-1", "https://sts.us-east-1.amazonaws.com", "sts.amazonaws.com"},
		{"arn:aws-cn:iam::111122223333:role/x", "cn-northwest-1", "https://sts.cn-northwest-1.amazonaws.com.cn", "sts.amazonaws.com.cn"},
		{"arn:aws-us-gov:iam::111122223333:role/x", "us-gov-west-1", "https://sts.us-gov-west-1.amazonaws.com", "sts.amazonaws.com"},
		{"arn:aws-eusc:iam::111122223333:role/x", "eusc-de-east-1", "https://sts.eusc-de-east-1.amazonaws.eu", "sts.amazonaws.com"},
	}
	for _, row := range rows {
		c := config{Role: row.role, Region: row.region}
		s, err := settingsOf(c, 15*time.Minute)
		if err != nil {
			t.Errorf("%s: %v", row.region, err)
			continue
		}
		p := newProvider("g", s, Options{})
		if s.baseURL() != row.url || p.Audience() != row.audience || p.Name() != "aws" {
			t.Errorf("%s: %s, %s", row.region, s.baseURL(), p.Audience())
		}
	}
}

func TestGoldenPolicies(t *testing.T) {
	deny := time.Date(2026, 11, 21, 12, 2, 0, 0, time.UTC)
	object := rights{Actions: []string{"s3:PutObject"}, Resources: []string{"arn:aws:s3:::site/*"}}
	rows := map[string]struct {
		config
		deny time.Time
	}{
		"one-statement":        {config{Allow: []rights{object}}, time.Time{}},
		"one-statement-deny":   {config{Allow: []rights{object}}, deny},
		"nothing":              {config{}, time.Time{}},
		"deny-only":            {config{}, deny},
		"managed-only":         {config{ManagedPolicies: managed(1)}, time.Time{}},
		"managed-deny":         {config{ManagedPolicies: managed(1)}, deny},
		"managed-allow-deny":   {config{ManagedPolicies: managed(1), Allow: []rights{object}}, deny},
		"ampersand":            {config{Allow: []rights{{Actions: []string{"s3:GetObject"}, Resources: []string{"arn:aws:s3:::a/<b>&c"}}}}, time.Time{}},
		"star-swallows-others": {config{Allow: []rights{{Actions: []string{"s3:GetObject"}, Resources: []string{"arn:aws:s3:::a", "*"}}}}, time.Time{}},
		"merged-by-resource": {config{Allow: []rights{object, {Actions: []string{"s3:DeleteObject", "s3:PutObject"}, Resources: []string{"arn:aws:s3:::site/*", "arn:aws:s3:::site/*"}},
			{Actions: []string{"s3:ListBucket"}, Resources: []string{"arn:aws:s3:::site"}}}}, time.Time{}},
		"merged-by-action": {config{Allow: []rights{object, {Actions: []string{"s3:PutObject"}, Resources: []string{"arn:aws:s3:::docs/*"}}}}, time.Time{}},
	}
	for name, row := range rows {
		s := &settings{config: row.config}
		golden(t, name, s.sessionPolicy(row.deny))
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "policies", name+".json")
	if *update {
		if err := os.WriteFile(path, []byte(got+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != strings.TrimSuffix(string(want), "\n") {
		t.Errorf("%s:\ngot  %s\nwant %s", name, got, want)
	}
}

// The policy is filled up to the limit, one character at a time.
func TestBudget(t *testing.T) {
	for _, ttl := range []time.Duration{15 * time.Minute, 2 * time.Minute} {
		c := testConfig()
		c.ManagedPolicies = managed(1)
		c.Allow[0].Resources = append(c.Allow[0].Resources, "arn:aws:s3:::pad/")
		_, deny := durations(ttl, time.Now())
		size := len((&settings{config: c}).sessionPolicy(deny)) + len(c.ManagedPolicies[0])
		c.Allow[0].Resources[1] += strings.Repeat("p", maxPolicyChars-size)
		if _, err := settingsOf(c, ttl); err != nil {
			t.Errorf("ttl %s, 2048 characters: %v", ttl, err)
		}
		c.Allow[0].Resources[1] += "p"
		_, err := settingsOf(c, ttl)
		var e *oidc.Error
		if !errors.As(err, &e) || !strings.Contains(e.Message, "has 2049 characters") || !strings.Contains(e.Hint, `"arn:aws:s3:::pad/pp`) {
			t.Errorf("ttl %s, 2049 characters: %+v", ttl, e)
		}
	}
}

// A grant whose policy fits can be asked for a shorter time, whose deny does not.
func TestBudgetOfAShorterRequest(t *testing.T) {
	b := newBench(t, 15*time.Minute, reply{status: 500})
	c := testConfig()
	c.Endpoint = b.fake.URL
	c.Allow[0].Resources[0] = "arn:aws:s3:::" + strings.Repeat("a", 1900)
	b.provider = b.make(t, c)
	req := b.request()
	req.TTL = 5 * time.Minute
	if _, err := b.Exchange(t.Context(), req); err == nil || !strings.Contains(err.Error(), "aws takes 2048") || b.source.n != 0 {
		t.Errorf("%v, %d tokens", err, b.source.n)
	}
}

func TestDurations(t *testing.T) {
	start := time.Date(2026, 11, 21, 12, 0, 0, 900e6, time.UTC)
	rows := []struct {
		ttl, asked time.Duration
		deny       string
	}{
		{time.Minute, 900e9, "2026-11-21T12:01:00Z"},
		{899 * time.Second, 900e9, "2026-11-21T12:14:59Z"},
		{900 * time.Second, 900e9, ""},
		{time.Hour, time.Hour, ""},
		{time.Hour + time.Millisecond, time.Hour + time.Second, "2026-11-21T13:00:00Z"},
	}
	for _, row := range rows {
		asked, deny := durations(row.ttl, start)
		text := ""
		if !deny.IsZero() {
			text = deny.Format(policyTime)
		}
		if asked != row.asked || text != row.deny {
			t.Errorf("%s gives %s and %q", row.ttl, asked, text)
		}
	}
}

func FuzzParseRoleARN(f *testing.F) {
	for _, s := range []string{testRole, "arn:minio:iam:::role/nOybJqMNzNmroqEKq5D0", "arn:aws:iam::111122223333:role//", "arn:::::::"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := parseRoleARN(s)
		if err != nil {
			return
		}
		if r.String() != s {
			t.Errorf("%q came back as %q", s, r)
		}
		if strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c == utf8.RuneError || c > '~' }) {
			t.Errorf("%q has a character that no arn has", s)
		}
	})
}

// Whatever a grant says, the policy is valid JSON of printable ASCII within the
// budget, or there is none; and it allows nothing that allow does not list.
func FuzzSessionPolicy(f *testing.F) {
	f.Add("s3:PutObject", "arn:aws:s3:::site/*", "s3:GetObject", "*", int64(120))
	f.Add("*", "arn:aws:s3:::a b/${aws:userid}", "ec2:Run?nstances", "arn:aws:ec2:*:*:x", int64(900))
	f.Add(`s3:"`, "arn:aws:s3:::\"", "s3:\n", "arn:aws:s3:::\\", int64(3600))
	f.Fuzz(func(t *testing.T, a1, r1, a2, r2 string, seconds int64) {
		c := config{Role: testRole, Region: "eu-west-1", Allow: []rights{
			{Actions: []string{a1, a2}, Resources: []string{r1}}, {Actions: []string{a2}, Resources: []string{r2, r1}}}}
		s, err := settingsOf(c, time.Duration(seconds)*time.Second)
		if err != nil {
			return
		}
		_, deny := durations(s.ttl, time.Now())
		text := s.sessionPolicy(deny)
		if len(text) > maxPolicyChars || strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c > '~' }) {
			t.Fatalf("policy %q", text)
		}
		var doc struct {
			Statement []struct {
				Effect           string
				Action, Resource any
			}
		}
		if err := json.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		if last := doc.Statement[len(doc.Statement)-1]; (last.Effect == "Deny") == deny.IsZero() {
			t.Errorf("deny at %s: %s", deny, text)
		}
		for _, st := range doc.Statement {
			for _, a := range listOf(st.Action) {
				for _, r := range listOf(st.Resource) {
					if st.Effect == "Allow" && !listed(c.Allow, a, r) {
						t.Errorf("%s on %s is allowed and not listed: %s", a, r, text)
					}
				}
			}
		}
	})
}

func listOf(v any) []string {
	if s, ok := v.(string); ok {
		return []string{s}
	}
	var list []string
	for _, e := range v.([]any) {
		list = append(list, e.(string))
	}
	return list
}

func listed(allow []rights, action, resource string) bool {
	for _, r := range allow {
		for _, a := range r.Actions {
			for _, res := range r.Resources {
				if a == action && res == resource {
					return true
				}
			}
		}
	}
	return false
}
