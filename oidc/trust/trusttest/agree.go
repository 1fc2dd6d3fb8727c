package trusttest

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/trust"
)

// Tokens asked of each lock.
const asked = 40

// Agree renders as many made grants as seeds says and holds each lock to its grant.
// render may refuse a grant that its lock cannot hold, though not most of them. claims
// are those of a residue that must be seen to be real: some token was let in because
// of each, and of no other.
func Agree(t *testing.T, seeds uint64, render func(*grant.Grant, trust.Repository) (trust.Lock, error), claims ...string) {
	t.Helper()
	refused, used := uint64(0), map[string]bool{}
	for seed := range seeds {
		m := maker{rand.New(rand.NewPCG(seed, 11))}
		g, repo := m.grant()
		lock, err := render(g, repo)
		if err != nil {
			refused++
			continue
		}
		b := &bench{grant: g, lock: lock, expect: grant.Expect{Repository: repo.Name, Issuer: trust.GitHubIssuer}}
		if b.terms, err = trust.TermsOf(g, repo); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		// The lock demands the ids that are known; so does the grant that it is held to.
		known := *g
		known.For.RepositoryID, known.For.RepositoryOwnerID = b.terms.Repository.ID, b.terms.Repository.OwnerID
		b.grant = &known
		for range asked {
			if !b.ask(t, seed, m.token(b.grant.For, b.terms.Repository), used) {
				return
			}
		}
	}
	if refused*2 > seeds {
		t.Errorf("%d of %d grants could not be rendered", refused, seeds)
	}
	if got := slices.Sorted(maps.Keys(used)); !slices.Equal(got, slices.Sorted(slices.Values(claims))) {
		t.Errorf("tokens were let in because of %q, want %q", got, claims)
	}
}

// A bench is one grant beside its lock.
type bench struct {
	grant  *grant.Grant
	lock   trust.Lock
	terms  trust.Terms
	expect grant.Expect
}

func (b *bench) ask(t *testing.T, seed uint64, values map[string]string, used map[string]bool) bool {
	t.Helper()
	values["aud"] = b.lock.Policy.Audience()
	decision := b.grant.Decide(Claims(values), b.expect)
	want := decision.Admit || b.admitsWithout(values)
	got := b.lock.Policy.Decide(Claims(values))
	if got.Admits != want || !got.Exact {
		t.Errorf("seed %d: the lock answers %+v, want %v\ntoken %v\ngrant %+v: %+v\nresidue %+v\nlock %s",
			seed, got, want, values, b.grant.For, decision.Reasons, b.lock.AlsoAdmits, b.lock.Documents)
		return false
	}
	if got.Admits && len(decision.Reasons) == 1 {
		used[decision.Reasons[0].Claim] = true
	}
	return true
}

// admitsWithout reports whether there are values of the residue's claims with which
// the grant admits the token.
func (b *bench) admitsWithout(values map[string]string) bool {
	var claims []string
	for _, r := range b.lock.AlsoAdmits {
		claims = append(claims, r.Claim)
	}
	return b.search(claims, values)
}

func (b *bench) search(claims []string, values map[string]string) bool {
	if len(claims) == 0 {
		return b.grant.Decide(Claims(values), b.expect).Admit
	}
	for _, v := range b.candidates(claims[0], values) {
		other := maps.Clone(values)
		other[claims[0]] = v
		if b.search(claims[1:], other) {
			return true
		}
	}
	return false
}

// candidates are enough values to try: the token's own, those of the grant, and of
// the two claims on files the other one's, since they may have to be the same.
func (b *bench) candidates(claim string, values map[string]string) []string {
	var list []string
	if v, ok := values[claim]; ok {
		list = append(list, v)
	}
	switch claim {
	case "job_workflow_ref":
		list = append(list, values["workflow_ref"])
	case "workflow_ref":
		list = append(list, values["job_workflow_ref"])
	}
	for _, v := range b.terms.Of(claim) {
		list = append(list, concrete(v))
	}
	if claim != "event_name" {
		return slices.Compact(list[:min(len(list), 3)])
	}
	return b.events(list, oidc.ParseSubject(values["sub"]).Kind)
}

// events are one event of each kind that sub tells apart, of those that the grant
// admits and that present such a subject.
func (b *bench) events(list []string, kind oidc.SubjectKind) []string {
	kinds := map[bool]string{}
	for _, v := range list {
		admitted := slices.Contains(b.terms.Of("event_name"), trust.Value{Text: v})
		if _, ok := kinds[isPull(v)]; !ok && admitted && (v != "pull_request" || kind != oidc.SubjectRef) {
			kinds[isPull(v)] = v
		}
	}
	return slices.Collect(maps.Values(kinds))
}

func concrete(v trust.Value) string {
	if v.Open {
		return v.Text + "x/y"
	}
	return v.Text
}

func isPull(event string) bool { return event == "pull_request" || event == "pull_request_target" }

// A maker makes grants and tokens.
type maker struct{ *rand.Rand }

func (m maker) coin() bool { return m.IntN(2) == 0 }

func pick[T any](m maker, list ...T) T { return list[m.IntN(len(list))] }

func some[T any](m maker, list ...T) []T {
	m.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list[:1+m.IntN(len(list))]
}

const home = "acme/site"

