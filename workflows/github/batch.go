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
	variables
	nodes  []string // ids
	fields []string // of each node
	nodeOf []string // alias of the node, by want
}

// variables are those of a query, with their declarations.
type variables struct {
	values   map[string]any
	declared []string
}

// variable adds one and returns how it is written.
func (v *variables) variable(name, typ, value string) string {
	if v.values == nil {
		v.values = map[string]any{}
	}
	v.values[name] = value
	v.declared = append(v.declared, "$"+name+":"+typ)
	return "$" + name
}

// query is the text of a query with the fields.
func (v *variables) query(fields string) string {
	return "query(" + strings.Join(v.declared, ",") + "){" + costFields + "\n" + fields + "}\n"
}

func (q *batch) add(w want) {
	at := slices.Index(q.nodes, w.repo.NodeID)
	if at < 0 {
		at = len(q.nodes)
		q.nodes, q.fields = append(q.nodes, w.repo.NodeID), append(q.fields, "")
	}
	i := len(q.nodeOf)
	q.nodeOf = append(q.nodeOf, fmt.Sprintf("n%d", at))
	place := w.repo.Head + ":" + w.path
	if w.deep {
		q.fields[at] += fmt.Sprintf(" t%d: object(expression:%s){...D}", i, q.variable(fmt.Sprintf("t%d", i), "String!", place))
		return
	}
	if !w.dir {
		f := w.repo.Files[slices.IndexFunc(w.repo.Files, func(f Blob) bool { return f.Path == w.path })]
		v := q.variable(fmt.Sprintf("f%d", i), "String!", f.OID)
		q.fields[at] += fmt.Sprintf(" f%d: object(expression:%s){...B}", i, v)
		return
	}
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
	text := q.query(body.String())
	for _, f := range []string{blobFields, deepFields} {
		if strings.Contains(text, "{..."+strings.Fields(f)[1]+"}") {
			text += f + "\n"
		}
	}
	return text
}

// A batchReply is the answer to a query for single things of several repositories: by the
// alias of the repository, by that of the thing.
type batchReply[T any] struct {
	cost  costReply
	nodes map[string]map[string]*T
}

// UnmarshalJSON implements [json.Unmarshaler].
func (b *batchReply[T]) UnmarshalJSON(data []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return err
	}
	b.nodes = map[string]map[string]*T{}
	for alias, raw := range fields {
		if alias == "rateLimit" {
			if err := json.Unmarshal(raw, &b.cost.RateLimit); err != nil {
				return err
			}
			continue
		}
		var things map[string]*T
		if err := json.Unmarshal(raw, &things); err != nil {
			return err
		}
		b.nodes[alias] = things
	}
	return nil
}
