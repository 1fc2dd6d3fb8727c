package org

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"path"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/github"
)

// maxMentions bounds the names kept of one text; one with more is taken to name all.
const maxMentions = 500

// everyName stands for all repositories in a list of mentions.
const everyName = "*"

// mentions returns the repositories of the owner that a text names as owner/name, in
// lower case, sorted: what is said of it depends on which of them it belongs to.
func mentions(owner string, text []byte) []string {
	var out []string
	prefix := []byte(strings.ToLower(owner) + "/")
	for rest := bytes.ToLower(text); ; {
		i := bytes.Index(rest, prefix)
		if i < 0 {
			break
		}
		rest = rest[i+len(prefix):]
		n := bytes.IndexFunc(rest, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-')
		})
		if n < 0 {
			n = len(rest)
		}
		name := string(rest[:min(n, 100)])
		if i, known := slices.BinarySearch(out, name); !known && name != "" {
			out = slices.Insert(out, i, name)
		}
		if len(out) > maxMentions {
			return []string{everyName}
		}
	}
	return out
}

// dated reports whether a text may say until when something is tolerated.
func dated(text []byte) bool { return bytes.Contains(text, []byte("until")) }

// unreadMode says why a file of a listing is no content, "" when it is one.
func unreadMode(mode int) string {
	switch mode & 0o170000 {
	case 0o120000:
		return "a link, which is not followed"
	case 0o160000:
		return "a submodule, which is not read"
	}
	return ""
}

// setOf returns the files of a repository as they are kept, and the set's name. Files
// that neither lint nor its configuration would read are left out.
func setOf(r *github.Repo) ([]fileEntry, string) {
	var set []fileEntry
	for _, f := range r.Files {
		if workflows.KindOf(f.Path) == workflows.KindUnknown && f.Path != lint.ConfigPath {
			continue
		}
		e := fileEntry{Path: f.Path, OID: f.OID, Unread: unreadMode(f.Mode)}
		switch {
		case e.Unread != "" || f.Text != nil:
		case f.Size > workflows.MaxFileBytes:
			e.Unread = fmt.Sprintf("larger than %d bytes, the most that is read", workflows.MaxFileBytes)
		default:
			e.Unread = "the host did not give its content"
		}
		set = append(set, e)
	}
	if len(set) == 0 {
		return nil, ""
	}
	slices.SortFunc(set, func(a, b fileEntry) int { return strings.Compare(a.Path, b.Path) })
	h := sha256.New()
	writeSet(h, set)
	return set, hex.EncodeToString(h.Sum(nil))
}

func writeSet(h hash.Hash, set []fileEntry) {
	for _, e := range set {
		fmt.Fprintf(h, "%q %q %q\n", e.Path, e.OID, e.Unread)
	}
}

// putFiles keeps the files of a repository and returns the name of their set.
func putFiles(tx *bbolt.Tx, owner string, r *github.Repo) (string, error) {
	set, name := setOf(r)
	if name == "" {
		return "", nil
	}
	texts := map[string][]byte{}
	for _, f := range r.Files {
		texts[f.Path] = f.Text
	}
	for _, e := range set {
		if e.Unread != "" {
			continue
		}
		if err := putBlob(tx, owner, e.OID, texts[e.Path]); err != nil {
			return "", err
		}
	}
	b, key := tx.Bucket(setBucket), hashKey(name)
	if b.Get(key) != nil {
		return name, nil
	}
	return name, putJSON(b, key, set)
}

// rulesDigest names what judges: another version of stint, or other rules, may say
// something else of the same files.
func rulesDigest(o Options) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q\n", o.Build)
	for _, r := range o.Rules {
		fmt.Fprintf(h, "%q %q %d %d\n", r.ID, r.Since, r.Confidence, r.Audience)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// analysisKey names what the files of a set say in a repository; see Analysis.Key.
func analysisKey(tx *bbolt.Tx, repository, set string, o Options, rules string) (string, error) {
	entries, err := getSet(tx, set)
	if err != nil {
		return "", err
	}
	owner, name, _ := strings.Cut(strings.ToLower(repository), "/")
	named, day := "", ""
	for _, e := range entries {
		if e.Unread != "" {
			continue
		}
		b, err := getBlob(tx, e.OID)
		if err != nil {
			return "", err
		}
		if _, ok := slices.BinarySearch(b.Mentions, name); ok || slices.Contains(b.Mentions, everyName) {
			named = name
		}
		if b.Dated {
			day = o.Today
		}
	}
	h := sha256.New()
	fmt.Fprintf(h, "stint-analysis/1 %q %q %q %q %q\n", rules, day, owner, named, set)
	return hex.EncodeToString(h.Sum(nil)), nil
}

// load reads the files of a set back as a repository, with its configuration.
func load(tx *bbolt.Tx, repository, set string) (*source, error) {
	entries, err := getSet(tx, set)
	if err != nil {
		return nil, err
	}
	s := &source{name: repository}
	for _, e := range entries {
		if e.Unread != "" {
			s.unread = append(s.unread, workflows.Unread{Path: e.Path, Reason: e.Unread})
			continue
		}
		b, err := getBlob(tx, e.OID)
		if err != nil {
			return nil, err
		}
		text, err := b.text()
		if err != nil {
			return nil, err
		}
		s.files = append(s.files, rawFile{e.Path, text})
	}
	return s, nil
}

// A source is the files of a repository before they are parsed.
type source struct {
	name   string
	files  []rawFile
	unread []workflows.Unread
}

type rawFile struct {
	path string
	text []byte
}

// repository parses the files. Both results are usable also when the error says that
// the configuration is wrong; it is an empty one then.
func (s *source) repository() (*workflows.Repository, *lint.Config, error) {
	repo := &workflows.Repository{Root: s.name, Name: s.name, Unread: slices.Clone(s.unread)}
	config := &lint.Config{}
	var wrong error
	for _, f := range s.files {
		if f.path != lint.ConfigPath {
			repo.Files = append(repo.Files, workflows.Parse(f.path, f.text))
			continue
		}
		if c, err := lint.ParseConfig(f.path, f.text); err != nil {
			wrong = err
		} else {
			config = c
		}
	}
	return repo, config, wrong
}

// dirOf returns the directory of an action file, "" for the root.
func dirOf(file string) string {
	if d := path.Dir(file); d != "." {
		return d
	}
	return ""
}
