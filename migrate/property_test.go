package migrate

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// Pieces of generated workflows. Lines of a step begin with its dash.
var (
	triggers = []string{"on: push\n", "on:\n  push:\n    branches: [main, 'release/**'] # ours\n  workflow_dispatch:\n", "on:\n  schedule:\n    - cron: '0 3 * * *'\n  pull_request:\n", "on: { push: { tags: [v*] } }\n"}
	allowed  = []string{"", "    permissions:\n      contents: read # keep\n", "    permissions: { contents: read, id-token: write }\n", "    permissions: read-all\n", "    permissions:\n      id-token: write\n\n      packages: write\n"}
	others   = []string{"      - run: make\n", "      # a comment\n      - name: Ümlaut\n        run: |\n          echo '# no comment'\n\n          echo two\n", "      - uses: actions/setup-go@v6\n        with: { go-version: '1.26' }\n", "\n      - run: >-\n          echo\n          folded\n"}
	logins   = []string{
		"      - uses: aws-actions/configure-aws-credentials@v4\n        with:\n          role-to-assume: arn:aws:iam::111122223333:role/a\n          aws-region: eu-west-1\n",
		"      - name: Who   # are we\n        id: who\n        uses: 'aws-actions/configure-aws-credentials@0123456789012345678901234567890123456789' # v4.2.1\n        if: always()\n        with:\n          # the role\n          aws-region: eu-west-1 # home\n\n          role-to-assume: \"arn:aws:iam::${{ secrets.ACCOUNT }}:role/a\"\n        env: { A: b }\n",
		"      - { uses: google-github-actions/auth@v3, with: { workload_identity_provider: projects/1/locations/global/workloadIdentityPools/pool/providers/prov, service_account: a@b-c.iam.gserviceaccount.com } }\n",
		"      - with: { url: 'https://vault.example', method: jwt, role: r, secrets: secret/data/a b | C }\n        uses: hashicorp/vault-action@v3\n",
		"      - uses: azure/login@v2\n        with:\n          client-id: ${{ vars.ID }}\n          tenant-id: ${{ vars.TENANT }}\n",
		"      - uses: aws-actions/configure-aws-credentials@v4\n        with:\n          aws-access-key-id: ${{ secrets.A }}\n          aws-secret-access-key: ${{ secrets.B }}\n          aws-region: eu-west-1\n",
	}
)

func pick(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

// generated writes one workflow.
func generated(r *rand.Rand) string {
	var b strings.Builder
	b.WriteString("# top\nname: CI\n" + pick(r, triggers) + "jobs:\n")
	for j := range 1 + r.IntN(3) {
		fmt.Fprintf(&b, "  job%d:\n    runs-on: ubuntu-latest\n%s    steps:\n", j, pick(r, allowed))
		if r.IntN(5) > 0 {
			b.WriteString("      - uses: actions/checkout@v5\n")
		}
		for range 1 + r.IntN(4) {
			b.WriteString(pick(r, [][]string{others, logins}[r.IntN(2)]))
		}
	}
	text := b.String()
	if r.IntN(4) == 0 {
		text = strings.TrimSuffix(text, "\n")
	}
	if r.IntN(4) == 0 {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	return text
}

// outside returns the lines of a workflow that no migration may touch: all but those
// of log-in steps and of stint's, and those that a permission may bring.
func outside(f *workflows.File, moved func(*workflows.Step) bool) []string {
	gone := map[int]bool{}
	for _, j := range f.Workflow.Jobs {
		for _, s := range j.AllSteps() {
			if !moved(s) {
				continue
			}
			for n := f.Position(s.Span.Start).Line; n <= f.Position(s.Span.End).Line; n++ {
				gone[n] = true
			}
		}
	}
	var lines []string
	for i, l := range strings.Split(string(f.Source), "\n") {
		text := strings.TrimSpace(l)
		allow := text == "permissions:" || strings.HasPrefix(text, "permissions: {") || text == "id-token: write" || text == "contents: read"
		if !gone[i+1] && !allow && text != "" {
			lines = append(lines, l)
		}
	}
	return lines
}

// TestGeneratedWorkflows holds what is true of every migration: the result reads as
// well as before, what was not to move is there byte for byte, the grants are taken by
// their providers, each step asks for one of them, and a second run finds no work.
func TestGeneratedWorkflows(t *testing.T) {
	moved, left := 0, 0
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 1))
		src := generated(r)
		before := workflows.Parse(".github/workflows/ci.yml", []byte(src))
		if len(before.Problems) > 0 {
			t.Fatalf("seed %d: %v\n%s", seed, before.Problems, src)
		}
		opts := testOptions()
		plan, err := Actions(reach.Build(&workflows.Repository{Name: "acme/site", Files: []*workflows.File{before}}), opts)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, src)
		}
		moved += plan.Moved
		after, grants := before, []byte(nil)
		for _, c := range plan.Changes {
			checkChange(t, c)
			if c.Path == grant.Path {
				grants = c.After
				continue
			}
			after = workflows.Parse(c.Path, c.After)
		}
		ours := func(s *workflows.Step) bool { return s.Uses != nil && s.Uses.FullName() == DefaultUses }
		for _, n := range plan.Notes {
			if n.Kind == Left {
				left++
			}
		}
		was := func(s *workflows.Step) bool {
			_, ok := formOf(s)
			return ok && !slices.ContainsFunc(plan.Notes, func(n Note) bool { return n.Kind == Left && n.Line == before.Position(s.Span.Start).Line })
		}
		if a, b := outside(before, was), outside(after, ours); !slices.Equal(a, b) {
			t.Fatalf("seed %d: what was not to move has changed\n%s\nbecame\n%s", seed, src, after.Source)
		}
		checkGrants(t, seed, after, grants)
		opts.Grants = grants
		again, err := Actions(reach.Build(&workflows.Repository{Name: "acme/site", Files: []*workflows.File{after}}), opts)
		if err != nil || again.Moved > 0 || len(again.Changes) > 0 {
			t.Fatalf("seed %d: a second run moves %d steps, %v\n%s\n%s", seed, again.Moved, err, said(plan), src)
		}
	}
	if moved < 100 || left < 100 {
		t.Errorf("%d steps moved and %d left: the workflows say too little", moved, left)
	}
}

