package receipt

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"sync"

	"github.com/stint-dev/stint/oidc"
)

// A Writer writes events to one place, each with a single write, so that several
// processes can append to one file. It is safe for concurrent use.
type Writer struct {
	mu sync.Mutex
	w  io.Writer
}

// NewWriter writes to w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Write encodes an event and writes its line.
func (w *Writer) Write(e Event) error {
	line, err := e.Encode()
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := w.w.Write(line); err != nil {
		return receiptError("it could not be written")
	}
	return nil
}

// OpenFile opens a file of receipts for appending and makes it, for its owner
// only, when it is not there. A link, or anything but a regular file, is refused.
// The caller closes it.
func OpenFile(path string) (*os.File, error) {
	before, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		// O_EXCL follows no link either.
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return nil, receiptError("file %q cannot be made", path)
		}
		return f, nil
	}
	if err != nil || !before.Mode().IsRegular() {
		return nil, receiptError("%q is not a regular file", path)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|noFollow, 0)
	if err != nil {
		return nil, receiptError("file %q cannot be opened for appending", path)
	}
	after, err := f.Stat()
	if err != nil || !os.SameFile(before, after) {
		_ = f.Close()
		return nil, receiptError("file %q was replaced while it was opened", path)
	}
	return f, nil
}

func receiptError(format string, args ...any) *oidc.Error {
	return &oidc.Error{Message: "a receipt is missing: " + fmt.Sprintf(format, args...),
		Hint: "give a path in a directory of the job's own, such as the runner's temporary one"}
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
