package github

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"

	gh "github.com/google/go-github/v60/github"
)

// settingsBatch is how many repositories one query of settings asks for: a query for
// more answers no sooner.
const settingsBatch = 50

// RepositorySettings reads settings of repositories, in their order: what GraphQL gives
// for fifty of them in one request, and then what only REST has, see [Which]. What the
// token may not read is said in Surfaces; an error ends the iteration and is only that ctx
// has ended, that there is no token, or that the host refuses all queries.
func (r *Reader) RepositorySettings(ctx context.Context, repos []Repo, which Which) iter.Seq2[RepositorySettings, error] {
	if which&WithEnvironmentSecrets != 0 {
		which |= WithEnvironments
	}
	return func(yield func(RepositorySettings, error) bool) {
		for batch := range slices.Chunk(repos, settingsBatch) {
			bulk, err := r.bulkSettings(ctx, batch, which)
			if err != nil {
				yield(RepositorySettings{}, err)
				return
			}
			for i, repo := range batch {
				s, err := r.settingsOf(ctx, repo, which, bulk[i])
				if !yield(s, err) || err != nil {
					return
				}
			}
		}
	}
}

// A bulkReply is what GraphQL says of one repository.
type bulkReply struct {
	ID           string `json:"id"`
	Environments *struct {
		TotalCount int `json:"totalCount"`
	} `json:"environments"`
	DeployKeys *struct {
		TotalCount int              `json:"totalCount"`
		Nodes      []deployKeyReply `json:"nodes"`
	} `json:"deployKeys"`
	Rulesets *rulesetsReply `json:"rulesets"`
}

type deployKeyReply struct {
	Title     string    `json:"title"`
	Key       string    `json:"key"`
	ReadOnly  bool      `json:"readOnly"`
	CreatedAt time.Time `json:"createdAt"`
}

const (
	countFields     = ` environments(first:1){totalCount}`
	deployKeyFields = ` deployKeys(first:25){totalCount nodes{title key readOnly createdAt}}`
	rulesetCount    = ` rulesets(first:1,includeParents:false){totalCount}`
)

// bulkSettings asks for all of a batch at once, one element for each repository, nil
// where nothing is known. The rulesets are asked for where there are some.
func (r *Reader) bulkSettings(ctx context.Context, repos []Repo, which Which) ([]*bulkReply, error) {
	fields := ""
	for _, part := range []struct {
		bit  Which
		text string
	}{{WithEnvironments, countFields}, {WithDeployKeys, deployKeyFields}, {WithRulesets, rulesetCount}} {
		if which&part.bit != 0 {
			fields += part.text
		}
	}
	bulk := make([]*bulkReply, len(repos))
	if fields == "" {
		return bulk, nil
	}
	var all, ruled []int
	for i, repo := range repos {
		if repo.NodeID != "" {
			all = append(all, i)
		}
	}
	if err := r.bulkInto(ctx, repos, all, fields, func(i int, b *bulkReply) { bulk[i] = b }); err != nil {
		return nil, err
	}
	for i, b := range bulk {
		if b != nil && b.Rulesets != nil && b.Rulesets.TotalCount > 0 {
			ruled = append(ruled, i)
		}
	}
	return bulk, r.bulkInto(ctx, repos, ruled, " rulesets(first:20,includeParents:false){totalCount "+rulesetFields+"}", func(i int, b *bulkReply) { bulk[i].Rulesets = b.Rulesets })
}

// bulkInto asks for fields of the repositories with the given indices, fewer at a time
// when the host does not bear it.
func (r *Reader) bulkInto(ctx context.Context, repos []Repo, at []int, fields string, put func(int, *bulkReply)) error {
	most := settingsBatch
	for len(at) > 0 {
		n := min(most, len(at))
		ids := make([]string, n)
		for i := range ids {
			ids[i] = repos[at[i]].NodeID
		}
		var data struct {
			costReply
			Nodes []*bulkReply `json:"nodes"`
		}
		_, err := r.query(ctx, "query($ids:[ID!]!){"+costFields+" nodes(ids:$ids){... on Repository{id"+fields+"}}}", map[string]any{"ids": ids}, &data)
		switch {
		case errors.Is(err, errTooMuch) && n > 1:
			most = n / 2
			continue
		case errors.Is(err, errTooMuch):
		case err != nil:
			return err
		}
		r.charge(data.costReply)
		for i, node := range data.Nodes {
			if i < n && node != nil && node.ID == ids[i] {
				put(at[i], node)
			}
		}
		at = at[n:]
	}
	return nil
}

