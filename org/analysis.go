package org

import "github.com/stint-dev/stint/reach"

// An Analysis is what lint and reach say about one content: the workflow, action,
// dependabot and lock files of a repository. It names no repository, so that
// all that have the same files share it.
type Analysis struct {
	// Key is the hex sha-256 over the paths and blob ids of the files, the rules, the
	// configuration, and the names of the repository where the files speak of them.
	Key  string `json:"key"`
	Jobs []Job  `json:"jobs"`
	// Actions are the repository's own actions: who uses one of them from elsewhere runs
	// what it uses, too.
	Actions  []Action              `json:"actions,omitempty"`
	Findings []Finding             `json:"findings"`
	Pairs    int                   `json:"pairs"`
	Levers   []reach.DocumentLever `json:"levers,omitempty"`
	// Unread lists the files that could not be read whole, and why.
	Unread []Unread `json:"unread,omitempty"`
	// NotChecked is as in lint.Result.
	NotChecked []string `json:"not_checked,omitempty"`
}

// A Job is one job as the graph has it, with the uses of its code in a form that can
// be looked up.
type Job struct {
	reach.DocumentJob
	Uses []Use `json:"uses"`
	// Installs are the commands that install packages, in order.
	Installs []Install `json:"installs,omitempty"`
	// Inherits is set when the job hands on or holds every secret of its repository.
	Inherits bool `json:"inherits,omitempty"`
}

// An Action is an action of the repository itself, and what its steps use, also
// through other local ones.
type Action struct {
	// Dir is its directory, "" for the root.
	Dir  string `json:"dir"`
	Uses []Use  `json:"uses"`
}

// An Install is a command that takes packages from a registry.
type Install struct {
	// Ecosystem is a type of package URLs: "npm", "pypi", "cargo", "gem", "nuget",
	// "golang", "composer", "maven", "" when the command is not known.
	Ecosystem string `json:"ecosystem"`
	// Command is the first words, at most 200 bytes.
	Command string `json:"command"`
	// Packages are those that the command names itself, as "name" or "name@version".
	Packages []string `json:"packages,omitempty"`
	// Locked is set when only what a lock file lists is installed; KeepsLock when it is
	// where there is such a file, which the index does not know.
	Locked    bool                `json:"locked,omitempty"`
	KeepsLock bool                `json:"keeps_lock,omitempty"`
	Place     reach.DocumentPlace `json:"place"`
}

// A Use is one action or reusable workflow that runs in a job, also inside others.
type Use struct {
	// Name is owner/repo[/path] in lower case, or docker:// with an image; Ref is as
	// written, "" for images.
	Name string `json:"name"`
	Ref  string `json:"ref"`
	// Commit is the full commit that runs where the file or actions.lock says so, else "":
	// Document.Refs has what a tag or branch names.
	Commit string `json:"commit,omitempty"`
	// Pinned is set when Ref itself is a full commit, or an image's digest is given.
	// Locked is set when actions.lock says which commit runs; Commit is that one then.
	Pinned bool                  `json:"pinned,omitempty"`
	Locked bool                  `json:"locked,omitempty"`
	Place  reach.DocumentPlace   `json:"place"`
	Via    []reach.DocumentPlace `json:"via,omitempty"`
}

// A Finding is a finding of lint, or of the organization's posture, as it is kept.
type Finding struct {
	Rule        string   `json:"rule"`
	Severity    string   `json:"severity"`
	Confidence  string   `json:"confidence,omitempty"`
	Path        string   `json:"path,omitempty"`
	Line        int      `json:"line,omitempty"`
	Column      int      `json:"column,omitempty"`
	Job         string   `json:"job,omitempty"`
	Message     string   `json:"message"`
	Next        string   `json:"next,omitempty"`
	Credentials []string `json:"credentials,omitempty"`
	Fingerprint string   `json:"fingerprint"`
}

// An Unread is a file that could not be read, and why, in one lower-case line.
type Unread struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}
