package github

import "time"

// A Repo is one repository as a listing of an organization has it.
type Repo struct {
	ID         int64
	NodeID     string
	Name       string // owner/repo
	Visibility string // "public", "private", "internal"
	Fork       bool
	Archived   bool
	Pushed     time.Time
	Branch     string // the default branch, "" when there is no commit
	Head       string // its commit
	// Tree is the id of .github/workflows, "" when there is no such directory.
	Tree string
	// Files are the workflow, action, dependabot and lock files that the listing saw,
	// stint's configuration, and the links and submodules among them, sorted by path.
	// Text is nil where it could not be had whole: it is larger than
	// [workflows.MaxFileBytes], or a line of Denied says why, or it is no file, or
	// only ids were asked for.
	Files []Blob
	// Denied says what the token may not read, one lower-case line each. A repository
	// with any is never taken for clean.
	Denied []string
	// Failed says in one lower-case line why the host did not answer for the repository
	// in the end; "" when it did. The other fields may be empty then.
	Failed string

	// below are directories that the listing saw and that may hold actions deeper down.
	below []string
}

// A Blob is one file of a repository's default branch.
type Blob struct {
	Path string
	OID  string // the blob's id: hex sha-1, or sha-256 in repositories that have it
	Size int
	// Text is the content; it has been held against OID.
	Text []byte
	// Mode is git's: 0o100644, 0o120000 for a link, 0o160000 for a submodule.
	Mode int
}

// A Page is one answer of a listing.
type Page struct {
	Repos []Repo
	// Total is how many repositories the organization has by the host's word.
	Total int
	// Cursor is where the next page begins, "" after the last one.
	Cursor string
}

// PageOptions say what a listing reads.
type PageOptions struct {
	// After is the Cursor of the last page that was read, "" to begin.
	After string
	// Size is how many repositories the first request asks for, 1 to 100; 0 is 100.
	Size int
	// Text asks for the content of files. Without it there are only ids, and Files
	// has no actions outside .github/actions.
	Text bool
	// Since ends the listing at the first repository that was pushed before it. The
	// zero time reads all.
	Since time.Time
	// Archived includes archived repositories.
	Archived bool
}

// A Spent counts what a client asked the host, by the host's budgets.
type Spent struct {
	GraphQL, Points, REST, Git int
	// Left is what remains of the GraphQL budget until Resets; -1 when the host says
	// nothing, as GitHub Enterprise Server does with its limits off.
	Left   int
	Resets time.Time
}

// A TreeID is what a sweep says of one repository.
type TreeID struct {
	NodeID string
	Name   string // owner/repo, "" when it is gone or denied
	Tree   string // as [Repo.Tree]
	Head   string // commit of the default branch
	Pushed time.Time
	// Denied says in one lower-case line why nothing is known of it, "" otherwise.
	Denied string
}
