package org

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"
)

// maxThrough is how many actions of the organization are followed within each other.
const maxThrough = 10

// maxNames is how many names one line of an answer lists.
const maxNames = 20

// A Query is a question about an incident.
type Query struct {
	// Action is owner/repo[/path] in lower case, or docker:// with an image. Ref is a tag,
	// a branch or a full commit; "" asks for all that could be moved.
	Action, Ref string
	// Package is asked for instead of an action: an ecosystem and a name, and a version
	// or "".
	Ecosystem, Package, Version string
	// Since and Until bound the time; zero is the present state of the index.
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
	// First is set when it is to be rotated; what expires by itself is to be watched.
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
		s := &search{tx: tx, q: q, out: &Incident{
			Version: 1, Asked: q.String(), Since: q.Since, Until: q.Until, Hits: []Hit{}, Rotations: []Rotation{}, Unknown: []string{}, Refs: map[string]int{},
		}}
		out = s.out
		return s.run()
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

// A search is one query under way.
type search struct {
	tx      *bbolt.Tx
	q       Query
	runs    []runRecord
	secrets *inventory
	// repos are the repositories by analysis, with whether it is what they are now.
	repos map[string][]tenant
	// named are the analyses by the repository's name in lower case.
	named map[string][]string
	out   *Incident
	// found keeps a job from being listed twice; firmer finds come first.
	found     map[foundJob]bool
	rotations map[rotationKey]*Rotation
	// internal are the names of the organization's own actions and workflows that are
	// used from elsewhere.
	internal map[string]bool
}

// A tenant is a repository that has, or had, an analysis.
type tenant struct {
	repo *repoRecord
	now  bool
}

type foundJob struct {
	repository int64
	key        string
	job        int
}

func (s *search) run() error {
	last, _, err := lastRun(s.tx)
	if err != nil {
		return err
	}
	s.out.Scanned = last.Started
	s.found, s.rotations = map[foundJob]bool{}, map[rotationKey]*Rotation{}
	if s.runs, err = allRuns(s.tx); err != nil {
		return err
	}
	if s.secrets, err = inventoryOf(s.tx); err != nil {
		return err
	}
	if err := s.tenants(); err != nil {
		return err
	}
	if s.q.Package != "" {
		err = s.installs()
	} else {
		err = s.action()
	}
	s.finish(last)
	return err
}

// tenants finds the repositories of each analysis, in the time asked for.
func (s *search) tenants() error {
	s.repos, s.named = map[string][]tenant{}, map[string][]string{}
	denied := 0
	err := eachRepo(s.tx, func(r *repoRecord) error {
		if r.Status == StatusDenied || r.Status == StatusFailed {
			denied++
		}
		for i, st := range r.States {
			now := i == len(r.States)-1
			if st.Analysis != "" && s.within(r.States, i) {
				s.repos[st.Analysis] = append(s.repos[st.Analysis], tenant{r, now})
				name := strings.ToLower(r.Name)
				s.named[name] = append(s.named[name], st.Analysis)
			}
		}
		return nil
	})
	if denied > 0 {
		s.unknown("%s could not be read whole: what they run is not here", plural(denied, "repository", "repositories"))
	}
	return err
}

// within reports whether a state may have been in the time asked for: from the last run
// that still saw the state before it, to the first that saw the one after it. The first
// state of all is taken to have been always.
func (s *search) within(states []state, i int) bool {
	if s.q.Since.IsZero() && s.q.Until.IsZero() {
		return i == len(states)-1
	}
	if i+1 < len(states) && !s.q.Since.IsZero() && states[i+1].From.Before(s.q.Since) {
		return false
	}
	return i == 0 || s.q.Until.IsZero() || !s.runBefore(states[i].From).After(s.q.Until)
}

// runBefore returns when the last run before a time was, or that time when there was none.
func (s *search) runBefore(t time.Time) time.Time {
	before := t
	for _, r := range s.runs {
		if r.Started.Before(t) {
			before = r.Started
		}
	}
	return before
}

// action finds the jobs that use the action, and those that use what uses it.
func (s *search) action() error {
	if err := s.listInternal(); err != nil {
		return err
	}
	inside := map[string]bool{}
	err := eachUse(s.tx, s.q.Action, func(full, key string) error {
		tenants := len(s.repos[key])
		return s.take(full, key, func(u *useDigest, inJob bool) bool {
			hit := s.hits(u)
			if inJob {
				s.out.Refs[cmp.Or(u.Ref, "(none)")] += tenants
				if !hit {
					s.out.Pinned += tenants
				}
			}
			return hit
		}, Named, "", inside)
	})
	for range maxThrough {
		if err != nil || len(inside) == 0 {
			break
		}
		inside, err = s.through(inside)
	}
	s.unknown("what actions of other owners use inside is not in the index: a job may run it through one of them")
	return err
}

func (u *useDigest) String() string {
	if u.Ref == "" {
		return u.Name
	}
	return u.Name + "@" + u.Ref
}

// hits reports whether a use is what was asked for. One by a commit is hit only when that
// commit is asked for.
func (s *search) hits(u *useDigest) bool {
	switch {
	case u.Pinned || u.Locked:
		return s.q.Ref != "" && strings.EqualFold(u.Commit, s.q.Ref)
	case s.q.Ref == "":
		return true
	}
	return strings.EqualFold(u.Ref, s.q.Ref) || u.Commit != "" && strings.EqualFold(u.Commit, s.q.Ref)
}

// take adds the jobs of an analysis that use the name and match, and notes in inside the
// actions and the workflows of the organization that do.
func (s *search) take(name, key string, match func(u *useDigest, inJob bool) bool, how Certainty, why string, inside map[string]bool) error {
	tenants := s.repos[key]
	if len(tenants) == 0 {
		return nil
	}
	d, err := getDigest(s.tx, key)
	for _, a := range d.Actions {
		for i := range a.Uses {
			if a.Uses[i].Name != name || !match(&a.Uses[i], false) {
				continue
			}
			for _, t := range tenants {
				s.note(inside, t.repo.Name, a.Dir)
			}
		}
	}
	for at := range d.Jobs {
		j := &d.Jobs[at]
		for i := range j.Uses {
			u := &j.Uses[i]
			if u.Name != name || !match(u, true) {
				continue
			}
			what := u.String()
			for _, t := range tenants {
				s.note(inside, t.repo.Name, j.Path)
				s.hit(t, key, at, j, Hit{Path: u.Path, Line: u.Line, What: what, Certainty: how, Why: why})
			}
		}
	}
	return err
}

// note keeps what is used from elsewhere.
func (s *search) note(inside map[string]bool, repository, dir string) {
	if len(s.internal) == 0 {
		return
	}
	if name := below(repository, dir); s.internal[name] {
		inside[name] = true
	}
}

// listInternal finds what of the organization's own is used from elsewhere, and says of
// which actions the index does not have the files.
func (s *search) listInternal() error {
	s.internal = map[string]bool{}
	prefix := string(s.tx.Bucket(metaBucket).Get([]byte("organization"))) + "/"
	c := s.tx.Bucket(useBucket).Cursor()
	for k, _ := c.Seek([]byte(prefix)); k != nil && strings.HasPrefix(string(k), prefix); k, _ = c.Next() {
		name, _, _ := cutUseKey(k)
		s.internal[name] = true
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(s.internal)) {
		have, err := s.holds(name)
		if err != nil {
			return err
		}
		if !have {
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		s.unknown("what these of the organization's own actions use is not in the index: %s", strings.Join(names[:min(len(names), maxNames)], ", "))
		if n := len(names) - maxNames; n > 0 {
			s.unknown("and that of %d more", n)
		}
	}
	return nil
}

// holds reports whether the index has the file of one of the organization's own actions
// or workflows.
func (s *search) holds(name string) (bool, error) {
	parts := strings.SplitN(name, "/", 3)
	repository := strings.Join(parts[:min(len(parts), 2)], "/")
	for _, key := range s.named[repository] {
		d, err := getDigest(s.tx, key)
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(d.Actions, func(a actionDigest) bool { return below(repository, a.Dir) == name }) ||
			slices.ContainsFunc(d.Jobs, func(j jobDigest) bool { return below(repository, j.Path) == name }) {
			return true, nil
		}
	}
	return false, nil
}

func below(repository, dir string) string {
	return strings.ToLower(strings.TrimSuffix(repository+"/"+dir, "/"))
}

// through finds the jobs that use the given actions and workflows of the organization,
// and returns those that use them in turn.
func (s *search) through(names map[string]bool) (map[string]bool, error) {
	inside := map[string]bool{}
	for name := range names {
		err := eachUse(s.tx, name, func(full, key string) error {
			if full != name {
				return nil // what lies below it is another action
			}
			return s.take(full, key, func(*useDigest, bool) bool { return true },
				Through, "as "+name+" is on its default branch; another version of it may differ", inside)
		})
		if err != nil {
			return nil, err
		}
	}
	for name := range inside {
		if names[name] {
			delete(inside, name) // a circle
		}
	}
	return inside, nil
}

// hit lists a job once, by its firmest find.
func (s *search) hit(t tenant, key string, at int, j *jobDigest, h Hit) {
	id := foundJob{t.repo.ID, key, at}
	if s.found[id] {
		return
	}
	s.found[id] = true
	h.Repository, h.Job, h.Starts, h.Environment, h.Grade, h.Now = t.repo.Name, j.Job, j.Starts, j.Environment, j.Grade, t.now
	if h.Line == 0 {
		h.Path, h.Line = j.Path, j.Line
	}
	h.Credentials = s.expose(t.repo, j)
	s.out.Hits = append(s.out.Hits, h)
}

// unknown notes once what the index cannot tell.
func (s *search) unknown(format string, args ...any) {
	if line := fmt.Sprintf(format, args...); !slices.Contains(s.out.Unknown, line) {
		s.out.Unknown = append(s.out.Unknown, line)
	}
}

// finish sorts the answer and says what it rests on.
func (s *search) finish(last runRecord) {
	slices.SortFunc(s.out.Hits, func(a, b Hit) int {
		return cmp.Or(cmp.Compare(certaintyRank(a.Certainty), certaintyRank(b.Certainty)), strings.Compare(a.Repository, b.Repository),
			strings.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), strings.Compare(a.Job, b.Job), boolRank(a.Now)-boolRank(b.Now))
	})
	s.out.Rotations = s.order()
	if last.Ended.IsZero() {
		s.unknown("the last run did not end: some repositories are as an earlier run saw them, or not here at all")
	}
	s.unknown("the index holds default branches: other branches and pull requests may run something else")
	if first := s.runs; len(first) > 0 && !s.q.Since.IsZero() && s.q.Since.Before(first[0].Started) {
		s.unknown("before %s nothing is known: the state of then is taken for what was before", first[0].Started.Format(time.RFC3339))
	}
}

func certaintyRank(c Certainty) int { return slices.Index([]Certainty{Named, Through, Possible}, c) }

func boolRank(now bool) int {
	if now {
		return 0
	}
	return 1
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
