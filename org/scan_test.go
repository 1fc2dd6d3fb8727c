package org_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/lint/rules"
	"github.com/stint-dev/stint/org"
	"github.com/stint-dev/stint/workflows/github"
	"github.com/stint-dev/stint/workflows/github/githubtest"
)

// noon is when scans of tests begin.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// A world is a host with one organization, and a clock that stands still but between runs.
type world struct {
	t      *testing.T
	host   *githubtest.Server
	now    time.Time
	change func(*org.Options)
}

func newWorld(t *testing.T, o githubtest.Options) *world {
	t.Helper()
	return &world{t: t, host: githubtest.New(githubtest.Generate(o)), now: noon}
}

// reader returns a new client of the host, as each run has one.
func (w *world) reader() org.Client {
	w.t.Helper()
	r, err := github.New(github.Options{Token: github.StaticToken("token"), Transport: w.host, Now: w.host.Clock.Now, Sleep: w.host.Clock.Sleep})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) options() org.Options {
	o := org.Options{
		Organization: "acme", Host: "github.com", Rules: rules.All[:8], Known: rules.All, Build: "test", Today: "2026-11-21", Resolve: true,
		Now: func() time.Time { return w.now },
	}
	if w.change != nil {
		w.change(&o)
	}
	return o
}

// scan runs once over an index and returns what the host was asked.
func (w *world) scan(path string) githubtest.Stats {
	w.t.Helper()
	w.host.Reset()
	x := create(w.t, path)
	defer x.Close()
	if err := org.Scan(w.t.Context(), w.reader(), x, w.options()); err != nil {
		w.t.Fatal(err)
	}
	w.now = w.now.Add(24 * time.Hour)
	return w.host.Stats()
}

