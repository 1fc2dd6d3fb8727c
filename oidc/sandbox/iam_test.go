package sandbox_test

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stint-dev/stint/oidc/sandbox"
)

// between picks the text of an element out of an answer.
func between(body, element string) string {
	_, rest, _ := strings.Cut(body, "<"+element+">")
	text, _, _ := strings.Cut(rest, "</"+element+">")
	return html.UnescapeString(text)
}

func TestIAMShowsARoleToWhoMayReadIt(t *testing.T) {
	role := shipRole()
	role.Policies = []string{`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:Get*","Resource":["` + roleARN + `","` + provider + `","arn:aws:iam::444455556666:role/gone"]}}`}
	hidden := sandbox.Role{ARN: "arn:aws:iam::444455556666:role/hidden", Trust: role.Trust}
	s, c := start(t, sandbox.Options{Roles: []sandbox.Role{role, hidden}, Audiences: []string{"sts.amazonaws.com", "second"}})
	_, session := post(t, s, assumeForm(token(t, s, pushJob()), nil))
	keys := sandbox.Keys{AccessKeyID: between(session, "AccessKeyId"), SecretAccessKey: between(session, "SecretAccessKey"), SessionToken: between(session, "SessionToken")}
	ask := func(service string, k sandbox.Keys, pairs ...string) (int, string) {
		form := url.Values{"Version": {"2010-05-08"}}
		for i := 0; i < len(pairs); i += 2 {
			form.Set(pairs[i], pairs[i+1])
		}
		r := newRequest(t, http.MethodPost, s.STSURL()+"/", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if k.AccessKeyID != "" {
			sandbox.Sign(r, []byte(form.Encode()), k, "us-east-1", service, c.Now())
		}
		resp, body := do(t, r)
		return resp.StatusCode, body
	}

	status, body := ask("iam", keys, "Action", "GetRole", "RoleName", "ship")
	text, err := url.PathUnescape(between(body, "AssumeRolePolicyDocument"))
	if status != http.StatusOK || err != nil || text != role.Trust || between(body, "Arn") != roleARN || between(body, "MaxSessionDuration") != "3600" || between(body, "Path") != "/" {
		t.Errorf("%d %v %s", status, err, body)
	}
	status, body = ask("iam", keys, "Action", "GetOpenIDConnectProvider", "OpenIDConnectProviderArn", provider)
	if status != http.StatusOK || between(body, "ClientIDList") != "<member>sts.amazonaws.com</member><member>second</member>" || between(body, "Url") != sandbox.DefaultProvider {
		t.Errorf("%d %s", status, body)
	}

	wrong := keys
	wrong.SecretAccessKey += "x"
	for _, row := range []struct {
		service string
		keys    sandbox.Keys
		pairs   []string
		code    string
	}{
		{"iam", keys, []string{"Action", "GetRole", "RoleName", "gone"}, "NoSuchEntity"},
		{"iam", keys, []string{"Action", "GetRole", "RoleName", "hidden"}, "AccessDenied"},
		{"iam", keys, []string{"Action", "GetOpenIDConnectProvider", "OpenIDConnectProviderArn", provider + "x"}, "AccessDenied"},
		{"iam", wrong, []string{"Action", "GetRole", "RoleName", "ship"}, "SignatureDoesNotMatch"},
		{"sts", keys, []string{"Action", "GetRole", "RoleName", "ship"}, "IncompleteSignature"},
		{"iam", sandbox.Keys{}, []string{"Action", "GetRole", "RoleName", "ship"}, "MissingAuthenticationToken"},
		{"iam", keys, []string{"Action", "GetRole", "RoleName", "ship", "Version", "2011-06-15"}, "InvalidAction"},
		{"iam", keys, []string{"Action", "DeleteRole", "RoleName", "ship"}, "InvalidAction"},
	} {
		if status, body := ask(row.service, row.keys, row.pairs...); errorCode(body) != row.code || status < 400 {
			t.Errorf("%v: %d %s, want %s", row.pairs, status, errorCode(body), row.code)
		}
	}
}
