package github

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"
)

const (
	// maxPageSize is the host's limit of a page.
	maxPageSize = 100
	// maxPages bounds a listing that goes on for ever.
	maxPages = 100_000
	// growAfter is how many pages in a row have to come before more is asked at a time;
	// each failure doubles it, up to maxGrowAfter.
	growAfter, maxGrowAfter = 4, 64
)

// Pages lists an organization, the repository that was pushed last first, with the
// text of its files; see [PageOptions].
//
// Pages come whole: texts that the host cut, the actions in and below .github and those
// elsewhere that files name with ./ are asked for afterwards, about one request for 130 of
// them and one more where they use others, for which up to 16 pages are held back. Actions
// that lie elsewhere and that no file of the repository names are not read. A repository
// that fails alone is in its page and says so. An error ends the listing; another begins with the Cursor of the last page
// that was had. What is pushed meanwhile moves to the front, where the next listing
// finds it, if its Since is the time before this one began.
func (r *Reader) Pages(ctx context.Context, org string, o PageOptions) iter.Seq2[Page, error] {
	if !o.Text {
		return r.listing(ctx, org, o)
	}
	return r.filled(ctx, r.listing(ctx, org, o))
}

// Count asks how many repositories an organization has by the host's word, in one request.
func (r *Reader) Count(ctx context.Context, org string, archived bool) (int, error) {
	if !ownerName.MatchString(org) {
		return 0, fmt.Errorf("%q is no organization", org)
	}
	page, err := r.list(ctx, org, PageOptions{Archived: archived}, 1, false)
	return page.Total, err
}

// listing yields pages as the host gives them.
func (r *Reader) listing(ctx context.Context, org string, o PageOptions) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		if !ownerName.MatchString(org) {
			yield(Page{}, fmt.Errorf("%q is no organization", org))
			return
		}
		if o.Size < 1 || o.Size > maxPageSize {
			o.Size = maxPageSize
		}
		l := &lister{r: r, org: org, o: o, size: o.Size, patience: growAfter}
		for range maxPages {
			page, err := l.next(ctx)
			if err != nil {
				yield(Page{}, err)
				return
			}
			page, last := sinceOnly(page, o.Since)
			if !yield(page, nil) || last {
				return
			}
			l.o.After = page.Cursor
		}
		yield(Page{}, fmt.Errorf("%s: more than %d pages", org, maxPages))
	}
}

// sinceOnly cuts a page at the first repository that was pushed before a time, and
// reports whether it is the last one. A repository of which nothing is known stays.
func sinceOnly(p Page, since time.Time) (Page, bool) {
	for i, repo := range p.Repos {
		if repo.Pushed.Before(since) && repo.NodeID != "" && !since.IsZero() {
			p.Repos, p.Cursor = p.Repos[:i], ""
			break
		}
	}
	return p, p.Cursor == ""
}

// A lister asks for pages in the size that the host can bear.
type lister struct {
	r    *Reader
	org  string
	o    PageOptions
	size int
	// good counts the pages since the size last changed; patience is how many it takes
	// to ask for more.
	good, patience int
	// before is the size that the last good pages had when the first of a row of failures came.
	before int
}

// next returns the page after o.After. One that fails is asked for again in half the
// size, never in the same: a timeout costs points.
func (l *lister) next(ctx context.Context) (Page, error) {
	for {
		page, err := l.r.list(ctx, l.org, l.o, l.size, l.o.Text)
		switch {
		case err == nil:
			l.grow()
			return page, nil
		case !errors.Is(err, errTooMuch):
			return Page{}, fmt.Errorf("%s: %w", l.org, err)
		case l.size == 1:
			page, err := l.alone(ctx)
			l.size, l.good, l.patience = max(l.before, 1), 0, growAfter // it was the repository
			return page, err
		}
		l.before = max(l.before, l.size)
		l.size, l.good, l.patience = l.size/2, 0, min(2*l.patience, maxGrowAfter)
		l.r.log("%s: %s; going on with %d repositories at a time", l.org, err, l.size)
	}
}

// grow asks for a quarter more after a while.
func (l *lister) grow() {
	if l.good++; l.good >= l.patience {
		l.size, l.good, l.before = min(l.size+max(l.size/4, 1), l.o.Size), 0, 0
	}
}

