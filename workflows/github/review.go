package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Limits of a review.
const (
	// MaxSuggestions is how many comments one review has.
	MaxSuggestions = 10
	// maxReviewPages is how many pages of a hundred comments, and of files, are read.
	maxReviewPages = 10
)

// ErrMayNot says that the token may not comment on the pull request.
var ErrMayNot = errors.New("the token may not comment on the pull request: the job needs pull-requests: write, which a fork's never has")

// A PullRequest names one and the commit that its author last pushed.
type PullRequest struct {
	Owner, Repo string
	Number      int
	Head        string
}

// A Suggestion proposes to replace whole lines of a file.
type Suggestion struct {
	// Key tells it from others for good; it is kept in the comment, unseen.
	Key string
	// Path is the file, First its first line that is replaced, from 1, and Old the lines
	// as they were when the suggestion was made, without their ends.
	Path  string
	First int
	Old   []string
	// New are the lines to put there, and Text says why, in Markdown.
	New  []string
	Text string
}

// Suggest posts suggestions as one review: those that stand on lines of the pull
// request's own diff, where the lines still are what they were, that no comment has been
// posted for, MaxSuggestions at the most. It returns how many it posted.
func (c *Client) Suggest(ctx context.Context, pr PullRequest, all []Suggestion) (int, error) {
	name, err := slug(pr.Owner, pr.Repo)
	if err != nil {
		return 0, err
	}
	at := c.api() + "/repos/" + name + "/pulls/" + strconv.Itoa(pr.Number)
	posted, err := c.postedKeys(ctx, at)
	if err != nil {
		return 0, failed("the comments of the pull request", err)
	}
	diff, err := c.changedLines(ctx, at)
	if err != nil {
		return 0, failed("the files of the pull request", err)
	}
	var comments []reviewComment
	for _, s := range all {
		if len(comments) == MaxSuggestions {
			break
		}
		if !posted[s.Key] && diff.holds(s) {
			posted[s.Key] = true
			comments = append(comments, s.comment())
		}
	}
	if len(comments) == 0 {
		return 0, nil
	}
	review := map[string]any{
		"commit_id": pr.Head, "event": "COMMENT", "comments": comments,
		"body": "Fixes that cannot change what a correct workflow does, by stint.",
	}
	if err := c.post(ctx, at+"/reviews", review); errors.Is(err, ErrMayNot) {
		return 0, err
	} else if err != nil {
		return 0, failed("the review", err)
	}
	return len(comments), nil
}

// A reviewComment is one in the REST API.
type reviewComment struct {
	Path      string `json:"path"`
	Body      string `json:"body"`
	Line      int    `json:"line"`
	Side      string `json:"side"`
	StartLine int    `json:"start_line,omitempty"`
	StartSide string `json:"start_side,omitempty"`
}

const keyForm = `<!-- stint:%s -->`

var keyMark = regexp.MustCompile(`<!-- stint:([0-9a-f]{32}) -->`)

func (s Suggestion) comment() reviewComment {
	text := strings.Join(s.New, "\n")
	if len(s.New) > 0 {
		text += "\n"
	}
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	c := reviewComment{Path: s.Path, Side: "RIGHT", Line: s.First + len(s.Old) - 1,
		Body: s.Text + "\n\n" + fence + "suggestion\n" + text + fence + "\n" + fmt.Sprintf(keyForm, s.Key)}
	if len(s.Old) > 1 {
		c.StartLine, c.StartSide = s.First, "RIGHT"
	}
	return c
}

// postedKeys returns the keys of the comments that are there, whoever wrote them.
func (c *Client) postedKeys(ctx context.Context, pr string) (map[string]bool, error) {
	keys := map[string]bool{}
	err := pagesOf(ctx, c, pr+"/comments?per_page=100", func(comment struct {
		Body string `json:"body"`
	}) {
		for _, m := range keyMark.FindAllStringSubmatch(comment.Body, -1) {
			keys[m[1]] = true
		}
	})
	return keys, err
}

// A diff has the text of the lines, by path and number, on which a comment may stand.
type diff map[string]map[int]string

// changedLines reads the diff of a pull request. A file whose patch GitHub leaves out,
// because it is too large, has no lines.
func (c *Client) changedLines(ctx context.Context, pr string) (diff, error) {
	d := diff{}
	err := pagesOf(ctx, c, pr+"/files?per_page=100", func(file struct {
		Name  string `json:"filename"`
		Patch string `json:"patch"`
	}) {
		d[file.Name] = newLines(file.Patch)
	})
	return d, err
}

var hunkHead = regexp.MustCompile(`^@@ -\d+(?:,\d+)? \+(\d{1,9})(?:,\d+)? @@`)

// newLines returns the lines of a patch as they are after it.
func newLines(patch string) map[int]string {
	lines := map[int]string{}
	next := 0
	for _, line := range strings.Split(patch, "\n") {
		if m := hunkHead.FindStringSubmatch(line); m != nil {
			next, _ = strconv.Atoi(m[1])
			continue
		}
		if next == 0 || line == "" || line[0] != ' ' && line[0] != '+' {
			continue
		}
		lines[next] = strings.TrimSuffix(line[1:], "\r")
		next++
	}
	return lines
}

// holds reports whether the diff has all lines of the suggestion as it knows them.
func (d diff) holds(s Suggestion) bool {
	for i, old := range s.Old {
		if text, ok := d[s.Path][s.First+i]; !ok || text != strings.TrimSuffix(old, "\r") {
			return false
		}
	}
	return len(s.Old) > 0
}

// pagesOf hands every item of a list to take.
func pagesOf[T any](ctx context.Context, c *Client, at string, take func(T)) error {
	for range maxReviewPages {
		var page []T
		next, err := c.get(ctx, at, &page)
		if err != nil {
			return err
		}
		for _, item := range page {
			take(item)
		}
		if next == "" {
			return nil
		}
		at = next
	}
	return fmt.Errorf("more than %d pages", maxReviewPages)
}

// post sends JSON to the API; it is never tried again, so that nothing is posted twice.
func (c *Client) post(ctx context.Context, at string, body any) error {
	if c.Token == "" {
		return ErrNoToken
	}
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	q := question{method: http.MethodPost, url: at, body: b, most: maxAPIBytes, header: http.Header{
		"Accept":               {"application/vnd.github+json"},
		"Authorization":        {"Bearer " + c.Token},
		"Content-Type":         {"application/json"},
		"X-Github-Api-Version": {"2022-11-28"},
	}}
	return c.ask(ctx, q, func(resp *http.Response, _ *url.URL) error {
		switch resp.StatusCode {
		case http.StatusOK, http.StatusCreated:
			return nil
		case http.StatusForbidden, http.StatusNotFound:
			return ErrMayNot
		}
		return fmt.Errorf("status %d", resp.StatusCode)
	})
}
