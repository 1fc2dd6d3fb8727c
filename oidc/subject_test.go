package oidc

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func TestParseSubject(t *testing.T) {
	classic := func(kind SubjectKind, value string) Subject {
		return Subject{Form: SubjectClassic, Owner: "acme", Repo: "site.github.io", Kind: kind, Value: value}
	}
	immutable := func(kind SubjectKind, value string) Subject {
		return Subject{Form: SubjectImmutable, Owner: "acme", OwnerID: "10", Repo: "site", RepoID: "20", Kind: kind, Value: value}
	}
	custom := func(value string) Subject { return Subject{Form: SubjectCustom, Kind: SubjectOther, Value: value} }
	tests := map[string]Subject{
		"repo:acme/site.github.io:ref:refs/heads/main":   classic(SubjectRef, "refs/heads/main"),
		"repo:acme/site.github.io:ref:refs/tags/v1.2":    classic(SubjectRef, "refs/tags/v1.2"),
		"repo:acme/site.github.io:pull_request":          classic(SubjectPullRequest, ""),
		"repo:acme/site.github.io:environment:prod":      classic(SubjectEnvironment, "prod"),
		"repo:acme/site.github.io:environment:a%3Ab%3Ac": classic(SubjectEnvironment, "a:b:c"),
		"repo:acme/site.github.io:environment:50%25 off": classic(SubjectEnvironment, "50%25 off"),
		"repo:acme@10/site@20:ref:refs/heads/main":       immutable(SubjectRef, "refs/heads/main"),
		"repo:acme@10/site@20:pull_request":              immutable(SubjectPullRequest, ""),
		"repo:acme@10/site@20:environment:Production":    immutable(SubjectEnvironment, "Production"),
		// A template's own subjects, also those that begin like ours.
		"repo:acme/site:environment:prod:job_workflow_ref:acme/x/.github/workflows/a.yml@refs/heads/main": {
			Form: SubjectCustom, Owner: "acme", Repo: "site", Kind: SubjectOther,
			Value: "environment:prod:job_workflow_ref:acme/x/.github/workflows/a.yml@refs/heads/main",
		},
		"repo:acme@10/site@20:actor:ann": {
			Form: SubjectCustom, Owner: "acme", OwnerID: "10", Repo: "site", RepoID: "20", Kind: SubjectOther, Value: "actor:ann",
		},
		"repo:acme/site:pull_request:x": {Form: SubjectCustom, Owner: "acme", Repo: "site", Kind: SubjectOther, Value: "pull_request:x"},
		"repo:acme/site:ref:":           {Form: SubjectCustom, Owner: "acme", Repo: "site", Kind: SubjectOther, Value: "ref:"},
		"repo:acme/site:":               {Form: SubjectCustom, Owner: "acme", Repo: "site", Kind: SubjectOther},
		"repo:acme/site":                custom("repo:acme/site"),
		"repository_owner:acme:repository_visibility:private": custom("repository_owner:acme:repository_visibility:private"),
		"repo:acme@10/site:ref:refs/heads/main":               custom("repo:acme@10/site:ref:refs/heads/main"),
		"repo:acme/site@20:ref:refs/heads/main":               custom("repo:acme/site@20:ref:refs/heads/main"),
		"repo:acme@x/site@y:pull_request":                     custom("repo:acme@x/site@y:pull_request"),
		"repo:a/b/c:pull_request":                             custom("repo:a/b/c:pull_request"),
		"Repo:acme/site:pull_request":                         custom("Repo:acme/site:pull_request"),
		"repo:acme/site\n:pull_request":                       custom("repo:acme/site\n:pull_request"),
		"":                                                    custom(""),
		":":                                                   custom(":"),
	}
	for sub, want := range tests {
		if got := ParseSubject(sub); got != want {
			t.Errorf("%q is %+v, want %+v", sub, got, want)
		}
		if got := ParseSubject(sub).String(); got != sub {
			t.Errorf("%q comes back as %q", sub, got)
		}
	}
}

// A subject made of parts is read as these parts. The values have no "%3A" of
// their own, which GitHub's escape cannot tell from ":".
func TestParseSubjectReadsWhatStringWrites(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	word := func(alphabet string) string {
		b := make([]byte, 1+rng.IntN(12))
		for i := range b {
			b[i] = alphabet[rng.IntN(len(alphabet))]
		}
		return string(b)
	}
	for range 5_000 {
		s := Subject{Form: SubjectClassic, Owner: word("abAB-19"), Repo: word("abAB._-19")}
		if rng.IntN(2) == 0 {
			s.Form, s.OwnerID, s.RepoID = SubjectImmutable, word("0123456789"), word("0123456789")
		}
		switch rng.IntN(3) {
		case 0:
			s.Kind, s.Value = SubjectRef, "refs/heads/"+word("abc/@-")
		case 1:
			s.Kind, s.Value = SubjectEnvironment, word("ab:@%/ 3A")
		default:
			s.Kind = SubjectPullRequest
		}
		if strings.Contains(s.Value, "%3A") {
			continue
		}
		if got := ParseSubject(s.String()); got != s {
			t.Fatalf("%q is %+v, want %+v", s.String(), got, s)
		}
	}
}

func FuzzSubject(f *testing.F) {
	for _, s := range []string{"repo:a/b:ref:refs/heads/main", "repo:a@1/b@2:environment:x%3Ay", "repo:a/b:pull_request", "a:b:c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, sub string) {
		s := ParseSubject(sub)
		if got := s.String(); got != sub {
			t.Errorf("%q comes back as %q", sub, got)
		}
		if (s.Form == SubjectImmutable) != (s.Form != SubjectCustom && s.OwnerID != "" && s.RepoID != "") {
			t.Errorf("%q has form %s with ids %q, %q", sub, s.Form, s.OwnerID, s.RepoID)
		}
		if (s.Kind == SubjectOther) != (s.Form == SubjectCustom) {
			t.Errorf("%q has form %s and kind %s", sub, s.Form, s.Kind)
		}
	})
}
