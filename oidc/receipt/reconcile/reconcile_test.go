package reconcile

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/receipt"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

const (
	ours   = "ASIATESTKEY000000001"
	theirs = "ASIATESTKEY000000666"
	role   = "arn:aws:iam::111122223333:role/ci/site-deploy"
)

func ledgerOf(t testing.TB, events ...receipt.Event) *Ledger {
	t.Helper()
	c := &receipt.Chain{}
	for _, e := range events {
		c.Lines = append(c.Lines, receipt.Line{Event: e})
	}
	l := &Ledger{}
	l.AddReceipts(c)
	return l
}

// awsReceipts are of one session that ended at noon and ten minutes.
func awsReceipts() []receipt.Event {
	return []receipt.Event{
		{Kind: receipt.Decision},
		{Kind: receipt.Issuance, Provider: "aws", CredentialID: ours, Identity: "arn:aws:sts::111122223333:assumed-role/site-deploy/gh-1"},
		{Kind: receipt.End, Provider: "aws", CredentialID: ours, Ending: &oidc.Ending{Outcome: oidc.Expires, At: noon.Add(10 * time.Minute)}},
	}
}

// assumed is the record of an exchange.
func assumed(at time.Time, arn, key, failure string) map[string]any {
	r := map[string]any{
		"eventVersion": "1.11", "eventTime": at.Format(time.RFC3339), "eventSource": "sts.amazonaws.com", "eventName": "AssumeRoleWithWebIdentity",
		"sourceIPAddress":   "192.0.2.7",
		"userIdentity":      map[string]any{"type": "WebIdentityUser", "userName": "repo:acme/site:ref:refs/heads/main"},
		"requestParameters": map[string]any{"roleArn": arn, "roleSessionName": "stolen"},
		"responseElements":  nil,
	}
	if failure != "" {
		r["errorCode"] = failure
	} else {
		r["responseElements"] = map[string]any{"credentials": map[string]any{"accessKeyId": key}}
	}
	return r
}

