package org

import (
	"fmt"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"github.com/stint-dev/stint/workflows/github"
)

// Document returns everything that the index says, as of its last run; the index must
// stay open as long as its analyses are read. Posture is left to whoever judges the
// settings. The error is an [*IndexError].
func (x *Index) Document() (*Document, error) {
	var d *Document
	err := x.view(func(tx *bbolt.Tx) (err error) {
		d, err = documentOf(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	d.Read = x.analysis
	return d, nil
}

func (x *Index) analysis(key string) (*Analysis, error) {
	var a *Analysis
	err := x.view(func(tx *bbolt.Tx) (err error) {
		a, err = getAnalysis(tx, key)
		return err
	})
	return a, err
}

// Reaches returns what can be lost in the jobs of the repositories, by the key of their
// analysis. The error is an [*IndexError].
func (x *Index) Reaches() (map[string][]*JobReach, error) {
	digests, out := newDecoder(), map[string][]*JobReach{}
	err := x.view(func(tx *bbolt.Tx) error {
		return eachRepo(tx, func(r *repoRecord) error {
			if r.Analysis == "" || out[r.Analysis] != nil {
				return nil
			}
			d, err := digests.read(tx, r.Analysis)
			all := make([]*JobReach, len(d.Jobs))
			for i := range d.Jobs {
				all[i] = d.Jobs[i].JobReach
			}
			out[r.Analysis] = all
			return err
		})
	})
	return out, err
}

func documentOf(tx *bbolt.Tx) (*Document, error) {
	meta := tx.Bucket(metaBucket)
	d := &Document{
		Version: 1, Host: string(meta.Get([]byte("host"))), Organization: string(meta.Get([]byte("organization"))),
		Repositories: []Repository{}, Trend: []Trend{}, Settings: []Setting{}, Posture: []Finding{},
	}
	last, _, err := lastRun(tx)
	if err != nil {
		return nil, err
	}
	d.Scanned, d.Stint = last.Started, last.Stint
	secrets, err := inventoryOf(tx)
	if err != nil {
		return nil, err
	}
	if err := d.addRepositories(tx, last, secrets); err != nil {
		return nil, err
	}
	d.Secrets = secrets.secrets()
	if d.Settings, err = settingsOf(tx); err != nil {
		return nil, err
	}
	if d.Refs, err = allRefs(tx); err != nil {
		return nil, err
	}
	if err := d.addTrend(tx); err != nil {
		return nil, err
	}
	d.cover(last, tx)
	return d, nil
}

// addRepositories adds the repositories by name, and what their jobs sum up to.
func (d *Document) addRepositories(tx *bbolt.Tx, last runRecord, secrets *inventory) error {
	digests := newDecoder()
	own := ownActions{prefix: strings.ToLower(d.Organization) + "/", used: map[string]bool{}, read: map[string]bool{}}
	err := eachRepo(tx, func(r *repoRecord) error {
		r.settle(last)
		d.Repositories = append(d.Repositories, r.Repository)
		if r.Analysis == "" {
			return nil
		}
		a, err := digests.read(tx, r.Analysis)
		d.Pairs += a.Pairs
		secrets.use(&r.Repository, a)
		own.add(r.Name, &a)
		return err
	})
	slices.SortFunc(d.Repositories, func(a, b Repository) int { return strings.Compare(a.Name, b.Name) })
	if isWhole(tx) {
		d.Coverage.ActionsNotRead = own.missing() // a shard does not have those of the others
	}
	return err
}

// settle makes a repository old that the last run has not come to.
func (r *repoRecord) settle(last runRecord) {
	if last.Ended.IsZero() && r.Seen.Before(last.Started) && (r.Status == StatusOK || r.Status == StatusEmpty) {
		r.Status, r.Why = StatusOld, "the last run did not come to it"
	}
}

func (d *Document) addTrend(tx *bbolt.Tx) error {
	all, err := allRuns(tx)
	for _, r := range all {
		if !r.Ended.IsZero() {
			d.Trend = append(d.Trend, Trend{r.Started, r.Sum.Pairs, r.Sum.Repositories, r.Sum.standing()})
		}
	}
	return err
}

// cover says how much of the organization the document speaks of.
func (d *Document) cover(last runRecord, tx *bbolt.Tx) {
	d.Coverage.Repositories, d.Coverage.By, d.Coverage.Requests = len(d.Repositories), map[Status]int{}, last.Requests
	here := 0
	for _, r := range d.Repositories {
		d.Coverage.By[r.Status]++
		if r.Status != StatusOld {
			here++
		}
	}
	d.Coverage.Repositories += last.Hidden
	if last.Hidden > 0 {
		d.Coverage.By[StatusDenied] += last.Hidden
	}
	by := d.Coverage.By
	d.Coverage.Complete = !last.Ended.IsZero() && by[StatusDenied]+by[StatusFailed]+by[StatusOld] == 0 && isWhole(tx) && here+last.Hidden >= last.Total
}

// isWhole reports whether the index is of the whole organization, and no shard.
func isWhole(tx *bbolt.Tx) bool {
	return string(tx.Bucket(metaBucket).Get([]byte("shards"))) == Shard{}.String()
}

// settingsOf returns the settings of the index, the organization's first.
func settingsOf(tx *bbolt.Tx) ([]Setting, error) {
	out := []Setting{}
	err := tx.Bucket(settingBucket).ForEach(func(_, text []byte) error {
		var r settingRecord
		if err := decode(text, &r); err != nil {
			return err
		}
		if s := r.Organization; s != nil {
			out = append(out, surfaces("", s.Surfaces)...)
			out = append(out, policy("", s.Actions)...)
			out = append(out, subject("", s.Subject)...)
		}
		if s := r.Repository; s != nil {
			out = append(out, surfaces(s.Repository, s.Surfaces)...)
			out = append(out, policy(s.Repository, s.Actions)...)
			out = append(out, subject(s.Repository, s.Subject)...)
			out = append(out, environments(s.Repository, s.Environments)...)
		}
		return nil
	})
	slices.SortStableFunc(out, func(a, b Setting) int { return strings.Compare(a.Of, b.Of) })
	return out, err
}

// surfaces lists what the token may not see.
func surfaces(of string, list []github.Surface) []Setting {
	var out []Setting
	for _, s := range list {
		if !s.Readable {
			out = append(out, Setting{Of: of, Name: s.Name, Needs: s.Needs})
		}
	}
	return out
}

func policy(of string, p github.ActionsPolicy) []Setting {
	var out []Setting
	text := func(name, value string) {
		if value != "" {
			out = append(out, Setting{Of: of, Name: name, Value: value, Readable: true})
		}
	}
	flag := func(name string, value *bool) {
		if value != nil {
			text(name, fmt.Sprint(*value))
		}
	}
	text("enabled_repositories", p.EnabledRepositories)
	flag("enabled", p.Enabled)
	text("allowed_actions", p.AllowedActions)
	flag("github_owned_allowed", p.GitHubOwned)
	flag("verified_allowed", p.Verified)
	text("patterns_allowed", strings.Join(p.Patterns, " "))
	flag("sha_pinning_required", p.PinningRequired)
	text("default_workflow_permissions", p.DefaultPermissions)
	flag("can_approve_pull_request_reviews", p.CanApprove)
	text("fork_pull_request_approval", p.ForkApproval)
	flag("fork_runs", p.ForkRuns)
	flag("fork_write_tokens", p.ForkWriteTokens)
	flag("fork_secrets", p.ForkSecrets)
	flag("fork_approval_required", p.ForkApprovalRequired)
	text("access", p.Access)
	return out
}

func subject(of string, s github.Subject) []Setting {
	var out []Setting
	if len(s.Claims) > 0 {
		out = append(out, Setting{Of: of, Name: "oidc_subject", Value: strings.Join(s.Claims, " "), Readable: true})
	} else if s.UseDefault != nil {
		out = append(out, Setting{Of: of, Name: "oidc_subject_default", Value: fmt.Sprint(*s.UseDefault), Readable: true})
	}
	return out
}

func environments(of string, list []github.Environment) []Setting {
	var out []Setting
	for _, e := range list {
		value := "reviewers: " + strings.Join(e.Reviewers, " ")
		if len(e.Reviewers) == 0 {
			value = "reviewers: none"
		}
		if e.BranchPolicy != "" {
			value += "; branches: " + e.BranchPolicy
		}
		out = append(out, Setting{Of: of, Name: "environment " + e.Name, Value: value, Readable: true})
	}
	return out
}

// OrganizationSettings returns what was last read of the organization's settings, and
// false when that was nothing.
func (x *Index) OrganizationSettings() (github.Settings, bool, error) {
	var r settingRecord
	err := x.view(func(tx *bbolt.Tx) error {
		_, err := getJSON(tx.Bucket(settingBucket), organizationKey, &r)
		return err
	})
	if err != nil || r.Organization == nil {
		return github.Settings{}, false, err
	}
	return *r.Organization, true, nil
}

// EachRepositorySettings calls f with what was last read of each repository's settings, in
// order of the repositories' ids.
func (x *Index) EachRepositorySettings(f func(github.RepositorySettings) error) error {
	return x.view(func(tx *bbolt.Tx) error {
		return tx.Bucket(settingBucket).ForEach(func(_, text []byte) error {
			var r settingRecord
			if err := decode(text, &r); err != nil || r.Repository == nil {
				return err
			}
			return f(*r.Repository)
		})
	})
}
