package github

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// packet appends one pkt-line: four hex digits of length, itself included.
func packet(b *bytes.Buffer, s string) { fmt.Fprintf(b, "%04x%s", len(s)+4, s) }

// readPacket reads one pkt-line; done is set for the flush packet. A length is at most
// 65535 bytes by its form.
func readPacket(in io.Reader) (line []byte, done bool, err error) {
	var head [4]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return nil, false, err
	}
	n, err := strconv.ParseUint(string(head[:]), 16, 16)
	if err != nil {
		return nil, false, err
	}
	if n == 0 {
		return nil, true, nil
	}
	if n < 4 {
		return nil, false, errors.New("no length")
	}
	body := make([]byte, n-4)
	if _, err := io.ReadFull(in, body); err != nil {
		return nil, false, err
	}
	return body, false, nil
}
