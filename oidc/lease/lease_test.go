package lease

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
)

func TestOpenDecidesThenExchangesThenVerifies(t *testing.T) {
	s := newScene(t)
	s.two.attempts = 3
	l := s.mustOpen(t)

	want := []string{"exchange one", "verify one", "exchange two", "verify two"}
	if !slices.Equal(s.journal, want) {
		t.Errorf("journal %v", s.journal)
	}
	// One token a provider before any exchange; the first attempt uses it, later
	// attempts have their own.
	if !slices.Equal(s.source.asked, []string{"aud-one", "aud-two", "aud-two", "aud-two"}) {
		t.Errorf("tokens asked for %v", s.source.asked)
	}
	all := slices.Concat(s.one.tokens, s.two.tokens)
	if len(all) != 4 || len(slices.Compact(slices.Sorted(slices.Values(all)))) != 4 {
		t.Errorf("tokens %v", all)
	}
	if s.one.lastReq.TTL != 15*time.Minute || s.one.lastReq.Run.ID != "9876543210" {
		t.Errorf("request %+v", s.one.lastReq)
	}
	var names []string
	for _, v := range l.Vars() {
		names = append(names, v.Name)
	}
	if !slices.Equal(names, []string{"ONE_KEY", "ONE_SECRET", "TWO_SECRET"}) {
		t.Errorf("variables %v", names)
	}
	if l.Grant() != s.grant {
		t.Error("another grant")
	}
	checkSilent(t, "credentials", l.Credentials())
	checkSilent(t, "a printed lease's variables", l.Vars())
}

func TestEventsTellAllAndHoldNoSecret(t *testing.T) {
	s := newScene(t)
	l := s.mustOpen(t)
	l.End(t.Context())
	var kinds []string
	for _, e := range s.events {
		kinds = append(kinds, string(e.Kind)+" "+e.Provider)
		if e.Grant != "deploy-site" || !e.At.Equal(noon) {
			t.Errorf("event %+v", e)
		}
	}
	want := []string{"decision one", "decision two", "issuance one", "issuance two", "end two", "end one"}
	if !slices.Equal(kinds, want) {
		t.Errorf("events %v", kinds)
	}
	if d := s.events[0]; !d.Decision.Admit || d.Claims.Get("jti") != "token-1" {
		t.Errorf("decision %+v", d)
	}
	if i := s.events[2]; i.Credential.Handle.ID != "id-one" || i.Credential.Vars != nil || i.TTL != 15*time.Minute {
		t.Errorf("issuance %+v", i)
	}
	checkSilent(t, "events", s.events)
}

func TestEndIsLastInFirstOutAndIdempotent(t *testing.T) {
	s := newScene(t)
	l := s.mustOpen(t)
	s.journal = nil
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // a cancelled job still ends its lease
	first := l.End(ctx)
	second := l.End(t.Context())
	if !slices.Equal(s.journal, []string{"end two", "end one"}) || !s.one.ctxAlive {
		t.Errorf("journal %v, live context %v", s.journal, s.one.ctxAlive)
	}
	if !reflect.DeepEqual(first, second) || len(first) != 2 || first[0].Handle.ID != "id-two" || first[0].Outcome != oidc.Revoked {
		t.Errorf("endings %+v then %+v", first, second)
	}
	if l.Vars() != nil {
		t.Error("an ended lease still hands over")
	}
	checkSilent(t, "endings", first)
}

func TestConcurrentEndEndsOnce(t *testing.T) {
	s := newScene(t)
	l := s.mustOpen(t)
	s.journal = nil
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { l.End(context.Background()); l.Vars(); l.State(); l.Credentials() })
	}
	wg.Wait()
	if len(s.journal) != 2 {
		t.Errorf("journal %v", s.journal)
	}
}

