package linttest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/workflows"
)

// networkFile is the name of the file, in archives and in blocks of a README, that says
// what the network would answer.
const networkFile = "network"

// A Network is a [lint.Resolver] that answers from a text with one fact a line:
//
//	acme/tool branch main <commit>
//	acme/tool tag v1.2.0 <commit>
//	acme/tool holds <commit>        further back in its history
//	acme/tool renamed acme/gadget
//	acme/tool archived
//	acme/tool fails                 it does not answer
//	acme/tool advisory GHSA-aaaa-bbbb-cccc 1.2.1 >= 1.0, < 1.2.1
//	acme/image:1 digest sha256:<64 hexadecimal digits>
//	acme/app environment npm approval wait refs
//
// The words after the name of an environment are what it demands, none for nothing; a
// space in the name is written %20. A repository, image or environment that no line names does not exist.
type Network struct {
	refs       map[string]*workflows.Refs
	holds      map[string]bool // owner/repo@commit
	archived   map[string]bool
	fails      map[string]bool
	digests    map[string]string               // by image
	gates      map[string]workflows.Protection // by owner/repo and environment
	advisories []workflows.RemoteAdvisory
}

var errNoAnswer = errors.New("no answer")

var (
	fullCommit = regexp.MustCompile(`^[0-9a-f]{40}$`)
	fullDigest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
)

// ParseNetwork reads the facts; lines that start with # are prose.
func ParseNetwork(text []byte) (*Network, error) {
	n := &Network{refs: map[string]*workflows.Refs{}, holds: map[string]bool{}, archived: map[string]bool{}, fails: map[string]bool{}, digests: map[string]string{}, gates: map[string]workflows.Protection{}}
	for l := range strings.Lines(string(text)) {
		l = strings.TrimSpace(l)
		if l == "" || strings.HasPrefix(l, "#") {
			continue
		}
		if !n.add(strings.Fields(l)) {
			return nil, fmt.Errorf("%q is no fact about the network", l)
		}
	}
	return n, nil
}

// add takes in one line; it reports whether the line has the form of one.
func (n *Network) add(words []string) bool {
	if len(words) < 2 {
		return false
	}
	name, args := strings.ToLower(words[0]), words[2:]
	if n.refs[name] == nil {
		n.refs[name] = &workflows.Refs{Branches: map[string]string{}, Tags: map[string]string{}}
	}
	refs := n.refs[name]
	switch what := words[1]; {
	case what == "branch" && len(args) == 2 && fullCommit.MatchString(args[1]):
		refs.Branches[args[0]] = args[1]
	case what == "tag" && len(args) == 2 && fullCommit.MatchString(args[1]):
		refs.Tags[args[0]] = args[1]
	case what == "holds" && len(args) == 1 && fullCommit.MatchString(args[0]):
		n.holds[name+"@"+args[0]] = true
	case what == "renamed" && len(args) == 1:
		refs.Renamed = args[0]
	case what == "archived" && len(args) == 0:
		n.archived[name] = true
	case what == "fails" && len(args) == 0:
		n.fails[name] = true
	case what == "digest" && len(args) == 1 && fullDigest.MatchString(args[0]):
		n.digests[name] = args[0]
	case what == "environment" && len(args) > 0:
		return n.gate(name, args[0], args[1:])
	case what == "advisory" && len(args) > 2:
		n.advisories = append(n.advisories, workflows.RemoteAdvisory{
			ID: args[0], Action: name, Fixed: args[1], Range: strings.Join(args[2:], " "), Date: today, URL: "https://github.com/advisories/" + args[0],
		})
	default:
		return false
	}
	return true
}

// gate takes in what an environment demands.
func (n *Network) gate(repo, environment string, demands []string) bool {
	environment, err := url.PathUnescape(environment)
	var p workflows.Protection
	for _, d := range demands {
		switch d {
		case "approval":
			p.Approval = true
		case "wait":
			p.Wait = true
		case "refs":
			p.Refs = true
		default:
			return false
		}
	}
	n.gates[repo+" "+strings.ToLower(environment)] = p
	return err == nil
}

// Refs implements [lint.Resolver].
func (n *Network) Refs(_ context.Context, owner, repo string) (*workflows.Refs, error) {
	name := strings.ToLower(owner + "/" + repo)
	switch refs := n.refs[name]; {
	case n.fails[name]:
		return nil, fmt.Errorf("the refs of %s: %w", name, errNoAnswer)
	case refs == nil:
		return nil, workflows.ErrNotFound
	default:
		return refs, nil
	}
}

// Commit implements [lint.Resolver].
func (n *Network) Commit(ctx context.Context, owner, repo, ref string) (commit, version string, err error) {
	refs, err := n.Refs(ctx, owner, repo)
	if err != nil {
		return "", "", err
	}
	if commit = refs.Commit(ref); commit == "" {
		return "", "", workflows.ErrNotFound
	}
	return commit, refs.Version(commit, ref), nil
}

// Contains implements [lint.Resolver].
func (n *Network) Contains(ctx context.Context, owner, repo, commit string) (bool, error) {
	refs, err := n.Refs(ctx, owner, repo)
	if err != nil {
		return false, err
	}
	return refs.IsTip(commit) || n.holds[strings.ToLower(owner+"/"+repo)+"@"+commit], nil
}

// Archived implements [lint.Resolver].
func (n *Network) Archived(ctx context.Context, owner, repo string) (bool, error) {
	_, err := n.Refs(ctx, owner, repo)
	return n.archived[strings.ToLower(owner+"/"+repo)], err
}

// Advisories implements [lint.Resolver].
func (n *Network) Advisories(context.Context) ([]workflows.RemoteAdvisory, error) {
	return n.advisories, nil
}

// Digest implements [lint.Resolver].
func (n *Network) Digest(_ context.Context, image string) (string, error) {
	name := strings.ToLower(image)
	switch digest := n.digests[name]; {
	case n.fails[name]:
		return "", fmt.Errorf("the digest of %s: %w", name, errNoAnswer)
	case digest == "":
		return "", workflows.ErrNotFound
	default:
		return digest, nil
	}
}

// Environment implements [lint.Resolver].
func (n *Network) Environment(_ context.Context, owner, repo, name string) (workflows.Protection, error) {
	slug := strings.ToLower(owner + "/" + repo)
	p, known := n.gates[slug+" "+strings.ToLower(name)]
	switch {
	case n.fails[slug]:
		return p, fmt.Errorf("the environments of %s: %w", slug, errNoAnswer)
	case !known:
		return p, workflows.ErrNotFound
	}
	return p, nil
}

// resolver returns what the options of a run need: an untyped nil when there is no network.
func (n *Network) resolver() lint.Resolver {
	if n == nil {
		return nil
	}
	return n
}
