package reconcile

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/stint-dev/stint/oidc"
)

// MaxLogBytes is the largest log file, unpacked. CloudTrail delivers one for some
// minutes, of a few MiB.
const MaxLogBytes = 256 << 20

func logError(why string) error {
	return &oidc.Error{Message: "the log cannot be read: " + why,
		Hint: "give it as the cloud delivers it, plain or gzip; split a larger one into its days"}
}

// errLarge is why a log was not read to its end.
var errLarge = fmt.Errorf("it is larger than %d MiB unpacked", MaxLogBytes>>20)

// limited reads up to a number of bytes, and fails at one more: the end of a log that was
// cut off would look like the end of the log.
type limited struct {
	from io.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.from.Read(p[:min(int64(len(p)), l.left+1)])
	if l.left -= int64(n); l.left < 0 {
		return n, errLarge
	}
	return n, err
}

// values decodes each JSON value of a log, one after the other, plain or packed.
func values[T any](r io.Reader, take func(*T) error) error {
	in := bufio.NewReader(r)
	var from io.Reader = in
	if magic, _ := in.Peek(2); string(magic) == "\x1f\x8b" {
		unpacked, err := gzip.NewReader(in)
		if err != nil {
			return logError("it is not whole gzip")
		}
		from = unpacked
	}
	dec := json.NewDecoder(&limited{from, MaxLogBytes})
	for {
		var v T
		err := dec.Decode(&v)
		switch {
		case err == io.EOF:
			return nil
		case errors.Is(err, errLarge):
			return logError(errLarge.Error())
		case err != nil:
			return logError(fmt.Sprintf("it is not JSON of the expected form at byte %d", dec.InputOffset()))
		}
		if err := take(&v); err != nil {
			return err
		}
	}
}