// checkGrants holds that each step of stint's asks for a grant that there is, and that
// its job may ask for an id-token.
func checkGrants(t *testing.T, seed uint64, f *workflows.File, grants []byte) {
	t.Helper()
	for _, j := range f.Workflow.Jobs {
		for _, s := range j.AllSteps() {
			if s.Uses == nil || s.Uses.FullName() != DefaultUses {
				continue
			}
			parsed, err := grant.Parse(grant.Path, grants, grant.Options{Providers: providers.Names()})
			if err != nil {
				t.Fatalf("seed %d: %v\n%s", seed, err, grants)
			}
			g, err := parsed.Grant(s.With.Get("grant").String())
			if err == nil {
				_, err = providers.New(g, providers.Options{})
			}
			if err != nil || j.EffectivePermissions().Of("id-token") != workflows.AccessWrite {
				t.Errorf("seed %d: job %s: %v", seed, j.ID, err)
			}
		}
	}
}

// TestGrantFileKeepsItsBytes adds to files in all their shapes: what was there is the
// beginning and the end of what is there then.
func TestGrantFileKeepsItsBytes(t *testing.T) {
	const one = "  a:\n    intent: x\n    owner: me\n    for: { ref: refs/heads/main }\n    aws: { role: 'arn:aws:iam::111122223333:role/a', region: eu-west-1 }\n"
	files := map[string]string{
		"alone":         "version: 1\n",
		"others follow": "version: 1\ngrants:   # ours\n" + one + "\n# debts\ndebt:\n- { secret: A }\n",
		"one":           "version: 1\ngrants:\n" + one,
		"first":         "grants:\n" + one + "\n# the version\nversion: 1\n",
		"no end":        strings.TrimSuffix("version: 1\ngrants:\n"+one, "\n"),
		"crlf":          strings.ReplaceAll("version: 1\ngrants:\n"+one+"lint: { strict: true }\n", "\n", "\r\n"),
		"wide":          "version: 1\ngrants:\n" + strings.ReplaceAll(one, "  ", "      ") + "# end\n",
		"debts":         "version: 1\ndebt:\n    - secret: A\n      reason: |\n        long\n",
		"a note below":  "version: 1\ngrants:\n" + one + "  # b: comes next\n",
	}
	for name, text := range files {
		t.Run(name, func(t *testing.T) {
			f, err := openGrantFile([]byte(text), providers.Names())
			if err != nil {
				t.Fatal(err)
			}
			w := who{workflow: ".github/workflows/b.yml", events: []string{"push"}, runner: grant.GitHubHosted}
			d := &draft{name: "b", intent: "y", owner: "@me", who: w, block: awsBlock(&inputs{}, func(string) string { return "" })}
			if _, err := f.add(d, nil); err != nil {
				t.Fatal(err)
			}
			c, err := f.change()
			if err != nil {
				t.Fatal(err)
			}
			checkChange(t, c)
			at := 0
			for at < len(text) && c.After[at] == text[at] {
				at++
			}
			if !bytes.HasSuffix(c.After, []byte(text[at:])) {
				t.Errorf("%q is not what it was:\n%s", text, c.After)
			}
			if strings.Contains(text, "\r\n") && strings.Contains(strings.ReplaceAll(string(c.After), "\r\n", ""), "\n") {
				t.Errorf("line ends are mixed: %q", c.After)
			}
		})
	}
}

func TestGrantFileIsRefused(t *testing.T) {
	for _, text := range []string{"version: 1\ngrants: {}\n", "{ version: 1 }\n", "version: 2\n", "version: 1\ngrants: [a]\n", "version: 1\n...\n# after\n", "version: 1\ngrants:\n"} {
		f, err := openGrantFile([]byte(text), providers.Names())
		if err != nil {
			continue
		}
		w := who{workflow: ".github/workflows/b.yml", events: []string{"push"}, runner: grant.GitHubHosted}
		if _, err = f.add(&draft{name: "b", intent: "y", owner: "@me", who: w, block: awsBlock(&inputs{}, func(string) string { return "" })}, nil); err == nil {
			_, err = f.change()
		}
		if err == nil {
			t.Errorf("%q is added to", text)
		}
	}
}

// TestTextsOfWorkflowsStayTexts writes hostile names into a grant file.
func TestTextsOfWorkflowsStayTexts(t *testing.T) {
	for _, text := range []string{"", "a: b", "#", "- x", "yes", "null", "12", "1e3", "*a", "&a", "{", "\"", "'", "a\nb", "\t", "é", "@x", "%x", "`x", "a #b", "a:", ":a", "\u2028", "x\\"} {
		for _, written := range []string{yamlText(text), yamlFlow(text)} {
			var d struct{ V []string }
			if err := yaml.Unmarshal([]byte("v: ["+written+"]"), &d); err != nil || len(d.V) != 1 || d.V[0] != text {
				t.Errorf("%q is written as %s and read as %q, %v", text, written, d.V, err)
			}
		}
	}
}
