package migrate

import (
	"fmt"
	"strings"
)

// A Step is one thing to do, with the commands for it, if there are any.
type Step struct {
	Text     string
	Commands []string
}

// An ending is how the key of a place is looked at, put out of use and deleted there.
type ending struct{ title, made, seen, off, gone string }

// endings by place. What is in capitals a person fills in. Sources: the documentation
// of the clouds' and registries' tools, 2026-11; where a tool has no such command, the
// text says where to look.
var endings = map[string]ending{
	"aws": {"AWS", "", "aws iam get-access-key-last-used --access-key-id KEY_ID",
		"aws iam update-access-key --user-name USER --access-key-id KEY_ID --status Inactive",
		"aws iam delete-access-key --user-name USER --access-key-id KEY_ID"},
	"gcp": {"Google Cloud", "", "gcloud policy-intelligence query-activity --activity-type=serviceAccountKeyLastAuthentication --project=PROJECT",
		"gcloud iam service-accounts keys disable KEY_ID --iam-account=ACCOUNT",
		"gcloud iam service-accounts keys delete KEY_ID --iam-account=ACCOUNT"},
	"azure": {"Azure", "", "az ad app credential list --id CLIENT_ID", "",
		"az ad app credential delete --id CLIENT_ID --key-id KEY_ID"},
	"vault":    {"Vault", "", "vault token lookup -accessor ACCESSOR", "", "vault token revoke -accessor ACCESSOR"},
	"npm":      {"npm", "the package's settings, trusted publisher", "npm token list", "", "npm token revoke TOKEN_ID"},
	"pypi":     {"PyPI", "the project's settings, publishing", "", "", ""},
	"crates":   {"crates", "the crate's settings, trusted publishing", "", "", ""},
	"rubygems": {"RubyGems", "the gem's page, trusted publishers", "", "", ""},
	"nuget":    {"NuGet", "the account's page, trusted publishing", "", "", ""},
}

// Title is the place as people write it.
func (k *Key) Title() string {
	if e, ok := endings[k.Place]; ok {
		return e.title
	}
	return k.Place
}

// Order lists what to do for a key that moves, in the order in which nothing breaks:
// the stored secret goes last. It is nil for a key that stays.
func (k *Key) Order() []Step {
	if k.Stays != "" {
		return nil
	}
	e := endings[k.Place]
	steps := []Step{k.making(e)}
	if k.Grant != "" {
		steps = append(steps, Step{Text: "replace what .github/stint.yml marks with \"fill in\", and narrow the rights", Commands: []string{"stint grant explain " + k.Grant}})
	}
	steps = append(steps,
		Step{Text: "merge the change of the workflow and let the job run once; it must not need the old key"})
	if len(k.Elsewhere) > 0 {
		steps = append(steps, Step{Text: "do the same for the other jobs that use the key: " + strings.Join(k.Elsewhere, ", ")})
	}
	steps = append(steps,
		Step{Text: "see that nothing has used the key since: its last use is before that run", Commands: commands(e.seen)})
	if e.off != "" {
		steps = append(steps, Step{Text: "switch the key off and wait until every workflow has run once; it can be switched on again", Commands: commands(e.off)})
	}
	steps = append(steps, Step{Text: "delete the key at " + k.Title() + ", where it is valid until then", Commands: commands(e.gone)})
	last := Step{Text: "delete the stored secret; with --env ENVIRONMENT or --org ORGANIZATION if it is kept there"}
	for _, s := range k.Secrets {
		last.Commands = append(last.Commands, "gh secret delete "+s)
	}
	return append(steps, last)
}

// making is the first step: the lock.
func (k *Key) making(e ending) Step {
	switch {
	case e.made != "":
		return Step{Text: "name this workflow as publisher: " + e.made}
	case k.Lock == nil && k.LockHint != "":
		return Step{Text: fmt.Sprintf("make the identity and its lock at %s", k.Title()), Commands: []string{k.LockHint}}
	}
	return Step{Text: fmt.Sprintf("make the identity at %s with the lock below, and give it the rights that the job needs of the old key", k.Title())}
}

func commands(c string) []string {
	if c == "" {
		return nil
	}
	return []string{c}
}
