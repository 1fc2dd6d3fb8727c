package githubtest

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxText is where the host cuts the text of a file.
const maxText = 512_000

// A queryError is one error of an answer.
type queryError struct {
	Type    string `json:"type,omitempty"`
	Message string `json:"message"`
	Path    []any  `json:"path,omitempty"`
	// Extensions hold the code of a query that is wrong.
	Extensions map[string]string `json:"extensions,omitempty"`
}

// An execution answers one checked query.
type execution struct {
	*check
	s      *Server
	errors []queryError
	trees  map[*Repository]*node
	seen   []string // names of repositories that were answered for
	points int
}

// A value of the execution is an object: what it is, and what stands behind it.
type object struct {
	typ  string
	of   any
	repo *Repository // of a git object
}

type connection struct {
	typ        string
	total      int
	items      []object
	next       string
	hasNext    bool
	unreadable bool
}

func (x *execution) set(o object, set []selection, path []any, into map[string]any) {
	for _, s := range set {
		switch {
		case s.spread != "":
			if f := x.doc.fragments[s.spread]; f.on == o.typ || f.on == "GitObject" {
				x.set(o, f.selection, path, into)
			}
		case s.on != "":
			if s.on == o.typ {
				x.set(o, s.selection, path, into)
			}
		case s.name == "__typename":
			into[s.alias] = o.typ
		default:
			at := append(slices.Clone(path), s.alias)
			value := x.field(o, s, at)
			old, had := into[s.alias].(map[string]any)
			if fresh, is := value.(map[string]any); had && is { // fields merge
				for k, v := range fresh {
					old[k] = v
				}
				continue
			}
			into[s.alias] = value
		}
	}
}

// render turns what a resolver gives into JSON.
func (x *execution) render(v any, s selection, path []any) any {
	switch v := v.(type) {
	case object:
		if v.typ == "" {
			return nil
		}
		if r, is := v.of.(*Repository); is && v.typ == "Repository" {
			if r.Denied {
				x.errors = append(x.errors, queryError{Type: "FORBIDDEN", Message: "Resource protected by organization SAML enforcement.", Path: path})
				return nil
			}
			x.seen = append(x.seen, r.Name)
		}
		into := map[string]any{}
		x.set(v, s.selection, path, into)
		return into
	case []object:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = x.render(item, s, append(slices.Clone(path), i))
		}
		return list
	case connection:
		if v.unreadable {
			return nil
		}
		return x.render(object{typ: v.typ, of: v}, s, path)
	}
	return v
}

func (x *execution) field(o object, s selection, path []any) any {
	return x.render(x.resolve(o, s, path), s, path)
}

func (x *execution) text(v any) string { t, _ := x.value(v).(string); return t }

// resolve gives the value of a field.
func (x *execution) resolve(o object, s selection, path []any) any {
	switch of := o.of.(type) {
	case *Server:
		return x.root(s, path)
	case *Organization:
		return x.organization(of, s)
	case *Repository:
		if o.typ == "Ref" {
			if s.name == "name" {
				return of.Branch
			}
			return object{"Commit", of.Head, of}
		}
		return x.repository(of, s, path)
	case gitRef:
		return of.field(s, o.repo)
	case tagObject:
		return of.field(s, o.repo)
	case string:
		return of // a commit's oid
	case *node:
		if o.typ == "TreeEntry" {
			return x.entry(o, of, s)
		}
		return x.gitObject(o, of, s)
	case connection:
		return of.field(s)
	case map[string]any:
		return of[s.name]
	}
	return nil
}

func (x *execution) root(s selection, path []any) any {
	org := x.s.org
	switch s.name {
	case "rateLimit":
		if x.s.NoLimits {
			return nil
		}
		left, reset := x.s.left(true)
		return object{typ: "RateLimit", of: map[string]any{"cost": x.points, "remaining": left, "limit": x.s.limit(),
			"resetAt": reset.UTC().Format(time.RFC3339), "nodeCount": x.nodes}}
	case "organization":
		if strings.EqualFold(x.text(s.args["login"]), org.Name) {
			return object{typ: "Organization", of: org}
		}
		x.errors = append(x.errors, queryError{Type: "NOT_FOUND", Message: "Could not resolve to an Organization with that login.", Path: path})
	case "repository":
		if r := org.named(x.text(s.args["owner"]) + "/" + x.text(s.args["name"])); r != nil {
			return object{typ: "Repository", of: r}
		}
		x.errors = append(x.errors, queryError{Type: "NOT_FOUND", Message: "Could not resolve to a Repository with that name.", Path: path})
	case "node":
		return x.byID(x.text(s.args["id"]), path)
	case "nodes":
		ids, _ := x.value(s.args["ids"]).([]any)
		list := make([]object, len(ids))
		for i, id := range ids {
			text, _ := id.(string)
			list[i] = x.byID(text, append(slices.Clone(path), i))
		}
		return list
	}
	return nil
}

func (x *execution) byID(id string, path []any) object {
	if r := x.s.byID[id]; r != nil {
		return object{typ: "Repository", of: r}
	}
	x.errors = append(x.errors, queryError{Type: "NOT_FOUND", Message: "Could not resolve to a node with the global id.", Path: path})
	return object{}
}

