package oci

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestParseReferenceRefuses(t *testing.T) {
	for _, image := range []string{
		"", ":", "/", "node:", ":22", "node:22:1", "Node:22", "registry.example/Node", "registry.example/", "/node", "a//b", "a/", "node:a/b",
		"node@sha256:" + strings.Repeat("a", 64), "node:22@sha256:" + strings.Repeat("a", 64), "node :22", "node:22\n", "node:.1", "node:" + strings.Repeat("a", 129),
		"user:word@registry.example/tool", "user@registry.example/tool", "registry.example:0/tool", "registry.example:65536/tool", "registry.example:/tool",
		"registry.example:https/tool", "-registry.example/tool", "registry..example/tool", "[::1]:5000/tool", "registry.example/../../etc", "registry.example/a/./b",
		"registry.example/tool?x", "registry.example/tool#x", "registry.example/%2e%2e", "https://registry.example/tool", "${{ x }}", "regístry.example/tool",
		strings.Repeat("a", 250) + "/tool", strings.Repeat("a/", 500) + "tool",
	} {
		if ref, err := ParseReference(image); err == nil {
			t.Errorf("%q is %+v", image, ref)
		}
	}
}

// Whatever is accepted makes a URL that asks the host of the name for nothing else than one
// manifest, and has one meaning.
func FuzzParseReference(f *testing.F) {
	for _, image := range []string{"node", "node:22", "a/b:1", hub + "/node", "registry.example:5000/a/b-c__d.e:v1", "localhost/x", "a@b", "A.B/c", "x:1/y", "[::1]/x"} {
		f.Add(image)
	}
	f.Fuzz(func(t *testing.T, image string) {
		ref, err := ParseReference(image)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r\x1b") {
				t.Errorf("the error %q is not one plain line", err)
			}
			return
		}
		path := "/v2/" + ref.Repository + "/manifests/" + ref.Tag
		at, err := url.Parse("https://" + ref.Host + path)
		if err != nil || at.Host != ref.Host || at.Path != path || at.EscapedPath() != path || at.RawQuery+at.Fragment != "" || at.User != nil {
			t.Errorf("%q asks %v (%v)", image, at, err)
		}
		if again, err := ParseReference(ref.String()); err != nil || again != ref {
			t.Errorf("%q is %+v, written out %+v, %v", image, ref, again, err)
		}
		if strings.Contains(image, "@") || !strings.HasSuffix(image, ref.Tag) && ref.Tag != "latest" {
			t.Errorf("%q is taken for %+v", image, ref)
		}
	})
}

func TestBearer(t *testing.T) {
	for line, want := range map[string]challenge{
		`Bearer realm="https://a.example/t",service="s",scope="repository:x:pull"`: {"https://a.example/t", "s", "repository:x:pull"},
		`bearer Realm=https://a.example/t , service="a \"b\", c"`:                  {"https://a.example/t", `a "b", c`, ""},
		`Bearer realm="https://a.example/t",broken`:                                {"https://a.example/t", "", ""},
		`Bearer realm="https://a.example/t`:                                        {},
		`Bearer service="s"`:                                                       {},
		`Basic realm="https://a.example/t"`:                                        {},
		``:                                                                         {},
	} {
		got, ok := bearer(http.Header{"Www-Authenticate": {`Negotiate`, line}})
		if got != want || ok != (want.realm != "") {
			t.Errorf("%s: %+v, %t", line, got, ok)
		}
	}
}

// A challenge never leads to anything but an https URL without a login in it.
func FuzzChallenge(f *testing.F) {
	f.Add(`Bearer realm="https://a.example/t?x=1",service="s",scope="repository:x:pull"`)
	f.Add(`Bearer realm="http://a.example"`)
	f.Add(`Bearer realm=https://u:p@a.example`)
	f.Add(`Bearer realm="https:\\a"`)
	f.Fuzz(func(t *testing.T, line string) {
		wants, ok := bearer(http.Header{"Www-Authenticate": {line}})
		if !ok {
			return
		}
		at := wants.tokenURL()
		if at == nil {
			return
		}
		if at.Scheme != "https" || at.Hostname() == "" || at.User != nil || at.Fragment != "" {
			t.Errorf("%q leads to %s", line, at)
		}
		if query := at.Query(); wants.scope != "" && query.Get("scope") != wants.scope {
			t.Errorf("%q asks for %q, want %q", line, query.Get("scope"), wants.scope)
		}
	})
}
