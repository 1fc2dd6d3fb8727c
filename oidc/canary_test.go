package oidc

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// No secret is in anything that an error or a value shows, whichever way the
// exchange with the issuer fails.
func TestNoErrorShowsASecret(t *testing.T) {
	bearer, body, claim := newCanary("bEarEr+cAnAry/01=x"), newCanary("bOdy&cAnAry?02 y"), newCanary("clAim:cAnAry#03/z")
	token := newCanary(tokenFor(t, map[string]any{"x": claim.value}))
	signature := newCanary(token.value[strings.LastIndexByte(token.value, '.')+1:])
	check := func(where string, v any) {
		for verb, text := range everyFormat(v) {
			for _, c := range []canary{bearer, body, claim, token, signature} {
				c.check(t, where+" in "+verb, text)
			}
		}
		if e, ok := v.(*Error); ok {
			b, _ := json.Marshal(struct{ M, H, C, R string }{e.Message, e.Hint, e.Code, e.RequestID})
			for _, c := range []canary{bearer, body, claim, token, signature} {
				c.check(t, where+" in its parts", string(b))
			}
		}
	}
	reply := func(v any) string { b, _ := json.Marshal(map[string]any{"value": v}); return string(b) }
	head := map[string]string{"X-GitHub-Request-Id": body.value, "X-VSS-E2EID": bearer.value + "\n", "Location": "https://x/" + body.value, "Retry-After": body.value}
	answers := map[string]answer{
		"no JSON":         {status: 200, body: body.value},
		"wrong JSON":      {status: 200, body: reply(map[string]string{body.value: body.value})},
		"no token":        {status: 200, body: reply(body.value)},
		"parts of secret": {status: 200, body: reply(body.value + "." + body.value + "." + body.value)},
		"bad claims":      {status: 200, body: reply(jwt(`{"alg":"RS256"}`, `{"`+claim.value+`":1,"`+claim.value+`":2}`))},
		"cut claims":      {status: 200, body: reply(jwt(`{"alg":"RS256"}`, `{"`+claim.value))},
		"bad exp":         {status: 200, body: reply(tokenFor(t, map[string]any{"exp": claim.value}))},
		"other audience":  {status: 200, body: reply(tokenFor(t, map[string]any{"aud": claim.value}))},
		"expired":         {status: 200, body: reply(tokenFor(t, map[string]any{"exp": 4, "x": claim.value}))},
		"a cut body":      {status: 200, body: body.value, cut: true},
		"transport":       {err: errors.New(body.value)},
		"a URL error":     {err: &url.Error{Op: body.value, URL: body.value, Err: errors.New(bearer.value)}},
		"a TLS error":     {err: &tls.CertificateVerificationError{Err: errors.New(body.value)}},
		"a protocol":      {err: fmt.Errorf("malformed HTTP response %q", body.value)},
	}
	for _, status := range []int{302, 400, 401, 403, 404, 429, 500, 503} {
		answers[fmt.Sprint(status)] = answer{status: status, header: head, body: "Can't issue " + body.value}
	}
	for name, a := range answers {
		r, _, _ := newTestRunner(map[string]string{"ACTIONS_ID_TOKEN_REQUEST_TOKEN": bearer.value}, a)
		_, err := r.Token(t.Context(), "sts.example")
		if err == nil {
			t.Errorf("%s was taken", name)
			continue
		}
		check(name, err)
	}

	r, _, _ := newTestRunner(map[string]string{"ACTIONS_ID_TOKEN_REQUEST_TOKEN": bearer.value}, answer{status: 200, body: reply(token.value)})
	tok, err := r.Token(t.Context(), "sts.example")
	if err != nil {
		t.Fatal(err)
	}
	for verb, text := range everyFormat(tok) { // the claims may show, the token may not
		token.check(t, "a token in "+verb, text)
		signature.check(t, "a token in "+verb, text)
	}

	for name, env := range map[string]map[string]string{
		"the URL of a thief": {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://evil.example/" + body.value},
		"no URL":             {"ACTIONS_ID_TOKEN_REQUEST_URL": ""},
		"a broken URL":       {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://%zz" + bearer.value},
	} {
		env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = bearer.value
		r, _, _ := newTestRunner(env, answer{status: http.StatusOK})
		check(name, second(r.Token(t.Context(), "sts.example")))
	}
	for _, content := range []string{body.value, token.value + "x y", jwt(claim.value, claim.value)} {
		check("a file", second(fileSource(writeFile(t, content)).Token(t.Context(), "sts.example")))
	}
}
