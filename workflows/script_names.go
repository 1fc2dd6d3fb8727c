package workflows

import (
	"strings"
)

// A wrapper is a command that runs the command named by its own words.
type wrapper struct {
	// valued are the short options that take a value, valuedLong the long ones;
	// the value is the next word unless it is attached.
	valued     string
	valuedLong []string
	// final are short options after which no other command is run.
	final string
	// operands is the number of words before the command.
	operands int
	// assigns is set when NAME=value words may stand before the command.
	assigns bool
}

// wrappers are those that people put in front of a command in a run: block.
// xargs is not among them: it takes the command's arguments from elsewhere.
var wrappers = map[string]wrapper{
	"sudo": {valued: "ughpCTRDrtaU", final: "lveKV", assigns: true, valuedLong: []string{
		"user", "group", "host", "prompt", "close-from", "command-timeout", "chroot", "chdir", "role", "type", "other-user"}},
	"doas":    {valued: "uC"},
	"env":     {valued: "uC", final: "S", assigns: true, valuedLong: []string{"unset", "chdir"}},
	"time":    {valued: "fo", valuedLong: []string{"format", "output"}},
	"exec":    {valued: "a"},
	"command": {final: "vV"},
	"builtin": {},
	"nohup":   {},
	"setsid":  {},
	"timeout": {valued: "sk", operands: 1, valuedLong: []string{"signal", "kill-after"}},
	"nice":    {valued: "n", valuedLong: []string{"adjustment"}},
	"ionice":  {valued: "cn", final: "pPu", valuedLong: []string{"class", "classdata"}},
	"stdbuf":  {valued: "ioe", valuedLong: []string{"input", "output", "error"}},
}

// commandName returns the name of the command that words run, and the index of
// the word that gives it. A wrapper without a command is the command itself.
func commandName(words []Word) (name string, at int) {
	for at < len(words) {
		if !words[at].Const {
			return "", at
		}
		name = baseName(words[at].Text)
		w, ok := wrappers[name]
		if !ok {
			return name, at
		}
		next, ok := w.skip(words, at+1)
		if !ok {
			return name, at
		}
		at = next
	}
	return name, at
}

// baseName returns what follows the last slash.
func baseName(path string) string {
	return path[strings.LastIndexByte(path, '/')+1:]
}

// skip returns the index of the command that w runs; ok is false when it runs
// none.
func (w wrapper) skip(words []Word, at int) (next int, ok bool) {
	for at < len(words) && strings.HasPrefix(words[at].Text, "-") {
		option := words[at].Text
		at++
		if option == "--" {
			break
		}
		takesNext, final := w.option(option)
		if final {
			return 0, false
		}
		if takesNext {
			at++
		}
	}
	at += w.operands
	for w.assigns && at < len(words) && isAssignment(words[at].Text) {
		at++
	}
	return at, at < len(words)
}

// option reports whether an option takes the next word, and whether it makes the
// wrapper do something else than to run a command.
func (w wrapper) option(s string) (takesNext, final bool) {
	if long, ok := strings.CutPrefix(s, "--"); ok {
		for _, name := range w.valuedLong {
			if long == name {
				return true, false
			}
		}
		return false, false
	}
	for i := 1; i < len(s); i++ {
		if strings.IndexByte(w.final, s[i]) >= 0 {
			return false, true
		}
		if strings.IndexByte(w.valued, s[i]) >= 0 {
			return i == len(s)-1, false
		}
	}
	return false, false
}

func isAssignment(s string) bool {
	i := strings.IndexByte(s, '=')
	if i <= 0 {
		return false
	}
	for j := range i {
		c := s[j] | 0x20
		if !(c >= 'a' && c <= 'z' || s[j] == '_' || j > 0 && s[j] >= '0' && s[j] <= '9') {
			return false
		}
	}
	return true
}
