package lint

import (
	"context"
	"errors"

	"github.com/stint-dev/stint/workflows"
)

// ErrOffline is returned by a Resolver that may not ask the network.
var ErrOffline = errors.New("offline")

// Offline is the Resolver of a run that asks nothing: every method returns ErrOffline.
// One that answers only some questions embeds it.
type Offline struct{}

// Commit implements [Resolver].
func (Offline) Commit(context.Context, string, string, string) (commit, version string, err error) {
	return "", "", ErrOffline
}

// Refs implements [Resolver].
func (Offline) Refs(context.Context, string, string) (*workflows.Refs, error) {
	return nil, ErrOffline
}

// Contains implements [Resolver].
func (Offline) Contains(context.Context, string, string, string) (bool, error) {
	return false, ErrOffline
}

// Archived implements [Resolver].
func (Offline) Archived(context.Context, string, string) (bool, error) { return false, ErrOffline }

// Advisories implements [Resolver].
func (Offline) Advisories(context.Context) ([]workflows.RemoteAdvisory, error) {
	return nil, ErrOffline
}

// Digest implements [Resolver].
func (Offline) Digest(context.Context, string) (string, error) { return "", ErrOffline }

// Environment implements [Resolver].
func (Offline) Environment(context.Context, string, string, string) (workflows.Protection, error) {
	return workflows.Protection{}, ErrOffline
}

// noting is the Resolver that a rule sees: it records what had no answer, so that no
// rule can forget to say so.
type noting struct {
	Resolver
	pass *Pass
}

// note records why a question had no answer.
func (n noting) note(err error) {
	switch {
	case err == nil || errors.Is(err, workflows.ErrNotFound):
	case errors.Is(err, ErrOffline):
		n.pass.NotChecked("offline, what only the network knows was not looked up")
	default:
		n.pass.NotChecked(err.Error())
	}
}

func (n noting) Commit(ctx context.Context, owner, repo, ref string) (commit, version string, err error) {
	commit, version, err = n.Resolver.Commit(ctx, owner, repo, ref)
	n.note(err)
	return commit, version, err
}

func (n noting) Refs(ctx context.Context, owner, repo string) (*workflows.Refs, error) {
	refs, err := n.Resolver.Refs(ctx, owner, repo)
	n.note(err)
	return refs, err
}

func (n noting) Contains(ctx context.Context, owner, repo, commit string) (bool, error) {
	has, err := n.Resolver.Contains(ctx, owner, repo, commit)
	n.note(err)
	return has, err
}

func (n noting) Archived(ctx context.Context, owner, repo string) (bool, error) {
	is, err := n.Resolver.Archived(ctx, owner, repo)
	n.note(err)
	return is, err
}

func (n noting) Advisories(ctx context.Context) ([]workflows.RemoteAdvisory, error) {
	list, err := n.Resolver.Advisories(ctx)
	n.note(err)
	return list, err
}

func (n noting) Digest(ctx context.Context, image string) (string, error) {
	digest, err := n.Resolver.Digest(ctx, image)
	n.note(err)
	return digest, err
}

func (n noting) Environment(ctx context.Context, owner, repo, name string) (workflows.Protection, error) {
	p, err := n.Resolver.Environment(ctx, owner, repo, name)
	n.note(err)
	return p, err
}
