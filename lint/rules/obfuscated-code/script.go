package obfuscatedcode

import (
	"regexp"
	"slices"
	"strings"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// blobBytes is the length of constant encoded text from which on worm-indicator says
// what there is to say about it.
const blobBytes = 200

// script judges a run: block.
func (j judge) script(s *workflows.Script) {
	if s.Shell != workflows.ShellPOSIX || s.Err != nil {
		j.text(s.Scalar)
		return
	}
	t := tracer{writers: map[*workflows.Command][]*workflows.Command{}, values: map[string]string{}, decoded: map[string]bool{}}
	for _, c := range s.Commands {
		if c.PipesInto != nil {
			t.writers[c.PipesInto] = append(t.writers[c.PipesInto], c)
		}
	}
	for _, c := range s.Commands {
		t.follow(c)
		switch {
		case t.decodesAndRuns(c):
			j.report(c.Span, reach.FetchedCode, "text is decoded and run as a script, so that the file does not show what runs", nextScript)
		case t.runsDecodedFile(c):
			j.report(c.Span, reach.FetchedCode, "a file that was decoded just before is run, so that the workflow does not show what runs", nextScript)
		case inlineDecoder(c):
			j.report(c.Span, reach.FetchedCode, c.Name+" decodes text and runs it, so that the file does not show what runs", nextScript)
		case encodedCommand(c):
			j.report(c.Span, reach.FetchedCode, c.Name+" is given its script encoded, so that the file does not show what runs", nextScript)
		case j.disguisedName(c):
			j.report(c.Span, reach.FetchedCode, "the name of a command is put together from pieces, as nobody does who wants it read", nextScript)
		}
	}
}

// A tracer knows what of a script was decoded.
type tracer struct {
	writers map[*workflows.Command][]*workflows.Command
	values  map[string]string
	decoded map[string]bool // files
}

func (t tracer) follow(c *workflows.Command) {
	for _, a := range c.Assigns {
		t.values[a.Name] = a.Value.Text
	}
	if !decodes(c) || t.plain(c) {
		return
	}
	for out := c; out != nil; out = out.PipesInto {
		for _, r := range out.Redirs {
			if strings.HasPrefix(r.Op, ">") && r.Target.Text != "/dev/null" {
				t.decoded[clean(r.Target.Text)] = true
			}
		}
	}
}

func clean(name string) string { return strings.TrimPrefix(name, "./") }

// decodesAndRuns reports whether a command decodes text that an interpreter runs.
func (t tracer) decodesAndRuns(c *workflows.Command) bool {
	return decodes(c) && (reach.RunBy(c) != nil || namesCommand(c)) && !t.plain(c)
}

// namesCommand reports whether the output of a command is the name of another.
func namesCommand(c *workflows.Command) bool {
	w := c.Within
	return w != nil && w.NameAt < len(w.Words) && slices.Contains(w.Words[w.NameAt].Commands, c)
}

// plain reports whether what a decoder reads is the matter of another rule: fetched
// text, or a long constant.
func (t tracer) plain(c *workflows.Command) bool {
	text := ""
	for _, w := range t.writers[c] {
		info, _ := platform.LookupCommand(w.Line)
		if info.Does == "fetch" || len(t.writers[w]) > 0 && t.plain(w) {
			return true
		}
		text = longest(append(w.Args(), redirected(w)...), t.values, text)
	}
	text = longest(append(c.Args(), redirected(c)...), t.values, text)
	return len(text) >= blobBytes
}

func redirected(c *workflows.Command) (out []workflows.Word) {
	for _, r := range c.Redirs {
		if strings.HasPrefix(r.Op, "<<") {
			out = append(out, r.Target)
		}
	}
	return out
}

var encoded = regexp.MustCompile(`[A-Za-z0-9+/_-]{40,}={0,2}`)

// longest returns the longest encoded text in the words and the variables that they name.
func longest(words []workflows.Word, values map[string]string, found string) string {
	for _, w := range words {
		texts := []string{w.Text}
		for _, v := range w.Vars {
			texts = append(texts, values[v])
		}
		for _, text := range texts {
			for _, m := range encoded.FindAllString(strings.ReplaceAll(text, "\n", ""), -1) {
				if len(m) > len(found) {
					found = m
				}
			}
		}
	}
	return found
}

// runsDecodedFile reports whether a command runs a file that was decoded before.
func (t tracer) runsDecodedFile(c *workflows.Command) bool {
	if len(t.decoded) == 0 || len(c.Words) == 0 {
		return false
	}
	words := c.Line
	if len(words) > 0 && t.decoded[clean(words[0])] {
		return true
	}
	if !slices.Contains([]string{"sh", "bash", "zsh", "dash", "python", "python3", "node", "perl", "ruby", "source", "."}, c.Name) {
		return false
	}
	for _, w := range words[1:] {
		if !strings.HasPrefix(w, "-") {
			return t.decoded[clean(w)]
		}
	}
	return false
}

// decodes reports whether a command turns encoded text into plain text.
func decodes(c *workflows.Command) bool {
	has := func(any ...string) bool {
		return slices.ContainsFunc(c.Args(), func(w workflows.Word) bool { return slices.Contains(any, w.Text) })
	}
	switch c.Name {
	case "base64", "base32", "basenc", "gbase64":
		return slices.ContainsFunc(c.Args(), func(w workflows.Word) bool {
			return w.Text == "--decode" || len(w.Text) > 1 && w.Text[0] == '-' && w.Text[1] != '-' && strings.ContainsAny(w.Text, "dD")
		})
	case "openssl":
		return has("-d") && has("enc", "base64", "-base64", "-a")
	case "xxd":
		return slices.ContainsFunc(c.Args(), func(w workflows.Word) bool { return strings.HasPrefix(w.Text, "-r") })
	case "rev", "uudecode":
		return true
	case "tr": // letters turned into other letters
		args := c.Args()
		return len(args) == 2 && len(args[0].Text) > 2 && len(args[1].Text) > 3 && letters.MatchString(args[0].Text) && rotated.MatchString(args[1].Text)
	case "printf", "echo":
		return slices.ContainsFunc(c.Args(), func(w workflows.Word) bool { return strings.Contains(w.Text, `\`) && escapes.MatchString(w.Text) })
	}
	return false
}

var (
	letters = regexp.MustCompile(`^\[?[A-Za-z]-[A-Za-z]`)
	rotated = regexp.MustCompile(`^\[?[B-Yb-y]-[Zz]`)
	escapes = regexp.MustCompile(`(?:\\x[0-9a-fA-F]{2}|\\0?[0-7]{3}){4,}`)
)

// What scripts of languages do to run encoded text.
var (
	decodesText = regexp.MustCompile(`(?i)b64decode|frombase64string|atob\(|['"](?:base64|hex)['"]\s*\)|fromhex|codecs\.decode|decode_base64|base64_decode|unpack\(|marshal\.loads|String\.fromCharCode`)
	runsText    = regexp.MustCompile(`(?i)\b(?:exec|eval|iex|invoke-expression|execsync|system|passthru)\b|new Function\(|\bFunction\(|\[scriptblock\]::create|compile\(`)
)

// codings are words of which one is in every text that decodesText matches, which is
// slow to find that out.
var codings = []string{"64", "atob", "hex", "codecs", "unpack", "marshal", "fromCharCode", "ATOB", "HEX"}

// inlineDecoder reports whether an interpreter is given a script on its command line
// that decodes and runs text.
func inlineDecoder(c *workflows.Command) bool {
	if !slices.Contains([]string{"python", "python3", "node", "bun", "perl", "ruby", "php", "pwsh", "powershell"}, c.Name) {
		return false
	}
	return slices.ContainsFunc(append(c.Args(), redirected(c)...), func(w workflows.Word) bool { return hidden(w.Text) })
}

func hidden(text string) bool {
	if !slices.ContainsFunc(codings, func(word string) bool { return strings.Contains(text, word) }) {
		return false
	}
	if m := encoded.FindAllString(text, -1); slices.ContainsFunc(m, func(s string) bool { return len(s) >= blobBytes }) {
		return false
	}
	for line := range strings.Lines(text) {
		if d, r := decodesText.FindStringIndex(line), runsText.FindStringIndex(line); d != nil && r != nil && r[0] < d[0] {
			return true
		}
	}
	return false
}

// encodedCommand reports whether PowerShell is given its script in base 64.
func encodedCommand(c *workflows.Command) bool {
	if c.Name != "pwsh" && c.Name != "powershell" {
		return false
	}
	return slices.ContainsFunc(c.Args(), func(w workflows.Word) bool { return encodedFlag.MatchString(w.Text) })
}

var (
	encodedFlag = regexp.MustCompile(`(?i)^-e(?:c|nc|ncodedcommand)$`)
	encodedText = regexp.MustCompile(`(?i)\b(?:pwsh|powershell)(?:\.exe)?\s[^\n]*-e(?:c|nc|ncodedcommand)\s`)
	fromBase64  = regexp.MustCompile(`(?i)(?:iex|invoke-expression)\b[^\n]*frombase64string|frombase64string[^\n]*\|\s*(?:iex|invoke-expression)\b`)
)

// text judges a script that is kept as text.
func (j judge) text(s *workflows.Scalar) {
	shell := strings.Contains(s.Value, "64") || strings.Contains(s.Value, "-e") || strings.Contains(s.Value, "-E")
	if hidden(s.Value) || shell && (encodedText.MatchString(s.Value) || fromBase64.MatchString(s.Value)) {
		j.report(s.SpanOf(0, len(s.Value)), reach.FetchedCode, "the script decodes text and runs it, so that the file does not show what runs", nextScript)
	}
}

var plainName = regexp.MustCompile(`^[a-z][a-z0-9_.-]*$`)

// disguisedName reports whether a command's name has quotes or escapes inside, or is
// set apart from its words by $IFS.
func (j judge) disguisedName(c *workflows.Command) bool {
	if c.NameAt >= len(c.Words) {
		return false
	}
	w := c.Words[c.NameAt]
	if slices.Contains(w.Vars, "IFS") {
		return true
	}
	if !w.Const || w.Span.Len() == len(w.Text) || !plainName.MatchString(w.Text) {
		return false
	}
	written := strings.TrimPrefix(j.p.File.Text(w.Span), `\`)
	if q := len(written) - 1; q > 0 && written[0] == written[q] && (written[0] == '"' || written[0] == '\'') {
		written = written[1:q]
	}
	return written != w.Text && strings.ContainsAny(written, `"'\`) && !strings.ContainsAny(written, "\n") && len(written) < maxName
}

// maxName bounds what is taken for a disguised name, in bytes as written.
const maxName = 80
