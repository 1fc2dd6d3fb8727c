package githubtest

import (
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"
)

// A node is a tree or a file of a repository's default branch.
type node struct {
	name     string
	path     string
	file     *File // nil for a tree
	children []*node
	oid      string
	text     []byte
}

// content returns a file's content, made once for a request.
func (n *node) content() []byte {
	if n.text == nil {
		n.text = n.file.Content()
	}
	return n.text
}

// treeOf builds the tree of a repository. It is made for one request, and ids with it
// when they are asked for.
func treeOf(r *Repository) *node {
	root := &node{}
	for p, f := range r.Files {
		at := root
		dir, name := path.Split(p)
		for _, part := range strings.FieldsFunc(dir, func(c rune) bool { return c == '/' }) {
			at = at.dir(part)
		}
		at.children = append(at.children, &node{name: name, path: p, file: f})
	}
	root.sort()
	return root
}

func (n *node) dir(name string) *node {
	for _, c := range n.children {
		if c.name == name && c.file == nil {
			return c
		}
	}
	c := &node{name: name, path: strings.TrimPrefix(n.path+"/"+name, "/")}
	n.children = append(n.children, c)
	return c
}

// sort puts entries in git's order: a directory as if its name ended in a slash.
func (n *node) sort() {
	key := func(c *node) string {
		if c.file == nil {
			return c.name + "/"
		}
		return c.name
	}
	slices.SortFunc(n.children, func(a, b *node) int { return strings.Compare(key(a), key(b)) })
	for _, c := range n.children {
		c.sort()
	}
}

func (n *node) mode() int {
	if n.file == nil {
		return modeTree
	}
	return n.file.mode()
}

// id returns git's object id.
func (n *node) id() string {
	if n.oid != "" {
		return n.oid
	}
	if n.file != nil {
		n.oid = BlobID(n.content())
		return n.oid
	}
	var body strings.Builder
	for _, c := range n.children {
		raw, _ := hex.DecodeString(c.id())
		fmt.Fprintf(&body, "%o %s\x00%s", c.mode(), c.name, raw)
	}
	n.oid = sum(fmt.Sprintf("tree %d\x00", body.Len()) + body.String())
	return n.oid
}

// find follows a path. Git follows no link and enters no submodule on the way.
func (n *node) find(p string) *node {
	at := n
	for _, part := range strings.FieldsFunc(p, func(c rune) bool { return c == '/' }) {
		i := slices.IndexFunc(at.children, func(c *node) bool { return c.name == part })
		if i < 0 {
			return nil
		}
		at = at.children[i]
	}
	if at.mode() == ModeSubmodule {
		return nil // its commit is in another repository
	}
	return at
}

// byID finds the file with an id.
func (n *node) byID(oid string) *node {
	if n.file != nil && n.file.mode() != ModeSubmodule && n.id() == oid {
		return n
	}
	for _, c := range n.children {
		if found := c.byID(oid); found != nil {
			return found
		}
	}
	return nil
}
