package oidc

import (
	"regexp"
	"strings"
)

// A SubjectForm is the way in which a sub claim is put together.
type SubjectForm string

// The forms of sub.
const (
	// SubjectClassic is repo:OWNER/REPO:CONTEXT.
	SubjectClassic SubjectForm = "classic"
	// SubjectImmutable is repo:OWNER@OWNERID/REPO@REPOID:CONTEXT, the default of
	// github.com repositories created, renamed or transferred after 15 July 2026.
	SubjectImmutable SubjectForm = "immutable"
	// SubjectCustom is everything else: a template that the owner chose.
	SubjectCustom SubjectForm = "custom"
)

// A SubjectKind is what the last part of a sub claim names.
type SubjectKind string

// The kinds of context. The environment wins over the others: a job with one
// never shows its ref in sub.
const (
	SubjectRef         SubjectKind = "ref"
	SubjectEnvironment SubjectKind = "environment"
	SubjectPullRequest SubjectKind = "pull_request"
	SubjectOther       SubjectKind = "other"
)

// A Subject is a sub claim in its parts.
type Subject struct {
	Form SubjectForm
	// Owner and Repo are "" in a custom subject that does not begin with them;
	// OwnerID and RepoID are "" unless the subject has ids.
	Owner, OwnerID, Repo, RepoID string
	Kind                         SubjectKind
	// Value is the full ref or the environment, with %3A read as ":"; "" for a
	// pull request. Of a custom subject it is what follows the repository, or
	// all of it, as it is written. GitHub writes no other escape, so that an
	// environment called "a%3Ab" has the subject of "a:b": compare with
	// String, not by Value, where that matters.
	Value string
}

// A repository segment: names as GitHub allows them, an id after each or none.
var repoSegment = regexp.MustCompile(`^repo:([A-Za-z0-9_-]+)(?:@([0-9]{1,20}))?/([A-Za-z0-9._-]+)(?:@([0-9]{1,20}))?$`)

// ParseSubject reads a sub claim. What is neither classic nor immutable is
// custom; no text is refused. ParseSubject(s).String() is s.
func ParseSubject(sub string) Subject {
	custom := Subject{Form: SubjectCustom, Kind: SubjectOther, Value: sub}
	end := segmentEnd(sub)
	m := repoSegment.FindStringSubmatch(sub[:end])
	if m == nil || end == len(sub) || (m[2] == "") != (m[4] == "") {
		return custom
	}
	s := Subject{Form: SubjectClassic, Owner: m[1], OwnerID: m[2], Repo: m[3], RepoID: m[4]}
	if s.OwnerID != "" {
		s.Form = SubjectImmutable
	}
	context := sub[end+1:]
	key, value, hasValue := strings.Cut(context, ":")
	switch {
	case context == string(SubjectPullRequest):
		s.Kind = SubjectPullRequest
	case hasValue && value != "" && !strings.Contains(value, ":") && (key == string(SubjectRef) || key == string(SubjectEnvironment)):
		s.Kind, s.Value = SubjectKind(key), strings.ReplaceAll(value, "%3A", ":")
	default:
		s.Form, s.Kind, s.Value = SubjectCustom, SubjectOther, context
	}
	return s
}

// segmentEnd is where the first key and value of a subject end.
func segmentEnd(sub string) int {
	first := strings.IndexByte(sub, ':')
	if first < 0 {
		return len(sub)
	}
	if second := strings.IndexByte(sub[first+1:], ':'); second >= 0 {
		return first + 1 + second
	}
	return len(sub)
}

// String writes the sub claim.
func (s Subject) String() string {
	if s.Owner == "" {
		return s.Value
	}
	var b strings.Builder
	b.WriteString("repo:" + s.Owner)
	if s.OwnerID != "" {
		b.WriteString("@" + s.OwnerID)
	}
	b.WriteString("/" + s.Repo)
	if s.RepoID != "" {
		b.WriteString("@" + s.RepoID)
	}
	b.WriteByte(':')
	switch s.Kind {
	case SubjectRef, SubjectEnvironment:
		b.WriteString(string(s.Kind) + ":" + strings.ReplaceAll(s.Value, ":", "%3A"))
	case SubjectPullRequest:
		b.WriteString(string(s.Kind))
	default:
		b.WriteString(s.Value)
	}
	return b.String()
}
