package git

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/stint-dev/stint/workflows"
)

// Limits of reading a commit.
const (
	// MaxExportBytes is the most that one commit's files may have together.
	MaxExportBytes = 256 << 20
	// maxEntryBytes is the longest line of a listing that is believed.
	maxEntryBytes = 64 << 10
)

// The modes of what is written; git has others for directories and submodules.
const (
	modeFile       = "100644"
	modeExecutable = "100755"
	modeLink       = "120000"
)

// An entry is one file of a commit.
type entry struct {
	mode, id, path string
	size           int64
}

// Export writes the files of a commit that want asks for below dir, under the paths that
// they have in the directory that the repository was opened with. Links are written as
// links. A file over workflows.MaxFileBytes is left out: as the base of a comparison it
// only makes more of today's findings new. The error is an *Error or the context's.
func (r *Repository) Export(ctx context.Context, commit, dir string, want func(path string) bool) error {
	if !commitForm.MatchString(commit) {
		return &Error{fmt.Sprintf("%q is no full commit", commit), "give the commit that Base returned"}
	}
	entries, err := r.list(ctx, commit, want)
	if err != nil || len(entries) == 0 {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	var ids strings.Builder
	for _, e := range entries {
		ids.WriteString(e.id + "\n")
	}
	return r.run(ctx, []string{"cat-file", "--batch"}, strings.NewReader(ids.String()), func(out io.Reader) error {
		in := bufio.NewReader(out)
		for _, e := range entries {
			content, err := readObject(in, e)
			if err != nil {
				return err
			}
			if err := write(root, e, content); err != nil {
				return err
			}
		}
		return nil
	})
}

// list returns the wanted files of a commit, in git's order.
func (r *Repository) list(ctx context.Context, commit string, want func(string) bool) ([]entry, error) {
	var entries []entry
	total := int64(0)
	err := r.run(ctx, []string{"ls-tree", "-r", "-z", "-l", commit}, nil, func(out io.Reader) error {
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, maxEntryBytes)
		lines.Split(splitNUL)
		for lines.Scan() {
			e, ok := parseEntry(lines.Text())
			if !ok || !want(e.path) || e.size > workflows.MaxFileBytes {
				continue
			}
			if total += e.size; total > MaxExportBytes || len(entries) == workflows.MaxFiles {
				return &Error{fmt.Sprintf("the base has more than %d files or %d MiB to read", workflows.MaxFiles, MaxExportBytes>>20),
					"compare with a file instead: --write-baseline FILE on the base, --baseline FILE here"}
			}
			entries = append(entries, e)
		}
		return lines.Err()
	})
	return entries, err
}

// parseEntry reads "MODE TYPE ID SIZE\tPATH". Submodules have no size and are none of
// the files.
func parseEntry(line string) (entry, bool) {
	attributes, name, ok := strings.Cut(line, "\t")
	fields := strings.Fields(attributes)
	if !ok || len(fields) != 4 || !commitForm.MatchString(fields[2]) {
		return entry{}, false
	}
	size, err := strconv.ParseInt(fields[3], 10, 64)
	e := entry{mode: fields[0], id: fields[2], path: name, size: size}
	regular := e.mode == modeFile || e.mode == modeExecutable || e.mode == modeLink
	return e, err == nil && size >= 0 && regular && filepath.IsLocal(filepath.FromSlash(name))
}

// splitNUL splits at NUL bytes, with which git ends names that may hold anything else.
func splitNUL(data []byte, atEOF bool) (int, []byte, error) {
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

// readObject reads one answer of cat-file: "ID TYPE SIZE", a line break, the content, a
// line break.
func readObject(in *bufio.Reader, e entry) ([]byte, error) {
	line, err := in.ReadSlice('\n')
	if want := fmt.Sprintf("%s blob %d\n", e.id, e.size); err != nil || string(line) != want {
		return nil, &Error{fmt.Sprintf("git has not the content of %q at the base", e.path), "fetch it first: a partial clone may lack it"}
	}
	content := make([]byte, e.size)
	if _, err := io.ReadFull(in, content); err != nil {
		return nil, err
	}
	_, err = in.Discard(1)
	return content, err
}

// write makes one file. Names that this machine cannot tell apart are one file for the
// working tree as well.
func write(root *os.Root, e entry, content []byte) error {
	name := filepath.FromSlash(e.path)
	if dir := path.Dir(e.path); dir != "." {
		if err := root.MkdirAll(filepath.FromSlash(dir), 0o700); err != nil {
			return err
		}
	}
	if e.mode == modeLink {
		err := root.Symlink(string(content), name)
		if errors.Is(err, os.ErrExist) {
			return nil
		}
		return err
	}
	return root.WriteFile(name, content, 0o600)
}