// settingsOf puts together what is known of one repository and asks REST for the rest.
func (r *Reader) settingsOf(ctx context.Context, repo Repo, which Which, bulk *bulkReply) (RepositorySettings, error) {
	owner, short, _ := strings.Cut(repo.Name, "/")
	name, err := slug(owner, short)
	s := RepositorySettings{Repository: repo.Name, NodeID: repo.NodeID}
	if err != nil {
		return s, err
	}
	q := &inquiry{r: r, ctx: ctx, base: "repos/" + name + "/"}
	for _, part := range []struct {
		bit  Which
		read func()
	}{
		{WithEnvironments, func() { q.environments(&s, which, bulk) }},
		{WithDeployKeys, func() { q.deployKeys(&s, bulk) }},
		{WithRulesets, func() { q.rulesets(&s, bulk) }},
		{WithSecrets, func() {
			q.read("secrets", "repository secrets: read", func() error {
				found, err := q.secrets("actions/secrets", "actions", "")
				s.Secrets = append(s.Secrets, found...)
				return err
			})
		}},
		{WithActions, func() { s.Actions = q.repositoryPolicy(repo) }},
		{WithRunners, func() {
			q.read("runners", "repository administration: read", func() (err error) {
				s.Runners, err = q.runners()
				return err
			})
		}},
		{WithSubject, func() { s.Subject = q.subject("repository actions: read") }},
	} {
		if which&part.bit != 0 {
			part.read()
		}
	}
	s.Surfaces = q.surfaces
	return s, q.err
}

// repositoryPolicy reads the actions policy with what only private repositories have.
func (q *inquiry) repositoryPolicy(repo Repo) ActionsPolicy {
	const administration = "repository administration: read"
	p := q.policy(administration)
	if repo.Visibility == "public" {
		return p
	}
	q.privateForks(&p, administration)
	var access gh.RepositoryActionsAccessLevel
	if q.read("actions-access", administration, func() error { return q.get("actions/permissions/access", &access) }) {
		p.Access = access.GetAccessLevel()
	}
	return p
}

// deployKeys are what the bulk query gave, or a list where it gave none or not all.
func (q *inquiry) deployKeys(s *RepositorySettings, bulk *bulkReply) {
	if bulk != nil && bulk.DeployKeys != nil && bulk.DeployKeys.TotalCount <= len(bulk.DeployKeys.Nodes) {
		for _, k := range bulk.DeployKeys.Nodes {
			s.DeployKeys = append(s.DeployKeys, DeployKey{Title: k.Title, ReadOnly: k.ReadOnly, Created: k.CreatedAt.UTC(), Key: keyID(k.Key)})
		}
		q.note("deploy-keys", "", nil)
		return
	}
	q.read("deploy-keys", "repository administration: read", func() (err error) {
		s.DeployKeys, err = list(q, "keys", func(p []gh.Key) []DeployKey {
			var found []DeployKey
			for _, k := range p {
				found = append(found, DeployKey{Title: k.GetTitle(), ReadOnly: k.GetReadOnly(), Created: k.GetCreatedAt().UTC(), Key: keyID(k.GetKey())})
			}
			return found
		})
		return err
	})
}

// keyID identifies a public key by its type and body; the comment behind is anybody's.
func keyID(key string) string {
	words := strings.Fields(key)
	if len(words) == 0 {
		return ""
	}
	sum := sha256.Sum256([]byte(strings.Join(words[:min(len(words), 2)], " ")))
	return hex.EncodeToString(sum[:])
}

func (q *inquiry) rulesets(s *RepositorySettings, bulk *bulkReply) {
	switch {
	case bulk == nil || bulk.Rulesets == nil:
		q.note("rulesets", "repository metadata: read", &StatusError{Status: http.StatusNotFound})
		return
	case bulk.Rulesets.TotalCount > len(bulk.Rulesets.Nodes):
		q.note("rulesets", "", fmt.Errorf("more than %d", len(bulk.Rulesets.Nodes)))
		return
	}
	s.Rulesets = bulk.Rulesets.rulesets(s.Repository)
	q.note("rulesets", "", nil)
}

// environments asks REST where there are any: only it tells who may deploy from where.
func (q *inquiry) environments(s *RepositorySettings, which Which, bulk *bulkReply) {
	if bulk != nil && bulk.Environments != nil && bulk.Environments.TotalCount == 0 {
		q.note("environments", "", nil)
		return
	}
	q.read("environments", "repository actions: read", func() (err error) {
		s.Environments, err = list(q, "environments", environmentsReply.all)
		return err
	})
	for i := range s.Environments {
		e := &s.Environments[i]
		if e.BranchPolicy == "custom" {
			q.read(fmt.Sprintf("branch-policies of %q", e.Name), "repository actions: read", func() error { return q.branchPolicies(e) })
		}
		if which&WithEnvironmentSecrets != 0 {
			q.read(fmt.Sprintf("secrets of %q", e.Name), "repository environments: read", func() error {
				found, err := q.secrets("environments/"+segment(e.Name)+"/secrets", "actions", e.Name)
				s.Secrets = append(s.Secrets, found...)
				return err
			})
		}
	}
}

func (q *inquiry) branchPolicies(e *Environment) error {
	type policy struct {
		Name string `json:"name"`
		Type string `json:"type"`
	}
	type page struct {
		Policies []policy `json:"branch_policies"`
	}
	found, err := list(q, "environments/"+segment(e.Name)+"/deployment-branch-policies", func(p page) []policy { return p.Policies })
	for _, p := range found {
		if p.Type == "tag" {
			e.Tags = append(e.Tags, p.Name)
		} else {
			e.Branches = append(e.Branches, p.Name)
		}
	}
	return err
}
