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
	"strconv"
	"strings"
	"sync"
	"time"
)

// Limits of one question.
const (
	// MaxRefsBytes is the longest list of refs that is read.
	MaxRefsBytes = 16 << 20
	// AskTimeout bounds one question, connection included.
	AskTimeout = 20 * time.Second
)

// ErrNotFound is returned for a ref that the repository does not have, and for a
// repository that does not exist or is private.
var ErrNotFound = errors.New("no such repository or ref")

// Refs answers which commit a ref names, by git's protocol version 2 (command
// ls-refs, gitprotocol-v2). The zero value asks github.com. It is safe for
// concurrent use; each repository is asked once.
type Refs struct {
	// Server is the base URL, "https://github.com" when empty.
	Server string
	// Client is http.DefaultClient when nil.
	Client *http.Client

	mu    sync.Mutex
	asked map[string]*answer
}

// An answer is the list of refs of one repository, made once.
type answer struct {
	once    sync.Once
	commits map[string]string // by full ref name, tags peeled
	err     error
}

// owners and repositories may hold only what GitHub allows in names.
var (
	ownerName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,38}$`)
	repoName  = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)
)

// Commit returns the full commit that the ref of owner/repo names now, and the
// fullest version tag on the same commit, "" when there is none: v4 gives v4.3.1.
// A tag wins over a branch of the same name, as it does in a uses:.
func (r *Refs) Commit(ctx context.Context, owner, repo, ref string) (commit, version string, err error) {
	if !ownerName.MatchString(owner) || !repoName.MatchString(repo) || repo == "." || repo == ".." {
		return "", "", fmt.Errorf("%q is no repository name", owner+"/"+repo)
	}
	a := r.answer(strings.ToLower(owner + "/" + repo))
	a.once.Do(func() { a.commits, a.err = r.ask(ctx, owner, repo) })
	if a.err != nil {
		return "", "", a.err
	}
	commit = a.commits["refs/tags/"+ref]
	if commit == "" {
		commit = a.commits["refs/heads/"+ref]
	}
	if commit == "" {
		return "", "", ErrNotFound
	}
	return commit, fullest(a.commits, commit, ref), nil
}

func (r *Refs) answer(name string) *answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.asked == nil {
		r.asked = map[string]*answer{}
	}
	if r.asked[name] == nil {
		r.asked[name] = &answer{}
	}
	return r.asked[name]
}

// fullest returns the version tag on the commit that says most: v4.3.1 rather
// than v4.3 or v4; of several as full, the one that begins like the ref asked for,
// then the greatest.
func fullest(commits map[string]string, commit, ref string) string {
	best := ""
	for name, c := range commits {
		tag, ok := strings.CutPrefix(name, "refs/tags/")
		if ok && c == commit && versionTag.MatchString(tag) && (best == "" || fuller(tag, best, ref)) {
			best = tag
		}
	}
	return best
}

var versionTag = regexp.MustCompile(`^v?[0-9]+(\.[0-9]+){0,3}$`)

func fuller(a, b, ref string) bool {
	if da, db := strings.Count(a, "."), strings.Count(b, "."); da != db {
		return da > db
	}
	if pa, pb := strings.HasPrefix(a, ref), strings.HasPrefix(b, ref); pa != pb {
		return pa
	}
	return greater(a, b)
}

// greater compares version tags number by number.
func greater(a, b string) bool {
	pa, pb := strings.Split(strings.TrimPrefix(a, "v"), "."), strings.Split(strings.TrimPrefix(b, "v"), ".")
	for i := range min(len(pa), len(pb)) {
		na, _ := strconv.Atoi(pa[i])
		nb, _ := strconv.Atoi(pb[i])
		if na != nb {
			return na > nb
		}
	}
	return a > b
}

// ask lists the heads and tags of a repository.
func (r *Refs) ask(ctx context.Context, owner, repo string) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, AskTimeout)
	defer cancel()
	server := r.Server
	if server == "" {
		server = "https://github.com"
	}
	u, err := url.JoinPath(server, owner, repo+".git", "git-upload-pack")
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u, bytes.NewReader(lsRefs()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-git-upload-pack-request")
	req.Header.Set("Accept", "application/x-git-upload-pack-result")
	req.Header.Set("Git-Protocol", "version=2")
	client := r.Client
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("cannot ask %s", owner+"/"+repo)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusUnauthorized:
		return nil, ErrNotFound
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("asking for the refs of %s gave status %d", owner+"/"+repo, resp.StatusCode)
	}
	return readRefs(io.LimitReader(resp.Body, MaxRefsBytes))
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

// packet appends one pkt-line: four hex digits of length, itself included.
func packet(b *bytes.Buffer, s string) { fmt.Fprintf(b, "%04x%s", len(s)+4, s) }

// commitID is a commit as ls-refs writes it.
var commitID = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// readRefs reads pkt-lines "OID NAME[ peeled:OID]" up to the flush packet; a list
// that ends before it is an error, not a shorter list.
func readRefs(in io.Reader) (map[string]string, error) {
	out := map[string]string{}
	for {
		line, done, err := readPacket(in)
		if err != nil {
			return nil, errors.New("the list of refs is cut off or malformed")
		}
		if done {
			return out, nil
		}
		fields := strings.Fields(line)
		if len(fields) < 2 || !commitID.MatchString(fields[0]) {
			return nil, errors.New("the list of refs is malformed")
		}
		commit := fields[0]
		for _, attr := range fields[2:] {
			if peeled, ok := strings.CutPrefix(attr, "peeled:"); ok && commitID.MatchString(peeled) {
				commit = peeled
			}
		}
		out[fields[1]] = commit
	}
}

// readPacket reads one pkt-line; done is set for the flush packet.
func readPacket(in io.Reader) (line string, done bool, err error) {
	var head [4]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return "", false, err
	}
	n, err := strconv.ParseUint(string(head[:]), 16, 16)
	if err != nil {
		return "", false, err
	}
	if n == 0 {
		return "", true, nil
	}
	if n < 4 {
		return "", false, errors.New("no length")
	}
	body := make([]byte, n-4)
	if _, err := io.ReadFull(in, body); err != nil {
		return "", false, err
	}
	return strings.TrimSuffix(string(body), "\n"), false, nil
}
