package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stint-dev/stint/workflows"
)

// errTooMuch is an answer that the host could not finish, or that did not arrive whole:
// less has to be asked at a time.
var errTooMuch = errors.New("the host does not answer")

// A queryError is one error of a GraphQL answer. Path names the field that is null for
// it; without one the whole answer is.
type queryError struct {
	Type    string `json:"type"`
	Message string `json:"message"`
	Path    []any  `json:"path"`
	// Extensions hold a code where the host does not understand the query at all.
	Extensions struct {
		Code string `json:"code"`
	} `json:"extensions"`
}

// at returns the element of the path as text.
func (e queryError) at(i int) string {
	if i >= len(e.Path) {
		return ""
	}
	switch v := e.Path[i].(type) {
	case string:
		return v
	case float64:
		return strconv.Itoa(int(v))
	}
	return ""
}

// reason returns what the error says in one line.
func (e queryError) reason() string {
	switch e.Type {
	case "FORBIDDEN", "INSUFFICIENT_SCOPES":
		return "the token may not read it"
	case "NOT_FOUND":
		return "not found, or the token may not see it"
	}
	return "the host gives an error instead"
}

// tooMuch reports whether the error is about the size of the query. A timeout has no
// type of its own: "Something went wrong while executing your query."
func (e queryError) tooMuch() bool {
	switch e.Type {
	case "FORBIDDEN", "NOT_FOUND", "INSUFFICIENT_SCOPES":
		return false
	}
	return e.Type == "RESOURCE_LIMITS_EXCEEDED" || e.Type == "MAX_NODE_LIMIT_EXCEEDED" || len(e.Path) == 0 ||
		strings.Contains(e.Message, "Resource limits") || strings.Contains(e.Message, "Something went wrong")
}

// query asks GraphQL once and decodes the data. It returns the errors that concern single
// paths; every other failure is an error, errTooMuch when a smaller query may do.
func (r *Reader) query(ctx context.Context, text string, variables map[string]any, data any) ([]queryError, error) {
	req, err := r.rest.NewRequest(http.MethodPost, r.graphql, map[string]any{"query": text, "variables": variables})
	if err != nil {
		return nil, err
	}
	reply := struct {
		Data   any          `json:"data"`
		Errors []queryError `json:"errors"`
	}{Data: data}
	_, err = r.rest.Do(ctx, req, &reply)
	if err != nil {
		return nil, queryFailure(ctx, err)
	}
	for _, e := range reply.Errors {
		if e.Type == "" && e.Extensions.Code != "" {
			return nil, errors.New("the host does not know a part of the query: it may be too old")
		}
		if e.tooMuch() {
			return nil, errTooMuch
		}
	}
	return reply.Errors, nil
}

// queryFailure sorts the ways in which a query may fail as a whole.
func queryFailure(ctx context.Context, err error) error {
	var status *StatusError
	switch failed := restError(ctx, err); {
	case isStatus(failed, http.StatusUnauthorized):
		return errors.New("the host does not accept the token")
	case errors.As(failed, &status) && status.Status < 500:
		return failed
	case ctx.Err() != nil, errors.Is(failed, ErrLimited), errors.Is(failed, errToken):
		return failed
	default: // 5xx, cut off, too long, no JSON, nobody there
		return errTooMuch
	}
}

// The fields of a repository. Expressions are no connections: they cost no points.
const (
	identityFields = `id databaseId nameWithOwner visibility isFork isArchived pushedAt defaultBranchRef{name target{oid}}`

	blobFields = `fragment B on Blob{oid byteSize isBinary isTruncated text}`

	// deepFields are the entries of a directory and of those in it, three deep.
	deepFields = `fragment D on Tree{entries{name mode type oid size object{... on Tree{entries{name mode type oid size object{... on Tree{entries{name mode type oid size}}}}}}}}`

	// fileFields takes what a tree's entries bring along in place of the %s.
	fileFields = `root: object(expression:"HEAD:"){... on Tree{entries{name mode type oid size}}}
  home: object(expression:"HEAD:.github"){... on Tree{entries{name mode type oid size}}}
  workflows: object(expression:"HEAD:.github/workflows"){oid ... on Tree{entries{name mode type oid size %s}}}
  actions: object(expression:"HEAD:.github/actions"){... on Tree{entries{name mode type oid object{... on Tree{entries{name mode type oid size}}}}}}`

	// textFields are single files by the paths of singleFiles.
	textFields = `f0: object(expression:"HEAD:action.yml"){...B} f1: object(expression:"HEAD:action.yaml"){...B}
  f2: object(expression:"HEAD:.github/dependabot.yml"){...B} f3: object(expression:"HEAD:.github/dependabot.yaml"){...B}
  f4: object(expression:"HEAD:.github/stint.yml"){...B}`
)

