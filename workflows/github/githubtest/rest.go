package githubtest

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// rest answers a GET.
func (s *Server) rest(path string, req *http.Request) reply {
	if path == "rate_limit" {
		return s.rateLimit()
	}
	if !s.NoLimits {
		if left, _ := s.left(false); left < 1 {
			return s.spoil(PrimaryLimit, reply{}, false)
		}
		s.used[0]++
	}
	parts := strings.SplitN(path, "/", 4)
	switch {
	case parts[0] == "orgs" && len(parts) > 2 && strings.EqualFold(parts[1], s.org.Name):
		return s.restOrganization(strings.Join(parts[2:], "/"), req)
	case parts[0] == "repos" && len(parts) > 3 && strings.EqualFold(parts[1], s.org.Name):
		for _, r := range s.org.Repositories {
			if strings.EqualFold(r.Name, parts[2]) {
				return s.restRepository(r, parts[3], req)
			}
		}
	}
	return s.notFound()
}

func (s *Server) notFound() reply {
	return s.reply(false, http.StatusNotFound, map[string]any{"message": "Not Found"})
}

func (s *Server) denied(permission string) reply {
	r := s.reply(false, http.StatusForbidden, map[string]any{"message": "Resource not accessible by personal access token"})
	r.header.Set("X-Accepted-GitHub-Permissions", permission)
	return r
}

func (s *Server) rateLimit() reply {
	if s.NoLimits {
		return s.reply(false, http.StatusNotFound, map[string]any{"message": "Rate limiting is not enabled."})
	}
	of := func(graphql bool) map[string]any {
		left, reset := s.left(graphql)
		return map[string]any{"limit": s.limit(), "remaining": left, "used": s.limit() - left, "reset": reset.Unix()}
	}
	return s.reply(false, http.StatusOK, map[string]any{"resources": map[string]any{"core": of(false), "graphql": of(true)}})
}

func (s *Server) restOrganization(rest string, req *http.Request) reply {
	if p := s.org.Denied[rest]; p != "" {
		return s.denied(p)
	}
	if rest == "actions/secrets" {
		return s.list(req, "secrets", secretsJSON(s.org.Secrets))
	}
	if name, ok := strings.CutPrefix(rest, "actions/secrets/"); ok && strings.HasSuffix(name, "/repositories") {
		return s.selected(strings.TrimSuffix(name, "/repositories"), req)
	}
	return s.setting(s.org.Settings, rest, req)
}

func (s *Server) selected(name string, req *http.Request) reply {
	for _, secret := range s.org.Secrets {
		if secret.Name == name && secret.Visibility == "selected" {
			var list []any
			for _, r := range secret.Selected {
				list = append(list, map[string]any{"full_name": s.org.Name + "/" + r, "name": r})
			}
			return s.list(req, "repositories", list)
		}
	}
	return s.notFound()
}

// setting answers from a table; a list in it is cut into pages.
func (s *Server) setting(table map[string]any, rest string, req *http.Request) reply {
	v, ok := table[rest]
	if !ok {
		return s.notFound()
	}
	if fields, is := v.(map[string]any); is && len(fields) == 1 {
		for key, list := range fields {
			if items, is := list.([]any); is {
				return s.list(req, key, items)
			}
		}
	}
	return s.reply(false, http.StatusOK, v)
}

// list answers one page of a list, with a Link to the next.
func (s *Server) list(req *http.Request, key string, items []any) reply {
	size, page := 30, 1
	if n, err := strconv.Atoi(req.URL.Query().Get("per_page")); err == nil && n > 0 {
		size = min(n, 100)
	}
	if n, err := strconv.Atoi(req.URL.Query().Get("page")); err == nil && n > 0 {
		page = n
	}
	from, to := min((page-1)*size, len(items)), min(page*size, len(items))
	r := s.reply(false, http.StatusOK, map[string]any{"total_count": len(items), key: slices.Clip(append([]any{}, items[from:to]...))})
	if to < len(items) {
		next := *req.URL
		q := next.Query()
		q.Set("page", strconv.Itoa(page+1))
		next.RawQuery = q.Encode()
		r.header.Set("Link", "<https://"+s.Host+next.RequestURI()+`>; rel="next"`)
	}
	return r
}

func secretsJSON(secrets []Secret) []any {
	list := make([]any, 0, len(secrets))
	for _, s := range secrets {
		m := map[string]any{"name": s.Name, "created_at": s.Created.UTC().Format(time.RFC3339), "updated_at": s.Updated.UTC().Format(time.RFC3339)}
		if s.Visibility != "" {
			m["visibility"] = s.Visibility
		}
		list = append(list, m)
	}
	return list
}

func (s *Server) restRepository(r *Repository, rest string, req *http.Request) reply {
	if r.Denied {
		return s.notFound()
	}
	if oid, ok := strings.CutPrefix(rest, "git/blobs/"); ok {
		return s.blob(r, oid, req)
	}
	if p := r.DeniedSettings[rest]; p != "" {
		return s.denied(p)
	}
	switch {
	case rest == "actions/secrets":
		return s.list(req, "secrets", secretsJSON(r.Secrets))
	case rest == "environments":
		return s.list(req, "environments", environmentsJSON(r.Environments))
	case strings.HasPrefix(rest, "environments/"):
		name, what, _ := strings.Cut(strings.TrimPrefix(rest, "environments/"), "/")
		name, _ = url.PathUnescape(name)
		for _, e := range r.Environments {
			if e.Name == name && what == "secrets" {
				return s.list(req, "secrets", secretsJSON(e.Secrets))
			} else if e.Name == name && what == "deployment-branch-policies" {
				var list []any
				for _, b := range e.Branches {
					list = append(list, map[string]any{"name": b, "type": "branch"})
				}
				return s.list(req, "branch_policies", list)
			}
		}
	}
	return s.setting(r.Settings, rest, req)
}

func environmentsJSON(all []Environment) []any {
	list := make([]any, 0, len(all))
	for _, e := range all {
		rules := []any{}
		if len(e.Reviewers) > 0 {
			var reviewers []any
			for _, login := range e.Reviewers {
				reviewers = append(reviewers, map[string]any{"type": "User", "reviewer": map[string]any{"login": login}})
			}
			rules = append(rules, map[string]any{"type": "required_reviewers", "prevent_self_review": e.PreventSelfReview, "reviewers": reviewers})
		}
		if e.Wait > 0 {
			rules = append(rules, map[string]any{"type": "wait_timer", "wait_timer": e.Wait})
		}
		m := map[string]any{"name": e.Name, "can_admins_bypass": e.AdminsBypass, "protection_rules": rules, "deployment_branch_policy": nil,
			"created_at": start.Format(time.RFC3339)}
		if e.BranchPolicy != "" {
			m["deployment_branch_policy"] = map[string]any{"protected_branches": e.BranchPolicy == "protected", "custom_branch_policies": e.BranchPolicy == "custom"}
		}
		list = append(list, m)
	}
	return list
}

// blob answers the content of a file, raw when that is asked for.
func (s *Server) blob(r *Repository, oid string, req *http.Request) reply {
	n := treeOf(r).byID(oid)
	if n == nil || slices.Contains(r.DeniedPaths, n.path) {
		return s.notFound()
	}
	content := n.content()
	if strings.Contains(req.Header.Get("Accept"), "raw") {
		out := s.reply(false, http.StatusOK, nil)
		out.body = content
		return out
	}
	return s.reply(false, http.StatusOK, map[string]any{"sha": oid, "encoding": "base64", "size": len(content), "content": base64.StdEncoding.EncodeToString(content)})
}
