package grant

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
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

// values reads a file as an editor does: YAML to JSON.
func values(t *testing.T, file []byte) any {
	t.Helper()
	root, err := document(Path, file)
	if err != nil {
		t.Fatal(err)
	}
	v, err := strict{Path}.plain(root, "the file")
	if err != nil {
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

// Whatever Parse refuses for its values the schema refuses, and what Parse
// admits the schema admits.
func TestSchemaAgreesWithParse(t *testing.T) {
	s := compiledSchema(t)
	for name, test := range refusals() {
		if !test.textual && s.Validate(values(t, []byte(test.file))) == nil {
			t.Errorf("%s: the schema admits it, Parse does not", name)
		}
	}
	files := admissions()
	for _, name := range []string{"files/site.yml", "files/many.yml"} {
		files[name] = string(readFile(t, name))
	}
	for name, file := range files {
		if err := s.Validate(values(t, []byte(file))); err != nil {
			t.Errorf("%s: Parse admits it, the schema does not: %v", name, err)
		}
	}
}

// The keys that others read, of which the schema knows the shape.
func TestSchemaKnowsTheKeysOfOthers(t *testing.T) {
	s := compiledSchema(t)
	const debt = "version: 1\ndebt:\n  - "
	tests := []struct {
		file string
		want bool
	}{
		{"version: 1\nlint: { min-severity: high, disable: [a] }\n", true},
		{"version: 1\nlint: []\n", false},
		{"version: 1\ndebts: []\n", false},
		{debt + "{ secret: A, owner: b, reason: c, until: 2027-01-31 }\n", true},
		{debt + "{ secret: A, owner: b, reason: c, until: 2027-13-31 }\n", false},
		{debt + "{ secret: A, owner: b, reason: c }\n", false},
		{debt + "{ secret: A, owner: b, reason: c, until: 2027-01-31, note: d }\n", false},
		{fileWith("    aws: { role: \"arn:aws:iam::111122223333:role/r\" }\n"), false},
		{fileWith("    aws: { role: r, region: eu-west-1 }\n"), false},
		{fileWith("    aws: { role: \"arn:aws:iam::111122223333:role/r\", region: eu-west-1, polices: [] }\n"), false},
		{fileWith("    aws: { role: \"arn:aws:iam::111122223333:role/r\", region: eu-west-1, allow: [{ actions: [a] }] }\n"), false},
		{fileWith("    aws: { role: \"arn:aws:iam::111122223333:role/r\", region: e, allow: [{ actions: [a], resources: [b] }], audience: x, endpoint: \"https://x\", managed-policies: [\"arn:aws:iam::aws:policy/P\"] }\n"), true},
	}
	for _, test := range tests {
		if got := s.Validate(values(t, []byte(test.file))) == nil; got != test.want {
			t.Errorf("admitted: %v, want %v:\n%s", got, test.want, test.file)
		}
	}
}

// The patterns are written twice, once for editors.
func TestSchemaHasThePatternsOfTheParser(t *testing.T) {
	var doc any
	if err := json.Unmarshal(Schema(), &doc); err != nil {
		t.Fatal(err)
	}
	at := func(path string) any {
		v := doc
		for _, key := range strings.Split(path, "/") {
			m, ok := v.(map[string]any)
			if !ok {
				t.Fatalf("no %s in the schema", path)
			}
			v = m[key]
		}
		return v
	}
	const inFor = "$defs/for/properties/"
	for path, want := range map[string]*regexp.Regexp{
		"properties/grants/propertyNames/pattern": grantName,
		"$defs/grant/properties/ttl/pattern":      ttlForm,
		inFor + "workflow/pattern":                workflowPath,
		inFor + "repository/pattern":              repoName,
		inFor + "events/items/pattern":            eventName,
		inFor + "actors/items/pattern":            actorName,
		"$defs/id/pattern":                        decimalID,
	} {
		if got := at(path); got != want.String() {
			t.Errorf("%s is %v, the parser has %s", path, got, want)
		}
	}
	text, _ := at(inFor + "events/description").(string)
	for _, event := range normalTrust {
		if !strings.Contains(text, event) {
			t.Errorf("the description of events lacks %s", event)
		}
	}
	if Schema()[0] = 'x'; schema[0] != '{' {
		t.Error("the schema can be changed by its reader")
	}
}