// repositoryFields are the fields of the fragment R, and the fragments.
func repositoryFields(text bool) string {
	if !text {
		return "fragment R on Repository{" + identityFields + "\n  " + fmt.Sprintf(fileFields, "") + "}"
	}
	return "fragment R on Repository{" + identityFields + "\n  " + fmt.Sprintf(fileFields, "object{...B}") + "\n  " + textFields + "}\n" + blobFields
}

const costFields = `rateLimit{cost remaining resetAt}`

// costReply is the answer to costFields; a host without limits leaves it null.
type costReply struct {
	RateLimit *struct {
		Cost int `json:"cost"`
	} `json:"rateLimit"`
}

func (r *Reader) charge(c costReply) {
	if c.RateLimit != nil {
		r.gov.charge(c.RateLimit.Cost)
	}
}

// A repositoryReply is the answer to identityFields and the fields of files.
type repositoryReply struct {
	ID            string       `json:"id"`
	DatabaseID    int64        `json:"databaseId"`
	NameWithOwner string       `json:"nameWithOwner"`
	Visibility    string       `json:"visibility"`
	IsFork        bool         `json:"isFork"`
	IsArchived    bool         `json:"isArchived"`
	PushedAt      *time.Time   `json:"pushedAt"`
	Branch        *branchReply `json:"defaultBranchRef"`
	Root          *objectReply `json:"root"`
	Home          *objectReply `json:"home"`
	Workflows     *objectReply `json:"workflows"`
	Actions       *objectReply `json:"actions"`
	F0            *objectReply `json:"f0"`
	F1            *objectReply `json:"f1"`
	F2            *objectReply `json:"f2"`
	F3            *objectReply `json:"f3"`
	F4            *objectReply `json:"f4"`
}

type branchReply struct {
	Name   string       `json:"name"`
	Target *objectReply `json:"target"`
}

// An objectReply is a tree or a blob.
type objectReply struct {
	OID         string       `json:"oid"`
	Entries     []entryReply `json:"entries"`
	ByteSize    int          `json:"byteSize"`
	IsBinary    *bool        `json:"isBinary"`
	IsTruncated bool         `json:"isTruncated"`
	Text        *string      `json:"text"`
}

// whole returns the text, nil unless it is what the id says: a host cuts long texts, and
// decodes what is no UTF-8.
func (o *objectReply) whole(oid string) []byte {
	if o == nil || o.Text == nil || o.IsTruncated || o.IsBinary != nil && *o.IsBinary || !isBlob(oid, []byte(*o.Text)) {
		return nil
	}
	return []byte(*o.Text)
}

type entryReply struct {
	Name   string       `json:"name"`
	Mode   int          `json:"mode"`
	OID    string       `json:"oid"`
	Size   int          `json:"size"`
	Object *objectReply `json:"object"`
}

// Modes of git.
const (
	modeTree      = 0o040000
	modeLink      = 0o120000
	modeSubmodule = 0o160000
)

// identity fills in what the host says of the repository itself, and refuses what is no
// answer.
func (a *repositoryReply) identity() (Repo, error) {
	owner, name, _ := strings.Cut(a.NameWithOwner, "/")
	full, err := slug(owner, name)
	if err != nil {
		return Repo{}, err
	}
	if len(a.ID) == 0 || len(a.ID) > maxNodeID {
		return Repo{}, fmt.Errorf("%s has no id", full)
	}
	repo := Repo{ID: a.DatabaseID, NodeID: a.ID, Name: full, Visibility: strings.ToLower(a.Visibility), Fork: a.IsFork, Archived: a.IsArchived}
	if !slices.Contains([]string{"public", "private", "internal"}, repo.Visibility) {
		repo.Visibility = ""
	}
	if a.PushedAt != nil {
		repo.Pushed = a.PushedAt.UTC()
	}
	if a.Branch != nil && a.Branch.Target != nil && commitID.MatchString(a.Branch.Target.OID) {
		repo.Branch, repo.Head = a.Branch.Name, a.Branch.Target.OID
	}
	if a.Workflows != nil && a.Workflows.IsBinary == nil && commitID.MatchString(a.Workflows.OID) {
		repo.Tree = a.Workflows.OID
	}
	return repo, nil
}

