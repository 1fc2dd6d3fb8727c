package providers

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"github.com/stint-dev/stint/oidc/grant"
)

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// What a README shows can be written: the parser, the provider and the schema take it.
func TestREADMEExamplesAreGood(t *testing.T) {
	schema := compiledSchema(t)
	for _, name := range Names() {
		text, err := os.ReadFile(filepath.Join(name, "README.md"))
		if err != nil {
			t.Errorf("%s does not introduce itself: %v", name, err)
			continue
		}
		shown := 0
		for _, block := range yamlBlock.FindAllStringSubmatch(string(text), -1) {
			if !strings.HasPrefix(block[1], name+":\n") {
				continue
			}
			shown++
			file := "version: 1\ngrants:\n  a:\n    intent: x\n    owner: x\n    for: { ref: refs/heads/main }\n    ttl: 2h\n    " +
				strings.ReplaceAll(strings.TrimSpace(block[1]), "\n", "\n    ") + "\n"
			g := parse(t, file, Names()...)
			if _, err := New(g, Options{}); err != nil {
				t.Errorf("%s: %v\n%s", name, err, block[1])
			}
			if err := schema.Validate(jsonOf(t, file)); err != nil {
				t.Errorf("%s: the schema does not take it: %v\n%s", name, err, block[1])
			}
		}
		if shown == 0 {
			t.Errorf("the README of %s shows no block of a grant", name)
		}
	}
}

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(grant.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func jsonOf(t *testing.T, file string) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(file), &v); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}
