package workflows

import (
	"net/url"
	"path"
	"regexp"
	"strings"
)

// A UsesKind says what a uses: names and how firmly.
type UsesKind int

const (
	// UsesInvalid is a uses: that GitHub would refuse. Owner, Repo and Path are set
	// where only the ref is missing.
	UsesInvalid UsesKind = iota
	// UsesCommit is owner/repo[/path]@ with 40 or 64 hex digits.
	UsesCommit
	// UsesTag is a ref that looks like a version: v4, 1.2.3, v1.0.0-rc.1,
	// codeql-bundle-v2.1, refs/tags/x. The text cannot tell a tag from a branch
	// of that name; both can be moved.
	UsesTag
	// UsesBranch is any other ref.
	UsesBranch
	// UsesLocal is ./path, resolved in the workspace when the step runs: after a
	// checkout of somebody else's code it is somebody else's action.
	UsesLocal
	// UsesSelf is $/path (July 2026): the same repository at the running commit.
	UsesSelf
	// UsesDocker is docker://image.
	UsesDocker
	// UsesExpression holds an expression, which GitHub refuses for steps.
	UsesExpression
)

// A Uses is one parsed uses: of a step or a job.
type Uses struct {
	*Scalar
	Kind UsesKind
	// Host is the server of a fully qualified https://host/owner/repo@ref when it
	// is not github.com, else "".
	Host string
	// Owner, Repo, Path and Ref are as written; Path has no leading slash. For
	// local and self kinds only Path is set, cleaned, relative to the root.
	Owner, Repo, Path, Ref string
	// RefSpan covers Ref; it is zero where there is none.
	RefSpan Span
	// Image, and Digest ("sha256:…") when pinned, of a docker:// uses. Image
	// keeps its tag.
	Image, Digest string
	// Comment is the comment that trails on the same line, or nil.
	Comment *Comment
	// Workflow is set when the path names a reusable workflow file.
	Workflow bool

	name, full string // what Name and FullName return, "" when not yet known
}

// Name returns owner/repo in lower case, or "" when there is none. An action of
// another host has that host in front, so that it equals no name of github.com.
func (u *Uses) Name() string {
	if u.Owner == "" || u.name != "" {
		return u.name
	}
	name := strings.ToLower(u.Owner + "/" + u.Repo)
	if u.Host != "" {
		name = u.Host + "/" + name
	}
	return name
}

// FullName returns owner/repo/path in lower case, without the ref.
func (u *Uses) FullName() string {
	if u.full != "" {
		return u.full
	}
	name := u.Name()
	if name == "" || u.Path == "" {
		return name
	}
	return name + "/" + strings.ToLower(u.Path)
}

