package github

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// A batch is a query for single objects of several repositories. Whatever comes from a
// repository is a variable of it.
type batch struct {
	variables map[string]any
	declared  []string
	nodes     []string // ids
	fields    []string // of each node
	nodeOf    []string // alias of the node, by want
}

func (q *batch) variable(name, typ, value string) string {
	q.variables[name] = value
	q.declared = append(q.declared, "$"+name+":"+typ)
	return "$" + name
}

func (q *batch) add(w want) {
	at := slices.Index(q.nodes, w.repo.NodeID)
	if at < 0 {
		at = len(q.nodes)
		q.nodes, q.fields = append(q.nodes, w.repo.NodeID), append(q.fields, "")
	}
	i := len(q.nodeOf)
	q.nodeOf = append(q.nodeOf, fmt.Sprintf("n%d", at))
	if !w.dir {
		f := w.repo.Files[slices.IndexFunc(w.repo.Files, func(f Blob) bool { return f.Path == w.path })]
		v := q.variable(fmt.Sprintf("f%d", i), "String!", f.OID)
		q.fields[at] += fmt.Sprintf(" f%d: object(expression:%s){...B}", i, v)
		return
	}
	place := w.repo.Head + ":" + w.path
	t := q.variable(fmt.Sprintf("t%d", i), "String!", place)
	f := q.variable(fmt.Sprintf("f%d", i), "String!", place+"/action.yml")
	g := q.variable(fmt.Sprintf("g%d", i), "String!", place+"/action.yaml")
	q.fields[at] += fmt.Sprintf(" t%d: object(expression:%s){oid ... on Tree{entries{name mode type oid size}} ... on Blob{byteSize isBinary}}"+
		" f%d: object(expression:%s){...B} g%d: object(expression:%s){...B}", i, t, i, f, i, g)
}

func (q *batch) text() string {
	var body strings.Builder
	for at, id := range q.nodes {
		v := q.variable(fmt.Sprintf("n%d", at), "ID!", id)
		fmt.Fprintf(&body, " n%d: node(id:%s){... on Repository{%s}}\n", at, v, q.fields[at])
	}
	return "query(" + strings.Join(q.declared, ",") + "){" + costFields + "\n" + body.String() + "}\n" + blobFields
}

// A batchReply is the answer to a batch: by node, by alias.
type batchReply struct {
	cost  costReply
	nodes map[string]map[string]*objectReply
}

// UnmarshalJSON implements [json.Unmarshaler].
func (b *batchReply) UnmarshalJSON(data []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return err
	}
	b.nodes = map[string]map[string]*objectReply{}
	for alias, raw := range fields {
		if alias == "rateLimit" {
			if err := json.Unmarshal(raw, &b.cost.RateLimit); err != nil {
				return err
			}
			continue
		}
		var objects map[string]*objectReply
		if err := json.Unmarshal(raw, &objects); err != nil {
			return err
		}
		b.nodes[alias] = objects
	}
	return nil
}
