package workflows

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"

	"mvdan.cc/sh/v3/syntax"
)

// maxShellFrames bounds the recursion of the shell parser, in stack frames. Half
// a megabyte of opening parentheses would otherwise exhaust the goroutine's
// stack, which no recover can catch. People nest a few dozen frames deep.
const maxShellFrames = 10_000

var errShellNesting = errors.New("the script is nested too deeply")

var shellParsers = sync.Pool{
	New: func() any { return syntax.NewParser(syntax.Variant(syntax.LangBash)) },
}

// parseScript reads the text of a run: block; ShellPOSIX is parsed, of
// ShellPowerShell the commands are read.
func parseScript(s *Scalar, shell Shell) *Script {
	script := &Script{Scalar: s, Shell: shell}
	if shell != ShellPOSIX && shell != ShellPowerShell {
		return script
	}
	if len(s.Value) > MaxScriptBytes {
		script.Err = fmt.Errorf("the script has %d bytes, the most that is parsed is %d", len(s.Value), MaxScriptBytes)
		return script
	}
	if shell == ShellPowerShell {
		script.Commands = readPowerShell(script)
		return script
	}
	text := maskExprs(s)
	prog, err := parseShell(text)
	if err != nil {
		script.Err = describeShellError(err, s.Value)
	} else {
		script.Prog = prog
	}
	script.Commands = readCommands(script, text, prog)
	return script
}

// maskExprs replaces each expression by a word of the same length that the
// shell's grammar takes wherever it takes a name, a number or text.
func maskExprs(s *Scalar) string {
	if len(s.Exprs) == 0 {
		return s.Value
	}
	text := []byte(s.Value)
	for _, e := range s.Exprs {
		if e.Start < 0 || e.Start >= e.End || e.End > len(text) {
			continue
		}
		text[e.Start] = '_'
		for i := e.Start + 1; i < e.End; i++ {
			text[i] = '0'
		}
	}
	return string(text)
}

// parseShell returns the statements that parsed, and why the next one did not.
func parseShell(text string) (prog *syntax.File, err error) {
	prog = &syntax.File{}
	parser := shellParsers.Get().(*syntax.Parser)
	defer func() {
		// A defect of the parser may cost a script, not the whole run; the
		// parser is in an unknown state then and is not used again.
		if r := recover(); r != nil {
			err = errors.New("the shell parser failed on it")
			return
		}
		shellParsers.Put(parser)
	}()
	for stmt, err := range parser.StmtsSeq(&shellSource{text: text}) {
		if err != nil {
			return prog, err
		}
		prog.Stmts = append(prog.Stmts, stmt)
	}
	return prog, nil
}

// A shellSource hands a script to the parser. Its Read is the one place where
// the parser, however deep in its recursion, calls back: it measures the depth.
type shellSource struct {
	text    string
	started bool
	pc      [1]uintptr
}

func (r *shellSource) Read(p []byte) (int, error) {
	if r.text == "" {
		return 0, io.EOF
	}
	if r.started && runtime.Callers(maxShellFrames, r.pc[:]) > 0 {
		return 0, errShellNesting
	}
	r.started = true
	n := copy(p, r.text)
	r.text = r.text[n:]
	return n, nil
}

// describeShellError names the line of the script: the parser's own count leaves
// out line breaks inside expressions.
func describeShellError(err error, text string) error {
	var offset uint
	var message string
	var parseErr syntax.ParseError
	var langErr syntax.LangError
	switch {
	case errors.As(err, &parseErr):
		offset, message = parseErr.Pos.Offset(), parseErr.Text
	case errors.As(err, &langErr):
		offset, message = langErr.Pos.Offset(), langErr.Feature+" is no bash"
	default:
		return err
	}
	line := 1 + strings.Count(text[:min(int(offset), len(text))], "\n")
	return fmt.Errorf("line %d of the script: %s", line, message)
}

// Ignores reports whether the script goes on when a command fails by what is written
// behind it: check || true. It does not look at set +e.
func (s *Script) Ignores(c *Command) bool {
	found := false
	if s.Prog == nil {
		return false
	}
	syntax.Walk(s.Prog, func(n syntax.Node) bool {
		b, ok := n.(*syntax.BinaryCmd)
		if !ok || b.Op != syntax.OrStmt || !s.SpanOf(int(b.X.Pos().Offset()), int(b.X.End().Offset())).Contains(c.Span) {
			return !found
		}
		call, ok := b.Y.Cmd.(*syntax.CallExpr)
		found = ok && len(call.Args) > 0 && slices.Contains([]string{"true", ":", "echo"}, call.Args[0].Lit())
		return !found
	})
	return found
}
