package github

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

func oid(c byte) string { return strings.Repeat(string(c), 40) }

// server answers ls-refs for acme/tool and counts the questions.
func server(t *testing.T, body func(*bytes.Buffer)) (*Refs, *atomic.Int32) {
	t.Helper()
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		got, _ := io.ReadAll(r.Body)
		if r.URL.Path != "/acme/tool.git/git-upload-pack" || r.Header.Get("Git-Protocol") != "version=2" || string(got) != string(lsRefs()) {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		var b bytes.Buffer
		body(&b)
		_, _ = w.Write(b.Bytes())
	}))
	t.Cleanup(s.Close)
	return &Refs{Server: s.URL, Client: s.Client()}, &asked
}

func refList(b *bytes.Buffer) {
	packet(b, oid('a')+" refs/heads/main\n")
	packet(b, oid('b')+" refs/heads/v4\n")
	packet(b, oid('1')+" refs/tags/v4 peeled:"+oid('c')+"\n")
	packet(b, oid('c')+" refs/tags/v4.3\n")
	packet(b, oid('c')+" refs/tags/v4.3.1\n")
	packet(b, oid('c')+" refs/tags/v4.3.1-rc.1\n")
	packet(b, oid('d')+" refs/tags/nightly\n")
	packet(b, oid('e')+" refs/tags/v1.9.0\n")
	packet(b, oid('e')+" refs/tags/v1.10.0\n")
	b.WriteString("0000")
}

func TestCommit(t *testing.T) {
	refs, asked := server(t, refList)
	for _, c := range []struct{ ref, commit, version string }{
		{"v4", oid('c'), "v4.3.1"},
		{"v4.3", oid('c'), "v4.3.1"},
		{"main", oid('a'), ""},
		{"nightly", oid('d'), ""},
		{"v1.9.0", oid('e'), "v1.9.0"},
		{"v1.10.0", oid('e'), "v1.10.0"},
	} {
		commit, version, err := refs.Commit(context.Background(), "acme", "tool", c.ref)
		if err != nil || commit != c.commit || version != c.version {
			t.Errorf("%s: %s %q %v, want %s %q", c.ref, commit, version, err, c.commit, c.version)
		}
	}
	if _, _, err := refs.Commit(context.Background(), "acme", "tool", "none"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a missing ref gives %v", err)
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("the repository was asked %d times", n)
	}
	if _, _, err := refs.Commit(context.Background(), "acme", "gone", "v1"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a missing repository gives %v", err)
	}
}

func TestHostileNames(t *testing.T) {
	refs, asked := server(t, refList)
	for _, c := range [][2]string{{"..", "tool"}, {"acme", ".."}, {"acme/x", "tool"}, {"", "tool"}, {"acme", "to ol"}, {"acme", "tool?x"}, {"-a", "tool"}} {
		if _, _, err := refs.Commit(context.Background(), c[0], c[1], "v4"); err == nil {
			t.Errorf("%q was asked for", c)
		}
	}
	if asked.Load() != 0 {
		t.Error("a hostile name reached the network")
	}
}

func TestBadAnswers(t *testing.T) {
	for name, body := range map[string]func(*bytes.Buffer){
		"empty":          func(*bytes.Buffer) {},
		"cut off":        func(b *bytes.Buffer) { packet(b, oid('a')+" refs/heads/main\n") },
		"no object":      func(b *bytes.Buffer) { packet(b, "main refs/heads/main\n"); b.WriteString("0000") },
		"length 0003":    func(b *bytes.Buffer) { b.WriteString("0003") },
		"not a number":   func(b *bytes.Buffer) { b.WriteString("zzzz") },
		"an HTML page":   func(b *bytes.Buffer) { b.WriteString("<html>") },
		"short body":     func(b *bytes.Buffer) { b.WriteString("00ffabc") },
		"over the limit": func(b *bytes.Buffer) { tooMany(b) },
	} {
		refs, _ := server(t, body)
		if c, _, err := refs.Commit(context.Background(), "acme", "tool", "main"); err == nil {
			t.Errorf("%s: gave %q", name, c)
		}
	}
}

func tooMany(b *bytes.Buffer) {
	line := oid('a') + " refs/heads/" + strings.Repeat("x", 60000) + "%d\n"
	for i := 0; b.Len() < MaxRefsBytes+1; i++ {
		packet(b, fmt.Sprintf(line, i))
	}
	b.WriteString("0000")
}

func FuzzReadRefs(f *testing.F) {
	var b bytes.Buffer
	refList(&b)
	f.Add(b.Bytes())
	f.Add([]byte("0000"))
	f.Fuzz(func(t *testing.T, in []byte) {
		refs, err := readRefs(bytes.NewReader(in))
		if err != nil {
			return
		}
		for name, c := range refs {
			if !commitID.MatchString(c) {
				t.Errorf("%q has commit %q", name, c)
			}
		}
	})
}
