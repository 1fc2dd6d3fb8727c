package longlivedcloudkey

import (
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// A rewrite turns the inputs of one log-in action from a key to the id-token.
type rewrite struct {
	// old go, new come in their place; kept names an input that, where it is there
	// already, stands for the new ones.
	old  []string
	new  []workflows.Setting
	kept string
	// title ends the fix's title.
	title string
}

// rewrites by the action's name. What stands in <…> is for a person to fill in: the
// role or identity must be made first. Sources: the actions' READMEs, 2026-11.
var rewrites = map[string]rewrite{
	"aws-actions/configure-aws-credentials": {
		old: []string{"aws-access-key-id", "aws-secret-access-key", "aws-session-token"},
		new: []workflows.Setting{
			{Key: "role-to-assume", Text: "arn:aws:iam::<ACCOUNT>:role/<ROLE>", Comment: "a role whose trust policy names this job"},
		},
		kept: "role-to-assume", title: "assume a role of AWS",
	},
	"google-github-actions/auth": {
		old: []string{"credentials_json"},
		new: []workflows.Setting{
			{Key: "workload_identity_provider", Text: "projects/<NUMBER>/locations/global/workloadIdentityPools/<POOL>/providers/<PROVIDER>"},
			{Key: "service_account", Text: "<NAME>@<PROJECT>.iam.gserviceaccount.com", Comment: "bound to this job's subject"},
		},
		kept: "workload_identity_provider", title: "log in to Google Cloud",
	},
	"azure/login": {
		old: []string{"creds"},
		new: []workflows.Setting{
			{Key: "client-id", Text: "<CLIENT_ID>", Comment: "an application with a federated credential for this job"},
			{Key: "tenant-id", Text: "<TENANT_ID>"},
			{Key: "subscription-id", Text: "<SUBSCRIPTION_ID>"},
		},
		kept: "client-id", title: "log in to Azure",
	},
}

// fix rewrites the steps that log in with the key, when they are all that uses it.
// It is unsafe: the role has to be made, and its name filled in, by a person.
func (k key) fix(p *lint.Pass, job *reach.Job) (lint.Fix, bool) {
	steps, ok := k.steps(p.File)
	if !ok {
		return lint.Fix{}, false
	}
	edits, ok := p.AllowIDToken(job)
	title := ""
	for _, s := range steps {
		r := rewrites[s.Uses.FullName()]
		if s.With.Get(r.kept) != nil {
			r.new = nil
		}
		swap, swapped := p.File.SwapStepWith(s, r.old, r.new)
		if !swapped || !ok {
			return lint.Fix{}, false
		}
		edits, title = append(edits, swap...), r.title
	}
	return lint.Fix{Title: title + " by the job's id-token", Edits: edits}, true
}

// steps returns the log-in steps of the file that take the key, and false when
// something else takes it too.
func (k key) steps(f *workflows.File) ([]*workflows.Step, bool) {
	var out []*workflows.Step
	for _, u := range k.uses {
		if u.Holder != reach.HeldByInput || u.File != f || u.Step.Uses == nil {
			return nil, false
		}
		if !slices.Contains(rewrites[u.Step.Uses.FullName()].old, strings.ToLower(u.Name)) {
			return nil, false
		}
		if !slices.Contains(out, u.Step) {
			out = append(out, u.Step)
		}
	}
	return out, len(out) > 0
}
