package gcp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/stint-dev/stint/oidc/trust"
)

// Limits of one file.
const (
	maxYAMLDepth = 50
	maxProviders = 200
	// maxBound is how many members of pools a file may name. Google takes 1,500
	// principals in one policy (IAM quotas).
	maxBound = 5000
)

// A part is one object of a file.
type part struct {
	line   int
	object map[string]json.RawMessage
	raw    json.RawMessage
}

// findLocks returns the providers of a file: `gcloud iam workload-identity-pools
// providers describe` or `list` in JSON or YAML, alone or in one list with IAM
// policies (`gcloud … get-iam-policy`), whose members go to the providers of the same
// pool. {"providers": […], "bindings": […]} is taken as well. An IAM policy alone gives
// one lock a pool, of which the condition is not known.
func findLocks(path string, b []byte) ([]trust.Document, error) {
	b = bytes.TrimSpace(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")))
	if len(b) > trust.MaxDocumentBytes || !looksOurs(b) {
		return nil, nil
	}
	parts, err := partsOf(path, b)
	if err != nil || parts == nil {
		return nil, err
	}
	var f found
	for _, p := range parts {
		if err := f.add(p); err != nil {
			return nil, err
		}
	}
	return f.documents(path)
}

// looksOurs spares most files being parsed.
func looksOurs(b []byte) bool {
	for _, word := range []string{`attributeMapping`, `attributeCondition`, `workloadIdentityPools/`} {
		if bytes.Contains(b, []byte(word)) {
			return true
		}
	}
	return false
}

// partsOf reads a file into its objects, from JSON or YAML. A file of neither is not
// ours, unless its name says that it is.
func partsOf(path string, b []byte) ([]part, error) {
	if b[0] == '{' || b[0] == '[' {
		return jsonParts(b)
	}
	if !strings.HasSuffix(path, ".yml") && !strings.HasSuffix(path, ".yaml") && path != "-" && path != "" {
		return nil, nil
	}
	return yamlParts(b)
}

func jsonParts(b []byte) ([]part, error) {
	if b[0] == '{' {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(b, &object); err != nil {
			return nil, fmt.Errorf("the export is %s", jsonProblem(err))
		}
		return []part{{1, object, b}}, nil
	}
	var parts []part
	dec := json.NewDecoder(bytes.NewReader(b))
	_, _ = dec.Token() // the bracket
	line, counted := 1, 0
	for dec.More() {
		at := int(dec.InputOffset())
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, fmt.Errorf("the export is %s", jsonProblem(err))
		}
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) == nil {
			at += bytes.Index(b[at:], raw)
			line, counted = line+bytes.Count(b[counted:at], []byte("\n")), at
			parts = append(parts, part{line, object, raw})
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("the export is %s", jsonProblem(err))
	}
	return parts, nil
}

// yamlParts reads the documents of a YAML stream, as gcloud separates list entries.
func yamlParts(b []byte) ([]part, error) {
	var parts []part
	dec := yaml.NewDecoder(bytes.NewReader(b))
	for {
		var doc yaml.Node
		if err := dec.Decode(&doc); err != nil {
			if len(parts) == 0 || !errors.Is(err, io.EOF) {
				return nil, fmt.Errorf("the export is neither JSON nor YAML")
			}
			return parts, nil
		}
		if len(doc.Content) == 0 {
			continue
		}
		nodes := []*yaml.Node{doc.Content[0]}
		if nodes[0].Kind == yaml.SequenceNode {
			nodes = nodes[0].Content
		}
		for _, n := range nodes {
			value, err := plain(n, 0)
			if err != nil {
				return nil, err
			}
			raw, err := json.Marshal(value)
			var object map[string]json.RawMessage
			if err == nil && json.Unmarshal(raw, &object) == nil {
				parts = append(parts, part{n.Line, object, raw})
			}
		}
	}
}

// plain reads a node without aliases, which exports do not have.
func plain(n *yaml.Node, depth int) (any, error) {
	if depth > maxYAMLDepth {
		return nil, fmt.Errorf("line %d: the export nests deeper than %d", n.Line, maxYAMLDepth)
	}
	switch n.Kind {
	case yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i].Value
			if _, twice := out[key]; twice || n.Content[i].Kind != yaml.ScalarNode {
				return nil, fmt.Errorf("line %d: %.60q is given twice or is no key", n.Content[i].Line, key)
			}
			v, err := plain(n.Content[i+1], depth+1)
			if err != nil {
				return nil, err
			}
			out[key] = v
		}
		return out, nil
	case yaml.SequenceNode:
		out := make([]any, len(n.Content))
		for i, item := range n.Content {
			v, err := plain(item, depth+1)
			if err != nil {
				return nil, err
			}
			out[i] = v
		}
		return out, nil
	case yaml.ScalarNode:
		switch n.ShortTag() {
		case "!!null":
			return nil, nil
		case "!!bool":
			return n.Value == "true", nil
		}
		return n.Value, nil
	}
	return nil, fmt.Errorf("line %d: the export has an alias", n.Line)
}

