package org

import (
	"fmt"
	"time"
)

// A Status is what became of a repository in a run.
type Status string

// The statuses. Only StatusOK says that the repository was read whole.
const (
	StatusOK     Status = "ok"
	StatusEmpty  Status = "empty"  // no commits, or no workflow, action, dependabot or lock file
	StatusDenied Status = "denied" // the token may not read it, or a part of it
	StatusFailed Status = "failed" // the host did not answer for it in the end
	StatusOld    Status = "old"    // known from an earlier run only
)

// A Document is everything an index says, as versioned JSON but for the analyses: all of
// those of a large organization do not fit into memory, so that reports are made of them
// one by one.
type Document struct {
	Version      int       `json:"version"` // 1
	Host         string    `json:"host"`    // "github.com"
	Organization string    `json:"organization"`
	Scanned      time.Time `json:"scanned"`
	Stint        string    `json:"stint"` // version
	Coverage     Coverage  `json:"coverage"`
	// Pairs is the number that matters: foreign code × standing credentials, over all
	// jobs of all repositories. Trend has it for this and the earlier runs, oldest first.
	Pairs        int          `json:"pairs"`
	Trend        []Trend      `json:"trend"`
	Repositories []Repository `json:"repositories"`
	Secrets      []Secret     `json:"secrets"`
	Settings     []Setting    `json:"settings"`
	// Refs are the tags and branches that actions and workflows are used by.
	Refs []Ref `json:"refs,omitempty"`
	// Posture are the findings that the settings give, of the organization (Path is "")
	// or of one repository (Path is owner/repo).
	Posture []Finding `json:"posture"`
	// NotChecked are the checks of the posture that could not be made.
	NotChecked []NotChecked `json:"not_checked,omitempty"`

	// Read returns an analysis that Repositories name, by its key. That of a document of
	// an index reads the index, which must be open.
	Read func(key string) (*Analysis, error) `json:"-"`
}

// EachAnalysis reads every analysis that repositories name, once, and calls f with it and
// the places in Repositories of those that have it. The order is that of the first of
// them. The error is that of Read or f.
func (d *Document) EachAnalysis(f func(a *Analysis, repositories []int) error) error {
	of := map[string][]int{}
	var keys []string
	for i := range d.Repositories {
		key := d.Repositories[i].Analysis
		if key == "" {
			continue
		}
		if of[key] == nil {
			keys = append(keys, key)
		}
		of[key] = append(of[key], i)
	}
	for _, key := range keys {
		a, err := d.Read(key)
		if err == nil {
			err = f(a, of[key])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ReadFrom reads analyses that are in memory.
func ReadFrom(all map[string]*Analysis) func(key string) (*Analysis, error) {
	return func(key string) (*Analysis, error) {
		if a := all[key]; a != nil {
			return a, nil
		}
		return nil, fmt.Errorf("there is no analysis %q", key)
	}
}

// NotChecked is a check of the posture that could not be made, and where. It is never
// to be read as a check that found nothing.
type NotChecked struct {
	Rule string `json:"rule"`
	// Why is one lower-case line; it names the permission that was missing, where the
	// host says which.
	Why string `json:"why"`
	// Count is the number of repositories, 1 for the organization itself; Examples are
	// the first few of them.
	Count    int      `json:"count"`
	Examples []string `json:"examples,omitempty"`
}

// Coverage says how much of the organization a document speaks of.
type Coverage struct {
	Repositories int            `json:"repositories"`
	By           map[Status]int `json:"by"`
	// Complete is set when the last run came to its end and nothing was denied or failed.
	Complete bool `json:"complete"`
	// ActionsNotRead are the organization's own actions and workflows that it uses and
	// whose files are not in the index, sorted: they are of a repository that could not be
	// read, or lie outside of .github where no file of theirs names them.
	ActionsNotRead []string `json:"actions_not_read,omitempty"`
	// Requests counts what the last run asked the host.
	Requests Requests `json:"requests"`
}

// Requests counts the requests of a run by the host's budgets.
type Requests struct {
	GraphQL int `json:"graphql"`
	Points  int `json:"points"` // of the GraphQL budget
	REST    int `json:"rest"`
	Git     int `json:"git"`
}

// A Trend is the number that matters at the end of one run.
type Trend struct {
	At           time.Time `json:"at"`
	Pairs        int       `json:"pairs"`
	Repositories int       `json:"repositories"`
	Standing     int       `json:"standing"` // distinct standing credentials in use
}

// A Repository is one repository of the organization.
type Repository struct {
	ID         int64     `json:"id"`
	Name       string    `json:"name"` // owner/repo
	Visibility string    `json:"visibility"`
	Fork       bool      `json:"fork,omitempty"`
	Archived   bool      `json:"archived,omitempty"`
	Branch     string    `json:"branch,omitempty"` // the default one
	Head       string    `json:"head,omitempty"`   // its commit
	Pushed     time.Time `json:"pushed"`
	Status     Status    `json:"status"`
	// Why is one line for every status but ok.
	Why string `json:"why,omitempty"`
	// Analysis is the key of what its files say, "" when there are none.
	Analysis string    `json:"analysis,omitempty"`
	Seen     time.Time `json:"seen"`
}

// A Secret is one stored secret of the inventory, joined with its use. Its value is
// never known.
type Secret struct {
	Name string `json:"name"`
	// Scope is "organization", "repository" or "environment"; Repository and
	// Environment say which.
	Scope string `json:"scope"`
	// Store is what it is kept for: "actions", "dependabot", "codespaces". Use is known of
	// those for actions only.
	Store       string    `json:"store"`
	Repository  string    `json:"repository,omitempty"`
	Environment string    `json:"environment,omitempty"`
	Visibility  string    `json:"visibility,omitempty"` // all, private, selected
	Selected    []string  `json:"selected,omitempty"`   // repositories, for selected
	Created     time.Time `json:"created"`
	Updated     time.Time `json:"updated"`
	// UsedBy counts the jobs that name it, Foreign those of them in which foreign code
	// could take it; Dead is set when no job that could have it names it.
	UsedBy  int  `json:"used_by"`
	Foreign int  `json:"foreign"`
	Dead    bool `json:"dead,omitempty"`
}

// A Setting is one setting that bears on credentials, as the host has it.
type Setting struct {
	// Of is "" for the organization, else owner/repo.
	Of   string `json:"of,omitempty"`
	Name string `json:"name"` // "default_workflow_permissions"
	// Value is as the host says; "" with Readable false when the token may not see it.
	Value    string `json:"value"`
	Readable bool   `json:"readable"`
	// Needs names the permission that would make it readable.
	Needs string `json:"needs,omitempty"`
}
