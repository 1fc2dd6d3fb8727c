package org_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/org"
	"github.com/stint-dev/stint/workflows/github/githubtest"
)

const pin = "0123456789012345678901234567890123456789"

// serve makes the organization of a world exactly these repositories.
func (w *world) serve(repos map[string]map[string]string) {
	w.host.Change(func(o *githubtest.Organization) {
		for i, r := range o.Repositories {
			name := fmt.Sprintf("r%d", i)
			files := map[string]*githubtest.File{}
			for path, text := range repos[name] {
				files[path] = githubtest.Text(text)
			}
			r.Name, r.Files, r.Visibility, r.Secrets, r.Environments = name, files, "private", nil, nil
		}
		o.Secrets = []githubtest.Secret{{Name: "SHARED_TOKEN", Visibility: "all"}, {Name: "FORGOTTEN", Visibility: "all"}}
	})
}

func workflow(steps ...string) string {
	return "on: push\npermissions: {}\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n      - " + strings.Join(steps, "\n      - ") + "\n"
}

func composite(uses string) string {
	return "name: x\nruns:\n  using: composite\n  steps:\n    - uses: " + uses + "\n"
}

const ci = ".github/workflows/ci.yml"

func incidentWorld(t *testing.T) (*world, string) {
	w := newWorld(t, githubtest.Options{Repositories: 9, Workflows: 1, Plain: true})
	w.change = func(o *org.Options) { o.Inventory = org.OrganizationInventory }
	w.serve(map[string]map[string]string{
		"r0": {ci: workflow("uses: evil/tool@v1", "run: ./x\n        env: {T: '${{ secrets.SHARED_TOKEN }}'}")},
		"r1": {ci: workflow("uses: Evil/Tool/sub@v2", "run: npm publish\n        env: {NODE_AUTH_TOKEN: '${{ secrets.NPM_TOKEN }}'}")},
		"r2": {ci: workflow("uses: evil/tool@"+pin, "run: ./x\n        env: {T: '${{ secrets.SHARED_TOKEN }}'}")},
		"r3": {".github/actions/setup/action.yml": composite("evil/tool@v1"), ".github/actions/outer/action.yml": composite("acme/r3/.github/actions/setup@main")},
		"r4": {ci: workflow("uses: acme/r3/.github/actions/outer@v3", "run: ./x\n        env: {T: '${{ secrets.SHARED_TOKEN }}'}")},
		"r5": {".github/workflows/call.yml": "on: workflow_call\njobs:\n  inner:\n    runs-on: x\n    steps: [{uses: evil/tool@v1}]\n"},
		"r6": {ci: "on: push\njobs:\n  call:\n    uses: acme/r5/.github/workflows/call.yml@main\n    secrets: inherit\n"},
		"r7": {ci: workflow("uses: evil/toolbox@v1", "run: npm install"), ".github/actions/a/action.yml": composite("evil/tool@v1"),
			".github/workflows/local.yml": workflow("uses: ./.github/actions/a", "uses: acme/r3/elsewhere@v1")},
		"r8": {ci: workflow("run: npm ci", "run: npm install -g chalk@5.6.1 left-pad")},
	})
	path := indexPath(t)
	w.scan(path)
	return w, path
}

// ask returns the hits of a query, a line each.
func ask(t *testing.T, path string, q org.Query) ([]string, *org.Incident) {
	t.Helper()
	x, err := org.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	in, err := x.Incident(q)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, h := range in.Hits {
		line := fmt.Sprintf("%s %s %s %s", h.Certainty, strings.TrimPrefix(h.Repository, "acme/"), h.Job, h.What)
		if !h.Now {
			line += " (no more)"
		}
		out = append(out, line)
	}
	return out, in
}