// Whatever step fails, what was issued before is ended and no lease comes out.
func TestFailureAtEachStep(t *testing.T) {
	fault := &oidc.Error{Stage: oidc.StageExchange, Message: "no", Hint: "try again"}
	rows := map[string]struct {
		spoil   func(*scene)
		journal []string
		stage   oidc.Stage
	}{
		"source fails": {func(s *scene) { s.source.fail = &oidc.Error{Stage: oidc.StageToken} }, nil, oidc.StageToken},
		"token for another audience": {func(s *scene) {
			s.source.change = func(int) map[string]any { return map[string]any{"aud": "https://github.com/acme"} }
		}, nil, oidc.StageToken},
		"token for two audiences": {func(s *scene) {
			s.source.change = func(int) map[string]any { return map[string]any{"aud": []string{"aud-one", "aud-two"}} }
		}, nil, oidc.StageToken},
		"first decision refuses":  {func(s *scene) { s.source.change = refuseFrom(1) }, nil, oidc.StageDecide},
		"second decision refuses": {func(s *scene) { s.source.change = refuseFrom(2) }, nil, oidc.StageDecide},
		"later token refused": {func(s *scene) { s.two.attempts, s.source.change = 2, refuseFrom(3) },
			[]string{"exchange one", "verify one", "exchange two", "end one"}, oidc.StageDecide},
		"first exchange fails":  {func(s *scene) { s.one.exchange = fault }, []string{"exchange one"}, oidc.StageExchange},
		"first verify fails":    {func(s *scene) { s.one.verify = fault }, []string{"exchange one", "verify one", "end one"}, oidc.StageExchange},
		"second exchange fails": {func(s *scene) { s.two.exchange = fault }, []string{"exchange one", "verify one", "exchange two", "end one"}, oidc.StageExchange},
		"second verify fails": {func(s *scene) { s.two.verify = fault },
			[]string{"exchange one", "verify one", "exchange two", "verify two", "end two", "end one"}, oidc.StageExchange},
		"variables overlap": {func(s *scene) { s.two.vars[0].Name = "ONE_SECRET" },
			[]string{"exchange one", "verify one", "exchange two", "verify two", "end two", "end one"}, oidc.StageHandOver},
		"variable steers the loader": {func(s *scene) { s.two.vars[0].Name = "LD_PRELOAD" },
			[]string{"exchange one", "verify one", "exchange two", "verify two", "end two", "end one"}, oidc.StageHandOver},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			row.spoil(s)
			l, err := s.open(t.Context())
			var e *oidc.Error
			if l != nil || !errors.As(err, &e) || e.Stage != row.stage {
				t.Fatalf("lease %v, error %v", l, err)
			}
			if !slices.Equal(s.journal, row.journal) {
				t.Errorf("journal %v, want %v", s.journal, row.journal)
			}
			checkSilent(t, "error", err, e.Hint)
			checkSilent(t, "events", s.events)
		})
	}
}

// refuseFrom makes the n-th token and later ones those of a fork's event.
func refuseFrom(first int) func(int) map[string]any {
	return func(n int) map[string]any {
		if n < first {
			return nil
		}
		return map[string]any{"event_name": "workflow_run"}
	}
}

func TestRefusalCarriesItsReasons(t *testing.T) {
	s := newScene(t)
	s.source.change = refuseFrom(1)
	_, err := s.open(t.Context())
	var r *Refusal
	var e *oidc.Error
	if !errors.As(err, &r) || !errors.As(err, &e) {
		t.Fatal(err)
	}
	if r.Decision.Admit || len(r.Decision.Reasons) == 0 || !strings.Contains(e.Message, r.Decision.Reasons[0].Text) || e.Hint == "" {
		t.Errorf("%q, hint %q, decision %+v", e.Message, e.Hint, r.Decision)
	}
	if len(s.events) != 1 || s.events[0].Decision.Admit {
		t.Errorf("events %+v", s.events)
	}
}

func TestRefusalOfALaterTokenIsAnEventOfItsProvider(t *testing.T) {
	s := newScene(t)
	s.two.attempts, s.source.change = 2, refuseFrom(3)
	if _, err := s.open(t.Context()); err == nil {
		t.Fatal("opened")
	}
	var refused []Event
	for _, e := range s.events {
		if e.Kind == Decision && !e.Decision.Admit {
			refused = append(refused, e)
		}
	}
	if len(refused) != 1 || refused[0].Provider != "two" {
		t.Errorf("events %+v", refused)
	}
}

func TestKeptTokenIsNotUsedWhenItIsOld(t *testing.T) {
	s := newScene(t)
	s.one.afterTake = func() { s.now = s.now.Add(4*time.Minute + 31*time.Second) }
	s.mustOpen(t)
	if !slices.Equal(s.source.asked, []string{"aud-one", "aud-two", "aud-two"}) {
		t.Errorf("tokens asked for %v", s.source.asked)
	}
	if s.two.tokens[0] != canaryToken+"-3" {
		t.Errorf("the second provider had %v", s.two.tokens)
	}
}

func TestProvidersThatShareAnAudienceAreRefused(t *testing.T) {
	s := newScene(t)
	_, err := Open(t.Context(), s.grant, []oidc.Provider{s.one, s.one}, s.source, Options{})
	if err == nil || !strings.Contains(err.Error(), "one audience") || s.source.n != 0 {
		t.Errorf("%v, %d tokens", err, s.source.n)
	}
	if _, err := Open(t.Context(), s.grant, nil, s.source, Options{}); err == nil || s.source.n != 0 {
		t.Error("a grant without a provider was opened")
	}
}

func TestOpenWithoutClockAndObserver(t *testing.T) {
	s := newScene(t)
	s.source.now = time.Now
	l, err := Open(t.Context(), s.grant, []oidc.Provider{s.one}, s.source, Options{Expect: grant.Expect{Repository: "acme/site"}})
	if err != nil {
		t.Fatal(err)
	}
	if ended := l.End(t.Context()); len(ended) != 1 {
		t.Errorf("endings %v", ended)
	}
}
