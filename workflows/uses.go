package workflows

// A UsesKind says what a uses: names and how firmly.
type UsesKind int

const (
	// UsesInvalid is a uses: that GitHub would refuse.
	UsesInvalid UsesKind = iota
	// UsesCommit is owner/repo[/path]@ with 40 or 64 hex digits.
	UsesCommit
	// UsesTag is a ref that looks like a version: v4, 1.2.3, v1.0.0-rc.1.
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
	// Owner, Repo, Path and Ref are as written; Path has no leading slash. For
	// local and self kinds only Path is set, cleaned, relative to the root.
	Owner, Repo, Path, Ref string
	// RefSpan covers Ref; it is zero where there is none.
	RefSpan Span
	// Image, and Digest ("sha256:…") when pinned, of a docker:// uses.
	Image, Digest string
	// Comment is the comment that trails on the same line, or nil.
	Comment *Comment
	// Workflow is set when the path names a reusable workflow file.
	Workflow bool
}

// Name returns owner/repo in lower case, or "" when there is none.
func (u *Uses) Name() string { return u.name() }

// FullName returns owner/repo/path in lower case, without the ref.
func (u *Uses) FullName() string { return u.fullName() }

// ParseUses parses the text of a uses:. Spans of the result are offsets into s.
func ParseUses(s string) *Uses { return parseUses(s) }
