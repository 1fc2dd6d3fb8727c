package receipt

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/stint-dev/stint/oidc"
)

// Limits of a file that is read.
const (
	MaxFileBytes = 64 << 20
	maxLines     = 100_000
	maxBreaks    = 20 // more are not told
)

// Hash names a line, given without its newline, as the prev of the next one does.
func Hash(line []byte) string { return hashOf(string(line)) }

// A Chain is a file of receipts as it was read.
type Chain struct {
	Lines []Line
	// Breaks are the places where the file is not what a [Writer] writes, in their order.
	Breaks []Break
}

// A Line is one line of a chain.
type Line struct {
	Event Event // empty when the line is no receipt
	Hash  string
	// Sum is the sha256 of the file up to and including this line: what a signature over
	// the head is over. End is where the line ends, in bytes.
	Sum [sha256.Size]byte
	End int64
}

// A Break is a place where a chain is not whole.
type Break struct {
	Line int // from 1
	Text string
}

// Read reads a file of receipts and checks the form of each line and its place in the
// chain. What is wrong with a line is a [Break]; an error means that the file cannot be
// read at all, or is over a limit.
func Read(r io.Reader) (*Chain, error) {
	c := &reader{all: sha256.New()}
	in := bufio.NewReaderSize(io.LimitReader(r, MaxFileBytes+1), MaxLineBytes+1)
	for {
		line, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, readError(fmt.Sprintf("line %d is longer than %d bytes", len(c.Lines)+1, MaxLineBytes))
		case err != nil && err != io.EOF:
			return nil, readError("its end cannot be reached")
		case len(line) > 0:
			c.take(line)
		}
		if err == io.EOF {
			return &c.Chain, c.checkSize()
		}
		if len(c.Lines) > maxLines {
			return nil, readError(fmt.Sprintf("it has more than %d lines", maxLines))
		}
	}
}

type reader struct {
	Chain
	all  hash.Hash
	size int64
}

func (c *reader) checkSize() error {
	if c.size > MaxFileBytes {
		return readError(fmt.Sprintf("it is larger than %d MiB", MaxFileBytes>>20))
	}
	return nil
}

// take adds a line, given with its newline if it has one.
func (c *reader) take(line []byte) {
	c.all.Write(line)
	c.size += int64(len(line))
	body, whole := bytes.CutSuffix(line, []byte("\n"))
	l := Line{Hash: Hash(body), End: c.size}
	c.all.Sum(l.Sum[:0])
	want := ""
	if n := len(c.Lines); n > 0 {
		want = c.Lines[n-1].Hash
	}
	e, err := Decode(body)
	c.Lines = append(c.Lines, l)
	switch {
	case !whole:
		c.broken("it was not written to its end")
	case err != nil:
		c.broken(err.Error())
	case e.Prev != want && want == "":
		c.broken("it follows a line that is not here")
	case e.Prev != want:
		c.broken("it does not follow the line before it")
	}
	if err == nil {
		c.Lines[len(c.Lines)-1].Event = e
	}
}

func (c *reader) broken(text string) {
	if len(c.Breaks) < maxBreaks {
		c.Breaks = append(c.Breaks, Break{len(c.Lines), text})
	}
}

// Head is the hash of the last line, "" of an empty chain.
func (c *Chain) Head() string {
	if len(c.Lines) == 0 {
		return ""
	}
	return c.Lines[len(c.Lines)-1].Hash
}

// Signed returns how many lines from the first on have a file's sha256, and false when no
// such number of lines has it.
func (c *Chain) Signed(sum []byte) (lines int, ok bool) {
	for i, l := range c.Lines {
		if bytes.Equal(l.Sum[:], sum) {
			return i + 1, true
		}
	}
	return 0, false
}

// Why a line is no receipt.
var (
	errNotReceipt = errors.New("it is not a receipt")
	errForm       = errors.New("it is not in the form in which receipts are written")
)

// Decode reads one line, given without its newline. It takes the canonical form of this
// version's schema and nothing else. Errors never quote the line.
func Decode(line []byte) (Event, error) {
	var version struct {
		Schema int `json:"schema"`
	}
	if len(line) >= MaxLineBytes || json.Unmarshal(line, &version) != nil || version.Schema < 1 {
		return Event{}, errNotReceipt
	}
	if version.Schema != Schema {
		return Event{}, fmt.Errorf("it has schema %d, this stint reads %d", version.Schema, Schema)
	}
	var e Event
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if dec.Decode(&e) != nil {
		return Event{}, errForm
	}
	again, err := e.Encode()
	if err != nil || !bytes.Equal(bytes.TrimSuffix(again, []byte("\n")), line) {
		return Event{}, errForm
	}
	return e, nil
}

func readError(why string) error {
	return &oidc.Error{Message: "the receipts cannot be read: " + why,
		Hint: "give a file that stint wrote with --receipts, or that the action left in the runner's temporary directory"}
}
