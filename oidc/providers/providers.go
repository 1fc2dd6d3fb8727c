// Package providers is the list of clouds that a grant can open. Each provider
// lies whole in the directory that has its name; the list is generated from the
// directories, so that adding a provider touches nothing else.
//
// The package of a provider exports Name, which is its key in a grant, New, and
// NewEnder. One whose cloud has locks exports Trust, and ReadLive where the cloud can
// be asked for them; see [trust.Cloud] and [LiveReader].
package providers

import (
	"context"
	"fmt"
	"slices"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

//go:generate go run ./gen

// Options are what every provider takes from outside. The zero value is for real use.
type Options = wire.Options

// An Ender ends credentials of one provider from their handles alone.
type Ender interface {
	End(ctx context.Context, h oidc.Handle) oidc.Ending
}

// An entry is one provider of the list.
type entry struct {
	name  string
	make  func(*grant.Target, *grant.Grant, Options) (oidc.Provider, error)
	ender func(Options) Ender
}

// Names lists the keys of a grant that are provider blocks, sorted.
func Names() []string {
	names := make([]string, len(all))
	for i, e := range all {
		names[i] = e.name
	}
	return names
}

// New makes the providers of a grant, one for each of its blocks, in file order.
// It checks the blocks whole and makes no call. Errors are *oidc.Error.
func New(g *grant.Grant, opts Options) ([]oidc.Provider, error) {
	made := make([]oidc.Provider, 0, len(g.Targets))
	for _, target := range g.Targets {
		i := slices.IndexFunc(all, func(e entry) bool { return e.name == target.Provider })
		if i < 0 {
			return nil, &oidc.Error{Stage: oidc.StageDecide,
				Message: fmt.Sprintf("grant %q names the provider %q, which this stint does not have", g.Name, target.Provider),
				Hint:    "use a newer stint, or remove the block"}
		}
		p, err := all[i].make(target, g, opts)
		if err != nil {
			return nil, err
		}
		made = append(made, p)
	}
	return made, nil
}

// Enders returns what ends the credentials of each provider, by its name.
func Enders(opts Options) map[string]Ender {
	enders := map[string]Ender{}
	for _, e := range all {
		enders[e.name] = e.ender(opts)
	}
	return enders
}
