package lease

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
)

func TestStateGoesFromMainToPost(t *testing.T) {
	s := newScene(t)
	l := s.mustOpen(t)
	b, err := l.State().Encode()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.ContainsAny(b, "\r\n") || bytes.Contains(b, []byte(canarySecret)) || bytes.Contains(b, []byte(canaryToken)) {
		t.Errorf("state %s", b)
	}
	state, err := DecodeState(b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(state, l.State()) || !slices.Equal(state.Vars, []string{"ONE_KEY", "ONE_SECRET", "TWO_SECRET"}) {
		t.Errorf("state %+v", state)
	}
	s.journal, s.events = nil, nil
	opts := Options{Now: func() time.Time { return noon }, Observe: func(e Event) { s.events = append(s.events, e) }}
	ended := EndState(t.Context(), state, map[string]Ender{"one": s.one}, opts)
	if !slices.Equal(s.journal, []string{"end one"}) || len(ended) != 2 || ended[0].Outcome != oidc.Open || ended[1].Outcome != oidc.Revoked {
		t.Errorf("journal %v, endings %+v", s.journal, ended)
	}
	if len(s.events) != 2 || s.events[0].Provider != "two" || s.events[0].Kind != End {
		t.Errorf("events %+v", s.events)
	}
	checkSilent(t, "endings", ended, s.events)
}

func goodHandle() oidc.Handle {
	return oidc.Handle{Provider: "aws", Grant: "deploy-site", ID: "ASIATEST", Identity: "arn:aws:sts::111122223333:assumed-role/x/y",
		Expires: noon.Add(time.Hour), UsableUntil: noon.Add(time.Minute)}
}

// What names no end, at a server of one's own, is ended like the others.
func TestStateOfACredentialWithoutAStatedEnd(t *testing.T) {
	h := goodHandle()
	h.Expires, h.UsableUntil, h.Endpoint = time.Time{}, time.Time{}, "https://cloud.example"
	b, err := State{Version: 1, Grant: "deploy-site", Handles: []oidc.Handle{h}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if s, err := DecodeState(b); err != nil || !reflect.DeepEqual(s.Handles[0], h) {
		t.Errorf("%+v %v", s, err)
	}
}

func TestHostileState(t *testing.T) {
	good := State{Version: 1, Grant: "deploy-site", Handles: []oidc.Handle{goodHandle()}, Vars: []string{"AWS_REGION"}}
	b, err := good.Encode()
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	rows := map[string]string{
		"empty":                   "",
		"not json":                "state",
		"cut":                     text[:len(text)-9],
		"something after":         text + "{}",
		"unknown field":           strings.Replace(text, `"version"`, `"extra":1,"version"`, 1),
		"unknown field in handle": strings.Replace(text, `"provider"`, `"url":"https://evil.example","provider"`, 1),
		"escape in endpoint":      strings.Replace(text, `"provider"`, `"endpoint":"https://a\u001b[2J","provider"`, 1),
		"another version":         strings.Replace(text, `"version":1`, `"version":2`, 1),
		"no version":              strings.Replace(text, `"version":1,`, ``, 1),
		"provider path":           strings.Replace(text, `"aws"`, `"../aws"`, 1),
		"escape in identity":      strings.Replace(text, `assumed-role`, `\u001b[31m`, 1),
		"newline in id":           strings.Replace(text, `ASIATEST`, `a\nb`, 1),
		"bidi override in grant":  strings.Replace(text, `deploy-site`, `a\u202eb`, 1),
		"no expiry":               strings.Replace(text, `2026-11-21T13:00:00Z`, `0001-01-01T00:00:00Z`, 1),
		"time is no time":         strings.Replace(text, `2026-11-21T13:00:00Z`, `soon`, 1),
		"digest":                  strings.Replace(text, `"grant_digest":""`, `"grant_digest":"md5:1"`, 1),
		"variable":                strings.Replace(text, `AWS_REGION`, `A B`, 1),
		"path variable":           strings.Replace(text, `AWS_REGION`, `PATH`, 1),
		"long revoke":             strings.Replace(text, `"id"`, `"revoke":"`+strings.Repeat("r", maxRevokeBytes+1)+`","id"`, 1),
		"too large":               strings.Replace(text, `{`, `{`+strings.Repeat(" ", MaxStateBytes), 1),
		"too many":                strings.Replace(text, `"handles":[`, `"handles":[`+strings.Repeat(handleOf(text)+",", maxStateHandles), 1),
	}
	for name, in := range rows {
		if in == text {
			t.Fatalf("%s: the row changes nothing", name)
		}
		if s, err := DecodeState([]byte(in)); err == nil {
			t.Errorf("%s: accepted as %+v", name, s)
		} else if hintOf(err) == "" || strings.Contains(err.Error(), "evil") || strings.ContainsAny(err.Error(), "\x1b\n") {
			t.Errorf("%s: error %q", name, err)
		}
	}
	if _, err := DecodeState(b); err != nil {
		t.Errorf("the good state: %v", err)
	}
	bad := good
	bad.Grant = "a\nb"
	if _, err := bad.Encode(); err == nil {
		t.Error("a state that cannot be read was written")
	}
}

// handleOf cuts the only handle out of an encoded state.
func handleOf(text string) string {
	text = text[strings.Index(text, `[{`)+1:]
	return text[:strings.Index(text, `]`)]
}

func FuzzDecodeState(f *testing.F) {
	good := State{Version: 1, Grant: "g", Handles: []oidc.Handle{goodHandle()}, Vars: []string{"A"}}
	b, _ := good.Encode()
	f.Add(b)
	f.Add([]byte(`{"version":1,"grant":"g","grant_digest":"","handles":null,"vars":null}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := DecodeState(b)
		if err != nil {
			return
		}
		again, err := s.Encode()
		if err != nil {
			t.Fatalf("read and not written: %v", err)
		}
		s2, err := DecodeState(again)
		if err != nil || len(s2.Handles) != len(s.Handles) {
			t.Errorf("%s came back as %s: %v", b, again, err)
		}
	})
}
