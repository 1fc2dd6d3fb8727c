package cloudformation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/stint-dev/stint/oidc/trust"
)

// Find returns the trust policies of a template that are about GitHub's tokens. A
// file that is no template gives nothing and no error.
func Find(path string, b []byte) ([]trust.Document, error) {
	if !bytes.Contains(b, []byte("AWS::IAM::Role")) || !bytes.Contains(b, []byte("Resources")) {
		return nil, nil
	}
	if len(b) > trust.MaxDocumentBytes {
		return nil, fmt.Errorf("the template has more than %d MiB", trust.MaxDocumentBytes>>20)
	}
	t, err := parse(b)
	if err != nil {
		return nil, err
	}
	var docs []trust.Document
	for _, name := range t.order {
		if d, ok := t.role(name); ok {
			d.Path = path
			docs = append(docs, d)
		}
	}
	return docs, nil
}

// A template is the part of one that is read. Functions have their long form:
// {"Fn::Sub": …}, {"Ref": …}.
type template struct {
	parameters, resources map[string]any
	order                 []string // resources as written
	lines                 map[string]int
}

func parse(b []byte) (*template, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(spaced(b), &root); err != nil {
		return nil, errors.New("the template is neither yaml nor json")
	}
	r := &reader{}
	t := &template{lines: map[string]int{}}
	if len(root.Content) == 0 || root.Content[0].Kind != yaml.MappingNode {
		return t, nil
	}
	top := root.Content[0].Content
	for i := 0; i+1 < len(top); i += 2 {
		switch section, _ := r.value(top[i+1], 0).(map[string]any); top[i].Value {
		case "Parameters":
			t.parameters = section
		case "Resources":
			t.resources = section
			t.place(top[i+1])
		}
	}
	if r.over {
		return nil, errors.New("the template is nested too deeply, or has too many aliases")
	}
	return t, nil
}

// spaced turns the tabs of a JSON file's white space into spaces, which YAML wants.
func spaced(b []byte) []byte {
	if !json.Valid(b) {
		return b
	}
	return bytes.ReplaceAll(b, []byte("\t"), []byte(" "))
}

// place notes where each resource's trust policy is.
func (t *template) place(resources *yaml.Node) {
	for i := 0; i+1 < len(resources.Content); i += 2 {
		name := resources.Content[i]
		t.order = append(t.order, name.Value)
		t.lines[name.Value] = name.Line
	}
}

// Limits of a template's values.
const (
	maxDepth = 100
	maxNodes = 500_000
)

// A reader turns nodes into plain values, counting them so that aliases cannot blow
// a small file up.
type reader struct {
	nodes int
	over  bool
}

func (r *reader) value(n *yaml.Node, depth int) any {
	if r.nodes++; depth > maxDepth || r.nodes > maxNodes {
		r.over = true
		return nil
	}
	got := r.untagged(n, depth)
	name, short := strings.CutPrefix(n.Tag, "!")
	if !short || strings.HasPrefix(name, "!") || name == "" {
		return got
	}
	switch name {
	case "Ref", "Condition":
		return map[string]any{name: got}
	case "GetAtt":
		if text, ok := got.(string); ok {
			resource, attribute, _ := strings.Cut(text, ".")
			got = []any{resource, attribute}
		}
	}
	return map[string]any{"Fn::" + name: got}
}

func (r *reader) untagged(n *yaml.Node, depth int) any {
	switch n.Kind {
	case yaml.AliasNode:
		return r.value(n.Alias, depth+1)
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for _, c := range n.Content {
			list = append(list, r.value(c, depth+1))
		}
		return list
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = r.value(n.Content[i+1], depth+1)
		}
		return m
	}
	switch {
	case n.ShortTag() == "!!null":
		return nil
	case n.ShortTag() == "!!bool":
		return strings.EqualFold(n.Value, "true")
	}
	return n.Value
}

// role reads the trust policy of a role, if it is about GitHub.
func (t *template) role(name string) (trust.Document, bool) {
	resource, _ := t.resources[name].(map[string]any)
	properties, _ := resource["Properties"].(map[string]any)
	if resource["Type"] != "AWS::IAM::Role" || properties["AssumeRolePolicyDocument"] == nil {
		return trust.Document{}, false
	}
	r := &resolver{template: t}
	body, err := policyText(r.value(properties["AssumeRolePolicyDocument"], 0))
	if err != nil || !strings.Contains(string(body), "token.actions.") && !strings.Contains(string(body), "/_services/token") {
		return trust.Document{}, false
	}
	return trust.Document{Cloud: "aws", Line: t.lines[name], Name: name, Body: body, Unresolved: r.unresolved}, true
}

// policyText is the document as JSON, whether it was written as values or as text.
func policyText(v any) ([]byte, error) {
	if text, ok := v.(string); ok {
		return []byte(text), nil
	}
	return json.Marshal(v)
}
