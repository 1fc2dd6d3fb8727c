package github

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/workflows"
)

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

// listing answers every question of git with a body.
func listing(body func(*bytes.Buffer)) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		var b bytes.Buffer
		body(&b)
		_, _ = w.Write(b.Bytes())
	}
}

func TestCommit(t *testing.T) {
	c, asked := answering(t, listing(refList))
	for _, test := range []struct{ ref, commit, version string }{
		{"v4", oid('c'), "v4.3.1"},
		{"v4.3", oid('c'), "v4.3.1"},
		{"main", oid('a'), ""},
		{"nightly", oid('d'), ""},
		{"v1.9.0", oid('e'), "v1.9.0"},
		{"v1.10.0", oid('e'), "v1.10.0"},
	} {
		commit, version, err := c.Commit(t.Context(), "acme", "tool", test.ref)
		if err != nil || commit != test.commit || version != test.version {
			t.Errorf("%s: %s %q %v, want %s %q", test.ref, commit, version, err, test.commit, test.version)
		}
	}
	if _, _, err := c.Commit(t.Context(), "acme", "tool", "none"); !errors.Is(err, workflows.ErrNotFound) {
		t.Errorf("a missing ref gives %v", err)
	}
	refs, err := c.Refs(t.Context(), "Acme", "TOOL")
	if err != nil || refs.Branches["v4"] != oid('b') || refs.Tags["v4"] != oid('c') || refs.Renamed != "" {
		t.Errorf("%+v %v", refs, err)
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("the repository was asked %d times", n)
	}
}

func TestHostileNames(t *testing.T) {
	c, asked := answering(t, listing(refList))
	for _, n := range [][2]string{{"..", "tool"}, {"acme", ".."}, {"acme/x", "tool"}, {"", "tool"}, {"acme", "to ol"}, {"acme", "tool?x"}, {"-a", "tool"}} {
		if _, err := c.Refs(t.Context(), n[0], n[1]); err == nil {
			t.Errorf("%q was asked for", n)
		}
		if _, err := c.Archived(t.Context(), n[0], n[1]); err == nil {
			t.Errorf("the API was asked for %q", n)
		}
	}
	for _, commit := range []string{"", "main", oid('g'), oid('a')[1:], strings.Repeat("a", 64), oid('a') + "\n"} {
		if _, err := c.Contains(t.Context(), "acme", "tool", commit); err == nil {
			t.Errorf("the commit %q was asked for", commit)
		}
	}
	if asked.Load() != 0 {
		t.Error("a hostile name reached the network")
	}
}

// No answer but a whole list is a list.
func TestBadLists(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"empty":          listing(func(*bytes.Buffer) {}),
		"cut off":        listing(func(b *bytes.Buffer) { packet(b, oid('a')+" refs/heads/main\n") }),
		"no object":      listing(func(b *bytes.Buffer) { packet(b, "main refs/heads/main\n"); b.WriteString("0000") }),
		"length 0003":    text(200, "", "0003"),
		"not a number":   text(200, "", "zzzz"),
		"an HTML page":   text(200, "", "<html>"),
		"short body":     text(200, "", "00ffabc"),
		"over the limit": listing(tooMany),
		"half a reply": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9999")
			_, _ = w.Write([]byte("0000")[:2])
		},
		"429": text(http.StatusTooManyRequests, "Retry-After: 60", ""),
		"500": text(http.StatusInternalServerError, "", "an internal secret"),
		"503": text(http.StatusServiceUnavailable, "", ""),
		"204": text(http.StatusNoContent, "", ""),
	} {
		c, _ := answering(t, h)
		refs, err := c.Refs(t.Context(), "acme", "tool")
		switch {
		case err == nil:
			t.Errorf("%s: gave %+v", name, refs)
		case errors.Is(err, workflows.ErrNotFound):
			t.Errorf("%s: is taken for a repository that is gone", name)
		case strings.Contains(err.Error(), "secret"):
			t.Errorf("%s: %v shows the body", name, err)
		}
	}
	for _, status := range []int{http.StatusNotFound, http.StatusUnauthorized} {
		c, _ := answering(t, text(status, "", ""))
		if _, err := c.Refs(t.Context(), "acme", "gone"); !errors.Is(err, workflows.ErrNotFound) {
			t.Errorf("status %d gives %v", status, err)
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

// A renamed repository answers under its new name, to a POST with the same body.
func TestRenamed(t *testing.T) {
	for _, status := range []int{301, 302, 307, 308} {
		s := newStandIn(t)
		c, asked := answering(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/old/name.git/git-upload-pack" {
				http.Redirect(w, r, "/acme/tool.git/git-upload-pack", status)
				return
			}
			s.ServeHTTP(w, r)
		})
		refs, err := c.Refs(t.Context(), "old", "name")
		if err != nil || refs.Renamed != "acme/tool" || refs.Tags["v1"] != oid('b') || asked.Load() != 2 {
			t.Errorf("status %d: %+v, %v, asked %d times", status, refs, err, asked.Load())
		}
	}
}

// A question goes to no other server, not with the same name on another port either,
// and not round for ever.
func TestRedirectsElsewhereAreRefused(t *testing.T) {
	other, otherAsked := answering(t, listing(refList))
	for _, to := range []string{other.Server + "/acme/tool.git/git-upload-pack", "ftp://example.test/x", "//example.test/x.git/git-upload-pack", "", "\x7f:", "/acme/tool.git/git-upload-pack"} {
		c, asked := answering(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusMovedPermanently)
		})
		if _, err := c.Refs(t.Context(), "acme", "tool"); err == nil {
			t.Errorf("the redirect to %q was followed", to)
		}
		if _, err := c.Archived(t.Context(), "acme", "tool"); err == nil {
			t.Errorf("the API's redirect to %q was followed", to)
		}
		if n := asked.Load(); n > 2*(maxRedirects+1) {
			t.Errorf("%q: asked %d times", to, n)
		}
	}
	if otherAsked.Load() > 0 {
		t.Error("another server was asked")
	}
}

