package platform

import (
	_ "embed"
	"encoding/json"
	"slices"
	"strings"
)

//go:generate go run ./refresh -data bad.json

// badJSON is our own data about bad versions: facts from the advisories and reports
// that each entry names, in our own words. It is refreshed by the command in ./refresh.
//
//go:embed bad.json
var badJSON []byte

// badData is the file's schema, version 1.
type badData struct {
	Version   int        `json:"version"`
	Generated string     `json:"generated"`
	Actions   []badEntry `json:"actions"`
	Images    []badImage `json:"images"`
}

// A badEntry is one advisory about one action.
type badEntry struct {
	Action  string `json:"action"` // owner/repo[/path], lower case
	Kind    string `json:"kind"`
	ID      string `json:"id,omitempty"`
	Summary string `json:"summary"`
	// Ranges of versions, refs and spans of refs ("v3.0.0..v3.5.0") that are bad.
	// In a span a leading v counts: v1.0.0 is not in 0.5.0..2.0.0.
	Ranges []string `json:"ranges,omitempty"`
	Refs   []string `json:"refs,omitempty"`
	// All is "tags" when every tag was bad, "refs" when every ref was, commits included.
	All string `json:"all,omitempty"`
	// Commits are full or shortened (at least seven digits) ids; Partial says that
	// there are more than are known.
	Commits []string `json:"commits,omitempty"`
	Partial bool     `json:"partial,omitempty"`
	// Clean are refs, spans and commits that are known to be good.
	Clean []string `json:"clean,omitempty"`
	// State of the bad refs today: "bad", "restored", or "" when that is not known.
	State  string `json:"state,omitempty"`
	Fixed  string `json:"fixed,omitempty"`
	Date   string `json:"date"`
	Source string `json:"source"`

	ranges []versionRange
}

// A badImage is a container image that was bad under some tags and digests.
type badImage struct {
	Images  []string `json:"images"`
	ID      string   `json:"id,omitempty"`
	Summary string   `json:"summary"`
	Tags    []string `json:"tags"`
	// Floating tags were bad for a while and have moved on.
	Floating []string `json:"floating,omitempty"`
	Digests  []string `json:"digests,omitempty"`
	Date     string   `json:"date"`
	Source   string   `json:"source"`
}

var bad = loadBad(badJSON)

// loadBad reads the embedded data; the tests hold that it parses whole.
func loadBad(data []byte) badData {
	var d badData
	if err := json.Unmarshal(data, &d); err != nil {
		return badData{}
	}
	for i := range d.Actions {
		for _, text := range d.Actions[i].Ranges {
			if r, ok := parseRange(text); ok {
				d.Actions[i].ranges = append(d.Actions[i].ranges, r)
			}
		}
	}
	return d
}

func lookupBad(name, ref, comment string) []Advisory {
	name = strings.ToLower(name)
	var found []Advisory
	for i := range bad.Actions {
		entry := &bad.Actions[i]
		if !within(name, entry.Action) {
			continue
		}
		hit, ok := entry.match(ref, comment)
		if !ok {
			continue
		}
		a := entry.advisory(hit)
		a.MovedOn = !a.Exact && !isCommit(ref) && entry.movedOn(ref)
		found = mergeAdvisory(found, a)
	}
	return found
}

// within reports whether name is the action, or a path below it.
func within(name, action string) bool {
	return strings.HasPrefix(name, action) && (len(name) == len(action) || name[len(action)] == '/')
}

func lookupPublished(list []Published, name, ref, comment string) []Advisory {
	found := lookupBad(name, ref, comment)
	name = strings.ToLower(name)
	for _, p := range list {
		r, ok := parseRange(strings.ReplaceAll(p.Range, " ", ""))
		if !ok || !within(name, p.Action) {
			continue
		}
		entry := badEntry{
			Action: p.Action, Kind: "vulnerable", ID: p.ID, Summary: "versions " + p.Range,
			Fixed: p.Fixed, Date: p.Date, Source: p.Source, ranges: []versionRange{r},
		}
		if i := slices.IndexFunc(bad.Actions, func(e badEntry) bool { return e.Action == p.Action && e.ID == p.ID }); i >= 0 {
			if bad.Actions[i].Kind != entry.Kind {
				continue
			}
			entry.Summary = bad.Actions[i].Summary
		}
		if hit, ok := entry.match(ref, comment); ok {
			a := entry.advisory(hit)
			a.MovedOn = !a.Exact && !isCommit(ref) && entry.movedOn(ref)
			found = mergeAdvisory(found, a)
		}
	}
	return found
}

// mergeAdvisory adds an advisory, or where the same one is there already keeps the more exact.
func mergeAdvisory(found []Advisory, a Advisory) []Advisory {
	for i, b := range found {
		if a.ID != "" && a.ID == b.ID && a.Kind == b.Kind {
			if a.Exact && !b.Exact {
				found[i] = a
			}
			return found
		}
	}
	return append(found, a)
}

// A hit says how a ref met an entry.
type hit struct{ exact, comment bool }

func (e *badEntry) advisory(h hit) Advisory {
	return Advisory{
		Action: e.Action, Kind: e.Kind, ID: e.ID, Summary: e.Summary, Fixed: e.Fixed, Date: e.Date, Source: e.Source,
		Exact: h.exact, ByComment: h.comment, Restored: e.State == "restored",
	}
}