// grant makes a grant as Parse can give it, and what is known of its repository.
func (m maker) grant() (*grant.Grant, trust.Repository) {
	repo := trust.Repository{Name: home, Subject: trust.NameSubject}
	if m.IntN(4) > 0 {
		repo.ID, repo.OwnerID = "2001", "1001"
		repo.Subject = pick(m, trust.NameSubject, trust.ImmutableSubject, trust.EitherSubject)
	}
	f := grant.For{Runner: pick(m, grant.GitHubHosted, grant.SelfHosted, grant.AnyRunner), RefProtected: m.coin()}
	if m.coin() {
		f.Workflow = ".github/workflows/" + pick(m, "deploy.yml", "a+b.yaml")
	}
	if m.IntN(3) == 0 {
		f.Called = "acme/platform/.github/workflows/deploy.yml@" + pick(m, "refs/tags/v3", "refs/heads/*", "0123456789abcdef0123456789abcdef01234567")
	}
	if m.IntN(4) > 0 {
		f.Refs = pick(m, []string{"refs/heads/main"}, some(m, "refs/heads/main", "refs/heads/release/*", "refs/tags/v1", "refs/tags/v/*"))
	}
	if m.coin() {
		f.Environment = pick(m, "production", "a:b", "50%.x")
	}
	if m.coin() {
		f.Events = some(m, "push", "pull_request", "pull_request_target", "issue_comment", "schedule")
	}
	if m.IntN(3) == 0 {
		f.Repository = home
	}
	if m.IntN(3) == 0 {
		f.Actors = some(m, "ann", "bob", "acme[bot]")
	}
	return &grant.Grant{Name: "made", For: f, TTL: grant.DefaultTTL}, repo
}

// token makes the claims of a job near the grant: each part meets it, or may not.
func (m maker) token(f grant.For, repo trust.Repository) map[string]string {
	near := func() bool { return m.IntN(8) > 0 }
	v := map[string]string{"iss": trust.GitHubIssuer, "repository": repo.Name, "repository_id": "2001", "repository_owner_id": "1001",
		"actor": "ann", "ref_protected": "true", "runner_environment": f.Runner, "event_name": m.event(f, near())}
	if !near() {
		v["repository"] = pick(m, "acme/site-evil", "acme/other", "evil/site", "Acme/site")
	}
	if !near() {
		v["repository_id"] = "20010"
	}
	if !near() {
		v["repository_owner_id"] = "9"
	}
	if f.Runner == grant.AnyRunner || !near() {
		v["runner_environment"] = pick(m, grant.GitHubHosted, grant.SelfHosted)
	}
	if !near() {
		v["ref_protected"] = "false"
	}
	if len(f.Actors) > 0 {
		v["actor"] = pick(m, append(f.Actors, "ann")...)
	}
	v["ref"] = m.ref(f, near() || m.coin())
	if v["event_name"] == "pull_request" {
		v["ref"] = "refs/pull/7/merge"
	}
	if e := m.environment(f, near() || m.coin()); e != "" {
		v["environment"] = e
	}
	m.files(v, f, near)
	v["sub"] = m.subject(v, repo.Subject)
	return v
}

func (m maker) event(f grant.For, near bool) string {
	switch {
	case near && len(f.Events) > 0:
		return pick(m, f.Events...)
	case near:
		return pick(m, grant.NormalEvents()...)
	}
	return pick(m, "push", "pull_request", "pull_request_target", "issue_comment", "workflow_run")
}

func (m maker) ref(f grant.For, near bool) string {
	if near && len(f.Refs) > 0 {
		ref := pick(m, f.Refs...)
		if n := len(ref) - 1; ref[n] == '*' {
			return ref[:n] + pick(m, "1", "a/b")
		}
		return ref
	}
	return pick(m, "refs/heads/main", "refs/heads/main-evil", "refs/heads/release", "refs/heads/releasex", "refs/tags/v1", "refs/heads/x/refs/heads/main")
}

func (m maker) environment(f grant.For, near bool) string {
	if near {
		return f.Environment
	}
	return pick(m, "", "production", "production-2", "a:b", "a%3Ab", "50%-x")
}

// files fills in workflow_ref and job_workflow_ref.
func (m maker) files(v map[string]string, f grant.For, near func() bool) {
	path := f.Workflow
	if path == "" || !near() {
		path = pick(m, ".github/workflows/deploy.yml", ".github/workflows/evil.yml")
	}
	v["workflow_ref"] = v["repository"] + "/" + path + "@" + v["ref"]
	v["job_workflow_ref"] = v["workflow_ref"]
	switch {
	case f.Called != "" && near():
		called := f.Called
		if n := len(called) - 1; called[n] == '*' {
			called = called[:n] + "any/one"
		}
		v["job_workflow_ref"] = called
	case !near():
		v["job_workflow_ref"] = pick(m, "evil/x/.github/workflows/deploy.yml@refs/heads/main", home+"/.github/workflows/deploy.yml@"+v["ref"])
	}
}

// subject writes sub as the issuer does. An event with a choice may have either form.
func (m maker) subject(v map[string]string, form trust.SubjectForm) string {
	owner, name, _ := strings.Cut(v["repository"], "/")
	s := oidc.Subject{Owner: owner, Repo: name, Kind: oidc.SubjectRef, Value: v["ref"]}
	if form == trust.ImmutableSubject || form == trust.EitherSubject && m.coin() {
		s.OwnerID, s.RepoID = v["repository_owner_id"], v["repository_id"]
	}
	switch {
	case v["environment"] != "":
		s.Kind, s.Value = oidc.SubjectEnvironment, v["environment"]
	case v["event_name"] == "pull_request", v["event_name"] == "pull_request_target" && m.coin():
		s.Kind, s.Value = oidc.SubjectPullRequest, ""
	}
	return s.String()
}
