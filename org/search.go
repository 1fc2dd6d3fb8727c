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

// A search is one query under way. What it asks, it asks of each analysis once: the
// answer holds for all repositories that have it.
type search struct {
	tx      *bbolt.Tx
	q       Query
	runs    []runRecord
	secrets *inventory
	// residents are the repositories, by name.
	residents []*resident
	// tenants are the repositories of each analysis, and named the analyses by the
	// repository's name in lower case, in the time asked for.
	tenants map[string][]*tenant
	named   map[string][]string
	// internal are the names of the organization's own actions and workflows that are
	// used from elsewhere.
	internal map[string]bool
	out      *Incident
}

// A resident is a repository with what was found in it.
type resident struct {
	*repoRecord
	hits []Hit
	lost []loss
}

// A tenant is a repository that has, or had, an analysis.
type tenant struct {
	*resident
	// now is set when it has it still, and when are the times at which it may have had it.
	now  bool
	when []period
	// found are the jobs of the analysis that are listed: by their firmest find only.
	found map[int]bool
}

func newSearch(tx *bbolt.Tx, q Query) *search {
	return &search{tx: tx, q: q, tenants: map[string][]*tenant{}, named: map[string][]string{}, internal: map[string]bool{}, out: &Incident{
		Version: 1, Asked: q.String(), Since: q.Since, Until: q.Until, Rotations: []Rotation{}, Unknown: []string{}, Refs: map[string]int{},
	}}
}

func (s *search) run() (*Incident, error) {
	last, _, err := lastRun(s.tx)
	if err != nil {
		return nil, err
	}
	s.out.Scanned = last.Started
	if s.runs, err = allRuns(s.tx); err != nil {
		return nil, err
	}
	if s.secrets, err = inventoryOf(s.tx); err != nil {
		return nil, err
	}
	if err := s.settle(); err != nil {
		return nil, err
	}
	if s.q.Package != "" {
		err = s.installs()
	} else {
		err = s.action()
	}
	s.finish(last)
	return s.out, err
}

