package github

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/stint-dev/stint/workflows"
)

// Limits of asking whether a repository holds a commit.
const (
	// MaxHaves is how many tips are named in one question.
	MaxHaves = 20_000
	// maxPackHead bounds what is read up to the count of objects, messages included.
	maxPackHead = 1 << 20
)

// Contains reports whether a branch or tag of the repository has the commit (40 hex
// digits) in its history.
//
// A server gives out every commit that a fork has, too, since forks share one store; so
// that the commit can be fetched proves nothing. The question is put the other way round:
// a fetch that wants the commit and says it has all branches and tags gets a pack
// without objects exactly when the commit is behind one of them. Only the head of the
// pack is read.
func (c *Client) Contains(ctx context.Context, owner, repo, commit string) (bool, error) {
	name, err := slug(owner, repo)
	if err != nil {
		return false, err
	}
	commit = strings.ToLower(commit)
	if len(commit) != 40 || !commitID.MatchString(commit) {
		return false, fmt.Errorf("%q is no commit that the server could know", commit)
	}
	return c.contained.get(strings.ToLower(name)+"@"+commit, func() (bool, error) {
		refs, err := c.Refs(ctx, owner, repo)
		if err != nil {
			return false, err
		}
		if refs.IsTip(commit) {
			return true, nil
		}
		tips := tipsOf(refs)
		asked := tips[:min(len(tips), MaxHaves)]
		missing := false
		err = c.git(ctx, name, fetchBeyond(commit, asked), maxPackHead, func(in io.Reader, _ string) error {
			missing, err = lacks(in)
			return err
		})
		if err == nil && missing && len(asked) < len(tips) {
			err = fmt.Errorf("more than %d branches and tags", MaxHaves)
		}
		if err != nil {
			return false, failed("the history of "+name, err)
		}
		return !missing, nil
	})
}

// tipsOf returns the commits that branches and tags point to, each once, branches first:
// they hold most.
func tipsOf(r *workflows.Refs) []string {
	seen := map[string]bool{}
	var tips []string
	for _, names := range []map[string]string{r.Branches, r.Tags} {
		for _, name := range slices.Sorted(maps.Keys(names)) {
			if commit := names[name]; !seen[commit] {
				seen[commit] = true
				tips = append(tips, commit)
			}
		}
	}
	return tips
}

// fetchBeyond is the request for what the commit has and the tips do not.
func fetchBeyond(commit string, tips []string) []byte {
	var b bytes.Buffer
	packet(&b, "command=fetch\n")
	b.WriteString("0001")
	packet(&b, "no-progress\n")
	packet(&b, "want "+commit+"\n")
	for _, tip := range tips {
		packet(&b, "have "+tip+"\n")
	}
	packet(&b, "done\n")
	b.WriteString("0000")
	return b.Bytes()
}

var errPack = errors.New("the answer is cut off or malformed")

// lacks reads the answer up to the count of objects in the pack and reports whether
// there are any. A server that does not know the commit at all says "not our ref".
func lacks(in io.Reader) (bool, error) {
	first, done, err := readPacket(in)
	text := strings.TrimSuffix(string(first), "\n")
	switch {
	case err != nil || done:
		return false, errPack
	case strings.HasPrefix(text, "ERR ") && strings.Contains(text, "not our ref"):
		return true, nil
	case strings.HasPrefix(text, "ERR "):
		return false, errors.New("the server refuses")
	case text != "packfile":
		return false, errPack
	}
	var head []byte // "PACK", version, count of objects, four bytes each
	for len(head) < 12 {
		line, done, err := readPacket(in)
		if err != nil || done || len(line) == 0 {
			return false, errPack
		}
		switch band := line[0]; band {
		case 1:
			head = append(head, line[1:]...)
		case 2: // progress
		default:
			return false, errors.New("the server refuses")
		}
	}
	if version := binary.BigEndian.Uint32(head[4:]); string(head[:4]) != "PACK" || version != 2 && version != 3 {
		return false, errPack
	}
	return binary.BigEndian.Uint32(head[8:]) > 0, nil
}