// A binding is one of an IAM policy.
type binding struct {
	Role      string          `json:"role"`
	Members   []string        `json:"members"`
	Condition json.RawMessage `json:"condition,omitempty"`
}

// found are the providers of one file and the members of pools that it binds.
type found struct {
	providers []part
	members   []member
	bound     bool // there was an IAM policy, be it empty
	line      int  // of the first one
}

func (f *found) add(p part) error {
	if raw, ok := p.object["providers"]; ok {
		inner, err := jsonParts(bytes.TrimSpace(raw))
		if err != nil {
			return err
		}
		for _, q := range inner {
			q.line = p.line
			if isProvider(q.object) {
				f.providers = append(f.providers, q)
			}
		}
	}
	if raw, ok := p.object["bindings"]; ok {
		var list []binding
		if err := json.Unmarshal(raw, &list); err != nil {
			return fmt.Errorf("the bindings are not those of an IAM policy: %s", jsonProblem(err))
		}
		f.bind(list)
		if f.bound = true; f.line == 0 {
			f.line = p.line
		}
	}
	if isProvider(p.object) {
		f.providers = append(f.providers, p)
	}
	if len(f.providers) > maxProviders || len(f.members) > maxBound {
		return fmt.Errorf("the export has more than %d providers or %d members", maxProviders, maxBound)
	}
	return nil
}

// bind keeps the members that are of a pool.
func (f *found) bind(list []binding) {
	for _, b := range list {
		conditional := len(b.Condition) > 0 && string(b.Condition) != "null"
		for _, text := range b.Members {
			if m := parseMember(text, conditional); m.kind != otherMember {
				f.members = append(f.members, m)
			}
		}
	}
}

func isProvider(object map[string]json.RawMessage) bool {
	_, mapping := object["attributeMapping"]
	_, condition := object["attributeCondition"]
	return mapping || condition
}

// documents joins the bindings to the providers of their pool.
func (f *found) documents(path string) ([]trust.Document, error) {
	if len(f.providers) == 0 {
		return f.membersAlone(path)
	}
	pools := make([]pool, len(f.providers))
	count := map[pool]int{}
	for i, p := range f.providers {
		var name string
		_ = json.Unmarshal(p.object["name"], &name) // readLock says what is wrong with it
		if m := providerName.FindStringSubmatch(name); m != nil {
			pools[i] = pool{m[1], m[2]}
		}
		count[pools[i]]++
	}
	var docs []trust.Document
	for i, p := range f.providers {
		body := p.raw
		if f.bound {
			f.join(p.object, pools[i])
		}
		if n := count[pools[i]]; n > 1 && pools[i].id != "" {
			p.object["poolProviders"], _ = json.Marshal(n)
		}
		if f.bound || count[pools[i]] > 1 {
			var err error
			if body, err = json.Marshal(p.object); err != nil {
				return nil, fmt.Errorf("the provider is %s", jsonProblem(err))
			}
		}
		var name string
		_ = json.Unmarshal(p.object["name"], &name)
		docs = append(docs, trust.Document{Cloud: Name, Path: path, Line: p.line, Name: shortName(name), Body: body})
	}
	return docs, nil
}

// join adds the members of the pool to the provider. A provider that does not say its
// pool gets them all.
func (f *found) join(object map[string]json.RawMessage, of pool) {
	members, conditional := []string{}, []string{}
	for _, m := range f.members {
		switch {
		case of.id != "" && m.pool != of:
		case m.conditional:
			conditional = append(conditional, m.text)
		default:
			members = append(members, m.text)
		}
	}
	object["members"], _ = json.Marshal(members)
	object["conditionalMembers"], _ = json.Marshal(conditional)
}

// membersAlone makes a lock of each pool that an IAM policy names.
func (f *found) membersAlone(path string) ([]trust.Document, error) {
	var docs []trust.Document
	seen := map[pool]bool{}
	for _, m := range f.members {
		if seen[m.pool] {
			continue
		}
		if seen[m.pool] = true; len(seen) > maxProviders {
			return nil, fmt.Errorf("the export names more than %d pools", maxProviders)
		}
		object := map[string]json.RawMessage{}
		f.join(object, m.pool)
		body, err := json.Marshal(object)
		if err != nil {
			return nil, fmt.Errorf("the members are %s", jsonProblem(err))
		}
		docs = append(docs, trust.Document{Cloud: Name, Path: path, Line: f.line, Name: m.pool.id, Body: body,
			Unresolved: []string{"the mapping and the condition of the providers of pool " + m.pool.String()}})
	}
	return docs, nil
}

// shortName is pool/provider of a provider's full name.
func shortName(name string) string {
	m := providerName.FindStringSubmatch(name)
	if m == nil {
		return ""
	}
	return m[2] + "/" + m[3]
}
