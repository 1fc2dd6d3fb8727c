package org

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/workflows/github"
)

func hour(n int) time.Time { return time.Date(2026, 11, 21, n, 0, 0, 0, time.UTC) }

// track is a ref that was seen at commits of one letter, an hour apart; a space is an hour
// without a reading.
func track(commits string) Ref {
	r := Ref{Repository: "a/b", Ref: "v1"}
	for i, c := range commits {
		switch c {
		case ' ':
		case '?':
			r.see(github.RefCommit{Denied: "it is not there"}, hour(i))
		default:
			r.see(github.RefCommit{Kind: "tag", Commit: strings.Repeat(string(c), 40)}, hour(i))
		}
	}
	return r
}

func TestShardsSeeTheSameRef(t *testing.T) {
	for _, test := range [][3]string{
		{"ab", "ab", "ab"},
		{"a c", " b ", "abc"},
		{"aa  ", "  aa", "aaaa"},
		{"a a ", " a b", "aaab"},
		{"aab?", "   ", "aab?"},
		{"a", "", "a"},
	} {
		for _, parts := range [][2]string{{test[0], test[1]}, {test[1], test[0]}} {
			if got, want := track(parts[0]).join(track(parts[1])), track(test[2]); !reflect.DeepEqual(got, want) {
				t.Errorf("%q and %q: %+v, want %+v", parts[0], parts[1], got, want)
			}
		}
	}
}

func TestPastIsBounded(t *testing.T) {
	r := Ref{}
	for i := range 3 * maxSightings {
		r.see(github.RefCommit{Kind: "branch", Commit: fmt.Sprintf("%040x", i)}, hour(i))
	}
	if len(r.Seen) != maxSightings || r.Seen[maxSightings-1].Commit != fmt.Sprintf("%040x", 3*maxSightings-1) {
		t.Errorf("%d are kept, the last %+v", len(r.Seen), r.Seen[len(r.Seen)-1])
	}
}

func TestIsCommit(t *testing.T) {
	for ref, want := range map[string]bool{
		"0123456": true, "012345": false, "ABCDEF0": true, strings.Repeat("a", 40): true, strings.Repeat("a", 64): true, strings.Repeat("a", 65): false, "v123456": false, "": false,
	} {
		if isCommit(ref) != want {
			t.Errorf("%q: %t", ref, !want)
		}
	}
	// A tag of eight digits is a tag where there is one of its name.
	refs := []Ref{track("a")}
	refs[0].Ref = "20261121"
	gone := []Ref{track("?")}
	gone[0].Ref = "20261121"
	if historyOf(Query{Ref: "20261121"}, refs).commit || !historyOf(Query{Ref: "20261121"}, gone).commit || !historyOf(Query{Ref: "20261122"}, refs).commit {
		t.Error("a tag of digits is taken for a commit, or a commit for a tag")
	}
}

// Whatever a ref did between its readings, a use of it is found by every commit that it was
// read at in the time asked for, and never by one that it can only have been at outside.
func TestSightingsAgainstAllTimes(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		var read []byte // what each hour's run reads
		for range 12 {
			read = append(read, "aabbc ?"[rnd.IntN(7)])
		}
		r := track(string(read))
		since, until := rnd.IntN(12), rnd.IntN(12)
		if since > until {
			since, until = until, since
		}
		q := Query{Action: "a/b", Ref: strings.Repeat("a", 40), Since: hour(since), Until: hour(until)}
		f, is := historyOf(q, []Ref{r}).judge(&useDigest{Name: "a/b", Ref: "v1"})
		if !slices.ContainsFunc(read, func(c byte) bool { return c != ' ' && c != '?' }) {
			why := "never read"
			if slices.Contains(read, '?') {
				why = "could not be read"
			}
			if !is || f.certainty != Possible || !strings.Contains(f.why, why) {
				t.Fatalf("%q: %+v", read, f)
			}
			continue
		}
		seen := slices.Contains(read[since:until+1], 'a')
		if seen && (!is || f.certainty != Named) {
			t.Fatalf("%q from %d to %d: it was there, and is found as %+v", read, since, until, f)
		}
		// Without a gap in which it may have been there, it is no find.
		if may := mayHaveBeen(read, since, until); !may && is || may && !is {
			t.Fatalf("%q from %d to %d: found %t, may have been %t", read, since, until, is, may)
		}
	}
}

// mayHaveBeen walks the readings: 'a' held in some part of the time if it was read there, or
// next to it with nothing else read between.
func mayHaveBeen(read []byte, since, until int) bool {
	for i, c := range read {
		if c != 'a' {
			continue
		}
		from, to := 0, len(read)
		for k := i - 1; k >= 0; k-- {
			if read[k] == 'b' || read[k] == 'c' {
				from = k
				break
			}
		}
		for k := i + 1; k < len(read); k++ {
			if read[k] == 'b' || read[k] == 'c' {
				to = k
				break
			}
		}
		if from <= until && to >= since {
			return true
		}
	}
	return false
}