// alone goes past a repository that cannot be had: who it is, and that it failed.
func (l *lister) alone(ctx context.Context) (Page, error) {
	page, err := l.r.list(ctx, l.org, l.o, 1, false)
	if err != nil {
		return Page{}, fmt.Errorf("%s: %w", l.org, err)
	}
	for i := range page.Repos {
		if l.o.Text {
			page.Repos[i].Failed = "the host does not answer for this repository"
			l.r.log("%s: given up", page.Repos[i].Name)
		}
	}
	return page, nil
}

// listQuery takes the fragments and the fields of a repository.
const listQuery = `query($org:String!,$first:Int!,$after:String,$archived:Boolean){` + costFields + `
 organization(login:$org){repositories(first:$first,after:$after,isArchived:$archived,orderBy:{field:PUSHED_AT,direction:DESC}){
  totalCount pageInfo{hasNextPage endCursor} nodes{...R}}}}
`

// list asks for one page.
func (r *Reader) list(ctx context.Context, org string, o PageOptions, size int, text bool) (Page, error) {
	variables := map[string]any{"org": org, "first": size}
	if o.After != "" {
		variables["after"] = o.After
	}
	if !o.Archived {
		variables["archived"] = false
	}
	var data struct {
		costReply
		Organization *struct {
			Repositories struct {
				TotalCount int `json:"totalCount"`
				PageInfo   struct {
					HasNextPage bool   `json:"hasNextPage"`
					EndCursor   string `json:"endCursor"`
				} `json:"pageInfo"`
				Nodes []*repositoryReply `json:"nodes"`
			} `json:"repositories"`
		} `json:"organization"`
	}
	failed, err := r.query(ctx, listQuery+repositoryFields(text), variables, &data)
	if err != nil {
		return Page{}, err
	}
	r.charge(data.costReply)
	if data.Organization == nil {
		return Page{}, errors.New("there is no such organization, or the token may not see it")
	}
	list := data.Organization.Repositories
	if len(list.Nodes) > size || list.PageInfo.HasNextPage && (list.PageInfo.EndCursor == "" || list.PageInfo.EndCursor == o.After) {
		return Page{}, errors.New("the host's answer contradicts itself")
	}
	page := Page{Total: list.TotalCount, Repos: reposOf(list.Nodes, failed, 3)}
	if list.PageInfo.HasNextPage {
		page.Cursor = list.PageInfo.EndCursor
	}
	return page, nil
}

// reposOf turns the nodes of an answer into repositories; the errors name a node by its
// index at the given place of their path.
func reposOf(nodes []*repositoryReply, failed []queryError, index int) []Repo {
	byNode := map[string][]queryError{}
	for _, e := range failed {
		byNode[e.at(index)] = append(byNode[e.at(index)], e)
	}
	repos := make([]Repo, 0, len(nodes))
	for i, node := range nodes {
		repos = append(repos, repoOf(node, byNode[strconv.Itoa(i)], index+1))
	}
	return repos
}

// fieldPaths are the places behind the aliases of repositoryFields.
var fieldPaths = map[string]string{
	"root": "", "home": ".github", "workflows": ".github/workflows", "actions": ".github/actions",
	"f0": "action.yml", "f1": "action.yaml", "f2": ".github/dependabot.yml", "f3": ".github/dependabot.yaml", "f4": configPath,
}

// repoOf is one repository with what its errors deny.
func repoOf(node *repositoryReply, failed []queryError, field int) Repo {
	var repo Repo
	if node != nil {
		var err error
		if repo, err = node.identity(); err != nil {
			repo.Denied = append(repo.Denied, "the host's answer is malformed")
		} else {
			node.files(&repo)
		}
	}
	for _, e := range failed {
		place, known := fieldPaths[e.at(field)]
		if !known || place == "" {
			place = "repository"
		}
		repo.Denied = append(repo.Denied, place+": "+e.reason())
	}
	if node == nil && len(failed) == 0 {
		repo.Denied = append(repo.Denied, "repository: the host says nothing of it")
	}
	return repo
}
