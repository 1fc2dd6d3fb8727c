package lint

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stint-dev/stint/workflows"
)

// failing is a Resolver of which every answer is one error.
type failing struct{ err error }

func (f failing) Commit(context.Context, string, string, string) (commit, version string, err error) {
	return "", "", f.err
}
func (f failing) Refs(context.Context, string, string) (*workflows.Refs, error) { return nil, f.err }
func (f failing) Contains(context.Context, string, string, string) (bool, error) {
	return false, f.err
}
func (f failing) Archived(context.Context, string, string) (bool, error) { return false, f.err }
func (f failing) Advisories(context.Context) ([]workflows.RemoteAdvisory, error) {
	return nil, f.err
}
func (f failing) Digest(context.Context, string) (string, error) { return "", f.err }
func (f failing) Environment(context.Context, string, string, string) (workflows.Protection, error) {
	return workflows.Protection{}, f.err
}

// questions are all that a Resolver can be asked.
var questions = map[string]func(*Pass) error{
	"commit":     func(p *Pass) error { _, _, err := p.Resolver.Commit(p.Context, "a", "b", "v1"); return err },
	"refs":       func(p *Pass) error { _, err := p.Resolver.Refs(p.Context, "a", "b"); return err },
	"contains":   func(p *Pass) error { _, err := p.Resolver.Contains(p.Context, "a", "b", "c"); return err },
	"archived":   func(p *Pass) error { _, err := p.Resolver.Archived(p.Context, "a", "b"); return err },
	"advisories": func(p *Pass) error { _, err := p.Resolver.Advisories(p.Context); return err },
	"digest":     func(p *Pass) error { _, err := p.Resolver.Digest(p.Context, "a/b:1"); return err },
	"environment": func(p *Pass) error {
		_, err := p.Resolver.Environment(p.Context, "a", "b", "c")
		return err
	},
}

// Whatever a rule asks and gets no answer to is reported as not checked, without its doing.
func TestNoAnswerIsNoted(t *testing.T) {
	broken := errors.New("the refs of a/b: status 503")
	for _, test := range []struct {
		err  error
		note string
	}{
		{nil, ""},
		{fmt.Errorf("gone: %w", workflows.ErrNotFound), ""},
		{ErrOffline, "offline, what only the network knows was not looked up"},
		{broken, broken.Error()},
	} {
		for what, ask := range questions {
			rule := &Rule{ID: "online", Check: func(p *Pass) {
				if err := ask(p); !errors.Is(err, test.err) {
					t.Errorf("%s: got %v", what, err)
				}
			}}
			res := Run(t.Context(), repository("a.yml", head, "b.yml", head), Options{Rules: []*Rule{rule}, Resolver: failing{test.err}})
			var want []string
			if test.note != "" {
				want = []string{"online: " + test.note}
			}
			if !slices.Equal(res.NotChecked, want) {
				t.Errorf("%s, %v: not checked: %q, want %q", what, test.err, res.NotChecked, want)
			}
		}
	}
}

func TestNeedsNetwork(t *testing.T) {
	for _, online := range []bool{false, true} {
		rule := &Rule{ID: "online", Check: func(p *Pass) {
			if p.NeedsNetwork() != online {
				t.Errorf("online %t: NeedsNetwork says otherwise", online)
			}
		}}
		res := Run(t.Context(), repository("a.yml", head), Options{Rules: []*Rule{rule}, Online: online})
		if (len(res.NotChecked) == 0) != online {
			t.Errorf("online %t: not checked: %q", online, res.NotChecked)
		}
	}
}
