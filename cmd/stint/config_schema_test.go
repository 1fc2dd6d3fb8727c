package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/oidc/grant"
)

// The schema of .github/stint.yml is one file, kept with the grants. What it says of the
// keys of lint is what lint's parser says; package grant tests the rest.
func TestSchemaAgreesWithTheParserOfLint(t *testing.T) {
	schema := compileSchema(t)
	const commit = "0123456789abcdef0123456789abcdef01234567"
	for file, good := range map[string]bool{
		"version: 1\n": true,
		"version: 1\nextends: acme/.github:stint.yml@" + commit:                                   true,
		"version: 1\nextends: acme/.github:stint.yml@main":                                        false,
		"version: 1\nextends: acme/.github@" + commit:                                             false,
		"version: 1\nextends: [a]":                                                                false,
		"version: 1\nlocked: [profile, debt, rules.unpinned-action]":                              true,
		"version: 1\nlocked: [version]":                                                           false,
		"version: 1\nlocked: profile":                                                             false,
		"version: 1\nlint: { profile: 2026-11 }":                                                  true,
		"version: 1\nlint: { profile: 2026-13 }":                                                  false,
		"version: 1\nlint: { profile: latest }":                                                   false,
		"version: 1\nlint: { min-severity: high, strict: true }":                                  true,
		"version: 1\nlint: { min-severity: severe }":                                              false,
		"version: 1\nlint: { strict: maybe }":                                                     false,
		"version: 1\nlint: { disable: [unpinned-action], trusted-owners: [acme] }":                true,
		"version: 1\nlint: { disable: unpinned-action }":                                          false,
		"version: 1\nlint: { disable: [\"\"] }":                                                   false,
		"version: 1\nlint: { actions: { allow: [\"acme/*\"], deny: [\"docker://**\"] } }":         true,
		"version: 1\nlint: { actions: { permit: [] } }":                                           false,
		"version: 1\nlint: { actions: [] }":                                                       false,
		"version: 1\nlint: { ignore: [{ rule: a, path: \"**\", reason: b, until: 2027-01-31 }] }": true,
		"version: 1\nlint: { ignore: [{ rule: a }] }":                                             false,
		"version: 1\nlint: { ignore: [{ rule: a, path: b, until: soon }] }":                       false,
		"version: 1\nlint: { ignore: [{ rule: a, path: b, line: 3 }] }":                           false,
		"version: 1\nlint: { severity: high }":                                                    false,
		"version: 2\n":                                                                            false,
	} {
		if _, err := lint.ParseConfig(lint.ConfigPath, []byte(file)); (err == nil) != good {
			t.Errorf("the parser says %v of\n%s", err, file)
		}
		if err := schema.Validate(asJSON(t, file)); (err == nil) != good {
			t.Errorf("the schema says %v of\n%s", err, file)
		}
	}
}

// Every top-level key that the readers know is in the schema, and none besides.
func TestSchemaHasTheKeysOfTheFile(t *testing.T) {
	var doc struct {
		Properties map[string]any `json:"properties"`
	}
	if err := json.Unmarshal(grant.Schema(), &doc); err != nil {
		t.Fatal(err)
	}
	for _, key := range fileKeys {
		if doc.Properties[key] == nil {
			t.Errorf("the schema lacks %q", key)
		}
		delete(doc.Properties, key)
	}
	if len(doc.Properties) > 0 {
		t.Errorf("no reader knows %v", doc.Properties)
	}
}

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(grant.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("stint.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("stint.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asJSON reads a file as an editor does. A date stays the text that it is.
func asJSON(t *testing.T, file string) any {
	t.Helper()
	var node yaml.Node
	if err := yaml.Unmarshal([]byte(file), &node); err != nil {
		t.Fatal(err)
	}
	asText(&node)
	var v any
	if err := node.Decode(&v); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	v, err = jsonschema.UnmarshalJSON(strings.NewReader(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func asText(n *yaml.Node) {
	if n.Tag == "!!timestamp" {
		n.Tag = "!!str"
	}
	for _, c := range n.Content {
		asText(c)
	}
}
