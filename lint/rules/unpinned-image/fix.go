package unpinnedimage

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/workflows"
)

// pin is the fix: the digest that the image has now behind its name, whose tag stays for
// the reader and for Renovate. An image that an expression names is left to a person: its
// text stands elsewhere, or in parts. mine says that whoever owns the repository moves the
// tag, perhaps so that this job follows; to stop that is a person's choice too, and so is
// what an anchor changes elsewhere.
func pin(p *lint.Pass, image *workflows.Scalar, name string, mine bool) []lint.Fix {
	if !p.NetworkFixes || len(image.Exprs) > 0 || strings.Contains(name, "@") {
		return nil
	}
	text := image.SpanOf(0, len(image.Value))
	if p.File.Text(text) != image.Value {
		return nil // an escape or a folded line: its end is no place to write
	}
	digest, err := p.Resolver.Digest(p.Context, name)
	if errors.Is(err, workflows.ErrNotFound) {
		p.NotChecked(fmt.Sprintf("the digest of %s: its registry has no such image", workflows.Printable(name)))
	}
	if err != nil {
		return nil
	}
	return []lint.Fix{{
		Title: fmt.Sprintf("pin %s to the digest that it has now", workflows.Printable(name)),
		Safe:  !mine && !anchored(p.File, image),
		Edits: []workflows.Edit{{Span: workflows.Span{Start: text.End, End: text.End}, New: "@" + digest}},
	}}
}

// anchored reports whether an anchor stands before a scalar, so that aliases repeat it.
func anchored(f *workflows.File, s *workflows.Scalar) bool {
	before := bytes.TrimRight(f.Source[:s.Span.Start], " \t\r\n")
	return bytes.HasPrefix(before[bytes.LastIndexAny(before, " \t\r\n")+1:], []byte("&"))
}
