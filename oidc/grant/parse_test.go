package grant

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
)

var known = Options{Providers: []string{"aws"}}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func mustParse(t testing.TB, b []byte) *File {
	t.Helper()
	f, err := Parse(Path, b, known)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// grantOf parses a file of one grant whose for: is given in flow style.
func grantOf(t testing.TB, forBlock string) *Grant {
	t.Helper()
	return mustParse(t, []byte(fileWith("    for: "+forBlock+"\n"))).Grants[0]
}

// fileWith is a file of one grant with the given lines besides what is required
// and not among them.
func fileWith(lines string) string {
	b := "version: 1\ngrants:\n  deploy:\n"
	for _, need := range []struct{ key, line string }{
		{"intent", "    intent: publish the site\n"}, {"owner", "    owner: \"@acme/web\"\n"},
		{"for", "    for: { ref: refs/heads/main }\n"}, {"aws", "    aws: { role: \"arn:aws:iam::111122223333:role/r\", region: eu-west-1 }\n"},
	} {
		if !strings.Contains("\n"+lines, "\n    "+need.key+":") {
			b += need.line
		}
	}
	return b + lines
}

func TestParseReadsTheFile(t *testing.T) {
	f := mustParse(t, readFile(t, "files/site.yml"))
	if f.Path != Path || len(f.Grants) != 1 || !reflect.DeepEqual(f.Other, []Key{{"debt", 13}, {"lint", 15}}) {
		t.Errorf("file is %+v", f)
	}
	g := f.Grants[0]
	want := For{
		Workflow: ".github/workflows/deploy.yml", Refs: []string{"refs/heads/main"}, Environment: "production",
		Events: []string{"push"}, Runner: GitHubHosted,
	}
	if g.Name != "deploy-site" || g.Line != 4 || g.Intent != "publish the built site to the production bucket" ||
		g.Owner != "@acme/web" || g.TTL != 15*time.Minute || !reflect.DeepEqual(g.For, want) {
		t.Errorf("grant is %+v", g)
	}
	if len(g.Targets) != 1 || g.Targets[0].Provider != "aws" || g.Targets[0].Line != 9 {
		t.Fatalf("targets are %+v", g.Targets)
	}
	if !strings.HasPrefix(f.Digest, "sha256:") || len(f.Digest) != len("sha256:")+64 || f.Digest == g.Digest {
		t.Errorf("digests are %s, %s", f.Digest, g.Digest)
	}
}

func TestParseReadsEveryKey(t *testing.T) {
	f := mustParse(t, readFile(t, "files/many.yml"))
	release, shared, plan := f.Grants[0], f.Grants[1], f.Grants[2]
	want := For{
		Workflow: ".github/workflows/release.yaml", Refs: []string{"refs/heads/release/*", "refs/tags/v1"},
		Repository: "acme/tool", RepositoryID: "2002", RepositoryOwnerID: "1001", Actors: []string{"ann", "acme-release[bot]"},
		Events: []string{"push", "release"}, Runner: GitHubHosted, RefProtected: true,
	}
	if !reflect.DeepEqual(release.For, want) || release.TTL != 90*time.Minute {
		t.Errorf("release is %+v", release)
	}
	if shared.For.Called != "acme/platform/.github/workflows/deploy.yml@refs/tags/v3" || shared.For.Runner != AnyRunner || shared.TTL != DefaultTTL {
		t.Errorf("shared is %+v", shared)
	}
	if plan.TTL != 5*time.Minute {
		t.Errorf("plan is %+v", plan)
	}
	var a, b block
	if err := errors.Join(release.Targets[0].Decode(&a), shared.Targets[0].Decode(&b)); err != nil || !reflect.DeepEqual(a, b) || a.Role == "" {
		t.Errorf("the alias reads as %+v, the anchor as %+v, error %v", b, a, err)
	}
}

// block is the provider block of the tests.
type block struct {
	Role     string              `yaml:"role"`
	Region   string              `yaml:"region"`
	Allow    []right             `yaml:"allow"`
	Managed  []string            `yaml:"managed-policies"`
	Tags     map[string]string   `yaml:"tags"`
	Strict   bool                `yaml:"strict"`
	Count    int                 `yaml:"count"`
	Wait     time.Duration       `yaml:"wait"`
	Next     *right              `yaml:"next"`
	Free     any                 `yaml:"free"`
	Nested   map[string][]string `yaml:"nested"`
	Unlisted string              `yaml:"-"`
	//lint:ignore U1000 the decoder must not know it
	private string
}

type right struct {
	Actions   []string `yaml:"actions"`
	Resources []string `yaml:"resources"`
}

func TestDecodeFillsTheBlock(t *testing.T) {
	g := mustParse(t, []byte(fileWith(`    aws:
      role: r
      allow: [{ actions: [a, b], resources: ["*"] }]
      tags: { k: v }
      strict: True
      count: -7
      wait: 90s
      next: { actions: [c] }
      nested: { x: [y, z] }
      free: { a: [1, true, null, 1.5, "2", text, 2027-01-31], b: { c: d } }
`))).Grants[0]
	got := block{Region: "as it was"}
	if err := g.Targets[0].Decode(&got); err != nil {
		t.Fatal(err)
	}
	want := block{
		Role: "r", Region: "as it was", Allow: []right{{[]string{"a", "b"}, []string{"*"}}}, Tags: map[string]string{"k": "v"},
		Strict: true, Count: -7, Wait: 90 * time.Second, Next: &right{Actions: []string{"c"}}, Nested: map[string][]string{"x": {"y", "z"}},
		Free: map[string]any{"a": []any{int64(1), true, nil, 1.5, "2", "text", "2027-01-31"}, "b": map[string]any{"c": "d"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("block is %+v, want %+v", got, want)
	}
}

func TestDecodeRefuses(t *testing.T) {
	tests := map[string]struct{ line, want, hint string }{
		"an unknown key":         {"rolle: x", `:8: unknown key "rolle" in aws of grant "deploy"`, `did you mean "role"?`},
		"a nested unknown key":   {"allow: [{ action: [x] }]", `:8: unknown key "action" in an entry of allow of aws of grant "deploy"`, `did you mean "actions"?`},
		"a key far from all":     {"zzzzzz: x", `unknown key "zzzzzz"`, "keys here: allow, count"},
		"an unexported field":    {"private: x", `unknown key "private"`, "keys here"},
		"a hidden field":         {"unlisted: x", `unknown key "unlisted"`, "keys here"},
		"a key twice":            {"role: a\n      role: b", `:9: "role" in aws of grant "deploy" is given twice, first in line 8`, "keep one"},
		"a number as text":       {"role: 7", `:8: role of aws of grant "deploy" must be text, not a number`, "quotes"},
		"a bool as text":         {"role: yes\n      region: true", `:9: region of aws of grant "deploy" must be text, not true or false`, "quotes"},
		"a date as text":         {"role: 2027-01-31", `must be text, not a date`, "quotes"},
		"nothing as text":        {"role:", `must be text, not empty`, "give it a value"},
		"a list as text":         {"role: [a]", `must be text, not a list`, "change the value to text"},
		"text as a list":         {"managed-policies: a", `must be a list, not text`, "[a]"},
		"a mapping as a list":    {"managed-policies: { a: b }", `must be a list, not a mapping`, "a list"},
		"a number in a list":     {"managed-policies: [a, 7]", `an entry of managed-policies of aws of grant "deploy" must be text`, "quotes"},
		"text as a mapping":      {"tags: a", `must be a mapping, not text`, "mapping"},
		"a number in a mapping":  {"tags: { a: 1 }", `"a" of tags of aws of grant "deploy" must be text`, "quotes"},
		"a number as a key":      {"tags: { 1: a }", `a key in "tags" of aws of grant "deploy" must be text, not a number`, "quotes"},
		"a merge key":            {"<<: { role: a }", "merge keys (<<) are not read", "write the keys out"},
		"text as a bool":         {`strict: "true"`, `must be true or false, not text`, "true or false"},
		"text as a number":       {"count: many", `must be a whole number, not text`, "a whole number"},
		"a fraction as a number": {"count: 1.5", `must be a whole number, not a number`, "a whole number"},
		"a number too large":     {"count: 99999999999999999999", `must be a whole number`, "a whole number"},
		"a list as a number":     {"count: []", `must be a whole number, not a list`, "a whole number"},
		"a long key":             {strings.Repeat("ü", 60) + ": x", `unknown key "` + strings.Repeat("ü", 40) + `…"`, "keys here"},
		"an odd long key":        {"x" + strings.Repeat("ü", 60) + ": x", `unknown key "x` + strings.Repeat("ü", 39) + `…"`, "keys here"},
		"free keys of numbers":   {"free: [{ 1: a }]", "must be text, not a number", "quotes"},
		"a list as a bool":       {"strict: []", `must be true or false, not a list`, "true or false"},
		"a number as a time":     {"wait: 90", `must be a length of time, not a number`, "unit"},
		"no time":                {"wait: long", `is not a length of time: "long"`, "unit"},
		"a number of no value":   {"free: 0x", ``, ""},
		"free text twice":        {"free: { a: 1, a: 2 }", `"a" in "free" of aws`, "keep one"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f, err := Parse(Path, []byte(fileWith("    aws:\n      "+test.line+"\n")), known)
			if err == nil {
				err = f.Grants[0].Targets[0].Decode(&block{})
			}
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantProblem(t, err, test.want, test.hint)
		})
	}
	g := grantOf(t, "{ ref: refs/heads/main }")
	for _, into := range []any{nil, block{}, (*block)(nil), new(chan int), &struct {
		Role map[int]string `yaml:"role"`
	}{}, &struct{ Role func() }{}} {
		if err := g.Targets[0].Decode(into); err == nil {
			t.Errorf("decoded into a %T", into)
		}
	}
	if err := (&Target{Provider: "aws"}).Decode(&block{}); err == nil {
		t.Error("a target of no file was decoded")
	}
}

// wantProblem checks both lines of an error.
func wantProblem(t *testing.T, err error, want, hint string) {
	t.Helper()
	e, ok := errors.AsType[*oidc.Error](err)
	if !ok {
		t.Fatalf("error is %v, want one with %q", err, want)
	}
	if !strings.Contains(e.Message, want) || !strings.Contains(e.Hint, hint) || e.Hint == "" {
		t.Errorf("error is\n%s\n%s\nwant %q and %q", e.Message, e.Hint, want, hint)
	}
	if strings.ContainsAny(e.Message+e.Hint, "\n\r\t\x1b\x00") || !strings.HasPrefix(e.Message, Path) {
		t.Errorf("error is not one plain line of the file: %q, %q", e.Message, e.Hint)
	}
}

// A refusal is a file that Parse refuses, by name; the schema must refuse those
// that are marked.
type refusal struct {
	file, want, hint string
	// textual: the mistake is not one of values, so that no schema can see it.
	textual bool
}

func refusals() map[string]refusal {
	line := func(s string) string { return fileWith("    " + s + "\n") }
	of := func(s string) string { return line("for: { " + s + " }") }
	wide := strings.Repeat("a", 400)
	return map[string]refusal{
		"an empty file":          {"", "the file is empty", "begin with", true},
		"only a comment":         {"# nothing\n", "the file is empty", "begin with", true},
		"text":                   {"hello\n", ":1: the file must be a mapping, not text", "mapping", false},
		"a list":                 {"- version: 1\n", "the file must be a mapping, not a list", "mapping", false},
		"no version":             {"grants: {}\n", "does not say its version", "version: 1", false},
		"version 2":              {"version: 2\n", "version must be the number 1", "newer stint", false},
		"version as text":        {"version: \"1\"\n", "version must be the number 1", "version: 1", false},
		"version 1.0":            {"version: 1.5\n", "version must be the number 1", "version: 1", false},
		"version twice":          {"version: 1\nversion: 1\n", `:2: "version" in the file is given twice, first in line 1`, "keep one", true},
		"two documents":          {"version: 1\n---\nversion: 1\n", ":2: the file has a second YAML document", "first document", true},
		"a broken second one":    {"version: 1\n---\n\t[\n", ":3: found character that cannot start any token", "spaces", true},
		"a tab":                  {"version: 1\ngrants:\n\tdeploy: {}\n", ":3:", "spaces", true},
		"an open bracket":        {"version: 1\ngrants: [\n", "did not find", "mend the YAML", true},
		"an unknown anchor":      {"version: 1\ngrants: *none\n", "unknown anchor", "mend the YAML", true},
		"bytes of no text":       {"version: 1\n# \xff\n", ":2: the file has bytes that are not text", "UTF-8", true},
		"UTF-16":                 {"\xff\xfev\x00e\x00r\x00", ":1: the file has bytes that are not text", "UTF-8", true},
		"a NUL":                  {"version: 1\n#\x00\n", ":2: the file has bytes that are not text", "UTF-8", true},
		"an escape sequence":     {"version: 1\n# \x1b[2J\n", ":2: the file has bytes", "UTF-8", true},
		"too large":              {"version: 1\n#" + strings.Repeat("x", MaxFileBytes), "too large", "256 KiB", true},
		"a bomb of aliases":      {bomb(30, 2), "nests or repeats too much", "aliases", true},
		"a wide bomb":            {bomb(4, 30), "nests or repeats too much", "aliases", true},
		"an alias to itself":     {"version: 1\ngrants: &a { x: *a }\n", "nests or repeats too much", "aliases", true},
		"a pit":                  {"version: 1\ngrants: " + strings.Repeat("[", 500) + strings.Repeat("]", 500), "nests or repeats too much", "aliases", true},
		"a tag":                  {line("intent: !!binary aGk="), "the tag \"!!binary\" is not read here", "remove the tag", true},
		"a tag of one's own":     {line("intent: !secret x"), "the tag \"!secret\" is not read here", "remove the tag", true},
		"a subject alone":        {of("subject: \"spiffe://example.org/ci\""), "needs issuer and subject together", "write both", false},
		"an issuer alone":        {of("issuer: \"https://spire.example.org\""), "needs issuer and subject together", "write both", false},
		"a claim beside issuer":  {of("issuer: \"https://spire.example.org\", subject: x, ref: refs/heads/main"), "has ref beside issuer", "two grants", false},
		"the issuer of GitHub":   {of("issuer: \"https://token.actions.githubusercontent.com\", subject: x"), "issuer of for of grant", "GitHub's own tokens", false},
		"an issuer of a server":  {of("issuer: \"https://github.example/_services/token\", subject: x"), "issuer of for of grant", "GitHub's own tokens", false},
		"an issuer by http":      {of("issuer: \"http://spire.example.org\", subject: x"), "issuer of for of grant", "iss claim", false},
		"a subject with a star":  {of("issuer: \"https://spire.example.org\", subject: \"spiffe://example.org/*\""), "subject of for of grant", "whole sub claim", false},
		"grants as a list":       {"version: 1\ngrants: []\n", ":2: grants must be a mapping, not a list", "mapping", false},
		"grants as nothing":      {"version: 1\ngrants:\n", "grants must be a mapping, not empty", "mapping", false},
		"a grant twice":          {"version: 1\ngrants:\n  a: {}\n  a: {}\n", `"a" in grants is given twice`, "keep one", true},
		"a merge of grants":      {"version: 1\ngrants:\n  <<: {}\n", "merge keys", "write the keys out", true},
		"a name in upper case":   {"version: 1\ngrants:\n  Deploy: {}\n", `:3: "Deploy" is not a grant name`, "lower-case", false},
		"a name with a dot":      {"version: 1\ngrants:\n  a.b: {}\n", "is not a grant name", "lower-case", false},
		"a name with a dash":     {"version: 1\ngrants:\n  -a: {}\n", "is not a grant name", "not \"-\" first", false},
		"a name too long":        {"version: 1\ngrants:\n  " + strings.Repeat("a", 64) + ": {}\n", "is not a grant name", "63", false},
		"a name with a newline":  {"version: 1\ngrants:\n  \"a\\nb\": {}\n", `"a\nb" is not a grant name`, "lower-case", false},
		"a grant of text":        {"version: 1\ngrants:\n  a: b\n", "must be a mapping, not text", "mapping", false},
		"too many grants":        {manyGrants(maxGrants + 1), "too many grants", "1000", false},
		"no intent":              {strings.Replace(fileWith(""), "    intent: publish the site\n", "", 1), `:3: grant "deploy" has no intent`, "intent:", false},
		"no owner":               {strings.Replace(fileWith(""), "    owner: \"@acme/web\"\n", "", 1), "has no owner", "owner:", false},
		"no for":                 {strings.Replace(fileWith(""), "    for: { ref: refs/heads/main }\n", "", 1), "has no for", "for:", false},
		"no provider":            {"version: 1\ngrants:\n  a: { intent: x, owner: y, for: { ref: refs/heads/main } }\n", "opens nothing", "aws", false},
		"a provider of text":     {line("aws: x"), `:7: aws of grant "deploy" must be a mapping, not text`, "mapping", false},
		"an unknown provider":    {line("azure: {}"), `:8: unknown key "azure" in grant "deploy"`, "keys here: intent, owner, for, ttl, aws", false},
		"a slip of the key":      {line("intend: x"), `unknown key "intend"`, `did you mean "intent"?`, false},
		"an empty intent":        {line("intent: \"  \""), "is not one line of text", "one line", false},
		"an intent of two lines": {line("intent: \"a\\nb\""), "is not one line of text", "one line", false},
		"an intent of a number":  {line("intent: 5"), "must be text, not a number", "quotes", false},
		"an intent of bells":     {line("intent: \"a\\a\""), "is not one line of text", "one line", false},
		"an intent too long":     {line("intent: " + wide), "is not one line of text", "300", false},
		"an owner of a list":     {line("owner: [a]"), "must be text, not a list", "text", false},
		"for of text":            {line("for: x"), "must be a mapping", "mapping", false},
		"for of nothing":         {line("for: {}"), `:7: for of grant "deploy" is empty`, "name at least", false},
		"a slip in for":          {of("workflw: x"), `unknown key "workflw" in for of grant "deploy"`, `did you mean "workflow"?`, false},
		"ref and refs":           {of("ref: refs/heads/a, refs: [refs/heads/b]"), "has both ref and refs", "refs", false},
		"a ttl of a number":      {line("ttl: 15"), "must be a length of time, not a number", "15m", false},
		"a ttl of nonsense":      {line("ttl: soon"), `is not a length of time: "soon"`, "15m", false},
		"a ttl without unit":     {line("ttl: \"15\""), "is not a length of time", "15m", false},
		"a ttl of seconds":       {line("ttl: 59s"), `ttl of grant "deploy" cannot be "59s"`, "from 1m to 12h", false},
		"a ttl of no time":       {line("ttl: 0m"), "cannot be", "from 1m to 12h", false},
		"a ttl below zero":       {line("ttl: -5m"), "cannot be", "from 1m to 12h", false},
		"a ttl of a day":         {line("ttl: 24h"), "cannot be", "from 1m to 12h", false},
		"a ttl just too long":    {line("ttl: 12h1m"), "cannot be", "from 1m to 12h", false},
		"a ttl of many seconds":  {line("ttl: 43201s"), "cannot be", "from 1m to 12h", false},
		"a ttl of many minutes":  {line("ttl: 721m"), "cannot be", "from 1m to 12h", false},
		"a ttl of a fraction":    {line("ttl: 1.5h"), "cannot be", "from 1m to 12h", false},
		"a ttl beyond counting":  {line("ttl: 999999999999999h"), "is not a length of time", "15m", false},
		"another directory":      {of("workflow: workflows/a.yml"), "workflow of for of grant \"deploy\" cannot be", ".github/workflows/", false},
		"a workflow below":       {of("workflow: .github/workflows/a/b.yml"), "cannot be", ".github/workflows/", false},
		"a workflow pattern":     {of("workflow: .github/workflows/*.yml"), "cannot be", ".github/workflows/", false},
		"a workflow at a ref":    {of("workflow: .github/workflows/a.yml@main"), "cannot be", ".github/workflows/", false},
		"no workflow":            {of("workflow:"), "must be text, not empty", "give it a value", false},
		"called by short ref":    {of("called: a/b/.github/workflows/c.yml@main"), "cannot be", "whole ref", false},
		"called without ref":     {of("called: a/b/.github/workflows/c.yml"), "cannot be", "whole ref", false},
		"called by local path":   {of("called: ./.github/workflows/c.yml"), "cannot be", "whole ref", false},
		"called by short commit": {of("called: a/b/.github/workflows/c.yml@abcdef1"), "cannot be", "whole ref", false},
		"a ref by short name":    {of("ref: main"), `cannot be "main"`, "refs/heads/NAME", false},
		"a ref of a pull":        {of("ref: refs/pull/1/merge"), "cannot be", "refs/heads/NAME", false},
		"a ref of nothing":       {of("ref: \"\""), "cannot be", "refs/heads/NAME", false},
		"a ref of all":           {of("ref: \"*\""), "cannot be", "refs/heads/NAME", false},
		"a ref of all refs":      {of("ref: refs/*"), "cannot be", "refs/heads/NAME", false},
		"a star inside":          {of("ref: refs/heads/*/x"), "cannot be", "refs/heads/NAME", false},
		"a star at a word":       {of("ref: refs/heads/rel*"), "cannot be", "refs/heads/NAME", false},
		"two stars":              {of("ref: refs/heads/**"), "cannot be", "refs/heads/NAME", false},
		"a question mark":        {of("ref: \"refs/heads/v?\""), "cannot be", "refs/heads/NAME", false},
		"a class":                {of("ref: \"refs/heads/v[12]\""), "cannot be", "refs/heads/NAME", false},
		"a branch of nothing":    {of("ref: refs/heads/"), "cannot be", "refs/heads/NAME", false},
		"two slashes":            {of("ref: refs/heads/a//b"), "cannot be", "refs/heads/NAME", false},
		"a slash at the end":     {of("ref: refs/heads/a/"), "cannot be", "refs/heads/NAME", false},
		"two dots":               {of("ref: refs/heads/a..b"), "cannot be", "refs/heads/NAME", false},
		"a hidden part":          {of("ref: refs/heads/a/.b"), "cannot be", "refs/heads/NAME", false},
		"a lock":                 {of("ref: refs/heads/a.lock/*"), "cannot be", "refs/heads/NAME", false},
		"a dot at the end":       {of("ref: refs/heads/a."), "cannot be", "refs/heads/NAME", false},
		"an at":                  {of("ref: \"refs/heads/@\""), "cannot be", "refs/heads/NAME", false},
		"a reflog":               {of("ref: \"refs/heads/a@{1}\""), "cannot be", "refs/heads/NAME", false},
		"a blank in a ref":       {of("ref: refs/heads/a b"), "cannot be", "refs/heads/NAME", false},
		"refs of nothing":        {of("refs: []"), "must have from 1 to 200 entries", "at least one", false},
		"refs of text":           {of("refs: refs/heads/main"), "must be a list, not text", "[refs/heads/main]", false},
		"refs twice":             {of("refs: [refs/heads/a, refs/heads/a]"), "has \"refs/heads/a\" twice", "remove one", false},
		"a bad one of refs":      {line("for:\n      refs:\n        - refs/heads/a\n        - main"), `:10: refs of for of grant "deploy" cannot have "main"`, "refs/heads/NAME", false},
		"too many refs":          {of("refs: [" + manyRefs(maxList+1) + "]"), "must have from 1 to 200 entries", "at least one", false},
		"no environment":         {of("environment: \"\""), "cannot be", "environment", false},
		"a blank environment":    {of("environment: \" prod\""), "cannot be", "environment", false},
		"an environment of 1":    {of("environment: 1"), "must be text, not a number", "quotes", false},
		"events of nothing":      {of("events: []"), "must have from 1", "at least one", false},
		"events of text":         {of("events: push"), "must be a list, not text", "[push]", false},
		"an event with a dash":   {of("events: [pull-request]"), "cannot have", "push", false},
		"workflow_call":          {of("events: [push, workflow_call]"), "no token carries", "called:", false},
		"a repository alone":     {of("repository: site"), "cannot be", "owner/repo", false},
		"a repository's URL":     {of("repository: https://github.com/a/b"), "cannot be", "owner/repo", false},
		"an id of text":          {of("repository-id: site"), "cannot be", "gh api", false},
		"an id of octal":         {of("repository-id: \"012\""), "cannot be", "gh api", false},
		"an id below zero":       {of("repository-owner-id: -1"), "cannot be", "gh api", false},
		"an id of a list":        {of("repository-id: [1]"), "must be a number, not a list", "number", false},
		"an id of a fraction":    {of("repository-id: 1.5"), "must be a number", "number", false},
		"actors of nothing":      {of("actors: []"), "must have from 1", "at least one", false},
		"an actor of @":          {of("actors: [\"@ann\"]"), "cannot have", "login", false},
		"a runner's label":       {of("runner: ubuntu-latest"), "cannot be", "github-hosted", false},
		"protected as text":      {of("ref-protected: \"yes\""), "must be true or false", "true or false", false},
	}
}

// bomb is a file of aliases that is wide to the power of deep when written out.
func bomb(deep, wide int) string {
	var b strings.Builder
	b.WriteString("version: 1\nx0: &x0 a\n")
	for i := range deep {
		fmt.Fprintf(&b, "x%d: &x%d [%s]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*x%d, ", i), wide))
	}
	return b.String()
}