// ParseUses parses the text of a uses:. Spans of the result are offsets into s.
//
// It accepts what the runner accepts, oddities included: backslashes and doubled
// slashes separate path segments there too, and a spelling that GitHub runs must
// not escape the rules.
func ParseUses(s string) *Uses {
	u := &Uses{Scalar: &Scalar{Value: s, Span: Span{0, len(s)}}}
	switch {
	case strings.Contains(s, "${{"):
		u.Kind = UsesExpression
	case strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		// No reference holds white space or control characters.
	case strings.HasPrefix(s, "docker://"):
		u.parseImage(strings.TrimPrefix(s, "docker://"))
	case strings.HasPrefix(s, "./"), strings.HasPrefix(s, `.\`):
		u.parsePath(UsesLocal, s[2:])
	case strings.HasPrefix(s, "$/"):
		if !strings.Contains(s, "@") { // the running commit is the ref
			u.parsePath(UsesSelf, s[2:])
		}
	default:
		u.parseRemote(s)
	}
	u.name = u.Name()
	u.full = u.FullName()
	return u
}

// parsePath reads a path inside the repository itself and refuses one that
// leaves it.
func (u *Uses) parsePath(kind UsesKind, s string) {
	p := path.Clean(strings.ReplaceAll(s, `\`, "/"))
	p = strings.TrimPrefix(p, "/")
	if p == ".." || strings.HasPrefix(p, "../") {
		return
	}
	if p == "." {
		p = ""
	}
	u.Kind, u.Path, u.Workflow = kind, p, isWorkflowPath(p)
}

// digestPattern is the only digest that registries serve images by today.
var digestPattern = regexp.MustCompile(`^sha256:[0-9a-fA-F]{64}$`)

func (u *Uses) parseImage(image string) {
	name, digest, found := strings.Cut(image, "@")
	if name == "" || found && !digestPattern.MatchString(digest) {
		return
	}
	u.Kind, u.Image, u.Digest = UsesDocker, name, strings.ToLower(digest)
}

var (
	// ownerPattern includes the underscore of enterprise managed users.
	ownerPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)
	repoPattern  = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
)

// parseRemote reads owner/repo[/path]@ref, also with https://host/ in front.
func (u *Uses) parseRemote(s string) {
	rest, host, ok := cutHost(s)
	if !ok {
		return
	}
	name, ref, _ := strings.Cut(rest, "@")
	parts := strings.FieldsFunc(name, func(r rune) bool { return r == '/' || r == '\\' })
	if strings.Contains(ref, "@") || len(parts) < 2 || strings.HasPrefix(name, "/") {
		return
	}
	owner, repo := parts[0], parts[1]
	if !ownerPattern.MatchString(owner) || !repoPattern.MatchString(repo) || repo == "." || repo == ".." {
		return
	}
	u.Host, u.Owner, u.Repo, u.Ref = host, owner, repo, ref
	u.Path = strings.Join(parts[2:], "/")
	if ref == "" {
		return // GitHub refuses it; what is meant can be told
	}
	u.RefSpan = Span{len(s) - len(ref), len(s)}
	u.Workflow = isWorkflowPath(u.Path)
	u.Kind = kindOfRef(ref)
}

// cutHost takes a scheme and host off s; host is "" for github.com.
func cutHost(s string) (rest, host string, ok bool) {
	lower := strings.ToLower(s)
	if !strings.HasPrefix(lower, "https://") && !strings.HasPrefix(lower, "http://") {
		return s, "", true
	}
	_, after, _ := strings.Cut(s, "://")
	host, rest, ok = strings.Cut(after, "/")
	if !ok || host == "" {
		return "", "", false
	}
	if _, err := url.Parse("https://" + host); err != nil || strings.Contains(host, "@") {
		return "", "", false
	}
	host = strings.ToLower(host)
	if host == "github.com" {
		host = ""
	}
	return rest, host, true
}

var (
	// tagPattern is a version: digits with dots, v in front or not, and the
	// usual endings.
	tagPattern = regexp.MustCompile(`^[vV]?[0-9]+(?:\.[0-9]+)*(?:(?:a|b|rc|alpha|beta|pre|dev)[0-9]*)?(?:[-.+_][0-9A-Za-z.+_-]*)?$`)
	// namedTagPattern is a version behind a name. A bare number does not do
	// there: fix-123 is a branch.
	namedTagPattern = regexp.MustCompile(`^[A-Za-z][0-9A-Za-z._-]*[-_](?:[vV][0-9]|[0-9]+\.[0-9])[0-9A-Za-z.+_-]*$`)
)

func kindOfRef(ref string) UsesKind {
	switch {
	case isCommit(ref):
		return UsesCommit
	case strings.HasPrefix(ref, "refs/tags/"), tagPattern.MatchString(ref), namedTagPattern.MatchString(ref):
		return UsesTag
	}
	return UsesBranch
}

// isCommit reports whether s is a full commit: 40 hex digits, or 64 of SHA-256.
func isCommit(s string) bool {
	if len(s) != 40 && len(s) != 64 {
		return false
	}
	return strings.Trim(s, "0123456789abcdefABCDEF") == ""
}

// isWorkflowPath reports whether GitHub would read a workflow at p.
func isWorkflowPath(p string) bool {
	dir, name := path.Split(strings.ToLower(p))
	return dir == ".github/workflows/" && (strings.HasSuffix(name, ".yml") || strings.HasSuffix(name, ".yaml"))
}
