package lint

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stint-dev/stint/workflows"
)

// guarded answers what every environment of acme/site demands.
type guarded struct {
	Offline
	asked []string
}

// Environment implements [Resolver].
func (g *guarded) Environment(_ context.Context, owner, repo, name string) (workflows.Protection, error) {
	g.asked = append(g.asked, owner+"/"+repo+" "+name)
	return workflows.Protection{Wait: true}, nil
}

// Nobody is asked about the environments of a repository on another server, or of none.
func TestProtectionAsksAboutThisRepositoryOnly(t *testing.T) {
	const job = "jobs: { a: { runs-on: x, environment: %, steps: [ { run: make } ] } }\n"
	for _, test := range []struct {
		host, name, text string
		online           bool
		asked, note      string
	}{
		{"github.com", "acme/site", "on: push\n" + job, true, "acme/site live/%41", ""},
		{"github.com", "acme/site", "on: push\n" + job, false, "", "use --online"},
		{"ghe.example.com", "acme/site", "on: push\n" + job, true, "", "names no repository on github.com"},
		{"github.com.example.com", "acme/site", "on: push\n" + job, true, "", "names no repository on github.com"},
		{"", "acme/site", "on: push\n" + job, true, "", "names no repository on github.com"},
		{"", "", "on: push\n" + job, true, "", "names no repository on github.com"},
		{"github.com", "acme/site", "on: workflow_call\n" + job, true, "", ""},
		{"github.com", "acme/site", "on: [workflow_call, push]\n" + job, true, "acme/site live/%41", ""},
		{"github.com", "acme/site", "on: push\njobs: { a: { runs-on: x, steps: [ { run: make } ] } }\n", true, "", ""},
		{"github.com", "acme/site", "on: push\njobs: { a: { runs-on: x, environment: 'a${{ inputs.b }}', steps: [ { run: make } ] } }\n", true, "", ""},
	} {
		g := &guarded{}
		rule := &Rule{ID: "asks", Check: func(p *Pass) {
			got, err := p.Protection(p.Graph.Jobs[0])
			if asked := test.asked != ""; got.Wait != asked || errors.Is(err, ErrOffline) == asked {
				t.Errorf("%+v: %+v, %v", test, got, err)
			}
		}}
		repo := repository("a.yml", strings.Replace(test.text, "%", `"live/%41"`, 1))
		repo.Host, repo.Name = test.host, test.name
		res := Run(t.Context(), repo, Options{Rules: []*Rule{rule}, Online: test.online, Resolver: g})
		if got := strings.Join(g.asked, ","); got != test.asked {
			t.Errorf("%+v: asked %q", test, got)
		}
		if got := strings.Join(res.NotChecked, ","); (got != "") != (test.note != "") || !strings.Contains(got, test.note) {
			t.Errorf("%+v: not checked: %q", test, got)
		}
	}
}
