package oidc

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
)

// A canary is a secret of known value and the forms in which it could leak.
type canary struct {
	value string
	forms []string
}

func newCanary(value string) canary {
	c := canary{value: value}
	// Three shifts, as base64 of a longer text has the value at any of them; the
	// ends of each depend on what is around it.
	for shift := range 3 {
		enc := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + value))
		c.forms = append(c.forms, enc[4:len(enc)-4], strings.NewReplacer("+", "-", "/", "_").Replace(enc[4:len(enc)-4]))
	}
	c.forms = append(c.forms, value, url.QueryEscape(value), url.PathEscape(value), fmt.Sprintf("%x", value))
	return c
}

// check fails if text has the canary in it.
func (c canary) check(t *testing.T, where, text string) {
	t.Helper()
	for _, f := range c.forms {
		if strings.Contains(text, f) {
			t.Errorf("%s shows a secret: %.200q", where, text)
		}
	}
}

// Every way in which a program prints a value by accident.
func everyFormat(v any) map[string]string {
	out := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%b", "%c", "%U", "%T", "%20.3s"} {
		out[verb] = fmt.Sprintf(verb, v)
	}
	out["print"] = fmt.Sprint(v)
	if b, err := json.Marshal(v); err == nil {
		out["json"] = string(b)
	}
	if b, err := xml.Marshal(v); err == nil {
		out["xml"] = string(b)
	}
	var text, js bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("m", "v", v)
	slog.New(slog.NewJSONHandler(&js, nil)).Info("m", "v", v)
	out["slog text"], out["slog json"] = text.String(), js.String()
	if err, ok := v.(error); ok {
		for err != nil {
			out["chain"] += err.Error() + fmt.Sprintf("%+v %#v", err, err)
			err = errors.Unwrap(err)
		}
	}
	return out
}

func TestSecretIsNeverPrinted(t *testing.T) {
	c := newCanary("hunter2-Zq8/x+y=z&w")
	s := NewSecret(c.value)
	if s.Reveal() != c.value || s.IsZero() || !(Secret{}).IsZero() {
		t.Fatal("a secret does not hold its value")
	}
	values := map[string]any{
		"value": s, "pointer": &s, "slice": []Secret{s}, "map": map[string]Secret{"k": s},
		"struct": struct{ S Secret }{s},
		"a field of one's own": struct {
			s Secret
			m map[string]Secret
			v []Var
		}{s, map[string]Secret{"k": s}, []Var{{Value: s}}},
		"var":        Var{Name: "AWS_SECRET_ACCESS_KEY", Value: s},
		"credential": &Credential{Vars: []Var{{Name: "A", Value: s}}},
		"token":      &Token{Raw: s},
		"error":      fmt.Errorf("with %v in it: %w", s, errors.New("cause")),
	}
	for name, v := range values {
		for verb, text := range everyFormat(v) {
			c.check(t, name+" in "+verb, text)
		}
	}
	if got := fmt.Sprintf("%v", s); got != redacted {
		t.Errorf("a secret prints as %q", got)
	}
}

// The canary itself must be found when it is there, or the tests prove nothing.
func TestCanaryIsFound(t *testing.T) {
	c := newCanary("hunter2-Zq8/x+y=z&w")
	for _, leak := range []string{
		"a " + c.value, url.QueryEscape("?" + c.value),
		base64.StdEncoding.EncodeToString([]byte("Bearer " + c.value + "!")),
		base64.RawURLEncoding.EncodeToString([]byte("ab" + c.value)),
		base64.RawURLEncoding.EncodeToString([]byte("a" + c.value + "b")),
	} {
		found := false
		for _, f := range c.forms {
			found = found || strings.Contains(leak, f)
		}
		if !found {
			t.Errorf("not found in %q", leak)
		}
	}
}
