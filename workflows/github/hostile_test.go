package github_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/github"
	"github.com/stint-dev/stint/workflows/github/githubtest"
)

// says is a host that gives every request the same answer.
type says string

// RoundTrip implements [http.RoundTripper].
func (s says) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(s))), Request: r}, nil
}

const hostileOK = `{"data":{"rateLimit":{"cost":1},"organization":{"repositories":{"totalCount":1,"pageInfo":{"hasNextPage":false,"endCursor":"x"},"nodes":[
 {"id":"R_1","databaseId":1,"nameWithOwner":"acme/a","visibility":"PRIVATE","defaultBranchRef":{"name":"main","target":{"oid":"0123456789012345678901234567890123456789"}},
  "workflows":{"oid":"0123456789012345678901234567890123456789","entries":[{"name":"ci.yml","mode":33188,"oid":"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391","size":0,
   "object":{"oid":"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391","byteSize":0,"isBinary":false,"isTruncated":false,"text":""}}]}}]}}}}`

// FuzzReply holds that no answer makes a reader panic, go on for ever, name a file outside
// of its repository, or take a content for another.
func FuzzReply(f *testing.F) {
	for _, s := range []string{hostileOK, `{"data":null}`, `{"data":{"organization":null}}`, `{"errors":[{"path":[{}]}]}`,
		strings.Replace(hostileOK, `"ci.yml"`, `"../../x.yml"`, 1), strings.Replace(hostileOK, `"hasNextPage":false`, `"hasNextPage":true`, 1),
		strings.Replace(hostileOK, `"acme/a"`, `"acme/../a"`, 1), strings.Replace(hostileOK, `"text":""`, `"text":"on: push"`, 1),
		`{"data":{"organization":{"repositories":{"nodes":[null]}}},"errors":[{"type":"FORBIDDEN","path":["organization","repositories","nodes",0]}]}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, reply string) {
		s := githubtest.New(&githubtest.Organization{Name: "acme"})
		r, err := github.New(github.Options{Token: github.StaticToken(token), Transport: says(reply), Now: s.Clock.Now, Sleep: s.Clock.Sleep})
		if err != nil {
			t.Fatal(err)
		}
		pages := 0
		for page, err := range r.Pages(t.Context(), "acme", github.PageOptions{Text: true}) {
			if pages++; pages > 3 {
				t.Fatal("a listing without an end")
			}
			if err != nil && strings.Contains(err.Error(), token) {
				t.Fatal("the token is shown")
			}
			for _, repo := range page.Repos {
				for _, f := range repo.Files {
					if strings.HasPrefix(f.Path, "/") || strings.Contains(f.Path, "..") && strings.Contains(f.Path, "/../") || len(f.Text) > workflows.MaxFileBytes {
						t.Fatalf("%q of %d bytes", f.Path, len(f.Text))
					}
				}
			}
		}
	})
}

// What is no answer is said, and never taken for an empty or a clean repository.
func TestContradictions(t *testing.T) {
	for name, test := range map[string]struct{ reply, want string }{
		"more than asked": {strings.Replace(hostileOK, `"nodes":[`, `"nodes":[`+strings.Repeat("null,", 100), 1), "contradicts"},
		"no cursor":       {strings.Replace(hostileOK, `"hasNextPage":false,"endCursor":"x"`, `"hasNextPage":true`, 1), "contradicts"},
		"nobody":          {`{"data":{"organization":null},"errors":[{"type":"NOT_FOUND","path":["organization"]}]}`, "no such organization"},
		"a wrong query":   {`{"errors":[{"message":"Field 'x' doesn't exist","extensions":{"code":"undefinedField"}}]}`, "does not know a part"},
	} {
		s := githubtest.New(&githubtest.Organization{Name: "acme"})
		r, _ := github.New(github.Options{Token: github.StaticToken(token), Transport: says(test.reply), Now: s.Clock.Now, Sleep: s.Clock.Sleep})
		var last error
		for _, err := range r.Pages(t.Context(), "acme", github.PageOptions{Text: true}) {
			last = err
		}
		if last == nil || !strings.Contains(last.Error(), test.want) {
			t.Errorf("%s: %v", name, last)
		}
	}
	for name, reply := range map[string]string{
		"a name that is none":   strings.Replace(hostileOK, `"acme/a"`, `"acme/../a"`, 1),
		"a file outside":        strings.Replace(hostileOK, `"ci.yml"`, `"../x.yml"`, 1),
		"another content":       strings.Replace(hostileOK, `"text":""`, `"text":"on: push"`, 1),
		"null without a reason": strings.Replace(hostileOK, `{"id":"R_1"`, `null,{"id":"R_1"`, 1),
	} {
		s := githubtest.New(&githubtest.Organization{Name: "acme"})
		r, _ := github.New(github.Options{Token: github.StaticToken(token), Transport: says(reply), Now: s.Clock.Now, Sleep: s.Clock.Sleep})
		denied := false
		for page, err := range r.Pages(t.Context(), "acme", github.PageOptions{Text: true}) {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			for _, repo := range page.Repos {
				denied = denied || len(repo.Denied) > 0
			}
		}
		if !denied {
			t.Errorf("%s: nothing is said", name)
		}
	}
}
