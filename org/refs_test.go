package org_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/org"
	"github.com/stint-dev/stint/workflows/github"
	"github.com/stint-dev/stint/workflows/github/githubtest"
)

// hex is a full commit.
func hex(c string) string { return strings.Repeat(c, 40) }

// outside is the repository evil/tool, from which actions are used.
func (w *world) outside(refs map[string]githubtest.Ref) {
	w.host.Change(func(o *githubtest.Organization) {
		o.Others = []*githubtest.Repository{{Name: "evil/tool", Branch: "main", Head: hex("a"), Refs: refs}}
	})
}

// movedWorld has read evil/tool on three days: v3 was at b, then at c, then at b again.
func movedWorld(t *testing.T) (*world, string) {
	w := newWorld(t, githubtest.Options{Repositories: 9, Workflows: 1, Plain: true})
	token := "run: ./x\n        env: {T: '${{ secrets.SHARED_TOKEN }}'}"
	w.serve(map[string]map[string]string{
		"r0": {ci: workflow("uses: evil/tool@v3", token)},
		"r1": {ci: workflow("uses: Evil/Tool/sub@main", token)},
		"r2": {ci: workflow("uses: evil/tool@"+hex("c"), token)},
		"r3": {".github/actions/setup/action.yml": composite("evil/tool@v3")},
		"r4": {ci: workflow("uses: acme/r3/.github/actions/setup@main", token)},
		"r5": {ci: workflow("uses: evil/tool@v9", token)},
		"r6": {".github/workflows/call.yml": "on: workflow_call\njobs:\n  inner:\n    runs-on: x\n    steps: [{uses: evil/tool@v9}]\n"},
		"r7": {ci: workflow("uses: acme/r6/.github/workflows/call.yml@main", token)},
		"r8": {ci: workflow("uses: evil/tool@refs/tags/v3", token), ".github/workflows/call.yml": "on: push\njobs:\n  call:\n    uses: acme/r6/.github/workflows/call.yml@main\n"},
	})
	path := indexPath(t)
	for _, at := range []string{"b", "c", "b"} {
		w.outside(map[string]githubtest.Ref{"refs/tags/v3": {Commit: hex(at), Tags: 1}})
		w.scan(path)
	}
	return w, path
}

func TestRefsKeepTheirPast(t *testing.T) {
	w, path := movedWorld(t)
	var got []string
	for _, r := range document(t, path).Refs {
		line := r.Repository + "@" + r.Ref
		for _, s := range r.Seen {
			line += fmt.Sprintf(" %s %.1s %s-%s", s.Kind, s.Commit, s.First.Format("2"), s.Last.Format("2"))
		}
		if !r.Asked.Equal(noon.AddDate(0, 0, 2)) {
			t.Errorf("%s was asked for at %s", line, r.Asked)
		}
		got = append(got, strings.TrimSpace(line+" "+r.Why))
	}
	head := func(i int) string { return repository(t, document(t, path), fmt.Sprintf("acme/r%d", i)).Head[:1] }
	want := []string{
		"acme/r3@main branch " + head(3) + " 21-23",
		"acme/r6@main branch " + head(6) + " 21-23",
		"evil/tool@main branch a 21-23",
		"evil/tool@refs/tags/v3 tag b 21-21 tag c 22-22 tag b 23-23",
		"evil/tool@v3 tag b 21-21 tag c 22-22 tag b 23-23",
		"evil/tool@v9 there is no such tag or branch",
	}
	if !slices.Equal(got, want) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
	// What was seen is kept when it can be read no more.
	w.host.Change(func(o *githubtest.Organization) { o.Others[0].Denied = true })
	w.scan(path)
	if r := ref(t, path, "v3"); r.Why != "the token may not read it" || len(r.Seen) != 3 || !r.Asked.After(r.Seen[2].Last) {
		t.Errorf("%+v", r)
	}
}

