package org

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A history is what the refs of one repository were seen at, with what follows from it for
// a query. It is made once, before uses are held against it.
type history struct {
	q Query
	// byRef is the find in a use by a ref, of those that were at the commit asked for, or
	// may have been. commit is set when a commit is asked for.
	byRef  map[string]find
	commit bool
	// asked are the refs that the host was asked for.
	asked map[string]bool
	// pinned says of commits why they are a find: the ref asked for was there.
	pinned map[string]string
}

// minCommit is the fewest digits that are taken for the beginning of a commit.
const minCommit = 7

// isCommit reports whether a ref may be a commit or the beginning of one.
func isCommit(ref string) bool {
	return len(ref) >= minCommit && len(ref) <= 64 && strings.Trim(strings.ToLower(ref), "0123456789abcdef") == ""
}

// historyOf judges the refs of the repository that the query is about.
func historyOf(q Query, refs []Ref) *history {
	h := &history{q: q, commit: isCommit(q.Ref), byRef: map[string]find{}, asked: map[string]bool{}, pinned: map[string]string{}}
	for i := range refs {
		r := &refs[i]
		if r.Ref == q.Ref && len(r.Seen) > 0 {
			h.commit = false // a tag or branch that looks like one
		}
		h.asked[r.Ref] = true
	}
	for i := range refs {
		switch r := &refs[i]; {
		case h.commit:
			h.addRef(r)
		case strings.EqualFold(r.Ref, q.Ref):
			h.addPinned(r)
		}
	}
	return h
}

// addRef notes what a use by the ref is: a find where it was at the commit, for certain
// before where that may be, and lately before earlier.
func (h *history) addRef(r *Ref) {
	if len(r.Seen) == 0 {
		h.byRef[r.Ref] = find{certainty: Possible, why: "which commit " + r.Ref + " names could not be read: " + r.Why}
		return
	}
	var best find
	var when period
	for i, s := range slices.Backward(r.Seen) {
		at := r.period(i, false)
		if !strings.HasPrefix(s.Commit, strings.ToLower(h.q.Ref)) || !h.q.asksFor(at) {
			continue
		}
		firm := h.q.asksFor(r.period(i, true))
		if best.certainty != "" {
			at = at.with(when)
		}
		when = at
		if best.certainty == "" || firm && best.certainty == Possible {
			best.certainty, best.why = r.found(i, firm)
		}
	}
	if best.when = &when; best.certainty != "" {
		h.byRef[r.Ref] = best
	}
}

// found says how firm a sighting is as a find, and in words why it is one.
func (r *Ref) found(i int, firm bool) (Certainty, string) {
	why := "by " + r.sighted(&r.Seen[i])
	if last := r.Seen[len(r.Seen)-1]; i < len(r.Seen)-1 {
		why += "; when last read, on " + stamp(last.Last) + ", it was at " + short(last.Commit)
	}
	if firm {
		return Named, why
	}
	return Possible, why + "; whether it was there in the time asked for is not known"
}

// addPinned notes the commits that the ref asked for was at, or may have been.
func (h *history) addPinned(r *Ref) {
	for i := range r.Seen {
		if s := &r.Seen[i]; h.q.asksFor(r.period(i, false)) {
			h.pinned[s.Commit] = "pinned to a commit of " + r.sighted(s)
		}
	}
}

// judge says what a use is to the query. One by a commit is hit only when that commit, or a
// ref that was there, is asked for.
func (h *history) judge(u *useDigest) (find, bool) {
	commit := strings.ToLower(u.Commit)
	switch {
	case h.q.Ref == "":
		return find{certainty: Named}, !u.Pinned && !u.Locked
	case u.Pinned || u.Locked:
		if h.commit && strings.HasPrefix(commit, strings.ToLower(h.q.Ref)) {
			return find{certainty: Named}, true
		}
		why, is := h.pinned[commit]
		return find{certainty: Possible, why: why}, is
	case strings.EqualFold(u.Ref, h.q.Ref):
		return find{certainty: Named}, true
	case !h.commit || u.Ref == "":
		return find{}, false
	}
	f, is := h.byRef[u.Ref]
	if !h.asked[u.Ref] {
		return find{certainty: Possible, why: "which commit " + u.Ref + " names was never read"}, true
	}
	return f, is
}

// unread says of the ref asked for that no commit of it is known, "" when one is.
func (h *history) unread() string {
	if h.q.Ref == "" || h.commit || len(h.pinned) > 0 {
		return ""
	}
	return fmt.Sprintf("at which commits %s was is not known: jobs that are pinned to one of them are not listed", h.q)
}

// A period is a time from and to; the zero time is open.
type period struct{ from, to time.Time }

// with returns the period that holds both and what is between them.
func (p period) with(q period) period {
	if !p.from.IsZero() && (q.from.IsZero() || q.from.Before(p.from)) {
		p.from = q.from
	}
	if !p.to.IsZero() && (q.to.IsZero() || q.to.After(p.to)) {
		p.to = q.to
	}
	return p
}

// meets reports whether two periods have more than an end in common.
func (p period) meets(q period) bool {
	return (p.from.IsZero() || q.to.IsZero() || p.from.Before(q.to)) && (q.from.IsZero() || p.to.IsZero() || q.from.Before(p.to))
}

// asksFor reports whether a period has a part in the time asked for. A query without one
// asks for all times.
func (q Query) asksFor(p period) bool {
	return (q.Until.IsZero() || p.from.IsZero() || !p.from.After(q.Until)) && (q.Since.IsZero() || p.to.IsZero() || !p.to.Before(q.Since))
}

// period is the time of a sighting: that for which it is certain, up to now where it is the
// last; or the longest that it can have been, from the last run that saw the commit before
// it to the first that saw the one after.
func (r *Ref) period(i int, firm bool) period {
	last := i == len(r.Seen)-1
	switch {
	case firm && last && r.Why == "":
		return period{from: r.Seen[i].First}
	case firm:
		return period{r.Seen[i].First, r.Seen[i].Last}
	}
	var p period
	if i > 0 {
		p.from = r.Seen[i-1].Last
	}
	if !last {
		p.to = r.Seen[i+1].First
	}
	return p
}

// sighted says in words where the ref was and when: "tag v3, which was at 0123456789ab
// when read on …".
func (r *Ref) sighted(s *Sighting) string {
	when := "on " + stamp(s.First)
	if !s.Last.Equal(s.First) {
		when = "from " + stamp(s.First) + " to " + stamp(s.Last)
	}
	return fmt.Sprintf("%s %s, which was at %s when read %s", s.Kind, r.Ref, short(s.Commit), when)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04Z") }

// short is the beginning of a commit.
func short(commit string) string { return commit[:min(len(commit), 12)] }
