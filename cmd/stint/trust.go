package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers"
	"github.com/stint-dev/stint/oidc/trust"
	"github.com/stint-dev/stint/workflows"
)

func trustCommand(w world) *cobra.Command {
	c := &cobra.Command{
		Use:   "trust",
		Short: "judge the trust policies by which clouds take id-tokens",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(trustLintCommand(w), trustEvalCommand(w))
	return c
}

type evalOptions struct {
	cloud, policy, claims, name, format string
}

func trustEvalCommand(w world) *cobra.Command {
	var o evalOptions
	c := &cobra.Command{
		Use:   "eval --cloud CLOUD --policy FILE --claims FILE",
		Short: "say which tokens a trust policy admits",
		Long: `eval asks one policy about the claims of one id-token, or of many. It asks no
cloud; what of a policy it does not read counts as met in an allow and as not
met in a deny, and the answer is then not exact.

The file of claims is one JSON object of claims, or an object of names with one
such object each. The audience AUD stands for the one that the policy's cloud
expects. In the results a single object has the name of its file without the
extension.

Exit status: 0 answered, 2 wrong use or a file that cannot be read.`,
		Example: `  stint trust eval --cloud aws --policy trust.json --claims claims.json
  stint trust eval --cloud vault --policy role.json --claims - --format json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return runTrustEval(w, o) },
	}
	f := c.Flags()
	f.StringVar(&o.cloud, "cloud", "", "`CLOUD`: "+strings.Join(cloudNames(), ", "))
	f.StringVar(&o.policy, "policy", "", "the `FILE` that holds the policy")
	f.StringVar(&o.claims, "claims", "", "the `FILE` of claims, - is standard input")
	f.StringVar(&o.name, "name", "", "`NAME` of the policy, when the file holds several")
	f.StringVar(&o.format, "format", "text", "`FORMAT`: text or json")
	return c
}

func cloudNames() []string {
	var names []string
	for _, c := range providers.Clouds() {
		names = append(names, c.Name)
	}
	return names
}

func runTrustEval(w world, o evalOptions) error {
	if err := checkFormat(o.format); err != nil {
		return err
	}
	cloud, ok := providers.Cloud(o.cloud)
	switch {
	case !ok:
		return usage("use --cloud with one of "+strings.Join(cloudNames(), ", "), "unknown cloud %q", o.cloud)
	case o.policy == "" || o.claims == "":
		return usage("give both: --policy FILE --claims FILE", "eval needs a policy and claims")
	}
	p, err := o.readPolicy(cloud)
	if err != nil {
		return err
	}
	tokens, err := o.readTokens(w, expectedAudience(cloud, p))
	if err != nil {
		return err
	}
	answers := map[string]trust.Answer{}
	for name, claims := range tokens {
		a := p.Decide(claims)
		a.Why = workflows.Printable(a.Why)
		answers[name] = a
	}
	if o.format == "json" {
		return writeJSON(w.stdout, map[string]any{"results": answers})
	}
	writeAnswers(w.stdout, answers, terminalWidth(w))
	return nil
}

func checkFormat(format string) error {
	if format != "text" && format != "json" {
		return usage("use --format text or --format json", "unknown format %q", format)
	}
	return nil
}

func writeJSON(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// readPolicy reads the one policy of --policy, or the one of the name.
func (o evalOptions) readPolicy(cloud trust.Cloud) (trust.Policy, error) {
	b, err := readPolicyFile(o.policy)
	if err != nil {
		return nil, err
	}
	docs, err := findLocks(o.policy, b, []trust.Cloud{cloud})
	if err != nil {
		return nil, policyError(o.policy, err)
	}
	if o.name != "" {
		docs = slices.DeleteFunc(docs, func(d trust.Document) bool { return d.Name != o.name })
	}
	switch {
	case len(docs) == 0 && o.name != "":
		return nil, usage("stint trust lint FILE lists the names", "%q has no policy called %q for %s", o.policy, o.name, cloud.Name)
	case len(docs) == 0: // not one that is known at sight: the caller says what it is
		docs = []trust.Document{{Cloud: cloud.Name, Path: o.policy, Line: 1, Body: b}}
	case len(docs) > 1:
		var names []string
		for _, d := range docs {
			names = append(names, d.Name)
		}
		return nil, usage("choose one with --name: "+strings.Join(names, ", "), "%q has %d policies", o.policy, len(docs))
	}
	p, err := cloud.Parse(docs[0])
	if err != nil {
		return nil, policyError(o.policy, err)
	}
	return p, nil
}

// audienceSign stands in saved claims for the audience that a policy expects.
const audienceSign = "AUD"

// readTokens reads the claims of one token or of many.
func (o evalOptions) readTokens(w world, audience string) (map[string]oidc.Claims, error) {
	var b []byte
	var err error
	if o.claims == "-" {
		b, err = readAll(w.stdin, trust.MaxDocumentBytes)
	} else {
		b, err = readBounded(machine{}, o.claims, trust.MaxDocumentBytes)
	}
	if err != nil {
		return nil, usage("give a file that holds claims as JSON", "the claims in %q cannot be read: %s", o.claims, reason(err))
	}
	base := filepath.Base(o.claims)
	raw := map[string]json.RawMessage{strings.TrimSuffix(base, filepath.Ext(base)): b}
	if many, ok := namedObjects(b); ok {
		raw = many
	}
	tokens := map[string]oidc.Claims{}
	for name, body := range raw {
		c, err := oidc.ParseClaims(body)
		if err != nil {
			return nil, usage(nextStep(err), "claims %q: %s", name, err)
		}
		tokens[name] = withAudience(c, audience)
	}
	return tokens, nil
}

// namedObjects reads an object all of whose values are objects.
func namedObjects(b []byte) (map[string]json.RawMessage, bool) {
	var many map[string]json.RawMessage
	if json.Unmarshal(b, &many) != nil || len(many) == 0 {
		return nil, false
	}
	for _, v := range many {
		if !bytes.HasPrefix(bytes.TrimSpace(v), []byte("{")) {
			return nil, false
		}
	}
	return many, true
}

// expectedAudience is what AUD stands for. The audience of tokens that were asked for
// without one, which every careless party takes, is nobody's expectation, also where a
// policy names it.
func expectedAudience(cloud trust.Cloud, p trust.Policy) string {
	if a := p.Audience(); a != "" && !strings.HasPrefix(strings.ToLower(a), "https://github.com/") {
		return a
	}
	return cloud.Audience
}

func withAudience(c oidc.Claims, audience string) oidc.Claims {
	if audience == "" || len(c.Audience) != 1 || c.Audience[0] != audienceSign {
		return c
	}
	c.Audience, c.Values = []string{audience}, maps.Clone(c.Values)
	c.Values["aud"] = audience
	return c
}

func writeAnswers(out io.Writer, answers map[string]trust.Answer, width int) {
	for _, name := range slices.Sorted(maps.Keys(answers)) {
		a := answers[name]
		verdict := "refused"
		if a.Admits {
			verdict = "admitted"
		}
		if !a.Exact {
			verdict += ", as far as it is read"
		}
		fmt.Fprintf(out, "%s: %s\n", workflows.Printable(name), verdict)
		fmt.Fprintln(out, wrap(a.Why, width, "  "))
	}
}
