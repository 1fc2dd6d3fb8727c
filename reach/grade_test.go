package reach

import (
	"math/rand/v2"
	"testing"

	"github.com/stint-dev/stint/workflows/platform"
)

// randomExposure draws an exposure with up to four credentials.
func randomExposure(r *rand.Rand) Exposure {
	e := Exposure{
		Steer:    Trust(r.IntN(int(MaliciousCode) + 1)),
		Start:    platform.Starter(r.IntN(int(platform.StartAnyone) + 1)),
		Autonomy: r.IntN(2) == 0,
	}
	for range r.IntN(5) {
		e.Credentials = append(e.Credentials, randomCredential(r))
	}
	return e
}

func randomCredential(r *rand.Rand) *Credential {
	return &Credential{Lifetime: Lifetime(r.IntN(int(Standing) + 1)), Writes: r.IntN(2) == 0}
}

// A worse exposure is never graded lower.
func TestGradeNeverFallsWhenThingsGetWorse(t *testing.T) {
	worse := map[string]func(*rand.Rand, *Exposure){
		"code is steered further": func(r *rand.Rand, e *Exposure) {
			e.Steer += Trust(r.IntN(int(MaliciousCode-e.Steer) + 1))
		},
		"an outside trigger": func(_ *rand.Rand, e *Exposure) { e.Start = platform.StartAnyone },
		"acts alone":         func(_ *rand.Rand, e *Exposure) { e.Autonomy = true },
		"a credential more": func(r *rand.Rand, e *Exposure) {
			e.Credentials = append(e.Credentials[:len(e.Credentials):len(e.Credentials)], randomCredential(r))
		},
		"a standing credential more": func(_ *rand.Rand, e *Exposure) {
			e.Credentials = append(e.Credentials[:len(e.Credentials):len(e.Credentials)], &Credential{Lifetime: Standing, Writes: true})
		},
	}
	r := rand.New(rand.NewPCG(1, 2))
	for name, change := range worse {
		for range 5000 {
			e := randomExposure(r)
			before := Grade(e)
			after := e
			change(r, &after)
			if Grade(after) < before {
				t.Fatalf("%s lowered %v to %v: %+v", name, before, Grade(after), e)
			}
		}
	}
}

func TestGradeTakingTheLastCredentialAwayNeverRaises(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 20000 {
		e := randomExposure(r)
		before := Grade(e)
		e.Credentials = nil
		if Grade(e) > before {
			t.Fatalf("taking every credential away raised %v to %v: %+v", before, Grade(e), e)
		}
	}
}

// The sentences of the design, as grades.
func TestGradeOfKnownSituations(t *testing.T) {
	standing := []*Credential{{Lifetime: Standing, Writes: true}}
	read := []*Credential{{Lifetime: ForJob}}
	write := []*Credential{{Lifetime: ForJob, Writes: true}}
	for _, c := range []struct {
		name string
		e    Exposure
		want Severity
	}{
		{"a tag-pinned action with nothing in reach is a chore", Exposure{Steer: MutableThirdParty}, Low},
		{"the same line beside a standing key is the reviewdog break-in", Exposure{Credentials: standing, Steer: MutableThirdParty}, High},
		{"and critical where anyone starts it", Exposure{Credentials: standing, Steer: MutableThirdParty, Start: platform.StartAnyone}, Critical},
		{"a standing secret in a job of own code is debt", Exposure{Credentials: standing, Steer: OwnCode}, Medium},
		{"an outsider's code beside a write token", Exposure{Credentials: write, Steer: OutsiderCode, Start: platform.StartAnyone}, Critical},
		{"an outsider's code with a token that reads", Exposure{Credentials: read, Steer: OutsiderCode, Start: platform.StartForkSandboxed}, Medium},
		{"an outsider's code with nothing in reach", Exposure{Steer: OutsiderCode, Start: platform.StartAnyone}, Low},
		{"a malicious version in any job", Exposure{Steer: MaliciousCode}, High},
		{"pinned code and a token that reads", Exposure{Credentials: read, Steer: PinnedThirdParty}, Info},
	} {
		if got := Grade(c.e); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
