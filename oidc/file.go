package oidc

import (
	"context"
	"errors"
	"io/fs"
	"strconv"
	"strings"
	"time"
)

var (
	errNotRegular = errors.New("not a regular file")
	errTooLarge   = errors.New("too large")
)

// A File is the Source of a token that something else keeps in a file, such as a
// sidecar or another CI. The file is read again for each token.
type File struct {
	// Path is the file; it holds one JWT, blank space around it is dropped.
	Path string
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Name returns "file".
func (f *File) Name() string { return "file" }

// Token reads the token. It cannot ask for an audience: the file's token must
// have the one that is wanted, and no other. A token that was handed out before
// is handed out again until the file changes.
func (f *File) Token(ctx context.Context, audience string) (*Token, error) {
	if err := ctx.Err(); err != nil {
		return nil, &Error{Stage: StageToken, Message: "reading the token file was stopped", Hint: "run the command again", Err: err}
	}
	if err := checkAudience(audience, ""); err != nil {
		return nil, err
	}
	const blank = 1 << 10 // room for the blank space around
	b, err := readRegular(f.Path, MaxTokenBytes+blank)
	if err != nil {
		return nil, f.problem(err)
	}
	raw := strings.TrimSpace(string(b))
	if raw == "" {
		return nil, &Error{Stage: StageToken, Message: "the token file " + strconv.Quote(f.Path) + " is empty", Hint: "write the id-token into it"}
	}
	t, err := ParseToken(raw)
	if err != nil {
		return nil, err
	}
	now := time.Now
	if f.Now != nil {
		now = f.Now
	}
	if err := checkToken(t, audience, now()); err != nil {
		return nil, err
	}
	return t, nil
}

func (f *File) problem(err error) error {
	e := &Error{Stage: StageToken, Hint: "give the path of a file that holds one id-token", Err: err}
	what := "cannot be read"
	switch {
	case errors.Is(err, fs.ErrNotExist):
		what = "does not exist"
	case errors.Is(err, fs.ErrPermission):
		what, e.Hint = "may not be read", "give this user the right to read it"
	case errors.Is(err, errNotRegular):
		what = "is not a regular file"
	case errors.Is(err, errTooLarge):
		what = "is too large for an id-token"
	}
	e.Message = "the token file " + strconv.Quote(f.Path) + " " + what
	return e
}
