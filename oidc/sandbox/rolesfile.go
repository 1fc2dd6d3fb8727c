package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"go.yaml.in/yaml/v4"
)

// Limits on what is read from a roles file.
const (
	// MaxRolesBytes is the largest roles file, in bytes.
	MaxRolesBytes = 256 << 10
	maxRolesNodes = 20_000
	maxRolesDepth = 20
)

// rolesFile is the file as it is written.
type rolesFile struct {
	Version int `yaml:"version"`
	Roles   []struct {
		ARN        string        `yaml:"arn"`
		MaxSession time.Duration `yaml:"max-session"`
		Trust      yaml.Node     `yaml:"trust"`
		Policies   []yaml.Node   `yaml:"policies"`
	} `yaml:"roles"`
}

// ParseRoles reads roles from YAML, strictly. Policies are written as YAML or, as
// every JSON text is YAML, pasted as JSON:
//
//	version: 1
//	roles:
//	  - arn: arn:aws:iam::111122223333:role/site-deploy
//	    max-session: 2h
//	    trust: { Version: 2012-10-17, Statement: […] }
//	    policies: [{ Version: 2012-10-17, Statement: […] }]
//
// Errors name path; the policies themselves are read by New.
func ParseRoles(path string, b []byte) ([]Role, error) {
	if len(b) > MaxRolesBytes {
		return nil, fmt.Errorf("%s: the roles file has more than %d KiB", path, MaxRolesBytes>>10)
	}
	var file rolesFile
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(&file); err != nil && err != io.EOF {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if file.Version != 1 {
		return nil, fmt.Errorf("%s: the roles file must say version: 1", path)
	}
	roles := make([]Role, 0, len(file.Roles))
	left := maxRolesNodes
	for i, r := range file.Roles {
		role := Role{ARN: r.ARN, MaxSession: r.MaxSession}
		var err error
		if role.Trust, err = policyText(&r.Trust, &left); err != nil {
			return nil, fmt.Errorf("%s: trust of role %d: %w", path, i+1, err)
		}
		for j := range r.Policies {
			text, err := policyText(&r.Policies[j], &left)
			if err != nil {
				return nil, fmt.Errorf("%s: policy %d of role %d: %w", path, j+1, i+1, err)
			}
			role.Policies = append(role.Policies, text)
		}
		roles = append(roles, role)
	}
	return roles, nil
}

// policyText writes a YAML value as JSON.
func policyText(n *yaml.Node, left *int) (string, error) {
	if n.Kind != yaml.MappingNode {
		return "", fmt.Errorf("line %d: a policy is a mapping", n.Line)
	}
	var b bytes.Buffer
	if err := writeNode(&b, n, left, 0); err != nil {
		return "", err
	}
	return b.String(), nil
}

// writeNode writes every scalar as the text that it is in the file, so that
// 2012-10-17 stays a version and does not become a date. Keys keep their order
// and their repetitions: package policy refuses those.
func writeNode(b *bytes.Buffer, n *yaml.Node, left *int, depth int) error {
	*left--
	if *left < 0 || depth > maxRolesDepth {
		return fmt.Errorf("line %d: the file nests or holds too much", n.Line)
	}
	open, end, separators := "[", "]", [2]string{",", ","}
	switch n.Kind {
	case yaml.ScalarNode:
		text, err := json.Marshal(n.Value)
		b.Write(text)
		return err
	case yaml.MappingNode:
		open, end, separators = "{", "}", [2]string{",", ":"}
	case yaml.SequenceNode:
	default:
		return fmt.Errorf("line %d: aliases are not read here", n.Line)
	}
	b.WriteString(open)
	for i, c := range n.Content {
		if i > 0 {
			b.WriteString(separators[i%2])
		}
		if err := writeNode(b, c, left, depth+1); err != nil {
			return err
		}
	}
	b.WriteString(end)
	return nil
}