func create(t *testing.T, path string) *org.Index {
	t.Helper()
	x, err := org.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// A whole is a document with all of its analyses.
type whole struct {
	*org.Document
	Analyses map[string]*org.Analysis
}

// document reads all that an index says.
func document(t *testing.T, path string) whole {
	t.Helper()
	x, err := org.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	d, err := readAll(x)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func readAll(x *org.Index) (whole, error) {
	d, err := x.Document()
	if err != nil {
		return whole{}, err
	}
	all := whole{d, map[string]*org.Analysis{}}
	return all, d.EachAnalysis(func(a *org.Analysis, repositories []int) error {
		if all.Analyses[a.Key] != nil {
			return fmt.Errorf("the analysis %s is read twice", a.Key)
		}
		all.Analyses[a.Key] = a
		for _, i := range repositories {
			if d.Repositories[i].Analysis != a.Key {
				return fmt.Errorf("%s does not have the analysis %s", d.Repositories[i].Name, a.Key)
			}
		}
		return nil
	})
}

// text is all that an index says, without what a run that was taken up, or done in parts,
// may have asked more.
func text(t *testing.T, d whole) string {
	t.Helper()
	d.Coverage.Requests = org.Requests{}
	b, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Analyses) == 0 || !strings.Contains(string(b), d.Repositories[len(d.Repositories)-1].Name) {
		t.Fatal("what is compared is empty")
	}
	return string(b)
}

func indexPath(t *testing.T) string { return filepath.Join(t.TempDir(), "acme.index") }

// A first scan is a request for a hundred repositories, and one after a hundredth of them
// changed is two; to each comes one for two hundred tags and branches of actions.
func TestRequests(t *testing.T) {
	w := newWorld(t, githubtest.Options{Repositories: 1000, Workflows: 2, Plain: true})
	path := indexPath(t)
	scan := func(what string, pages int) {
		t.Helper()
		s := w.scan(path)
		if refs := len(document(t, path).Refs); refs == 0 || s.GraphQL != pages+(refs+199)/200 || s.REST != 0 {
			t.Errorf("%s asked %d queries and %d requests, with %d refs", what, s.GraphQL, s.REST, refs)
		}
	}
	scan("the first scan", 10)
	scan("a scan without a change", 1)
	w.push(100)
	scan("a scan after 100 changes", 2)
	w.change = func(o *org.Options) { o.Sweep = true }
	scan("a sweep", 1+2)
	d := document(t, path)
	if !d.Coverage.Complete || d.Coverage.By[org.StatusOK] != 1000 || len(d.Trend) != 4 || d.Trend[0].Repositories != 1000 || d.Pairs != d.Trend[3].Pairs || d.Pairs == 0 {
		t.Errorf("coverage %+v, trend %+v, pairs %d", d.Coverage, d.Trend, d.Pairs)
	}
}

// push changes n repositories at the host.
func (w *world) push(n int) {
	w.host.Change(func(o *githubtest.Organization) {
		for i := range n {
			o.Repositories[i*7%len(o.Repositories)].Push(w.host.Clock.Now().Add(time.Duration(i)*time.Second), map[string]*githubtest.File{
				".github/workflows/new.yml": githubtest.Text("on: push\njobs:\n  new:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: acme-tools/new@v1\n        with: {token: '${{ secrets.NEW_TOKEN }}'}\n"),
			})
		}
	})
}

// What a scan of all says is what scans of changes say in the end.
func TestChangesAddUpToTheWhole(t *testing.T) {
	w := newWorld(t, githubtest.Options{Repositories: 250, Workflows: 2})
	path := indexPath(t)
	w.scan(path)
	w.push(40)
	w.scan(path)
	step := document(t, path)
	again := indexPath(t)
	w.scan(again)
	whole := document(t, again)
	if step.Pairs != whole.Pairs || step.Coverage.By[org.StatusOK] != whole.Coverage.By[org.StatusOK] || step.Coverage.By[org.StatusDenied] != whole.Coverage.By[org.StatusDenied] {
		t.Errorf("step by step: %d pairs, %+v; at once: %d pairs, %+v", step.Pairs, step.Coverage, whole.Pairs, whole.Coverage)
	}
	for i, r := range whole.Repositories {
		if s := step.Repositories[i]; s.Name != r.Name || s.Analysis != r.Analysis || s.Head != r.Head || s.Status != r.Status {
			t.Fatalf("step by step %+v; at once %+v", s, r)
		}
	}
	if len(whole.Analyses) != len(step.Analyses) {
		t.Errorf("%d analyses step by step, %d at once", len(step.Analyses), len(whole.Analyses))
	}
}

// Nothing that could not be read is clean.
func TestOddRepositories(t *testing.T) {
	w := newWorld(t, githubtest.Options{Repositories: 400, Workflows: 1})
	path := indexPath(t)
	w.scan(path)
	d := document(t, path)
	by := d.Coverage.By
	if d.Coverage.Complete || by[org.StatusDenied] == 0 || by[org.StatusEmpty] == 0 || by[org.StatusFailed] != 0 {
		t.Errorf("coverage %+v", d.Coverage)
	}
	unread := 0
	for _, r := range d.Repositories {
		if (r.Status == org.StatusOK) != (r.Why == "") {
			t.Errorf("%s is %s because %q", r.Name, r.Status, r.Why)
		}
		if r.Analysis != "" {
			unread += len(d.Analyses[r.Analysis].Unread)
		}
	}
	if unread == 0 {
		t.Error("links, submodules and binary files were read")
	}
	if s := w.scan(path); s.GraphQL > 3+1 {
		t.Errorf("a scan without a change asked %d queries", s.GraphQL)
	}
}

// What the times of pushes do not tell is found by a sweep.
func TestSweep(t *testing.T) {
	w := newWorld(t, githubtest.Options{Repositories: 120, Workflows: 1, Plain: true})
	path := indexPath(t)
	w.scan(path)
	var moved, gone string
	w.host.Change(func(o *githubtest.Organization) {
		r := o.Repositories[50]
		pushed := r.Pushed
		r.Push(pushed, map[string]*githubtest.File{".github/workflows/ci.yml": githubtest.Text("on: push\njobs:\n  j:\n    runs-on: x\n    steps: [{uses: a/b@v9}]\n")})
		moved, gone = "acme/"+r.Name, "acme/"+o.Repositories[60].Name
		back := *o.Repositories[70]
		back.ID, back.NodeID, back.Name = 9999, "R_back", "back"
		o.Repositories = append(slices.Delete(o.Repositories, 60, 61), &back)
	})
	head := func() string { return repository(t, document(t, path), moved).Head }
	before := head()
	w.scan(path)
	if head() != before {
		t.Fatal("the test changes what a listing sees")
	}
	w.change = func(o *org.Options) { o.Sweep = true }
	w.scan(path)
	d := document(t, path)
	if head() == before {
		t.Error("another default branch was not seen")
	}
	if r := repository(t, d, gone); r.Status == org.StatusOK || r.Why == "" {
		t.Errorf("a repository that is gone is %s", r.Status)
	}
	if r := repository(t, d, "acme/back"); r.Status != org.StatusOK || r.Analysis == "" {
		t.Errorf("a repository that is back is %+v", r)
	}
}

func repository(t *testing.T, d whole, name string) org.Repository {
	t.Helper()
	for _, r := range d.Repositories {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("there is no %s", name)
	return org.Repository{}
}

// The same content is judged once, and judged again by other rules without a request.
func TestJudgedOnce(t *testing.T) {
	w := newWorld(t, githubtest.Options{Repositories: 30, Workflows: 1, Plain: true})
	w.host.Change(func(o *githubtest.Organization) {
		for _, r := range o.Repositories {
			r.Files = map[string]*githubtest.File{".github/workflows/ci.yml": githubtest.Text("on: push\njobs:\n  j:\n    runs-on: x\n    steps: [{uses: a/b@v1}]\n")}
		}
		o.Repositories[3].Files = map[string]*githubtest.File{".github/workflows/ci.yml": githubtest.Text("on: push\njobs:\n  j:\n    runs-on: x\n    steps: [{uses: acme/repo-00003@v1}]\n")}
		o.Repositories[4].Files = o.Repositories[3].Files
		o.Repositories[5].Files = o.Repositories[3].Files
	})
	path := indexPath(t)
	w.scan(path)
	d := document(t, path)
	if len(d.Analyses) != 3 {
		t.Errorf("30 repositories with 2 contents, one of which names one of its repositories, have %d analyses", len(d.Analyses))
	}
	w.change = func(o *org.Options) { o.Rules = o.Rules[:4] }
	if s := w.scan(path); s.GraphQL != 1+1 {
		t.Errorf("other rules asked %d queries", s.GraphQL)
	}
	other := document(t, path)
	if len(other.Analyses) != 3 {
		t.Errorf("%d analyses are kept", len(other.Analyses))
	}
	for key := range other.Analyses {
		if d.Analyses[key] != nil {
			t.Error("other rules have the same key")
		}
	}
}

// The four parts are the whole.
func TestShardsAreTheWhole(t *testing.T) {
	w := newWorld(t, githubtest.Options{Repositories: 300, Workflows: 2})
	w.change = func(o *org.Options) { o.Inventory = org.WholeInventory }
	whole, parts := indexPath(t), []string{}
	w.scan(whole)
	for i := range 4 {
		w.now = noon
		part := indexPath(t)
		w.change = func(o *org.Options) { o.Inventory, o.Shard = org.WholeInventory, org.Shard{Index: i + 1, Of: 4} }
		w.scan(part)
		parts = append(parts, part)
	}
	merged := indexPath(t)
	merge(t, merged, parts...)
	if a, b := text(t, document(t, whole)), text(t, document(t, merged)); a != b {
		t.Errorf("the parts are not the whole: %s", firstDifference(a, b))
	}
	some := indexPath(t)
	merge(t, some, parts[0], parts[2])
	if document(t, some).Coverage.Complete {
		t.Error("two of four parts are complete")
	}
}

func merge(t *testing.T, out string, in ...string) {
	t.Helper()
	x := create(t, out)
	defer x.Close()
	var parts []*org.Index
	for _, path := range in {
		p, err := org.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		parts = append(parts, p)
	}
	if err := org.Merge(x, parts); err != nil {
		t.Fatal(err)
	}
}

func firstDifference(a, b string) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return a[max(0, i-200):min(len(a), i+200)] + "\n---\n" + b[max(0, i-200):min(len(b), i+200)]
		}
	}
	return "one is longer"
}

// A scan that is stopped ends with an error, whichever of its goroutines sees it first, and
// the index does not call itself complete.
func TestCancelled(t *testing.T) {
	for range 30 {
		w := newWorld(t, githubtest.Options{Repositories: 10, Workflows: 1, Plain: true})
		x := create(t, indexPath(t))
		ctx, stop := context.WithCancel(t.Context())
		stop()
		if err := org.Scan(ctx, w.reader(), x, w.options()); err == nil {
			t.Error("no error")
		}
		if d, err := x.Document(); err != nil || d.Coverage.Complete {
			t.Errorf("%+v, %v", d.Coverage, err)
		}
		x.Close()
	}
}