// used is the record of a use.
func used(at time.Time, account, key string) map[string]any {
	return map[string]any{
		"eventTime": at.Format(time.RFC3339), "eventSource": "s3.amazonaws.com", "eventName": "PutObject", "sourceIPAddress": "198.51.100.9",
		"userIdentity": map[string]any{"type": "AssumedRole", "accessKeyId": key,
			"arn":            "arn:aws:sts::" + account + ":assumed-role/site-deploy/gh-1",
			"sessionContext": map[string]any{"sessionIssuer": map[string]any{"arn": "arn:aws:iam::" + account + ":role/ci/site-deploy"}}},
		"requestParameters": "a text", "responseElements": []any{1},
	}
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func packed(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

func report(t testing.TB, l *Ledger, log []byte) []string {
	t.Helper()
	if err := l.AddCloudTrail(bytes.NewReader(log)); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range l.Report().Findings {
		out = append(out, fmt.Sprintf("%s %s x%d", f.Class, f.ID, f.Events))
	}
	return out
}

func TestCloudTrail(t *testing.T) {
	for _, c := range []struct {
		name    string
		records []map[string]any
		want    []string
	}{
		{"a session with a receipt", []map[string]any{assumed(noon, role, ours, ""), used(noon, "111122223333", ours)}, nil},
		{"one without", []map[string]any{assumed(noon, role, theirs, ""), used(noon, "111122223333", theirs)}, []string{"minted " + theirs + " x2"}},
		{"its use before its issue", []map[string]any{used(noon, "111122223333", theirs), assumed(noon, role, theirs, "")}, []string{"minted " + theirs + " x2"}},
		{"its use alone", []map[string]any{used(noon, "111122223333", theirs)}, []string{"used " + theirs + " x1"}},
		{"a refused exchange", []map[string]any{assumed(noon, role, "", "AccessDenied")}, nil},
		{"another role", []map[string]any{assumed(noon, strings.Replace(role, "site", "other", 1), theirs, "")}, nil},
		{"another account", []map[string]any{used(noon, "999999999999", theirs)}, nil},
		{"a use within the slack", []map[string]any{used(noon.Add(10*time.Minute+slack), "111122223333", ours)}, nil},
		{"a use after the end", []map[string]any{used(noon.Add(11*time.Minute), "111122223333", ours)}, []string{"after-end " + ours + " x1"}},
	} {
		var lines, lookup []byte
		var events []any
		for _, r := range c.records {
			one := encode(t, r)
			lines = append(append(lines, one...), '\n')
			events = append(events, map[string]any{"EventId": "x", "CloudTrailEvent": string(one)})
		}
		lookup = encode(t, map[string]any{"Events": events})
		delivered := encode(t, map[string]any{"Records": c.records})
		for form, log := range map[string][]byte{"delivered": delivered, "gzip": packed(delivered), "lines": lines, "lookup-events": lookup} {
			if got := report(t, ledgerOf(t, awsReceipts()...), log); !slices.Equal(got, c.want) {
				t.Errorf("%s, %s: %v, want %v", c.name, form, got, c.want)
			}
		}
	}
}

func TestWhatAFindingTells(t *testing.T) {
	l := ledgerOf(t, awsReceipts()...)
	report(t, l, append(encode(t, assumed(noon, role, theirs, "")), encode(t, used(noon.Add(time.Minute), "111122223333", theirs))...))
	r := l.Report()
	f := r.Findings[0]
	if f.Session != "stolen" || f.Subject != "repo:acme/site:ref:refs/heads/main" || f.From != "192.0.2.7" || !f.First.Equal(noon) || !f.Last.Equal(noon.Add(time.Minute)) ||
		!slices.Equal(f.Actions, []string{"sts:AssumeRoleWithWebIdentity", "s3:PutObject"}) {
		t.Errorf("%+v", f)
	}
	if r.Records != 2 || !slices.Equal(r.Roles, []string{"111122223333:site-deploy"}) || !slices.Equal(r.Unseen, []string{ours}) {
		t.Errorf("%+v", r)
	}
}

func TestRolesWithoutReceipts(t *testing.T) {
	l := &Ledger{}
	if got := report(t, l, encode(t, assumed(noon, role, theirs, ""))); got != nil {
		t.Errorf("a role that nobody named: %v", got)
	}
	if err := l.AddRole(role); err != nil {
		t.Fatal(err)
	}
	if got := report(t, l, encode(t, assumed(noon, role, theirs, ""))); len(got) != 1 {
		t.Errorf("findings %v", got)
	}
	for _, name := range []string{"", "x", "arn:aws:iam::1:user/x", "arn:aws:s3:::b/x", "/x", "x/"} {
		if l.AddRole(name) == nil {
			t.Errorf("%q is a role", name)
		}
	}
}

func vaultReceipts() []receipt.Event {
	return []receipt.Event{
		{Kind: receipt.Issuance, Provider: "vault", CredentialID: "accessor1", Identity: "vault.example:8200/auth/jwt/role/deploy", Facts: map[string]string{"request_id": "req-1"}},
		{Kind: receipt.End, Provider: "vault", CredentialID: "accessor1", Ending: &oidc.Ending{Outcome: oidc.Revoked, At: noon.Add(time.Minute)}},
	}
}

func login(id, path, roleName, accessor string) string {
	return fmt.Sprintf(`{"time":%q,"type":"response","request":{"id":%q,"path":%q,"operation":"update","remote_address":"192.0.2.7"},"response":{"auth":{"accessor":%q,"display_name":"jwt-x","metadata":{"role":%q}}}}`+"\n",
		noon.Format(time.RFC3339Nano), id, path, accessor, roleName)
}

func request(at time.Time, accessor string) string {
	return fmt.Sprintf(`{"time":%q,"type":"response","auth":{"accessor":%q},"request":{"id":"r","path":"secret/data/site","operation":"read"}}`+"\n", at.Format(time.RFC3339Nano), accessor)
}

func TestVault(t *testing.T) {
	const path = "auth/jwt/login"
	for _, c := range []struct{ name, log, want string }{
		{"by the request, the accessor hashed", login("req-1", path, "deploy", "hmac-sha256:aa") + request(noon, "hmac-sha256:aa"), ""},
		{"by the accessor, plain", login("other", path, "deploy", "accessor1") + request(noon, "accessor1"), ""},
		{"another login", login("req-2", path, "deploy", "hmac-sha256:bb") + request(noon, "hmac-sha256:bb"), "minted hmac-sha256:bb x2"},
		{"another role", login("req-2", path, "other", "hmac-sha256:bb"), ""},
		{"another mount", login("req-2", "auth/gh/login", "deploy", "hmac-sha256:bb"), ""},
		{"a request before its reply", strings.Replace(login("req-2", path, "deploy", "x"), `"response",`, `"request",`, 1), ""},
		{"a use after the end", login("req-1", path, "deploy", "hmac-sha256:aa") + request(noon.Add(2*time.Minute), "hmac-sha256:aa"), "after-end accessor1 x1"},
		{"a token of before the log", request(noon, "hmac-sha256:cc"), ""},
	} {
		l := ledgerOf(t, vaultReceipts()...)
		if err := l.AddVault(strings.NewReader(c.log)); err != nil {
			t.Fatal(err)
		}
		var got string
		for _, f := range l.Report().Findings {
			got += fmt.Sprintf("%s %s x%d", f.Class, f.ID, f.Events)
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestHostileLogs(t *testing.T) {
	for name, b := range map[string][]byte{
		"no JSON":         []byte("nonsense"),
		"cut off":         []byte(`{"Records":[{"eventName":"x"`),
		"a list":          []byte(`[]`),
		"deep":            bytes.Repeat([]byte(`{"Records":[`), 20_000),
		"half a gzip":     packed(encode(t, map[string]any{"Records": []any{}}))[:12],
		"no time":         []byte(`{"eventTime":"soon"}`),
		"an event inside": []byte(`{"Events":[{"CloudTrailEvent":"{"}]}`),
	} {
		if err := ledgerOf(t, awsReceipts()...).AddCloudTrail(bytes.NewReader(b)); err == nil {
			t.Errorf("%s: no error", name)
		} else if strings.Contains(err.Error(), "nonsense") {
			t.Errorf("%s: the error quotes the log: %v", name, err)
		}
	}
}

func TestLogsHaveALimit(t *testing.T) {
	for text, want := range map[string]error{"1234": nil, "12345": errLarge} {
		if _, err := io.ReadAll(&limited{strings.NewReader(text), 4}); err != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func FuzzLogs(f *testing.F) {
	f.Add(encode(f, map[string]any{"Records": []any{assumed(noon, role, theirs, ""), used(noon, "111122223333", ours)}}))
	f.Add(packed(encode(f, used(noon, "111122223333", theirs))))
	f.Add([]byte(login("req-2", "auth/jwt/login", "deploy", "hmac-sha256:bb") + request(noon, "hmac-sha256:bb")))
	f.Fuzz(func(t *testing.T, b []byte) {
		l := ledgerOf(t, append(awsReceipts(), vaultReceipts()...)...)
		_, _ = l.AddCloudTrail(bytes.NewReader(b)), l.AddVault(bytes.NewReader(b))
		for _, one := range l.Report().Findings {
			if one.ID == ours && one.Class != AfterEnd {
				t.Errorf("a credential with a receipt: %+v", one)
			}
		}
	})
}

// A credential that could not be ended is used until it expires: that is no use after its end.
func TestAnOpenEndIsNone(t *testing.T) {
	for outcome, want := range map[oidc.Outcome]int{oidc.Open: 0, oidc.Revoked: 1} {
		receipts := awsReceipts()
		receipts[2].Ending = &oidc.Ending{Outcome: outcome, At: noon}
		l := ledgerOf(t, receipts...)
		if err := l.AddCloudTrail(bytes.NewReader(encode(t, used(noon.Add(time.Minute), "111122223333", ours)))); err != nil {
			t.Fatal(err)
		}
		if got := l.Report().Findings; len(got) != want {
			t.Errorf("%s: %+v", outcome, got)
		}
	}
}
