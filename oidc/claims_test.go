package oidc

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// noon is the time at which the tests happen.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// jwt puts a token together. Its signature is of the right alphabet only: nobody
// here verifies it.
func jwt(header, payload string) string {
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(header)) + "." + enc([]byte(payload)) + "." + enc([]byte("signature of no key"))
}

// tokenFor is a token of a job on main, with changes; nil removes a claim.
func tokenFor(t testing.TB, change map[string]any) string {
	t.Helper()
	claims := map[string]any{
		"iss": "https://token.actions.githubusercontent.com", "aud": "sts.example",
		"sub": "repo:acme/site:ref:refs/heads/main", "jti": "f3a1",
		"repository": "acme/site", "ref": "refs/heads/main", "event_name": "push",
		"iat": noon.Unix() - 10, "nbf": noon.Unix() - 310, "exp": noon.Unix() + 290,
	}
	maps.Copy(claims, change)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	b, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	return jwt(`{"alg":"RS256","typ":"JWT","kid":"1"}`, string(b))
}

func TestParseTokenReadsTheClaims(t *testing.T) {
	raw := tokenFor(t, nil)
	tok, err := ParseToken(raw)
	if err != nil {
		t.Fatal(err)
	}
	c := tok.Claims
	if tok.Raw.Reveal() != raw || c.Issuer != "https://token.actions.githubusercontent.com" || c.ID != "f3a1" ||
		c.Subject != "repo:acme/site:ref:refs/heads/main" || !slices.Equal(c.Audience, []string{"sts.example"}) {
		t.Errorf("claims are %+v", c)
	}
	if !tok.Expires().Equal(noon.Add(290*time.Second)) || !c.IssuedAt.Equal(noon.Add(-10*time.Second)) || !c.NotBefore.Equal(noon.Add(-310*time.Second)) {
		t.Errorf("times are exp %v, iat %v, nbf %v", tok.Expires(), c.IssuedAt, c.NotBefore)
	}
	if c.Get("event_name") != "push" || c.Get("aud") != "sts.example" || c.Has("environment") || !c.Has("ref") {
		t.Errorf("values are %v", c.Values)
	}
}

func TestParseTokenRefuses(t *testing.T) {
	good := tokenFor(t, nil)
	parts := strings.Split(good, ".")
	tests := map[string]struct{ raw, want string }{
		"nothing":             {"", "three parts"},
		"two parts":           {parts[0] + "." + parts[1], "three parts"},
		"four parts":          {good + ".x", "three parts"},
		"an encrypted token":  {good + "." + parts[1], "three parts"},
		"an empty signature":  {parts[0] + "." + parts[1] + ".", "base64url"},
		"padding":             {parts[0] + "." + parts[1] + "." + parts[2] + "=", "base64url"},
		"standard alphabet":   {parts[0] + "." + parts[1] + ".ab+/", "base64url"},
		"loose last bits":     {parts[0] + "." + parts[1] + ".QR", "base64url"},
		"a line break inside": {parts[0] + "." + parts[1][:8] + "\n" + parts[1][8:] + "." + parts[2], "base64url"},
		"too long":            {parts[0] + "." + parts[1] + "." + strings.Repeat("a", MaxTokenBytes), "20000 bytes"},
		"no algorithm":        {jwt(`{"typ":"JWT"}`, `{}`), "not signed"},
		"algorithm none":      {jwt(`{"alg":"nOnE"}`, `{}`), "not signed"},
		"a header of text":    {jwt(`"x"`, `{}`), "header"},
		"a payload of text":   {jwt(`{"alg":"RS256"}`, `"x"`), "not a JSON object"},
		"no iss":              {tokenFor(t, map[string]any{"iss": nil}), "no iss"},
		"no sub":              {tokenFor(t, map[string]any{"sub": nil}), "no sub"},
		"an empty sub":        {tokenFor(t, map[string]any{"sub": ""}), "no sub"},
		"no exp":              {tokenFor(t, map[string]any{"exp": nil}), "no exp"},
		"exp as text":         {tokenFor(t, map[string]any{"exp": "1795435200"}), `"exp" must be a number`},
		"exp in the far past": {tokenFor(t, map[string]any{"exp": -4}), `"exp" is not a time`},
		"sub as a number":     {tokenFor(t, map[string]any{"sub": 4}), `"sub" must be text`},
		"sub as a list":       {tokenFor(t, map[string]any{"sub": []string{"a"}}), `"sub" must be text`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { wantError(t, second(ParseToken(test.raw)), test.want) })
	}
}

func second[T any](_ T, err error) error { return err }

// wantError checks the text of an error and that it has what every one has.
func wantError(t *testing.T, err error, want string) *Error {
	t.Helper()
	e, ok := err.(*Error)
	if !ok {
		t.Fatalf("error is %v (%T), want an *Error with %q", err, err, want)
	}
	if !strings.Contains(e.Message, want) {
		t.Errorf("message is %q, want %q in it", e.Message, want)
	}
	if e.Stage != StageToken || e.Hint == "" || strings.HasSuffix(e.Message, ".") || strings.ContainsAny(e.Message+e.Hint, "\n\r\x1b") {
		t.Errorf("error is not in two lines of its stage: %q, %q, %q", e.Stage, e.Message, e.Hint)
	}
	return e
}

