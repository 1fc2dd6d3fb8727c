package oidc

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func fileSource(path string) *File {
	return &File{Path: path, Now: func() time.Time { return noon }}
}

func TestFileIsReadEachTime(t *testing.T) {
	path := writeFile(t, "\n  "+tokenFor(t, map[string]any{"jti": "1"})+"\r\n")
	f := fileSource(path)
	for _, id := range []string{"1", "2"} {
		tok, err := f.Token(t.Context(), "sts.example")
		if err != nil || tok.Claims.ID != id {
			t.Fatalf("token %s: %v, %v", id, tok, err)
		}
		if err := os.WriteFile(path, []byte(tokenFor(t, map[string]any{"jti": "2"})), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if f.Name() != "file" {
		t.Error(f.Name())
	}
}

func TestFileFollowsALinkToAFile(t *testing.T) {
	link := filepath.Join(t.TempDir(), "token")
	if err := os.Symlink(writeFile(t, tokenFor(t, nil)), link); err != nil {
		t.Skip("no links here:", err)
	}
	if _, err := fileSource(link).Token(t.Context(), "sts.example"); err != nil {
		t.Error(err)
	}
}

func TestFileRefuses(t *testing.T) {
	loop := filepath.Join(t.TempDir(), "loop")
	_ = os.Symlink(loop, loop)
	tests := map[string]struct{ path, want string }{
		"no file":          {filepath.Join(t.TempDir(), "none"), "does not exist"},
		"no path":          {"", "does not exist"},
		"a directory":      {t.TempDir(), "not a regular file"},
		"a loop of links":  {loop, "cannot be read"},
		"an empty file":    {writeFile(t, " \n"), "is empty"},
		"a huge file":      {writeFile(t, strings.Repeat("a", 1<<20)), "too large"},
		"a long token":     {writeFile(t, strings.Repeat("a", MaxTokenBytes+1)), "longer than 20000 bytes"},
		"no token":         {writeFile(t, "hello"), "three parts"},
		"two tokens":       {writeFile(t, tokenFor(t, nil)+"\n"+tokenFor(t, nil)), "three parts"},
		"another audience": {writeFile(t, tokenFor(t, map[string]any{"aud": "x"})), "not for the audience"},
		"an expired token": {writeFile(t, tokenFor(t, map[string]any{"exp": noon.Unix() - 1})), "expired at"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tok, err := fileSource(test.path).Token(t.Context(), "sts.example")
			wantError(t, err, test.want)
			if tok != nil {
				t.Error("a token came with the error")
			}
		})
	}
	wantError(t, second(fileSource(writeFile(t, tokenFor(t, nil))).Token(t.Context(), "")), "no audience")
	if _, err := fileSource("/nonexistent").Token(t.Context(), "a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the cause is %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantError(t, second(fileSource("x").Token(ctx, "a")), "stopped")
}
