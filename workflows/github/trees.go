package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
)

const (
	// maxNodes is how many ids the host takes in one list.
	maxNodes = 100
	// sweepLists is how many such lists one request of a sweep holds.
	sweepLists = 5
)

// Trees asks for the tree ids of repositories by their node ids, 500 a request: the sweep
// that sees what no date of a push tells, such as another default branch or a change of
// who may see it. The answers are in the order of the ids, less those that never came:
// an error names those and ends nothing unless ctx has ended or the host refuses.
func (r *Reader) Trees(ctx context.Context, nodeIDs []string) iter.Seq2[TreeID, error] {
	return inBatches(nodeIDs, sweepLists*maxNodes, "repositories", r.log, func(ids []string) ([]TreeID, error) { return r.sweep(ctx, ids) },
		func(id string) TreeID {
			return TreeID{NodeID: id, Denied: "the host does not answer for this repository"}
		})
}

// Repositories reads repositories whole by their node ids, as [Reader.Pages] does.
func (r *Reader) Repositories(ctx context.Context, nodeIDs []string) iter.Seq2[Repo, error] {
	return inBatches(nodeIDs, maxNodes, "repositories", r.log, func(ids []string) ([]Repo, error) { return r.byID(ctx, ids) },
		func(id string) Repo { return Repo{NodeID: id, Failed: "the host does not answer for this repository"} })
}

// inBatches asks for ids, of what noun says, in batches as large as the host can bear;
// failed stands for an id that fails alone.
func inBatches[ID, T any](ids []ID, most int, noun string, log func(string, ...any), ask func([]ID) ([]T, error), failed func(ID) T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		before, alone := 0, 0 // the size before the failures, and how many in a row failed alone
		for len(ids) > 0 {
			n := min(most, len(ids))
			got, err := ask(ids[:n])
			switch {
			case errors.Is(err, errTooMuch) && n > 1:
				before, most = max(before, n), n/2
				log("%s; going on with %d %s at a time", err, most, noun)
				continue
			case errors.Is(err, errTooMuch):
				got = []T{failed(ids[0])}
				if alone++; alone == 1 {
					most = max(before, 1) // it was this one
				}
			case err != nil:
				var none T
				yield(none, err)
				return
			case alone > 0:
				most, alone = max(most, before), 0
			}
			for _, item := range got {
				if !yield(item, nil) {
					return
				}
			}
			ids = ids[n:]
		}
	}
}

// sweep asks one request for up to sweepLists*maxNodes repositories.
func (r *Reader) sweep(ctx context.Context, ids []string) ([]TreeID, error) {
	var declared []string
	var body strings.Builder
	variables := map[string]any{}
	for chunk := range slices.Chunk(ids, maxNodes) {
		name := fmt.Sprintf("l%d", len(declared))
		variables[name] = chunk
		declared = append(declared, "$"+name+":[ID!]!")
		fmt.Fprintf(&body, " %s: nodes(ids:$%s){...T}\n", name, name)
	}
	var data map[string]sweepList
	failed, err := r.query(ctx, "query("+strings.Join(declared, ",")+"){"+costFields+"\n"+body.String()+`}
fragment T on Repository{id nameWithOwner pushedAt defaultBranchRef{name target{oid}} workflows: object(expression:"HEAD:.github/workflows"){oid}}`, variables, &data)
	if err != nil {
		return nil, err
	}
	r.gov.charge(data["rateLimit"].cost)
	denied := map[string]queryError{}
	for _, e := range failed {
		denied[e.at(0)+"."+e.at(1)] = e
	}
	found := make([]TreeID, 0, len(ids))
	for i, id := range ids {
		list := fmt.Sprintf("l%d", i/maxNodes)
		t := TreeID{NodeID: id, Denied: "not found, or the token may not see it"}
		if nodes := data[list].nodes; i%maxNodes < len(nodes) && nodes[i%maxNodes] != nil {
			t = treeIDOf(id, nodes[i%maxNodes])
		}
		if e, is := denied[list+"."+strconv.Itoa(i%maxNodes)]; is {
			t = TreeID{NodeID: id, Denied: e.reason()}
		}
		found = append(found, t)
	}
	return found, nil
}

func treeIDOf(id string, node *repositoryReply) TreeID {
	repo, err := node.identity()
	if err != nil || repo.NodeID != id {
		return TreeID{NodeID: id, Denied: "the host's answer is malformed"}
	}
	return TreeID{NodeID: id, Name: repo.Name, Tree: repo.Tree, Head: repo.Head, Pushed: repo.Pushed}
}

// byID reads repositories by their ids, in their order.
func (r *Reader) byID(ctx context.Context, ids []string) ([]Repo, error) {
	var data struct {
		costReply
		Nodes []*repositoryReply `json:"nodes"`
	}
	failed, err := r.query(ctx, "query($ids:[ID!]!){"+costFields+" nodes(ids:$ids){...R}}\n"+repositoryFields(true), map[string]any{"ids": ids}, &data)
	if err != nil {
		return nil, err
	}
	r.charge(data.costReply)
	if len(data.Nodes) != len(ids) {
		return nil, errors.New("the host's answer contradicts itself")
	}
	repos := reposOf(data.Nodes, failed, 1)
	pointers := make([]*Repo, len(repos))
	for i := range repos {
		repos[i].NodeID = ids[i]
		pointers[i] = &repos[i]
	}
	return repos, r.complete(ctx, pointers)
}

// Repository reads one repository whole by its name, owner/repo.
func (r *Reader) Repository(ctx context.Context, name string) (Repo, error) {
	owner, short, _ := strings.Cut(name, "/")
	if _, err := slug(owner, short); err != nil {
		return Repo{}, err
	}
	var data struct {
		costReply
		Repository *repositoryReply `json:"repository"`
	}
	failed, err := r.query(ctx, "query($owner:String!,$name:String!){"+costFields+" repository(owner:$owner,name:$name){...R}}\n"+repositoryFields(true),
		map[string]any{"owner": owner, "name": short}, &data)
	if err != nil {
		return Repo{}, fmt.Errorf("%s: %w", name, err)
	}
	r.charge(data.costReply)
	if data.Repository == nil {
		return Repo{}, fmt.Errorf("%s: not found, or the token may not see it", name)
	}
	repo := repoOf(data.Repository, failed, 1)
	return repo, r.complete(ctx, []*Repo{&repo})
}

// A sweepList is one list of a sweep's answer, or the cost beside them.
type sweepList struct {
	nodes []*repositoryReply
	cost  int
}

// UnmarshalJSON implements [json.Unmarshaler].
func (l *sweepList) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '[' {
		return json.Unmarshal(data, &l.nodes)
	}
	var cost struct {
		Cost int `json:"cost"`
	}
	err := json.Unmarshal(data, &cost)
	l.cost = cost.Cost
	return err
}