func TestParseClaims(t *testing.T) {
	tests := map[string]struct {
		in   string
		want map[string]string
	}{
		"nothing":               {`{}`, map[string]string{}},
		"kinds":                 {`{"a":"x","b":true,"c":false,"d":7,"e":null,"f":{"a":1},"g":[1,2]}`, map[string]string{"a": "x", "b": "true", "c": "false", "d": "7"}},
		"numbers":               {`{"a":1e3,"b":1.5E+1,"c":-0,"d":-2.50,"e":18446744073709551615,"f":0.25}`, map[string]string{"a": "1000", "b": "15", "c": "0", "d": "-2.5", "e": "18446744073709551615", "f": "0.25"}},
		"numbers beyond a text": {`{"a":1e300,"b":123456789012345678901234567890,"c":1e-300,"d":1e999999999}`, map[string]string{}},
		"escaped names":         {`{"\u0073ub":"s"}`, map[string]string{"sub": "s"}},
		"a byte order mark":     {"\xef\xbb\xbf{\"sub\":\"s\"}", map[string]string{"sub": "s"}},
		"one audience in list":  {`{"aud":["a"]}`, map[string]string{"aud": "a"}},
		"two audiences":         {`{"aud":["a","b"]}`, map[string]string{}},
		"a fraction of a time":  {`{"iat":1795435200.75}`, map[string]string{"iat": "1795435200.75"}},
		"names in other case":   {`{"SUB":"x","Exp":"soon"}`, map[string]string{"SUB": "x", "Exp": "soon"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c, err := ParseClaims([]byte(test.in))
			if err != nil {
				t.Fatal(err)
			}
			if !maps.Equal(c.Values, test.want) {
				t.Errorf("values are %v, want %v", c.Values, test.want)
			}
		})
	}
}

func TestParseClaimsRefuses(t *testing.T) {
	tests := map[string]struct{ in, want string }{
		"nothing":                 {``, "not JSON at byte 0"},
		"a list":                  {`[]`, "not a JSON object"},
		"no end":                  {`{"a":1`, "not JSON"},
		"a comma too many":        {`{"a":1,}`, "not JSON"},
		"two objects":             {`{} {}`, "something follows"},
		"junk behind":             {`{"a":1} x`, "something follows"},
		"a name twice":            {`{"sub":"a","sub":"a"}`, `claim "sub" is given twice`},
		"an escaped name twice":   {`{"sub":"a","su\u0062":"b"}`, `claim "sub" is given twice`},
		"aud twice":               {`{"aud":"a","aud":["b"]}`, `claim "aud" is given twice`},
		"an object's name twice":  {`{"act":{},"act":{}}`, "a claim is given twice"},
		"aud of a number":         {`{"aud":1}`, `"aud" must be text`},
		"aud of mixed kinds":      {`{"aud":["a",1]}`, `"aud" must be text`},
		"aud with null":           {`{"aud":["a",null]}`, `"aud" must be text`},
		"aud null":                {`{"aud":null}`, `"aud" must be text`},
		"too many audiences":      {`{"aud":["` + strings.Repeat(`a","`, maxAudiences) + `a"]}`, `"aud" must be text`},
		"exp of an object":        {`{"exp":{}}`, `"exp" must be a number`},
		"nbf beyond all calendar": {`{"nbf":1e15}`, `"nbf" is not a time`},
		"not UTF-8":               {"{\"a\":\"\xff\"}", "UTF-8"},
		"too large":               {`{"a":"` + strings.Repeat("x", maxClaimsBytes) + `"}`, "larger than 64 KiB"},
		"too many members":        {manyMembers(maxClaims + 1), "more than 500 members"},
		"a pit of brackets":       {`{"a":` + strings.Repeat("[", 60_000), "not JSON"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { wantError(t, second(ParseClaims([]byte(test.in))), test.want) })
	}
	if _, err := ParseClaims([]byte(manyMembers(maxClaims))); err != nil {
		t.Errorf("%d members: %v", maxClaims, err)
	}
}

func manyMembers(n int) string {
	members := make([]string, n)
	for i := range members {
		members[i] = `"c` + strings.Repeat("x", i%50) + strings.Repeat("y", i/50) + `":1`
	}
	return "{" + strings.Join(members, ",") + "}"
}

func FuzzParseToken(f *testing.F) {
	f.Add(tokenFor(f, nil))
	f.Add(jwt(`{"alg":"RS256"}`, `{"aud":["a","b"],"exp":1.5e9,"x":{"y":[1]}}`))
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, raw string) {
		tok, err := ParseToken(raw)
		if err != nil {
			if _, ok := err.(*Error); !ok || tok != nil {
				t.Fatalf("token %v, error %v (%T)", tok, err, err)
			}
			return
		}
		if tok.Expires().IsZero() || tok.Claims.Subject == "" || tok.Claims.Issuer == "" || tok.Raw.Reveal() != raw {
			t.Errorf("accepted without its parts: %+v", tok.Claims)
		}
	})
}

// The reader of claims agrees with encoding/json on what is a string, and no
// claim has two values.
func FuzzParseClaims(f *testing.F) {
	f.Add(`{"sub":"a","aud":["b"],"exp":1,"n":{"m":[null]}}`)
	f.Add(`{"a":1e3,"b":-0.0,"b\u0000":true}`)
	f.Fuzz(func(t *testing.T, in string) {
		c, err := ParseClaims([]byte(in))
		if err != nil {
			return
		}
		var want map[string]any
		if err := json.Unmarshal([]byte(strings.TrimPrefix(in, "\xef\xbb\xbf")), &want); err != nil {
			t.Fatalf("accepted what is not JSON: %v", err)
		}
		for name, v := range want {
			if s, ok := v.(string); ok && c.Values[name] != s {
				t.Errorf("claim %q is %q, want %q", name, c.Values[name], s)
			}
		}
		for name, v := range c.Values {
			if _, ok := want[name]; !ok {
				t.Errorf("claim %q = %q is not in the object", name, v)
			}
		}
	})
}