// maxNodeID is longer than any node id.
const maxNodeID = 200

// files adds the files of the answer, with their text where it is whole.
func (a *repositoryReply) files(repo *Repo) {
	singles := map[string]*objectReply{"action.yml": a.F0, "action.yaml": a.F1,
		".github/dependabot.yml": a.F2, ".github/dependabot.yaml": a.F3, configPath: a.F4}
	for _, e := range a.Root.entries() {
		repo.take("", e, singles[e.Name], e.Name == ".github" && isLinked(e.Mode))
	}
	for _, e := range a.Home.entries() {
		if e.Mode == modeTree && (e.Name == "workflows" && a.Workflows == nil || e.Name == "actions" && a.Actions == nil) {
			repo.Denied = append(repo.Denied, ".github/"+e.Name+": the host leaves it out")
		}
		repo.take(".github", e, singles[".github/"+e.Name], isLinked(e.Mode) && (e.Name == "workflows" || e.Name == "actions"))
		if !slices.Contains(templateDirs, strings.ToLower(e.Name)) {
			repo.enter(".github", e)
		}
	}
	for _, e := range a.Workflows.entries() {
		repo.take(".github/workflows", e, e.Object, false)
	}
	for _, dir := range a.Actions.entries() {
		repo.take(".github/actions", dir, nil, isLinked(dir.Mode))
		for _, e := range dir.Object.entries() {
			repo.take(".github/actions/"+dir.Name, e, nil, false)
		}
		if isGroup(dir.Object.entries()) {
			repo.enter(".github/actions", dir)
		}
	}
	slices.SortFunc(repo.Files, func(x, y Blob) int { return strings.Compare(x.Path, y.Path) })
}

// templateDirs are the directories of .github that are read already, or hold what the host
// itself reads there.
var templateDirs = []string{"workflows", "actions", "issue_template", "pull_request_template", "discussion_template"}

// isGroup reports whether a directory may hold actions in directories of its own: it is
// none itself, and has some.
func isGroup(entries []entryReply) bool {
	dirs := false
	for _, e := range entries {
		if e.Name == "action.yml" || e.Name == "action.yaml" {
			return false
		}
		dirs = dirs || e.Mode == modeTree
	}
	return dirs
}

// enter notes a directory in which actions are to be looked for.
func (repo *Repo) enter(dir string, e entryReply) {
	if e.Mode == modeTree && isEntryName(e.Name) && len(repo.below) < maxLocalActions {
		repo.below = append(repo.below, join(dir, e.Name))
	}
}

func isEntryName(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "/\x00")
}

// configPath is stint's own configuration in a repository.
const configPath = ".github/stint.yml"

func (o *objectReply) entries() []entryReply {
	if o == nil {
		return nil
	}
	return o.Entries
}

// take adds a file that matters, or that has to be said for another reason.
func (repo *Repo) take(dir string, e entryReply, text *objectReply, say bool) {
	if !isEntryName(e.Name) || !commitID.MatchString(e.OID) {
		repo.Denied = append(repo.Denied, cmp.Or(dir, "repository")+": the host lists a file that cannot be")
		return
	}
	path := join(dir, e.Name)
	if !say && !wanted(path, e.Mode) {
		return
	}
	b := Blob{Path: path, OID: e.OID, Size: max(e.Size, 0), Mode: e.Mode}
	if !isLinked(e.Mode) {
		b.Text = text.whole(e.OID)
	}
	repo.Files = append(repo.Files, b)
}

func wanted(path string, mode int) bool {
	return mode != modeTree && (path == configPath || workflows.KindOf(path) != workflows.KindUnknown)
}

// isLinked reports whether an entry stands for something elsewhere, which is not followed.
func isLinked(mode int) bool { return mode == modeLink || mode == modeSubmodule }

func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}
