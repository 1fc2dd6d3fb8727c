package org

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"
)

// A Query is a question about an incident.
type Query struct {
	// Action is owner/repo[/path] in lower case, or docker:// with an image. Ref is a tag or
	// a branch, or a commit by at least its first 7 digits; "" asks for all that could be
	// moved.
	Action, Ref string
	// Package is asked for instead of an action: an ecosystem and a name, and a version
	// or "".
	Ecosystem, Package, Version string
	// Since and Until bound the time. Zero is the present state of the files, with every
	// commit that a ref was ever seen at.
	Since, Until time.Time
}

// ParseAction reads OWNER/ACTION[/PATH][@REF] or docker://IMAGE.
func ParseAction(s string) (Query, error) {
	if strings.HasPrefix(s, "docker://") {
		return Query{Action: strings.ToLower(s)}, nil
	}
	name, ref, _ := strings.Cut(s, "@")
	name = strings.ToLower(strings.Trim(name, "/"))
	parts := strings.Split(name, "/")
	if len(parts) < 2 || slices.Contains(parts, "") || strings.ContainsAny(s, " \t\r\n\x00") {
		return Query{}, fmt.Errorf("%q names no action", s)
	}
	return Query{Action: name, Ref: ref}, nil
}

// Ecosystems returns the types of packages that can be asked for, sorted.
func Ecosystems() []string {
	var out []string
	for _, e := range ecosystems {
		out = append(out, e)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// ParsePackage reads ECOSYSTEM:NAME[@VERSION], as in npm:@acme/tool@1.2.3.
func ParsePackage(s string) (Query, error) {
	ecosystem, rest, ok := strings.Cut(s, ":")
	ecosystem = strings.ToLower(ecosystem)
	if !ok || rest == "" || !slices.Contains(Ecosystems(), ecosystem) {
		return Query{}, fmt.Errorf("%q names no package", s)
	}
	name, version := cutVersion(rest)
	return Query{Ecosystem: ecosystem, Package: strings.ToLower(name), Version: version}, nil
}

// cutVersion parts name@version; the @ that begins a name is none.
func cutVersion(s string) (name, version string) {
	if i := strings.LastIndexByte(s, '@'); i > 0 {
		return s[:i], s[i+1:]
	}
	return s, ""
}

// A Certainty says how firmly the index knows that a job ran what was asked for.
type Certainty string

// Certainties, the firmest first.
const (
	// Named: the job's own files name it.
	Named Certainty = "named"
	// Through: an action or workflow of the organization that the job uses names it.
	Through Certainty = "through"
	// Possible: the index cannot rule it out; Hit.Why says what it does not know.
	Possible Certainty = "possible"
)

// A Hit is a job that ran what was asked for, or could have.
type Hit struct {
	Repository  string    `json:"repository"`
	Path        string    `json:"path"`
	Line        int       `json:"line"`
	Job         string    `json:"job"`
	Certainty   Certainty `json:"certainty"`
	What        string    `json:"what"` // as the file has it: owner/action@ref, or the command
	Why         string    `json:"why,omitempty"`
	Starts      []string  `json:"starts"`
	Environment string    `json:"environment,omitempty"`
	Grade       string    `json:"grade"`
	// Credentials are those in reach of it, in the order in which to rotate them.
	Credentials []string `json:"credentials"`
	// Now is false for a job as it was in the time asked for, and is no more.
	Now bool `json:"now"`
}

// A Rotation is one credential to be rotated or watched.
type Rotation struct {
	Name     string `json:"name"`
	Kind     string `json:"kind"`
	Lifetime string `json:"lifetime"`
	Opens    string `json:"opens,omitempty"`
	// Scope is where it is kept: "organization", "repository", "environment", "" when the
	// inventory does not say.
	Scope string `json:"scope,omitempty"`
	// Repositories are those whose jobs could have lost it, sorted.
	Repositories []string `json:"repositories"`
	Jobs         int      `json:"jobs"`
	// Rotate is set when it is to be rotated; what expires by itself is to be watched.
	Rotate bool `json:"rotate"`
}

// An Incident is the answer to a query.
type Incident struct {
	Version int    `json:"version"` // 1
	Asked   string `json:"asked"`
	// Scanned is when the index was last brought up to date.
	Scanned   time.Time  `json:"scanned"`
	Since     time.Time  `json:"since,omitzero"`
	Until     time.Time  `json:"until,omitzero"`
	Hits      []Hit      `json:"hits"`
	Rotations []Rotation `json:"rotations"`
	// Pinned counts the jobs that use it by another commit, which is not hit.
	Pinned int `json:"pinned"`
	// Refs counts the jobs by the refs that are in use, those not asked for, too.
	Refs map[string]int `json:"refs,omitempty"`
	// Unknown says what the index cannot tell, one line each.
	Unknown []string `json:"unknown"`
}

// Incident answers a query from the index alone. The error is an [*IndexError].
func (x *Index) Incident(q Query) (*Incident, error) {
	var out *Incident
	err := x.view(func(tx *bbolt.Tx) (err error) {
		out, err = newSearch(tx, q).run()
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// String is the query as it is typed.
func (q Query) String() string {
	switch {
	case q.Package != "" && q.Version != "":
		return q.Ecosystem + ":" + q.Package + "@" + q.Version
	case q.Package != "":
		return q.Ecosystem + ":" + q.Package
	case q.Ref != "":
		return q.Action + "@" + q.Ref
	}
	return q.Action
}