func (e *badEntry) match(ref, comment string) (hit, bool) {
	if isCommit(ref) {
		return e.matchCommit(strings.ToLower(ref), comment)
	}
	return e.matchRef(ref)
}

// matchCommit judges a pin. Tags of a malicious action were moved: a commit that is
// not in the list is the genuine one of its version, unless the list has gaps.
func (e *badEntry) matchCommit(commit, comment string) (hit, bool) {
	switch {
	case holdsCommit(e.Commits, commit):
		return hit{exact: true}, true
	case holdsCommit(e.Clean, commit) || commit == e.Fixed:
		return hit{}, false
	case e.All == "refs":
		return hit{exact: e.State == "bad"}, true
	case strings.HasPrefix(e.Kind, "malicious") && !e.Partial:
		return hit{}, false
	}
	if _, ok := parseVersion(comment); !ok {
		return hit{}, false
	}
	h, ok := e.matchRef(comment)
	if strings.HasPrefix(e.Kind, "malicious") {
		h.exact = false
	}
	h.comment = true
	return h, ok
}

// matchRef judges a tag, a branch, or the version in a comment.
func (e *badEntry) matchRef(ref string) (hit, bool) {
	v, isVersion := parseVersion(ref)
	switch {
	case holdsRef(e.Clean, ref) || isVersion && v.parts == 3 && e.fixedBy(v):
		return hit{}, false
	case holdsRef(e.Refs, ref) || e.All != "":
		return hit{exact: e.State == "bad" || e.State == "" && e.All == ""}, true
	case len(e.ranges) == 0:
		return hit{}, false
	case !isVersion:
		return hit{}, true // a branch: nobody can tell from here where it stands
	}
	return e.matchVersion(v)
}

// movedOn reports whether a ref floats on a line that has the fixed version, so that
// it has left the bad ones: v4 after 4.1.3, and a branch that a project works on.
func (e *badEntry) movedOn(ref string) bool {
	fixed, ok := parseVersion(e.Fixed)
	if !ok {
		return false
	}
	if v, ok := parseVersion(strings.TrimPrefix(ref, "release/")); ok {
		return v.parts < 3 && fixed.compare(v) >= 0 && fixed.compare(v.top()) <= 0
	}
	return slices.Contains(workingRefs, ref)
}

// workingRefs are the branches and tags that by their names have a project's newest version.
var workingRefs = []string{"main", "master", "trunk", "develop", "stable", "latest"}

func (e *badEntry) matchVersion(v version) (hit, bool) {
	touched := false
	for _, r := range e.ranges {
		if r.covers(v) {
			return hit{exact: true}, true
		}
		touched = touched || v.parts < 3 && r.touches(v)
	}
	return hit{}, touched
}

// fixedBy reports whether v is at or above the fixed version and in no range.
func (e *badEntry) fixedBy(v version) bool {
	fixed, ok := parseVersion(e.Fixed)
	if !ok || v.compare(fixed) < 0 {
		return false
	}
	for _, r := range e.ranges {
		if r.holds(v) {
			return false
		}
	}
	return true
}

// isCommit reports whether ref is a full commit id.
func isCommit(ref string) bool {
	return (len(ref) == 40 || len(ref) == 64) && isHex(ref)
}

func isHex(s string) bool {
	for _, r := range strings.ToLower(s) {
		if (r < '0' || r > '9') && (r < 'a' || r > 'f') {
			return false
		}
	}
	return true
}

// minCommitDigits is the shortest commit id that counts as one.
const minCommitDigits = 7

// holdsCommit reports whether the list has the commit, whole or shortened.
func holdsCommit(list []string, commit string) bool {
	return slices.ContainsFunc(list, func(s string) bool {
		return len(s) >= minCommitDigits && isHex(s) && strings.HasPrefix(commit, s)
	})
}

// holdsRef reports whether the list has the ref or a span around it.
func holdsRef(list []string, ref string) bool {
	return slices.ContainsFunc(list, func(s string) bool {
		first, last, span := strings.Cut(s, "..")
		if !span {
			return s == ref
		}
		v, ok := parseVersion(ref)
		low, okLow := parseVersion(first)
		high, okHigh := parseVersion(last)
		return ok && okLow && okHigh && v.parts == 3 && strings.HasPrefix(ref, "v") == strings.HasPrefix(first, "v") &&
			v.compare(low) >= 0 && v.compare(high) <= 0
	})
}

func lookupBadImage(image, tag, digest string) []Advisory {
	image = strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(image), "docker.io/"), "index.docker.io/")
	if digest == "" && tag == "" {
		tag = "latest"
	}
	var found []Advisory
	for _, b := range bad.Images {
		if !slices.Contains(b.Images, image) {
			continue
		}
		exact, floating := slices.Contains(b.Digests, strings.ToLower(digest)), false
		if digest == "" {
			exact, floating = slices.Contains(b.Tags, tag), slices.Contains(b.Floating, tag)
		}
		if exact || floating {
			found = append(found, Advisory{Action: image, Kind: "malicious", ID: b.ID, Summary: b.Summary, Date: b.Date, Source: b.Source, Exact: exact, Restored: floating})
		}
	}
	return found
}