func action(t *testing.T, s string) org.Query {
	t.Helper()
	q, err := org.ParseAction(s)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestIncident(t *testing.T) {
	_, path := incidentWorld(t)
	through := []string{"through r4 build acme/r3/.github/actions/outer@v3", "through r6 call acme/r5/.github/workflows/call.yml@main"}
	for asked, want := range map[string][]string{
		"evil/tool":     {"named r0 build evil/tool@v1", "named r1 build evil/tool/sub@v2", "named r5 inner evil/tool@v1", "named r7 build evil/tool@v1", through[0], through[1]},
		"Evil/Tool@v1":  {"named r0 build evil/tool@v1", "named r5 inner evil/tool@v1", "named r7 build evil/tool@v1", through[0], through[1]},
		"evil/tool@v2":  {"named r1 build evil/tool/sub@v2"},
		"evil/tool/sub": {"named r1 build evil/tool/sub@v2"},
		// The host does not have evil/tool: what its tags name is not known.
		"evil/tool@" + pin: append([]string{"named r2 build evil/tool@" + pin, "possible r0 build evil/tool@v1", "possible r1 build evil/tool/sub@v2"},
			strings.Replace(through[0], "through", "possible", 1), "possible r5 inner evil/tool@v1", strings.Replace(through[1], "through", "possible", 1), "possible r7 build evil/tool@v1"),
		"evil/too":    nil,
		"nobody/here": nil,
	} {
		if got, _ := ask(t, path, action(t, asked)); !slices.Equal(got, want) {
			t.Errorf("%s:\n got %q\nwant %q", asked, got, want)
		}
	}
	_, in := ask(t, path, action(t, "evil/tool"))
	if in.Pinned != 1 || in.Refs["v1"] != 3 || in.Refs[pin] != 1 {
		t.Errorf("pinned %d, refs %v", in.Pinned, in.Refs)
	}
	if !slices.ContainsFunc(in.Unknown, func(s string) bool { return strings.HasSuffix(s, ": acme/r3/elsewhere") }) {
		t.Errorf("not said to be unknown: acme/r3/elsewhere: %q", in.Unknown)
	}
	if got := document(t, path).Coverage.ActionsNotRead; !slices.Equal(got, []string{"acme/r3/elsewhere"}) {
		t.Errorf("not read: %q", got)
	}
	var order []string
	for _, r := range in.Rotations {
		if r.Rotate {
			order = append(order, fmt.Sprintf("%s %s %d", r.Name, r.Scope, len(r.Repositories)))
		}
	}
	if want := []string{"SHARED_TOKEN organization 2", "NPM_TOKEN  1"}; !slices.Equal(order[:2], want) {
		t.Errorf("rotate %q, want %q first", order, want)
	}
}

func TestIncidentPackages(t *testing.T) {
	_, path := incidentWorld(t)
	for asked, want := range map[string][]string{
		"npm:chalk@5.6.1": {"named r8 build npm install -g chalk@5.6.1 left-pad", "possible r7 build npm install"},
		"npm:chalk@5.0.0": {"possible r7 build npm install"},
		"npm:left-pad":    {"named r8 build npm install -g chalk@5.6.1 left-pad", "possible r7 build npm install"},
		"pypi:requests":   nil,
	} {
		q, err := org.ParsePackage(asked)
		if err != nil {
			t.Fatal(err)
		}
		if got, in := ask(t, path, q); !slices.Equal(got, want) || len(in.Unknown) < 2 {
			t.Errorf("%s:\n got %q\nwant %q\n%q", asked, got, want, in.Unknown)
		}
	}
}

// What was mended since is part of what was.
func TestIncidentInThePast(t *testing.T) {
	w, path := incidentWorld(t)
	w.host.Change(func(o *githubtest.Organization) {
		o.Repositories[0].Push(noon.Add(12*time.Hour), map[string]*githubtest.File{ci: githubtest.Text(workflow("uses: evil/tool@" + pin))})
	})
	w.scan(path) // a day after noon
	q := action(t, "evil/tool@v1")
	has := func(q org.Query, want string) bool {
		got, _ := ask(t, path, q)
		return slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, want) })
	}
	if has(q, "named r0") {
		t.Error("now it is mended")
	}
	q.Since, q.Until = noon.Add(-time.Hour), noon.Add(time.Hour)
	if !has(q, "named r0 build evil/tool@v1 (no more)") {
		t.Error("it ran then")
	}
	q.Since, q.Until = noon.AddDate(0, 0, 2), noon.AddDate(0, 0, 3)
	if has(q, "named r0") {
		t.Error("it did not run after it was mended")
	}
	q = action(t, "evil/tool@"+pin)
	q.Until = noon.Add(-time.Hour)
	if has(q, "named r0") {
		t.Error("it was not pinned before")
	}
}

// What is back where it was runs it now.
func TestIncidentOfWhatCameBack(t *testing.T) {
	w, path := incidentWorld(t)
	for day, uses := range []string{"other/tool@v1", "evil/tool@v1"} {
		w.host.Change(func(o *githubtest.Organization) {
			text := workflow("uses: "+uses, "run: ./x\n        env: {T: '${{ secrets.SHARED_TOKEN }}'}")
			o.Repositories[0].Push(noon.Add(time.Duration(12+24*day)*time.Hour), map[string]*githubtest.File{ci: githubtest.Text(text)})
		})
		w.scan(path)
	}
	q := action(t, "evil/tool@v1")
	q.Since = noon.Add(-time.Hour)
	got, _ := ask(t, path, q)
	if n := len(slices.DeleteFunc(got, func(s string) bool { return s != "named r0 build evil/tool@v1" })); n != 1 {
		t.Errorf("r0 is listed %d times as running it now, want once", n)
	}
}

func TestInventory(t *testing.T) {
	_, path := incidentWorld(t)
	by := map[string]org.Secret{}
	for _, s := range document(t, path).Secrets {
		by[s.Name] = s
	}
	// r6 hands on all secrets, so that none is dead.
	if s := by["SHARED_TOKEN"]; s.UsedBy != 3 || s.Foreign != 1 || s.Dead {
		t.Errorf("%+v", s)
	}
	if s := by["FORGOTTEN"]; s.UsedBy != 0 || s.Dead {
		t.Errorf("%+v", s)
	}
}

func TestParseQueries(t *testing.T) {
	for s, ok := range map[string]bool{"a/b": true, "a/b/c@v1": true, "docker://alpine": true, "a": false, "a//b": false, "": false, "a/b c": false} {
		if _, err := org.ParseAction(s); (err == nil) != ok {
			t.Errorf("%q: %v", s, err)
		}
	}
	for s, want := range map[string]string{"npm:@a/b@1.2.3": "npm:@a/b@1.2.3", "npm:@a/b": "npm:@a/b", "PyPI:x": "pypi:x", "deb:x": "", "x": "", "npm:": ""} {
		if q, err := org.ParsePackage(s); (err == nil) != (want != "") || err == nil && q.String() != want {
			t.Errorf("%q: %q, %v", s, q, err)
		}
	}
}
