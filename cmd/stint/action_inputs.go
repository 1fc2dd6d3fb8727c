package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/stint-dev/stint/oidc/grant"
)

// maxGrants bounds the grants of one step.
const maxGrants = 16

// actionInputs are what `with:` says.
type actionInputs struct {
	mode   string
	file   string // the grant file, from the root of the workspace
	grants []*grant.Grant
	// inline is the grant that was made from the inputs of a first try, as text to paste;
	// "" when the grant file was used.
	inline string
}

// input is one input, without the blanks around it.
func (a action) input(name string) string {
	return strings.TrimSpace(a.getenv("INPUT_" + strings.ToUpper(name)))
}

// inputs reads what `with:` says, and the grants that it names.
func (a action) inputs() (in actionInputs, err error) {
	in.mode, in.file = cmp.Or(a.input("mode"), modeEnv), cmp.Or(a.input("file"), grant.Path)
	switch in.mode {
	case modeEnv, modeFile, modeProfile:
	case modeBroker:
		return in, usage("run stint exec --mode broker in the step that needs it, or use the mode profile, which asks at each use",
			"the mode broker needs a process that lives as long as its command, and this step ends before the next begins")
	default:
		return in, usage("leave mode out, or use env, file or profile; stint exec hands over to one command", "there is no mode %q", in.mode)
	}
	names := strings.FieldsFunc(a.input("grant"), func(r rune) bool { return r == ',' || r == '\n' || r == '\r' })
	names = slices.DeleteFunc(names, func(s string) bool { return strings.TrimSpace(s) == "" })
	block := a.inlineBlock()
	switch {
	case len(names) == 0 && block == "":
		return in, usage("say which one, as in with: { grant: deploy-site }", "the input grant is missing")
	case len(names) > 0 && block != "":
		return in, usage("keep grant, and move the rest into the grant file", "the input grant and the inputs of a first try exclude each other")
	case len(names) > maxGrants:
		return in, usage("use several jobs", "the input grant names %d, more than %d", len(names), maxGrants)
	case block != "":
		return a.firstTry(in, block)
	}
	in.grants, err = a.grants(in.file, names)
	return in, err
}

// grants reads the grant file of the checkout.
func (a action) grants(path string, names []string) ([]*grant.Grant, error) {
	workspace := a.getenv("GITHUB_WORKSPACE")
	root, err := os.OpenRoot(workspace)
	if workspace == "" || err != nil {
		return nil, usage("run this in a step of a job, where the runner provides GITHUB_WORKSPACE", "there is no workspace at %q", workspace)
	}
	defer root.Close()
	f, err := readGrants(root, path, "check the repository out in a step before this one, or correct the input file")
	if err != nil {
		return nil, err
	}
	return namedGrants(a.world, f, names, "")
}

// inlineKeys are the inputs of a first try: the provider's block that they make, and
// the key in it.
var inlineKeys = []struct{ input, provider, key string }{
	{"aws-role", "aws", "role"}, {"aws-region", "aws", "region"},
	{"gcp-provider", "gcp", "provider"}, {"gcp-service-account", "gcp", "service-account"},
	{"azure-tenant-id", "azure", "tenant"}, {"azure-client-id", "azure", "client-id"}, {"azure-subscription-id", "azure", "subscription"},
	{"vault-address", "vault", "address"}, {"vault-role", "vault", "role"},
}

// inlineBlock is the provider's blocks that the inputs of a first try make, "" without
// any. Values are written as JSON strings, which YAML reads, so that none can add a key.
func (a action) inlineBlock() string {
	var b strings.Builder
	last := ""
	for _, k := range inlineKeys {
		value := a.input(k.input)
		if value == "" {
			continue
		}
		if k.provider != last {
			fmt.Fprintf(&b, "    %s:\n", k.provider)
			last = k.provider
			if last == "vault" {
				b.WriteString("      token: true\n") // no input names a secret to read
			}
		}
		fmt.Fprintf(&b, "      %s: %s\n", k.key, quoted(value))
	}
	return b.String()
}

func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""` // a text always encodes
	}
	return string(b)
}

// firstTry makes a grant of the inputs, for the workflow file and the ref that run now.
func (a action) firstTry(in actionInputs, block string) (actionInputs, error) {
	if in.mode == modeProfile {
		return in, usage("use the mode env for a first try, or write the grant down", "the mode profile asks for a grant of the grant file at each use")
	}
	_, rest, ok := strings.Cut(a.getenv("GITHUB_WORKFLOW_REF"), "/.github/")
	path, _, ok2 := strings.Cut(rest, "@")
	if !ok || !ok2 {
		return in, usage("run this in a step of a job, where the runner says which workflow it is", "there is no workflow in GITHUB_WORKFLOW_REF")
	}
	ttl := "15m"
	if strings.Contains(block, "    azure:\n") {
		ttl = "90m" // no access token of Entra can be asked to live shorter
	}
	in.inline = "version: 1\ngrants:\n  first-try:\n    intent: try stint out\n    owner: " + quoted("@"+cmp.Or(a.getenv("GITHUB_ACTOR"), "nobody")) +
		"\n    for: { workflow: " + quoted(".github/"+path) + ", ref: " + quoted(a.getenv("GITHUB_REF")) + " }\n    ttl: " + ttl + "\n" + block
	f, err := parseGrants(grant.Path, []byte(in.inline))
	if err != nil {
		return in, err
	}
	in.grants = f.Grants
	return in, nil
}

// notice says how a first try becomes a grant.
func (in actionInputs) notice(a action) {
	if in.inline == "" {
		return
	}
	annotate(a.commands, "notice", &failure{
		message: "this step made a grant of its inputs, which nobody reviews and which no lock is rendered from",
		hint:    "put the grant below into " + grant.Path + ", narrow it, and write with: { grant: first-try }",
	})
	fmt.Fprintf(a.stdout, "stint: the grant to put into %s:\n", grant.Path)
	for line := range strings.Lines(in.inline) {
		fmt.Fprint(a.stdout, "  "+line)
	}
}
