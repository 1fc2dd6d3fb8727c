package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/stint-dev/stint/workflows"
)

// Limits of asking the API.
const (
	// maxAPIBytes is the longest answer that is read, one page of advisories.
	maxAPIBytes = 16 << 20
	// maxAdvisoryPages is how many pages of a hundred advisories are read.
	maxAdvisoryPages = 20
	// maxVersionBytes is the longest range with its fixed version that is believed.
	maxVersionBytes = 300
)

// Archived reports whether a repository is archived. It needs a token: without one the
// API answers sixty questions an hour, which the advisories are to have.
func (c *Client) Archived(ctx context.Context, owner, repo string) (bool, error) {
	name, err := slug(owner, repo)
	if err != nil {
		return false, err
	}
	if c.Token == "" {
		return false, ErrNoToken
	}
	return c.archived.get(strings.ToLower(name), func() (bool, error) {
		var reply struct {
			Archived bool `json:"archived"`
		}
		_, err := c.get(ctx, c.api()+"/repos/"+name, &reply)
		return reply.Archived, failed("the state of "+name, err)
	})
}

// Advisories returns the published advisories about actions, all of them from a few
// questions. The list is whole or the error says why not.
func (c *Client) Advisories(ctx context.Context) ([]workflows.RemoteAdvisory, error) {
	return c.advisories.get("", func() ([]workflows.RemoteAdvisory, error) {
		all, err := c.allAdvisories(ctx)
		return all, failed("the advisories", err)
	})
}

func (c *Client) allAdvisories(ctx context.Context) ([]workflows.RemoteAdvisory, error) {
	var all []workflows.RemoteAdvisory
	at := c.api() + "/advisories?ecosystem=actions&per_page=100"
	for range maxAdvisoryPages {
		var page []advisory
		next, err := c.get(ctx, at, &page)
		if err != nil {
			return nil, err
		}
		for _, a := range page {
			all = append(all, a.actions()...)
		}
		if next == "" {
			return all, nil
		}
		at = next
	}
	return nil, fmt.Errorf("more than %d pages", maxAdvisoryPages)
}

// An advisory is what is used of one in the REST API.
type advisory struct {
	ID              string  `json:"ghsa_id"`
	URL             string  `json:"html_url"`
	Published       string  `json:"published_at"`
	Withdrawn       *string `json:"withdrawn_at"`
	Vulnerabilities []struct {
		Package struct {
			Ecosystem string `json:"ecosystem"`
			Name      string `json:"name"`
		} `json:"package"`
		Range string `json:"vulnerable_version_range"`
		Fixed string `json:"first_patched_version"`
	} `json:"vulnerabilities"`
}

var (
	ghsaID     = regexp.MustCompile(`^GHSA(-[0-9a-z]{4}){3}$`)
	actionName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*(/[a-z0-9._-]+)+$`)
)

// actions returns what the advisory says of each action; one that was withdrawn says
// nothing.
func (a advisory) actions() []workflows.RemoteAdvisory {
	if a.Withdrawn != nil || !ghsaID.MatchString(a.ID) {
		return nil
	}
	var found []workflows.RemoteAdvisory
	for _, v := range a.Vulnerabilities {
		name := strings.ToLower(v.Package.Name)
		if !strings.EqualFold(v.Package.Ecosystem, "actions") || !actionName.MatchString(name) || len(v.Range)+len(v.Fixed) > maxVersionBytes {
			continue
		}
		date, _, _ := strings.Cut(a.Published, "T")
		found = append(found, workflows.RemoteAdvisory{ID: a.ID, Action: name, Range: v.Range, Fixed: v.Fixed, Date: date, URL: a.URL})
	}
	return found
}

func (c *Client) api() string { return base(c.API, "https://api.github.com") }

// get asks the API and decodes its answer; next is the address of the following page,
// "" when there is none.
func (c *Client) get(ctx context.Context, at string, into any) (next string, err error) {
	if c.limited.Load() {
		return "", ErrLimited
	}
	q := question{method: http.MethodGet, url: at, most: maxAPIBytes, header: http.Header{
		"Accept":               {"application/vnd.github+json"},
		"X-Github-Api-Version": {"2022-11-28"},
	}}
	if c.Token != "" {
		q.header.Set("Authorization", "Bearer "+c.Token)
	}
	err = c.ask(ctx, q, func(resp *http.Response, final *url.URL) error {
		switch resp.StatusCode {
		case http.StatusOK:
			next, err = nextPage(final, resp.Header.Get("Link"))
			if err != nil {
				return err
			}
			if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
				return errors.New("the answer is cut off or malformed")
			}
			return nil
		case http.StatusNotFound, http.StatusGone:
			return workflows.ErrNotFound
		case http.StatusForbidden, http.StatusTooManyRequests:
			if resp.StatusCode == http.StatusTooManyRequests || resp.Header.Get("X-Ratelimit-Remaining") == "0" || resp.Header.Get("Retry-After") != "" {
				c.limited.Store(true)
				return ErrLimited
			}
		}
		return &StatusError{Status: resp.StatusCode}
	})
	return next, err
}

var nextLink = regexp.MustCompile(`<([^<>]+)>\s*;\s*rel="next"`)

// nextPage reads the address of the next page out of a Link header; it has to be on the
// same server, which has the token already.
func nextPage(at *url.URL, link string) (string, error) {
	m := nextLink.FindStringSubmatch(link)
	if m == nil {
		return "", nil
	}
	next, err := at.Parse(m[1])
	if err != nil || next.Scheme != at.Scheme || !strings.EqualFold(next.Host, at.Host) || next.User != nil {
		return "", errors.New("the next page is on another server")
	}
	return next.String(), nil
}