// settle finds the repositories of each analysis.
func (s *search) settle() error {
	repos, err := allRepos(s.tx)
	if err != nil {
		return err
	}
	slices.SortFunc(repos, func(a, b *repoRecord) int { return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	denied := 0
	for _, r := range repos {
		if r.Status == StatusDenied || r.Status == StatusFailed {
			denied++
		}
		at := &resident{repoRecord: r}
		s.residents = append(s.residents, at)
		for i, st := range r.States {
			if st.Analysis != "" && s.within(r.States, i) {
				s.move(at, st.Analysis, s.lived(r.States, i), i == len(r.States)-1)
			}
		}
	}
	if denied > 0 {
		s.unknown("%s could not be read whole: what they run is not here", plural(denied, "repository", "repositories"))
	}
	return nil
}

// move makes a repository a tenant of an analysis, once: one that is back where it was is
// there now.
func (s *search) move(r *resident, analysis string, when period, now bool) {
	all := s.tenants[analysis]
	if n := len(all); n > 0 && all[n-1].resident == r {
		all[n-1].now, all[n-1].when = now, append(all[n-1].when, when)
		return
	}
	s.tenants[analysis] = append(all, &tenant{resident: r, now: now, when: []period{when}})
	name := strings.ToLower(r.Name)
	s.named[name] = append(s.named[name], analysis)
}

// lived returns when a state may have been: from the last run that still saw the state
// before it, to the first that saw the one after it. The first state of all is taken to
// have been always.
func (s *search) lived(states []state, i int) period {
	var p period
	if i > 0 {
		p.from = s.runBefore(states[i].From)
	}
	if i+1 < len(states) {
		p.to = states[i+1].From
	}
	return p
}

// within reports whether a state may have been in the time asked for.
func (s *search) within(states []state, i int) bool {
	if s.q.Since.IsZero() && s.q.Until.IsZero() {
		return i == len(states)-1
	}
	return s.q.asksFor(s.lived(states, i))
}

// runBefore returns when the last run before a time was, or that time when there was none.
func (s *search) runBefore(t time.Time) time.Time {
	i, _ := slices.BinarySearchFunc(s.runs, t, func(r runRecord, t time.Time) int { return r.Started.Compare(t) })
	if i == 0 {
		return t
	}
	return s.runs[i-1].Started
}

// An answer is what one analysis says to the query.
type answer struct {
	hits []jobHit
	// inside are the directories and files of actions and workflows that have what was
	// asked for, for those who use these from elsewhere.
	inside []string
	// refs are those of all uses in jobs, and other counts what of them, or of installs,
	// is not hit.
	refs  []string
	other int
	// place is the use that was asked about, and more is set when it has finds of another
	// certainty than the one asked for.
	place use
	more  bool
}

// A jobHit is a hit in a job, by its place in the analysis.
type jobHit struct {
	at  int
	job *jobDigest
	find
}

// A find is what is said of a hit beside its job: where it is, and how firm.
type find struct {
	path      string
	line      int
	what, why string
	certainty Certainty
	// when is the time for which it holds, nil for all.
	when *period
}

// ask asks the analyses of some repositories, and lists the jobs that are hit. Each is
// called with the answer and its number of repositories.
func (s *search) ask(places []use, question func(name string, d *digest) answer, each func(a *answer, tenants int)) (inside map[string]bool, err error) {
	places = slices.DeleteFunc(slices.Clone(places), func(u use) bool { return len(s.tenants[u.analysis]) == 0 })
	texts := make([][]byte, len(places))
	for i, u := range places {
		if texts[i], err = digestText(s.tx, u.analysis); err != nil {
			return nil, err
		}
	}
	answers := make([]answer, len(places))
	err = inParts(len(places), func(from, to int) error {
		digests := newDecoder()
		for i := from; i < to; i++ {
			d, err := digests.digest(texts[i])
			if err != nil {
				return err
			}
			answers[i] = question(places[i].name, &d)
			answers[i].place = places[i]
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	inside = map[string]bool{}
	for i := range answers {
		tenants := s.tenants[places[i].analysis]
		each(&answers[i], len(tenants))
		for _, t := range tenants {
			s.list(t, &answers[i], inside)
		}
	}
	return inside, nil
}

// list lists the hits of one repository, and notes what is used from elsewhere.
func (s *search) list(t *tenant, a *answer, inside map[string]bool) {
	for _, dir := range a.inside {
		if len(s.internal) == 0 {
			break
		}
		if name := below(t.Name, dir); s.internal[name] {
			inside[name] = true
		}
	}
	for i := range a.hits {
		h := &a.hits[i]
		if t.found[h.at] || h.when != nil && !slices.ContainsFunc(t.when, h.when.meets) {
			continue
		}
		if t.found == nil {
			t.found = map[int]bool{}
		}
		t.found[h.at] = true
		j := h.job
		if h.line == 0 {
			h.path, h.line = j.Path, j.Line
		}
		t.hits = append(t.hits, Hit{
			Repository: t.Name, Path: h.path, Line: h.line, Job: j.Job, Certainty: h.certainty, What: h.what, Why: h.why, Starts: j.Starts,
			Environment: j.Environment, Grade: j.Grade, Credentials: t.lose(j.JobReach), Now: t.now,
		})
	}
}

// action finds the jobs that use the action, and those that use what uses it: first what
// is certain, so that a job is listed by its firmest find, then what is possible.
func (s *search) action() error {
	if err := s.listInternal(); err != nil {
		return err
	}
	places, err := usesOf(s.tx, s.q.Action)
	if err != nil {
		return err
	}
	refs, err := refsOf(s.tx, repositoryOf(s.q.Action))
	if err != nil {
		return err
	}
	past := historyOf(s.q, refs)
	var possible []use
	if err := s.users(places, past.judge, Named, func(a *answer, tenants int) {
		for _, ref := range a.refs {
			s.out.Refs[cmp.Or(ref, "(none)")] += tenants
		}
		s.out.Pinned += a.other * tenants
		if a.more {
			possible = append(possible, a.place)
		}
	}); err != nil {
		return err
	}
	err = s.users(possible, past.judge, Possible, func(*answer, int) {})
	if text := past.unread(); text != "" {
		s.unknown("%s", text)
	}
	if past.commit && s.out.Pinned > 0 {
		s.unknown("between two readings a tag or branch may have been at the commit unseen: ask for %s alone to see all jobs that use one", s.q.Action)
	}
	s.unknown("what actions of other owners use inside is not in the index: a job may run it through one of them")
	return err
}

// users lists the jobs with a find of one certainty, and those that use what has it.
func (s *search) users(places []use, judge func(*useDigest) (find, bool), only Certainty, each func(*answer, int)) error {
	inside, err := s.ask(places, func(name string, d *digest) answer { return d.users(name, judge, only) }, each)
	for range maxThrough {
		if err != nil || len(inside) == 0 {
			break
		}
		inside, err = s.through(inside, only)
	}
	return err
}

// users answers which jobs and actions use a name in a way that is a find of a certainty;
// of a job its first one.
func (d *digest) users(name string, judge func(*useDigest) (find, bool), only Certainty) answer {
	var out answer
	for i := range d.Actions {
		a, hit := &d.Actions[i], false
		for k := range a.Uses {
			f, is := judge(&a.Uses[k])
			is = is && a.Uses[k].Name == name
			hit = hit || is && f.certainty == only
			out.more = out.more || is && f.certainty != only
		}
		if hit {
			out.inside = append(out.inside, a.Dir)
		}
	}
	for at := range d.Jobs {
		j := &d.Jobs[at]
		hit := false
		for i := range j.Uses {
			u := &j.Uses[i]
			if u.Name != name {
				continue
			}
			out.refs = append(out.refs, u.Ref)
			f, is := judge(u)
			switch {
			case !is:
				out.other++
			case f.certainty != only:
				out.more = true
			case !hit:
				hit = true
				f.path, f.line, f.what = u.Path, u.Line, u.String()
				out.hits = append(out.hits, jobHit{at, j, f})
				out.inside = append(out.inside, j.Path)
			}
		}
	}
	return out
}

func (u *useDigest) String() string {
	if u.Ref == "" {
		return u.Name
	}
	return u.Name + "@" + u.Ref
}

// listInternal finds what of the organization's own is used from elsewhere, and says of
// which actions the index does not have the files.
func (s *search) listInternal() error {
	prefix := string(s.tx.Bucket(metaBucket).Get([]byte("organization"))) + "/"
	c := s.tx.Bucket(useBucket).Cursor()
	for k, _ := c.Seek([]byte(prefix)); k != nil && strings.HasPrefix(string(k), prefix); k, _ = c.Next() {
		name, _, _ := cutUseKey(k)
		s.internal[name] = true
	}
	var names []string
	digests := newDecoder()
	for _, name := range slices.Sorted(maps.Keys(s.internal)) {
		have, err := s.holds(digests, name)
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
func (s *search) holds(digests *decoder, name string) (bool, error) {
	parts := strings.SplitN(name, "/", 3)
	repository := strings.Join(parts[:min(len(parts), 2)], "/")
	for _, key := range s.named[repository] {
		d, err := digests.read(s.tx, key)
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
// which have a find of the certainty, and returns those that use them in turn.
func (s *search) through(names map[string]bool, of Certainty) (map[string]bool, error) {
	all := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		places, err := usesOf(s.tx, name)
		if err != nil {
			return nil, err
		}
		// What lies below it is another action.
		places = slices.DeleteFunc(places, func(u use) bool { return u.name != name })
		as := find{certainty: Through, why: "as " + name + " is on its default branch; another version of it may differ"}
		if of == Possible {
			as = find{certainty: Possible, why: "through " + name + ", which may use it at that commit"}
		}
		inside, err := s.ask(places, func(name string, d *digest) answer {
			return d.users(name, func(*useDigest) (find, bool) { return as, true }, as.certainty)
		}, func(*answer, int) {})
		if err != nil {
			return nil, err
		}
		maps.Copy(all, inside)
	}
	maps.DeleteFunc(all, func(name string, _ bool) bool { return names[name] }) // a circle
	return all, nil
}

// unknown notes once what the index cannot tell.
func (s *search) unknown(format string, args ...any) {
	if line := fmt.Sprintf(format, args...); !slices.Contains(s.out.Unknown, line) {
		s.out.Unknown = append(s.out.Unknown, line)
	}
}

// finish puts the answer in order and says what it rests on.
func (s *search) finish(last runRecord) {
	s.sort()
	s.out.Rotations = s.rotations()
	if last.Ended.IsZero() {
		s.unknown("the last run did not end: some repositories are as an earlier run saw them, or not here at all")
	}
	s.unknown("the index holds default branches: other branches and pull requests may run something else")
	if first := s.runs; len(first) > 0 && !s.q.Since.IsZero() && s.q.Since.Before(first[0].Started) {
		s.unknown("before %s nothing is known: the state of then is taken for what was before", first[0].Started.Format(time.RFC3339))
	}
}

// sort lists the hits by certainty, then by repository and place. Those of a repository
// are few, and the repositories are in order.
func (s *search) sort() {
	n := 0
	for _, r := range s.residents {
		n += len(r.hits)
		slices.SortStableFunc(r.hits, func(a, b Hit) int {
			return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), strings.Compare(a.Job, b.Job), boolRank(a.Now)-boolRank(b.Now))
		})
	}
	s.out.Hits = make([]Hit, 0, n)
	for _, c := range []Certainty{Named, Through, Possible} {
		for _, r := range s.residents {
			for _, h := range r.hits {
				if h.Certainty == c {
					s.out.Hits = append(s.out.Hits, h)
				}
			}
		}
	}
}

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