func manyGrants(n int) string {
	var b strings.Builder
	b.WriteString("version: 1\ngrants:\n")
	for i := range n {
		fmt.Fprintf(&b, "  g%d: { intent: x, owner: y, for: { ref: refs/heads/a }, aws: { role: \"arn:aws:iam::1:role/r\", region: e } }\n", i)
	}
	return b.String()
}

func manyRefs(n int) string {
	refs := make([]string, n)
	for i := range refs {
		refs[i] = fmt.Sprintf("refs/heads/b%d", i)
	}
	return strings.Join(refs, ", ")
}

func TestParseRefuses(t *testing.T) {
	for name, test := range refusals() {
		t.Run(name, func(t *testing.T) {
			f, err := Parse(Path, []byte(test.file), known)
			if f != nil {
				t.Error("a file came back")
			}
			wantProblem(t, err, test.want, test.hint)
		})
	}
}

// admissions are the values that are easily refused by mistake.
func admissions() map[string]string {
	line := func(s string) string { return fileWith("    " + s + "\n") }
	of := func(s string) string { return line("for: { " + s + " }") }
	return map[string]string{
		"no grants":              "version: 1\n",
		"no grant":               "version: 1\ngrants: {}\n",
		"all that many":          manyGrants(40),
		"a mark of order":        "\xef\xbb\xbfversion: 1\n",
		"an end and a start":     "---\nversion: 1\n...\n",
		"carriage returns":       strings.ReplaceAll(fileWith(""), "\n", "\r\n"),
		"keys of others":         "version: 1\nlint: { strict: true }\ndebt: []\n",
		"words of other tongues": line("intent: die Seite veröffentlichen — 公開"),
		"a name of digits":       "version: 1\ngrants:\n  \"9\": { intent: x, owner: y, for: { ref: refs/heads/a }, aws: { role: \"arn:aws:iam::1:role/r\", region: e } }\n",
		"a minute":               line("ttl: 1m"), "sixty seconds": line("ttl: 60s"), "twelve hours": line("ttl: 12h"),
		"the last second": line("ttl: 43200s"), "720 minutes": line("ttl: 720m"), "mixed": line("ttl: 11h59m"),
		"all branches": of("ref: refs/heads/*"), "all tags": of("ref: refs/tags/*"), "below": of("ref: refs/heads/release/*"),
		"an at inside": of("ref: \"refs/heads/@/a@b\""), "a dotted name": of("ref: refs/tags/v1.2.3-rc.1+build"),
		"a branch of umlauts":  of("ref: refs/heads/größe"),
		"called by tag":        of("called: a/b.c/.github/workflows/d.yaml@refs/tags/v1"),
		"called by commit":     of("called: a/b/.github/workflows/c.yml@0123456789abcdef0123456789abcdef01234567"),
		"called by prefix":     of("called: a/b/.github/workflows/c.yml@refs/heads/release/*"),
		"an unheard-of event":  of("events: [pull_request, image_version]"),
		"an environment of a:": of("environment: \"prod: eu/1\""),
		"ids both ways":        of("repository-id: 12, repository-owner-id: \"34\""),
		"a bot":                of("actors: [\"renovate[bot]\", ann_corp]"),
		"another issuer":       of("issuer: \"https://spire.example.org\", subject: \"spiffe://example.org/ci/release\""),
		"runners":              of("runner: self-hosted"),
		"not protected":        of("ref-protected: false"),
	}
}