func (x *execution) organization(org *Organization, s selection) any {
	switch s.name {
	case "login":
		return org.Name
	case "id":
		return "O_" + org.Name
	case "rulesets":
		if org.Denied["rulesets"] != "" {
			return connection{unreadable: true}
		}
		return rulesets(org.Rulesets)
	}
	var list []*Repository
	archived := x.value(s.args["isArchived"])
	for _, r := range org.Repositories {
		if archived == nil || archived == r.Archived {
			list = append(list, r)
		}
	}
	order, _ := x.value(s.args["orderBy"]).(map[string]any)
	slices.SortFunc(list, func(a, b *Repository) int {
		if order["field"] == "PUSHED_AT" && order["direction"] == "DESC" {
			if c := b.Pushed.Compare(a.Pushed); c != 0 {
				return c
			}
		}
		return cmp.Compare(a.ID, b.ID)
	})
	first, _ := integer(x.value(s.args["first"]))
	return repositories(list, first, x.text(s.args["after"]))
}

// repositories cuts a page out of a sorted list. A cursor names the last one by what it
// is sorted by, so that it holds while others move.
func repositories(list []*Repository, first int, after string) connection {
	c := connection{typ: "RepositoryConnection", total: len(list)}
	if after != "" {
		raw, err := base64.StdEncoding.DecodeString(after)
		when, id, ok := strings.Cut(string(raw), " ")
		at, err2 := time.Parse(time.RFC3339Nano, when)
		num, err3 := strconv.ParseInt(id, 10, 64)
		if err != nil || err2 != nil || err3 != nil || !ok {
			return c
		}
		i := slices.IndexFunc(list, func(r *Repository) bool { return r.Pushed.Before(at) || r.Pushed.Equal(at) && r.ID > num })
		if i < 0 {
			i = len(list)
		}
		list = list[i:]
	}
	c.hasNext = len(list) > first
	list = list[:min(first, len(list))]
	for _, r := range list {
		c.items = append(c.items, object{typ: "Repository", of: r})
	}
	if len(list) > 0 {
		last := list[len(list)-1]
		c.next = base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s %d", last.Pushed.UTC().Format(time.RFC3339Nano), last.ID))
	}
	return c
}

func (c connection) field(s selection) any {
	switch s.name {
	case "totalCount":
		return c.total
	case "pageInfo":
		info := map[string]any{"hasNextPage": c.hasNext, "endCursor": nil}
		if c.next != "" {
			info["endCursor"] = c.next
		}
		return object{typ: "PageInfo", of: info}
	}
	return c.items
}

func (x *execution) repository(r *Repository, s selection, path []any) any {
	switch s.name {
	case "id":
		return r.NodeID
	case "databaseId":
		return r.ID
	case "name":
		return r.Name
	case "nameWithOwner":
		return x.s.org.fullName(r)
	case "visibility":
		return strings.ToUpper(r.Visibility)
	case "isFork":
		return r.Fork
	case "isArchived":
		return r.Archived
	case "isEmpty":
		return r.Head == ""
	case "pushedAt", "updatedAt":
		if r.Pushed.IsZero() {
			return nil
		}
		return r.Pushed.UTC().Format(time.RFC3339)
	case "diskUsage":
		return len(r.Files)
	case "defaultBranchRef":
		if r.Head == "" {
			return nil
		}
		return object{typ: "Ref", of: r}
	case "object":
		return x.object(r, s, path)
	case "ref":
		return x.ref(r, s, path)
	}
	return x.settings(r, s, path)
}

// object answers REV:path, and an id.
func (x *execution) object(r *Repository, s selection, path []any) any {
	expr := x.text(s.args["expression"])
	if r.Head == "" {
		return nil
	}
	if x.trees[r] == nil {
		x.trees[r] = treeOf(r)
	}
	rev, at, isPath := strings.Cut(expr, ":")
	var n *node
	switch {
	case !isPath:
		n = x.trees[r].byID(expr)
	case rev == "HEAD" || rev == r.Head:
		n = x.trees[r].find(at)
	}
	if n == nil {
		return nil
	}
	if slices.Contains(r.DeniedPaths, n.path) && n.path != "" {
		x.errors = append(x.errors, queryError{Type: "FORBIDDEN", Message: "Resource not accessible by integration", Path: path})
		return nil
	}
	return asObject(n, r)
}

func asObject(n *node, r *Repository) object {
	switch {
	case n.file == nil:
		return object{"Tree", n, r}
	case n.mode() == ModeSubmodule:
		return object{}
	}
	return object{"Blob", n, r}
}

func (x *execution) gitObject(o object, n *node, s selection) any {
	switch s.name {
	case "oid":
		return n.id()
	case "entries":
		list := make([]object, len(n.children))
		for i, c := range n.children {
			list[i] = object{"TreeEntry", c, o.repo}
		}
		return list
	}
	content := n.content()
	binary := strings.ContainsRune(string(content[:min(len(content), 8000)]), 0)
	switch s.name {
	case "byteSize":
		return len(content)
	case "isBinary":
		return binary
	case "isTruncated":
		return len(content) > maxText
	}
	if binary {
		return nil
	}
	return strings.ToValidUTF8(string(content[:min(len(content), maxText)]), string(utf8.RuneError))
}

func (x *execution) entry(o object, n *node, s selection) any {
	switch s.name {
	case "name":
		return n.name
	case "mode":
		return n.mode()
	case "oid":
		if n.mode() == ModeSubmodule {
			return sum("submodule " + n.name)
		}
		return n.id()
	case "type":
		return map[int]string{modeTree: "tree", ModeSubmodule: "commit"}[n.mode()] + map[bool]string{true: "blob"}[n.file != nil && n.mode() != ModeSubmodule]
	case "size":
		if n.file == nil || n.mode() == ModeSubmodule {
			return 0
		}
		return len(n.content())
	}
	return asObject(n, o.repo)
}
