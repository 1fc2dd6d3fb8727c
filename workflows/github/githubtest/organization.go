package githubtest

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Modes of git.
const (
	ModeFile      = 0o100644
	ModeLink      = 0o120000 // Content is the place that it points to
	ModeSubmodule = 0o160000
	modeTree      = 0o040000
)

// An Organization is what a [Server] serves.
type Organization struct {
	Name         string
	Repositories []*Repository
	Secrets      []Secret
	// Settings are the answers of REST below orgs/NAME/, by the rest of the path:
	// "actions/permissions". What is not there is answered 404.
	Settings map[string]any
	Rulesets []Ruleset
	// Others are repositories of other owners, with these in their names: what actions are
	// used from. They are found by name only.
	Others []*Repository
	// Denied are the paths of REST, as in Settings, that are answered 403, with the
	// permission that they take; "rulesets" is that of GraphQL.
	Denied map[string]string
}

// A Repository is one repository.
type Repository struct {
	ID         int64
	NodeID     string
	Name       string // without the owner
	Visibility string // "public", "private", "internal"
	Fork       bool
	Archived   bool
	Pushed     time.Time
	Branch     string
	Head       string // the commit; "" in an empty repository
	Files      map[string]*File
	// Refs are the tags and branches beside the default one, by their full names:
	// "refs/tags/v1".
	Refs map[string]Ref
	// Denied is a repository that is listed as null with an error; DeniedPaths are
	// directories and files that are.
	Denied      bool
	DeniedPaths []string

	Secrets      []Secret
	Environments []Environment
	DeployKeys   []DeployKey
	Rulesets     []Ruleset
	// Settings and DeniedSettings are as those of an organization, below repos/OWNER/NAME/.
	Settings       map[string]any
	DeniedSettings map[string]string
}

// A File is a file of the default branch. Its content is made when it is asked for, so
// that a large organization takes little memory.
type File struct {
	Mode    int // ModeFile when 0
	Content func() []byte
}

// Text returns a regular file.
func Text(s string) *File { return &File{Content: func() []byte { return []byte(s) }} }

// Link returns a symbolic link.
func Link(to string) *File {
	return &File{Mode: ModeLink, Content: func() []byte { return []byte(to) }}
}

func (f *File) mode() int {
	if f.Mode == 0 {
		return ModeFile
	}
	return f.Mode
}

// A Secret is a stored secret, without a value.
type Secret struct {
	Name             string
	Created, Updated time.Time
	Visibility       string   // of an organization's
	Selected         []string // names of repositories without the owner
}

// An Environment is a deployment environment.
type Environment struct {
	Name              string
	Reviewers         []string // logins
	PreventSelfReview bool
	Wait              int // minutes
	AdminsBypass      bool
	BranchPolicy      string   // "protected", "custom", "" for none
	Branches          []string // patterns, for "custom"
	Secrets           []Secret
}

// A DeployKey is a key of a repository.
type DeployKey struct {
	Title, Key string
	ReadOnly   bool
	Created    time.Time
}

// A Ruleset is a set of rules on branches.
type Ruleset struct {
	ID          int64
	Name        string
	Enforcement string // "ACTIVE", "EVALUATE", "DISABLED"
	Include     []string
	Rules       []string // "PULL_REQUEST"
	// Bypass are those who may go past it: "app:NAME", "team:NAME", "role:NAME",
	// "admin", "key", each with ":always" or ":pull_request" behind it.
	Bypass []string
	// Hidden denies Bypass to the token.
	Hidden bool
}

// Push changes files of a repository (nil removes one) and its head, at a time.
func (r *Repository) Push(at time.Time, files map[string]*File) {
	for path, f := range files {
		if f == nil {
			delete(r.Files, path)
			continue
		}
		if r.Files == nil {
			r.Files = map[string]*File{}
		}
		r.Files[path] = f
	}
	if r.Branch == "" {
		r.Branch = "main"
	}
	r.Pushed, r.Head = at, sum("commit "+r.Name+at.String()+r.Head)
}

// sum is an id that looks like git's.
func sum(s string) string {
	d := sha1.Sum([]byte(s))
	return hex.EncodeToString(d[:])
}

// BlobID returns git's id of a content.
func BlobID(content []byte) string {
	return sum(fmt.Sprintf("blob %d\x00", len(content)) + string(content))
}

// nodeID makes a node id in the host's manner.
func nodeID(id int64) string {
	return "R_" + strings.TrimRight(base64.URLEncoding.EncodeToString(fmt.Appendf(nil, "repository:%d", id)), "=")
}
