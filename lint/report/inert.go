package report

import "io"

// Inert returns a writer that takes the commands of a GitHub runner apart, which reads them
// out of the log of any step: "::" at the beginning of a line, blanks before it left aside,
// and "##[" anywhere. A blank is put into them; what is cut between two writes is found.
func Inert(w io.Writer) io.Writer { return &inert{out: w} }

type inert struct {
	out   io.Writer
	shown int     // characters of the line that are no blanks, up to 2
	last  [2]byte // the characters before
}

// Write implements io.Writer.
func (w *inert) Write(p []byte) (int, error) {
	out := make([]byte, 0, len(p))
	for _, c := range p {
		if w.starts(c) {
			out = append(out, ' ')
		}
		out = append(out, c)
		w.pass(c)
	}
	if _, err := w.out.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// starts reports whether c would complete the beginning of a command.
func (w *inert) starts(c byte) bool {
	return c == '[' && w.last == [2]byte{'#', '#'} || c == ':' && w.last[1] == ':' && w.shown == 1
}

func (w *inert) pass(c byte) {
	w.last = [2]byte{w.last[1], c}
	switch c {
	case '\n':
		w.shown = 0
	case ' ', '\t':
	default:
		w.shown = min(w.shown+1, 2)
	}
}
