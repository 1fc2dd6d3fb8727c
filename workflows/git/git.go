// Package git reads the files of an earlier commit through the git binary, so that
// what a change brings can be told from what was there.
//
// How it thinks: it asks plumbing only (rev-parse, merge-base, ls-tree, cat-file), never
// checks anything out, writes nothing into the repository and asks no server. The
// repository, its configuration and the names in it are hostile: a name is passed to git
// only when it can be no option, every answer is bounded, and files are written below a
// directory that no link leads out of.
package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// Limits of asking git.
const (
	// Timeout bounds one question, in which git may have to walk a long history.
	Timeout = 2 * time.Minute
	// maxAnswerBytes is the most that is read of a short answer or a complaint.
	maxAnswerBytes = 4 << 10
)

// An Error is a question that git could not answer: what is wrong, and what to do next.
type Error struct {
	Message, Hint string
}

// Error returns the first line.
func (e *Error) Error() string { return e.Message }

// NextStep returns the second line.
func (e *Error) NextStep() string { return e.Hint }

// A Repository is a directory that git knows, a subdirectory of a work tree too.
type Repository struct {
	dir     string
	environ []string
}

// Open returns the repository around dir. environ is the environment of the process;
// git is given what is left of it without git's own variables, which a hook may have set
// for another repository.
func Open(dir string, environ []string) *Repository {
	r := &Repository{dir: dir}
	for _, v := range environ {
		if !strings.HasPrefix(v, "GIT_") {
			r.environ = append(r.environ, v)
		}
	}
	r.environ = append(r.environ,
		"GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0", "GIT_NO_REPLACE_OBJECTS=1",
		"GIT_NO_LAZY_FETCH=1", "GIT_ALLOW_PROTOCOL=", "LC_ALL=C")
	return r
}

// refForm is what names a commit: branches, tags, ids, and HEAD~1 or HEAD^1. What could be
// an option, a range or a path is left out, though git would take it.
var refForm = regexp.MustCompile(`^[A-Za-z0-9_@][A-Za-z0-9_./@^~+{}-]{0,254}$`)

// commitForm is a full commit or blob id, sha-1 or sha-256.
var commitForm = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// Base returns the commit that HEAD and ref have grown from: of a branch the place where
// HEAD left it, so that what others added to the branch since is not held against the
// change. The error is an *Error or the context's.
func (r *Repository) Base(ctx context.Context, ref string) (commit string, err error) {
	if !refForm.MatchString(ref) || strings.Contains(ref, "..") {
		return "", &Error{fmt.Sprintf("%q names no commit", ref), "give a branch, a tag, a commit, or HEAD^1"}
	}
	if _, err := r.ask(ctx, "rev-parse", "--git-dir"); err != nil {
		return "", err
	}
	tip, err := r.ask(ctx, "rev-parse", "--verify", "--quiet", ref+"^{commit}")
	if err != nil {
		return "", r.missing(ctx, err, fmt.Sprintf("git knows no commit %q", ref))
	}
	commit, err = r.ask(ctx, "merge-base", tip, "HEAD")
	if err != nil {
		return "", r.missing(ctx, err, fmt.Sprintf("git finds no commit from which %q and HEAD have both grown", ref))
	}
	if !commitForm.MatchString(commit) {
		return "", &Error{"git's answer is not understood", "use git 2.25 or later"}
	}
	return commit, nil
}

// Head returns the commit that is checked out.
func (r *Repository) Head(ctx context.Context) (string, error) {
	return r.ask(ctx, "rev-parse", "--verify", "HEAD^{commit}")
}

// missing explains a commit that is not there: in a shallow clone it may only not have
// been fetched.
func (r *Repository) missing(ctx context.Context, err error, message string) error {
	var e *Error
	if !errors.As(err, &e) || e.Hint != hintOfGit {
		return err
	}
	if shallow, _ := r.ask(ctx, "rev-parse", "--is-shallow-repository"); shallow == "true" {
		return &Error{message + " in this shallow clone",
			"set fetch-depth: 2 for actions/checkout and compare with HEAD^1 on a pull request, or fetch-depth: 0 for any other commit"}
	}
	return &Error{message, "fetch it first, or mend its spelling: git rev-parse shows what git knows"}
}

// hintOfGit is the next step after a complaint of git's own.
const hintOfGit = "run the same git command in that directory to see more"

// ask returns git's answer of one line.
func (r *Repository) ask(ctx context.Context, args ...string) (string, error) {
	var line string
	err := r.run(ctx, args, nil, func(out io.Reader) error {
		b, err := io.ReadAll(io.LimitReader(out, maxAnswerBytes))
		line = strings.TrimSpace(string(b))
		return err
	})
	return line, err
}

// run starts git and hands its output to read, which need not read to the end.
func (r *Repository) run(ctx context.Context, args []string, stdin io.Reader, read func(io.Reader) error) error {
	path, err := exec.LookPath("git")
	if err != nil {
		return &Error{"there is no git to ask for the base", "install git, or compare with a file: --write-baseline FILE on the base, --baseline FILE here"}
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, append([]string{"--no-pager", "-c", "core.fsmonitor=false"}, args...)...)
	cmd.Dir, cmd.Env, cmd.Stdin = r.dir, r.environ, stdin
	cmd.WaitDelay = time.Second
	complaint := &head{}
	cmd.Stderr = complaint
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &Error{"git does not start", "check that the git on the path runs"}
	}
	readErr := read(out)
	if readErr != nil {
		cancel()
	}
	io.Copy(io.Discard, out)
	err = cmd.Wait()
	switch {
	case readErr != nil:
		return readErr
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil && strings.Contains(complaint.line(), "dubious ownership"):
		return &Error{"git does not read the repository, which belongs to another user", `if you trust it: git config --global --add safe.directory "$PWD"`}
	case err != nil:
		return &Error{"git " + args[0] + ": " + complaint.line(), hintOfGit}
	}
	return nil
}

// A head keeps the beginning of what is written to it.
type head struct{ bytes.Buffer }

// Write implements io.Writer.
func (h *head) Write(p []byte) (int, error) {
	h.Buffer.Write(p[:min(len(p), maxAnswerBytes-h.Len())])
	return len(p), nil
}

// line returns the first line of a complaint without git's own "fatal: ".
func (h *head) line() string {
	line, _, _ := strings.Cut(strings.TrimSpace(h.String()), "\n")
	if line = strings.TrimPrefix(line, "fatal: "); line == "" {
		return "no answer"
	}
	return line
}