// A ref is forgotten with the last repository that used it.
func TestRefsAreForgotten(t *testing.T) {
	w, path := movedWorld(t)
	w.change = func(o *org.Options) { o.Sweep = true }
	w.host.Change(func(o *githubtest.Organization) {
		o.Repositories = slices.DeleteFunc(o.Repositories, func(r *githubtest.Repository) bool { return r.Name != "r0" })
	})
	refs := func() (out []string) {
		for _, r := range document(t, path).Refs {
			out = append(out, r.Repository+"@"+r.Ref)
		}
		return out
	}
	w.scan(path)
	if n := len(refs()); n != 6 {
		t.Errorf("%d refs of what is gone since today", n)
	}
	w.now = w.now.AddDate(0, 3, 0)
	w.scan(path)
	// Of evil/tool all are kept: what is still used may be asked about by any of them.
	if got, want := refs(), []string{"evil/tool@main", "evil/tool@refs/tags/v3", "evil/tool@v3", "evil/tool@v9"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func ref(t *testing.T, path, name string) org.Ref {
	t.Helper()
	for _, r := range document(t, path).Refs {
		if r.Repository == "evil/tool" && r.Ref == name {
			return r
		}
	}
	t.Fatalf("there is no %s", name)
	return org.Ref{}
}

// Who asks for a commit or a ref is told of all that met it, and how that is known.
func TestIncidentByResolvedRefs(t *testing.T) {
	_, path := movedWorld(t)
	day := func(n int) time.Time { return noon.AddDate(0, 0, n) }
	unknown := []string{"possible r5 build evil/tool@v9", "possible r6 inner evil/tool@v9", "possible r7 build acme/r6/.github/workflows/call.yml@main", "possible r8 call acme/r6/.github/workflows/call.yml@main"}
	tags := []string{"r0 build evil/tool@v3", "r8 build evil/tool@refs/tags/v3", "through r4 build acme/r3/.github/actions/setup@main"}
	// is lists what has v3 at the commit, as a certainty, with another line in its place.
	is := func(c org.Certainty, pinned string) []string {
		through := tags[2]
		if c == org.Possible {
			through = strings.Replace(through, "through", "possible", 1)
		}
		out := []string{string(c) + " " + tags[0], string(c) + " " + tags[1], through}
		if pinned != "" {
			out = append(out, pinned)
		}
		return append(out, unknown...)
	}
	c := "named r2 build evil/tool@" + hex("c")
	for _, test := range []struct {
		asked        string
		since, until time.Time
		want         []string
	}{
		{"evil/tool@" + hex("c"), time.Time{}, time.Time{}, is(org.Named, c)},
		{"evil/tool@ccccccc", time.Time{}, time.Time{}, is(org.Named, c)},
		{"evil/tool@CCCCCCC", time.Time{}, time.Time{}, is(org.Named, c)},
		{"evil/tool@cccccc", time.Time{}, time.Time{}, nil}, // too short for a commit
		{"evil/tool@" + hex("c"), day(1), day(1), is(org.Named, c)},
		{"evil/tool@" + hex("c"), day(0).Add(time.Hour), day(0).Add(2 * time.Hour), is(org.Possible, c)},
		{"evil/tool@" + hex("c"), day(2).Add(time.Hour), time.Time{}, append([]string{c}, unknown...)},
		{"evil/tool@" + hex("b"), day(2).Add(time.Hour), time.Time{}, is(org.Named, "")},
		{"evil/tool@" + hex("b"), time.Time{}, day(-1), is(org.Possible, "")}, // before the first reading
		{"evil/tool@" + hex("d"), time.Time{}, time.Time{}, unknown},
		{"evil/tool@" + hex("a"), time.Time{}, time.Time{}, append([]string{"named r1 build evil/tool/sub@main"}, unknown...)},
		{"evil/tool@v3", time.Time{}, time.Time{}, []string{"named " + tags[0], tags[2], "possible r2 build evil/tool@" + hex("c")}},
		{"evil/tool@v3", day(2).Add(time.Hour), time.Time{}, []string{"named " + tags[0], tags[2]}},
		{"evil/tool@main", time.Time{}, time.Time{}, []string{"named r1 build evil/tool/sub@main"}},
	} {
		q := action(t, test.asked)
		q.Since, q.Until = test.since, test.until
		got, _ := ask(t, path, q)
		slices.Sort(got)
		slices.Sort(test.want)
		if !slices.Equal(got, test.want) {
			t.Errorf("%s from %v to %v:\n got %q\nwant %q", test.asked, test.since, test.until, got, test.want)
		}
	}
}

// A job that used a ref only before or after it was at the commit did not run that.
func TestIncidentHoldsTimesTogether(t *testing.T) {
	w := newWorld(t, githubtest.Options{Repositories: 9, Workflows: 1, Plain: true})
	w.serve(map[string]map[string]string{"r0": {ci: workflow("uses: evil/tool@v3")}, "r1": {ci: workflow("uses: evil/tool@v3")}})
	path := indexPath(t)
	for day, at := range []string{"b", "c", "b", "b"} {
		w.outside(map[string]githubtest.Ref{"refs/tags/v3": {Commit: hex(at)}})
		w.host.Change(func(o *githubtest.Organization) {
			for i, when := range map[int]int{1: 1, 2: 3} { // r1 leaves it before it moves, r2 takes it up when all is over
				if text := map[int]string{1: "run: make", 2: "uses: evil/tool@v3"}[i]; day == when {
					o.Repositories[i].Push(w.now, map[string]*githubtest.File{ci: githubtest.Text(workflow(text))})
				}
			}
		})
		w.scan(path)
	}
	now, ever := action(t, "evil/tool@"+hex("c")), action(t, "evil/tool@"+hex("c"))
	ever.Since = noon.AddDate(0, -1, 0)
	for want, q := range map[string]org.Query{
		"[named r0 build evil/tool@v3]": now,
		// Between the first two runs r1 may have been at its old state when the tag had moved.
		"[named r0 build evil/tool@v3 named r1 build evil/tool@v3 (no more)]": ever,
	} {
		if got, _ := ask(t, path, q); fmt.Sprint(got) != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// The words say which ref, at which commit, when, and where it is since.
func TestIncidentSaysHowItIsKnown(t *testing.T) {
	_, path := movedWorld(t)
	whys := func(q org.Query) (out []string) {
		_, in := ask(t, path, q)
		for _, h := range in.Hits {
			out = append(out, strings.TrimPrefix(h.Repository, "acme/")+": "+h.Why)
		}
		return out
	}
	q := action(t, "evil/tool@"+hex("c"))
	want := []string{
		"r0: by tag v3, which was at cccccccccccc when read on 2026-11-22 12:00Z; when last read, on 2026-11-23 12:00Z, it was at bbbbbbbbbbbb",
		"r2: ",
		"r8: by tag refs/tags/v3, which was at cccccccccccc when read on 2026-11-22 12:00Z; when last read, on 2026-11-23 12:00Z, it was at bbbbbbbbbbbb",
		"r4: as acme/r3/.github/actions/setup is on its default branch; another version of it may differ",
		"r5: which commit v9 names could not be read: there is no such tag or branch",
		"r6: which commit v9 names could not be read: there is no such tag or branch",
		"r7: through acme/r6/.github/workflows/call.yml, which may use it at that commit",
		"r8: through acme/r6/.github/workflows/call.yml, which may use it at that commit",
	}
	if got := whys(q); !slices.Equal(got, want) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
	got := whys(action(t, "evil/tool@v3"))
	if pinned := "r2: pinned to a commit of tag v3, which was at cccccccccccc when read on 2026-11-22 12:00Z"; !slices.Contains(got, pinned) {
		t.Errorf("%q is not said: %q", pinned, got)
	}
	_, in := ask(t, path, action(t, "evil/tool@v9"))
	if !slices.ContainsFunc(in.Unknown, func(s string) bool { return strings.HasPrefix(s, "at which commits evil/tool@v9 was is not known") }) {
		t.Errorf("%q", in.Unknown)
	}
}

// Each ref is asked for once in a run, also one that is taken up, and not at all where that
// is not wanted.
func TestResolvedOnce(t *testing.T) {
	const refs = github.RefsPerQuery + 50
	w := newWorld(t, githubtest.Options{Repositories: 60, Workflows: 1, Plain: true})
	w.host.Change(func(o *githubtest.Organization) {
		for i, r := range o.Repositories {
			var steps []string
			for j := range 5 {
				steps = append(steps, fmt.Sprintf("uses: vendor/tool-%d@v%d", (i*5+j)%refs%20, (i*5+j)%refs), "uses: vendor/upload@"+pin)
			}
			r.Files = map[string]*githubtest.File{ci: githubtest.Text(workflow(steps...))}
		}
	})
	path := indexPath(t)
	if s := w.scan(path); s.GraphQL != 1+2 || s.Points != 3 {
		t.Errorf("%d queries with %d points for a page and %d refs", s.GraphQL, s.Points, refs)
	}
	if n := len(document(t, path).Refs); n != refs {
		t.Errorf("%d refs, want %d", n, refs)
	}
	x := create(t, path)
	plan, err := x.Plan(w.options(), 0)
	x.Close()
	if err != nil || plan.Refs != refs || plan.GraphQL != 2+2 || plan.Points != 4 {
		t.Errorf("planned %+v, %v", plan, err)
	}
	// The second of the two queries fails for good: the next start asks for what it lacks.
	w.host.Reset()
	lost := false
	w.host.Fault = func(r githubtest.Request) githubtest.Fault {
		if lost = lost || r.GraphQL && r.N == 3; lost {
			return githubtest.FarAway
		}
		return githubtest.None
	}
	x = create(t, path)
	if err := org.Scan(t.Context(), w.reader(), x, w.options()); err == nil {
		t.Fatal("a host that refuses is no error")
	}
	x.Close()
	w.host.Fault = nil
	if s := w.scan(path); s.GraphQL != 1 || s.Sizes[0] < 2*50 || s.Sizes[0] > 2*50+20 {
		t.Errorf("taken up with %d queries of %v", s.GraphQL, s.Sizes)
	}
	w.change = func(o *org.Options) { o.Resolve = false }
	if s := w.scan(path); s.GraphQL != 1 {
		t.Errorf("%d queries without resolving", s.GraphQL)
	}
}
