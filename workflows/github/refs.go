package github

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/stint-dev/stint/workflows"
)

// MaxRefsBytes is the longest list of refs that is read.
const MaxRefsBytes = 16 << 20

// Refs lists the branches and tags of a repository, by git's protocol version 2 (command
// ls-refs, gitprotocol-v2). The error is workflows.ErrNotFound for a repository that
// does not exist or is private.
func (c *Client) Refs(ctx context.Context, owner, repo string) (*workflows.Refs, error) {
	name, err := slug(owner, repo)
	if err != nil {
		return nil, err
	}
	return c.refs.get(strings.ToLower(name), func() (*workflows.Refs, error) {
		refs := &workflows.Refs{Branches: map[string]string{}, Tags: map[string]string{}}
		err := c.git(ctx, name, lsRefs(), MaxRefsBytes, func(in io.Reader, answered string) error {
			if !strings.EqualFold(answered, name) {
				refs.Renamed = answered
			}
			return readRefs(in, refs)
		})
		if err != nil {
			return nil, failed("the refs of "+name, err)
		}
		return refs, nil
	})
}

// Commit returns the full commit that the ref of owner/repo names now, and the
// fullest version tag on the same commit, "" when there is none: v4 gives v4.3.1.
func (c *Client) Commit(ctx context.Context, owner, repo, ref string) (commit, version string, err error) {
	refs, err := c.Refs(ctx, owner, repo)
	if err != nil {
		return "", "", err
	}
	commit = refs.Commit(ref)
	if commit == "" {
		return "", "", workflows.ErrNotFound
	}
	return commit, refs.Version(commit, ref), nil
}

// failed says what a question was about; the errors that a run meets again and again
// stay as they are, so that they are said once.
func failed(what string, err error) error {
	if err == nil {
		return nil
	}
	for _, same := range []error{workflows.ErrNotFound, ErrNoNetwork, ErrNoToken, ErrLimited, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, same) {
			return err
		}
	}
	return fmt.Errorf("%s: %w", what, err)
}

// git sends one command to a repository. answered is the owner/repo that answers, which
// is another when the repository was renamed.
func (c *Client) git(ctx context.Context, name string, command []byte, most int64, read func(in io.Reader, answered string) error) error {
	server := base(c.Server, "https://github.com")
	q := question{method: http.MethodPost, url: server + "/" + name + ".git/git-upload-pack", body: command, most: most, header: http.Header{
		"Content-Type": {"application/x-git-upload-pack-request"},
		"Accept":       {"application/x-git-upload-pack-result"},
		"Git-Protocol": {"version=2"},
	}}
	return c.ask(ctx, q, func(resp *http.Response, final *url.URL) error {
		switch resp.StatusCode {
		case http.StatusOK:
			answered, err := nameIn(final)
			if err != nil {
				return err
			}
			return read(resp.Body, answered)
		case http.StatusNotFound, http.StatusUnauthorized:
			return workflows.ErrNotFound
		}
		return fmt.Errorf("status %d", resp.StatusCode)
	})
}

// nameIn returns the owner/repo of …/owner/repo[.git]/git-upload-pack.
func nameIn(u *url.URL) (string, error) {
	parts := strings.Split(strings.TrimSuffix(u.Path, "/git-upload-pack"), "/")
	if len(parts) < 2 {
		return "", errors.New("the server sends the question to no repository")
	}
	return slug(parts[len(parts)-2], strings.TrimSuffix(parts[len(parts)-1], ".git"))
}

// lsRefs is the request: list heads and tags, tags with the commit they point to.
func lsRefs() []byte {
	var b bytes.Buffer
	packet(&b, "command=ls-refs\n")
	b.WriteString("0001")
	packet(&b, "peel\n")
	packet(&b, "ref-prefix refs/heads/\n")
	packet(&b, "ref-prefix refs/tags/\n")
	b.WriteString("0000")
	return b.Bytes()
}

// commitID is a commit as ls-refs writes it.
var commitID = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// readRefs reads pkt-lines "OID NAME[ peeled:OID]" up to the flush packet; a list
// that ends before it is an error, not a shorter list.
func readRefs(in io.Reader, into *workflows.Refs) error {
	for {
		line, done, err := readPacket(in)
		if err != nil {
			return errors.New("the list of refs is cut off or malformed")
		}
		if done {
			return nil
		}
		fields := strings.Fields(string(line))
		if len(fields) < 2 || !commitID.MatchString(fields[0]) {
			return errors.New("the list of refs is malformed")
		}
		commit := fields[0]
		for _, attr := range fields[2:] {
			if peeled, ok := strings.CutPrefix(attr, "peeled:"); ok && commitID.MatchString(peeled) {
				commit = peeled
			}
		}
		if tag, ok := strings.CutPrefix(fields[1], "refs/tags/"); ok {
			into.Tags[tag] = commit
		} else if branch, ok := strings.CutPrefix(fields[1], "refs/heads/"); ok {
			into.Branches[branch] = commit
		}
	}
}