func TestContains(t *testing.T) {
	s := newStandIn(t)
	c := s.client()
	for _, test := range []struct {
		what, commit string
		held         bool
		asked        int32
	}{
		{"a branch's tip", oid('a'), true, 1},
		{"a tag's", oid('b'), true, 1},
		{"the first commit", oid('c'), true, 2},
		{"the same in capitals", strings.ToUpper(oid('c')), true, 2},
		{"a fork's", oid('e'), false, 3},
		{"a fork's further on", oid('f'), false, 4},
		{"nobody's", oid('9'), false, 5},
	} {
		held, err := c.Contains(t.Context(), "acme", "tool", test.commit)
		if err != nil || held != test.held {
			t.Errorf("%s: %t, %v", test.what, held, err)
		}
		if n := s.asked.Load(); n != test.asked {
			t.Errorf("%s: %d questions so far, want %d", test.what, n, test.asked)
		}
	}
	if _, err := c.Contains(t.Context(), "acme", "gone", oid('a')); !errors.Is(err, workflows.ErrNotFound) {
		t.Errorf("a repository that is gone gives %v", err)
	}
	if slices.ContainsFunc(s.sent, func(h string) bool { return h != "" }) {
		t.Error("the git server was sent a credential")
	}
}

// Only the two answers that decide it decide it.
func TestContainsDoesNotGuess(t *testing.T) {
	pack := func(lines ...string) string {
		var b bytes.Buffer
		for _, l := range lines {
			packet(&b, l)
		}
		return b.String()
	}
	for name, reply := range map[string]string{
		"nothing":           "",
		"only a flush":      "0000",
		"another section":   pack("acknowledgments\n", "NAK\n") + "0000",
		"no pack":           pack("packfile\n") + "0000",
		"half a head":       pack("packfile\n", "\x01"+packHead(0)[:7]) + "0000",
		"not a pack":        pack("packfile\n", "\x01<html><body>"),
		"version 9":         pack("packfile\n", "\x01PACK\x00\x00\x00\x09\x00\x00\x00\x00"),
		"an error's band":   pack("packfile\n", "\x03fatal: out of memory"),
		"an unknown band":   pack("packfile\n", "\x07x"),
		"an empty line":     pack("packfile\n", ""),
		"refused":           pack("ERR upload-pack: access denied"),
		"a hostile length":  pack("packfile\n") + "fff0\x01PACK",
		"endless progress":  pack("packfile\n") + strings.Repeat(pack("\x02"+strings.Repeat("x", 60000)), 20),
		"a negative length": pack("packfile\n") + "-001",
	} {
		c, _ := answering(t, func(w http.ResponseWriter, r *http.Request) {
			if command, _, _ := readRequest(r.Body); command == "ls-refs" {
				listing(refList)(w, r)
				return
			}
			_, _ = w.Write([]byte(reply))
		})
		if held, err := c.Contains(t.Context(), "acme", "tool", oid('9')); err == nil {
			t.Errorf("%s: decided %t", name, held)
		}
	}
}

// With more tips than are named, what is behind the named ones is known and the rest is not.
func TestContainsWithManyTips(t *testing.T) {
	s := newStandIn(t)
	for i := range MaxHaves {
		s.refs[fmt.Sprintf("refs/tags/t%d", i)] = fmt.Sprintf("%040x", i)
	}
	c := s.client()
	if held, err := c.Contains(t.Context(), "acme", "tool", oid('c')); err != nil || !held {
		t.Errorf("behind a branch: %t, %v", held, err)
	}
	if held, err := c.Contains(t.Context(), "acme", "tool", oid('f')); err == nil {
		t.Errorf("behind none of the named: decided %t", held)
	}
}

func FuzzReadRefs(f *testing.F) {
	var b bytes.Buffer
	refList(&b)
	f.Add(b.Bytes())
	f.Add([]byte("0000"))
	f.Fuzz(func(t *testing.T, in []byte) {
		refs := &workflows.Refs{Branches: map[string]string{}, Tags: map[string]string{}}
		if readRefs(bytes.NewReader(in), refs) != nil {
			return
		}
		for _, names := range []map[string]string{refs.Branches, refs.Tags} {
			for name, c := range names {
				if !commitID.MatchString(c) {
					t.Errorf("%q has commit %q", name, c)
				}
			}
		}
	})
}

func FuzzLacks(f *testing.F) {
	s := newStandIn(nil)
	f.Add(s.fetch([]string{"want " + oid('e')}))
	f.Add(s.fetch([]string{"want " + oid('9')}))
	f.Fuzz(func(t *testing.T, in []byte) {
		missing, err := lacks(bytes.NewReader(in))
		if err != nil && missing {
			t.Error("an answer that says nothing says that the commit is missing")
		}
		if _, short := lacks(bytes.NewReader(in[:min(len(in), 11)])); short == nil {
			t.Error("eleven bytes decide")
		}
	})
}

func TestCancelledQuestionIsNoAnswer(t *testing.T) {
	c, asked := answering(t, listing(refList))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Refs(ctx, "acme", "tool"); !errors.Is(err, context.Canceled) || asked.Load() > 0 {
		t.Errorf("%v, asked %d times", err, asked.Load())
	}
}
