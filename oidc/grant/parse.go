package grant

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/stint-dev/stint/oidc"
)

// A reader reads one grant file.
type reader struct {
	strict
	providers []string
}

func parse(path string, b []byte, opts Options) (*File, error) {
	root, err := document(path, b)
	if err != nil {
		return nil, err
	}
	top, err := pairs(path, root, "the file")
	if err != nil {
		return nil, err
	}
	r := reader{strict{path}, opts.Providers}
	f := &File{Path: path, Digest: digest(b)}
	version := false
	for _, k := range top {
		switch k.name {
		case "version":
			version, err = true, r.version(k)
		case "grants":
			f.Grants, err = r.grants(k)
		default:
			f.Other = append(f.Other, Key{k.name, k.line})
		}
		if err != nil {
			return nil, err
		}
	}
	if !version {
		return nil, problem(path, root.Line, "begin the file with `version: 1`", "the file does not say its version")
	}
	return f, nil
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func (r reader) version(k pair) error {
	if k.value.Kind != yaml.ScalarNode || k.value.ShortTag() != "!!int" || k.value.Value != "1" {
		return problem(r.path, k.line, "write `version: 1`, or use a newer stint", "version must be the number 1")
	}
	return nil
}

func (r reader) grants(k pair) ([]*Grant, error) {
	named, err := pairs(r.path, k.value, "grants")
	if err != nil {
		return nil, err
	}
	if len(named) > maxGrants {
		return nil, problem(r.path, k.line, fmt.Sprintf("keep it to %d", maxGrants), "the file has too many grants")
	}
	grants := make([]*Grant, 0, len(named))
	for _, p := range named {
		g, err := r.grant(p)
		if err != nil {
			return nil, err
		}
		grants = append(grants, g)
	}
	return grants, nil
}

// grant reads one grant.
func (r reader) grant(p pair) (*Grant, error) {
	if !grantName.MatchString(p.name) {
		return nil, problem(r.path, p.line, "use lower-case letters, digits and \"-\", at most 63, not \"-\" first", "%s is not a grant name", quote(p.name))
	}
	what := "grant " + quote(p.name)
	keys, err := pairs(r.path, p.value, what)
	if err != nil {
		return nil, err
	}
	g := &Grant{Name: p.name, Path: r.path, Line: p.line, TTL: DefaultTTL, lines: map[string]int{}}
	given := map[string]bool{}
	for _, k := range keys {
		given[k.name] = true
		if err := r.grantKey(g, k, what); err != nil {
			return nil, err
		}
	}
	for _, need := range []struct{ key, hint string }{
		{"intent", "say in a few words what the credential is for: intent: publish the site"},
		{"owner", `say who answers for it: owner: "@acme/web"`},
		{"for", "say which jobs may have it: for: { workflow: …, ref: refs/heads/main }"},
	} {
		if !given[need.key] {
			return nil, problem(r.path, p.line, need.hint, "%s has no %s", what, need.key)
		}
	}
	if len(g.Targets) == 0 {
		return nil, problem(r.path, p.line, "add the block of a provider: "+strings.Join(r.providers, ", "), "%s opens nothing", what)
	}
	g.Digest, err = r.canonical(g, keys)
	return g, err
}

// grantKey reads one key of a grant into g.
func (r reader) grantKey(g *Grant, k pair, what string) error {
	at := k.name + " of " + what
	switch k.name {
	case "intent":
		return r.line(k, &g.Intent, at)
	case "owner":
		return r.line(k, &g.Owner, at)
	case "for":
		return r.readFor(g, k, at)
	case "ttl":
		return r.ttl(g, k, at)
	}
	if !slices.Contains(r.providers, k.name) {
		return r.unknownKey(k, what, append([]string{"intent", "owner", "for", "ttl"}, r.providers...))
	}
	if k.value.Kind != yaml.MappingNode {
		return r.wrong(k.value, at, "a mapping")
	}
	node := k.value
	g.Targets = append(g.Targets, &Target{
		Provider: k.name,
		Line:     k.line,
		decode:   func(v any) error { return r.decode(node, v, at) },
	})
	return nil
}

// ttl reads a lifetime. Below a minute no command gets anything done, and no cloud
// that stint knows issues for more than twelve hours.
func (r reader) ttl(g *Grant, k pair, at string) error {
	if err := r.decode(k.value, &g.TTL, at); err != nil {
		return err
	}
	if !ttlForm.MatchString(k.value.Value) {
		return problem(r.path, k.line, "write 15m, 900s, 1h or 1h30m; from 1m to 12h", "%s cannot be %s", at, quote(k.value.Value))
	}
	return nil
}

// line reads a text of one line that says something.
func (r reader) line(k pair, into *string, at string) error {
	const most = 300
	if err := r.decode(k.value, into, at); err != nil {
		return err
	}
	*into = strings.TrimSpace(*into)
	if *into == "" || len(*into) > most || printable(*into) != *into {
		return problem(r.path, k.line, fmt.Sprintf("write one line of at most %d bytes", most), "%s is not one line of text", at)
	}
	return nil
}

// canonical is the digest of what the grant means.
func (r reader) canonical(g *Grant, keys []pair) (string, error) {
	targets := map[string]any{}
	for _, k := range keys {
		if !slices.Contains(r.providers, k.name) {
			continue
		}
		block, err := r.plain(k.value, k.name+" of grant "+quote(g.Name))
		if err != nil {
			return "", err
		}
		targets[k.name] = block
	}
	b, err := json.Marshal(struct {
		Name, Intent, Owner string
		For                 For
		Seconds             int64
		Targets             map[string]any
	}{g.Name, g.Intent, g.Owner, g.For, int64(g.TTL / time.Second), targets})
	if err != nil {
		return "", problem(r.path, g.Line, "simplify its provider block", "grant %s has a value that has no canonical form", quote(g.Name))
	}
	return digest(b), nil
}

func (f *File) grant(name string) (*Grant, error) {
	names := make([]string, 0, len(f.Grants))
	for _, g := range f.Grants {
		if g.Name == name {
			return g, nil
		}
		names = append(names, g.Name)
	}
	slices.SortStableFunc(names, func(a, b string) int { return distance(name, a) - distance(name, b) })
	const most = 10
	hint := "grants in it: " + strings.Join(names[:min(most, len(names))], ", ")
	if len(names) > most {
		hint += " and " + strconv.Itoa(len(names)-most) + " more"
	}
	if len(names) == 0 {
		hint = "it has no grants yet: add one below `grants:`"
	}
	return nil, &oidc.Error{
		Stage:   oidc.StageDecide,
		Message: "no grant " + quote(name) + " in " + f.Path,
		Hint:    hint,
	}
}