func TestParseAdmits(t *testing.T) {
	for name, file := range admissions() {
		if _, err := Parse(Path, []byte(file), known); err != nil {
			e, _ := errors.AsType[*oidc.Error](err)
			t.Errorf("%s: %s\n%s", name, e.Message, e.Hint)
		}
	}
}

func TestTheProvidersAreTheCallers(t *testing.T) {
	file := []byte(fileWith("    moon: { crater: 4 }\n"))
	f, err := Parse(Path, file, Options{Providers: []string{"moon", "aws"}})
	if err != nil {
		t.Fatal(err)
	}
	if ts := f.Grants[0].Targets; len(ts) != 2 || ts[0].Provider != "aws" || ts[1].Provider != "moon" {
		t.Errorf("targets are %+v", ts)
	}
}

func TestGrantIsFoundByName(t *testing.T) {
	f := mustParse(t, readFile(t, "files/many.yml"))
	if g, err := f.Grant("plan"); err != nil || g.Name != "plan" {
		t.Errorf("plan is %v, %v", g, err)
	}
	tests := []struct {
		file       *File
		name, hint string
	}{
		{f, "plam", "grants in it: plan, release, shared-deploy"},
		{f, "Release", "grants in it: release, plan"},
		{f, "\x1b[2J", "grants in it: "},
		{f, strings.Repeat("release", 1000), "grants in it: "},
		{mustParse(t, []byte("version: 1\n")), "plan", "no grants yet"},
		{mustParse(t, []byte(manyGrants(30))), "g7", ""},
		{mustParse(t, []byte(manyGrants(30))), "x7", "g7"},
		{mustParse(t, []byte(manyGrants(30))), "x7", " and 20 more"},
	}
	for _, test := range tests {
		_, err := test.file.Grant(test.name)
		if test.hint == "" {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		e, ok := errors.AsType[*oidc.Error](err)
		if !ok || !strings.Contains(e.Hint, test.hint) || strings.Contains(e.Message, "\x1b") || len(e.Message) > 200 {
			t.Errorf("%.20q: %v, want the hint %q", test.name, e, test.hint)
		}
	}
}

// The digest of a grant is of what it means, that of a file of its bytes.
func TestDigest(t *testing.T) {
	base := mustParse(t, []byte(fileWith(""))).Grants[0]
	same := map[string]string{
		"a comment":     fileWith("    # why\n"),
		"a default":     fileWith("    ttl: 15m\n"),
		"another unit":  fileWith("    ttl: 900s\n"),
		"quotes":        fileWith("    intent: 'publish the site'\n"),
		"a list of one": fileWith("    for: { refs: [refs/heads/main] }\n"),
		"a runner":      fileWith("    for: { runner: github-hosted, ref: refs/heads/main }\n"),
		"order":         fileWith("    aws: { region: eu-west-1, role: \"arn:aws:iam::111122223333:role/r\" }\n"),
	}
	for name, file := range same {
		if g := mustParse(t, []byte(file)).Grants[0]; g.Digest != base.Digest {
			t.Errorf("%s changes the digest", name)
		}
	}
	seen := map[string]string{base.Digest: "the base"}
	for name, file := range map[string]string{
		"an intent": fileWith("    intent: x\n"), "an owner": fileWith("    owner: x\n"), "a ttl": fileWith("    ttl: 1h\n"),
		"a ref": fileWith("    for: { ref: refs/heads/b }\n"), "an event": fileWith("    for: { ref: refs/heads/main, events: [push] }\n"),
		"a role": fileWith("    aws: { role: \"arn:aws:iam::111122223333:role/s\", region: eu-west-1 }\n"),
		"a name": strings.Replace(fileWith(""), "deploy:", "deploy2:", 1),
		"a kind": fileWith("    aws: { role: \"1\", region: \"1\" }\n"), "another kind": fileWith("    aws: { role: 1, region: 1 }\n"),
	} {
		g := mustParse(t, []byte(file)).Grants[0]
		if other, dup := seen[g.Digest]; dup {
			t.Errorf("%s has the digest of %s", name, other)
		}
		seen[g.Digest] = name
	}
	if _, err := Parse(Path, []byte(fileWith("    aws: { x: .inf }\n")), known); err == nil {
		t.Error("an infinity has a digest")
	}
}

func FuzzParseGrant(f *testing.F) {
	for _, test := range refusals() {
		if len(test.file) < 4<<10 {
			f.Add([]byte(test.file))
		}
	}
	for _, file := range admissions() {
		f.Add([]byte(file))
	}
	f.Add(readFile(f, "files/site.yml"))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := Parse("f.yml", b, known)
		if err != nil {
			e, ok := err.(*oidc.Error)
			if !ok || file != nil || e.Hint == "" || !strings.HasPrefix(e.Message, "f.yml:") || printable(e.Message+e.Hint) != e.Message+e.Hint {
				t.Fatalf("file %v, error %#v", file, err)
			}
			return
		}
		for _, g := range file.Grants {
			if g.Intent == "" || g.Owner == "" || g.TTL < time.Minute || g.TTL > 12*time.Hour || len(g.Targets) == 0 || g.Digest == "" {
				t.Errorf("grant lacks something: %+v", g)
			}
			for _, target := range g.Targets {
				var free any
				if err := target.Decode(&free); err != nil {
					t.Errorf("block of %s: %v", g.Name, err)
				}
			}
			var out bytes.Buffer
			if err := WriteGrant(&out, g, Repository{Name: "a/b", ID: "1", OwnerID: "2"}); err != nil || out.Len() == 0 {
				t.Error(err)
			}
		}
	})
}
