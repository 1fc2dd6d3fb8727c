package githubtest

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/scanner"
)

// A document is a parsed GraphQL request: one query with its fragments.
type document struct {
	variables map[string]string // declared name to type
	selection []selection
	fragments map[string]fragment
}

type fragment struct {
	on        string
	selection []selection
}

// A selection is a field, a spread (spread set) or an inline fragment (on set).
type selection struct {
	alias, name string
	args        map[string]any // values; a variable is a variable
	selection   []selection
	spread, on  string
}

type variable string

// parser reads the part of the language that queries of ours use; what it does not know
// is an error.
type parser struct {
	scan scanner.Scanner
	tok  rune
	err  error
}

func parse(text string) (doc *document, err error) {
	p := &parser{}
	p.scan.Init(strings.NewReader(text))
	p.scan.Mode = scanner.ScanIdents | scanner.ScanInts | scanner.ScanStrings
	p.scan.Error = func(_ *scanner.Scanner, msg string) { p.fail("%s", msg) }
	p.next()
	doc = &document{variables: map[string]string{}, fragments: map[string]fragment{}}
	for p.tok != scanner.EOF && p.err == nil {
		word := "query"
		if p.tok != '{' {
			word = p.ident()
		}
		switch word {
		case "query":
			if doc.selection != nil {
				p.fail("more than one operation")
			}
			p.declarations(doc.variables)
			doc.selection = p.set()
		case "fragment":
			name := p.ident()
			if on := p.ident(); on != "on" {
				p.fail("expected on, found %q", on)
			}
			doc.fragments[name] = fragment{p.ident(), p.set()}
		default:
			p.fail("unexpected %q", word)
		}
	}
	if p.err == nil && doc.selection == nil {
		p.fail("no operation")
	}
	return doc, p.err
}

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("parse error at %s: %s", p.scan.Pos(), fmt.Sprintf(format, args...))
	}
	p.tok = scanner.EOF
}

func (p *parser) next() {
	if p.err == nil {
		for p.tok = p.scan.Scan(); p.tok == ','; p.tok = p.scan.Scan() {
		}
	}
}

func (p *parser) ident() string {
	s := p.scan.TokenText()
	if p.tok != scanner.Ident {
		p.fail("expected a name, found %q", s)
	}
	p.next()
	return s
}

func (p *parser) expect(tok rune) {
	if p.tok != tok {
		p.fail("expected %q, found %q", tok, p.scan.TokenText())
	}
	p.next()
}

// declarations reads ($name:Type!, …).
func (p *parser) declarations(into map[string]string) {
	if p.tok != '(' {
		return
	}
	for p.next(); p.tok != ')' && p.err == nil; {
		p.expect('$')
		name := p.ident()
		p.expect(':')
		into[name] = p.typ()
	}
	p.expect(')')
}

func (p *parser) typ() string {
	var s string
	if p.tok == '[' {
		p.next()
		s = "[" + p.typ() + "]"
		p.expect(']')
	} else {
		s = p.ident()
	}
	if p.tok == '!' {
		p.next()
		s += "!"
	}
	return s
}

// set reads { … }.
func (p *parser) set() []selection {
	p.expect('{')
	var all []selection
	for p.tok != '}' && p.err == nil {
		all = append(all, p.selection())
	}
	if len(all) == 0 {
		p.fail("an empty selection")
	}
	p.expect('}')
	return all
}

func (p *parser) selection() selection {
	if p.tok == '.' {
		for range 3 {
			p.expect('.')
		}
		if name := p.ident(); name != "on" {
			return selection{spread: name}
		}
		return selection{on: p.ident(), selection: p.set()}
	}
	s := selection{name: p.ident()}
	s.alias = s.name
	if p.tok == ':' {
		p.next()
		s.name = p.ident()
	}
	if p.tok == '(' {
		s.args = map[string]any{}
		for p.next(); p.tok != ')' && p.err == nil; {
			name := p.ident()
			p.expect(':')
			s.args[name] = p.value()
		}
		p.expect(')')
	}
	if p.tok == '{' {
		s.selection = p.set()
	}
	return s
}

func (p *parser) value() any {
	text := p.scan.TokenText()
	switch p.tok {
	case '$':
		p.next()
		return variable(p.ident())
	case scanner.Int:
		p.next()
		return json.Number(text)
	case scanner.String:
		var s string
		if json.Unmarshal([]byte(text), &s) != nil {
			p.fail("a malformed string")
		}
		p.next()
		return s
	case '{':
		fields := map[string]any{}
		for p.next(); p.tok != '}' && p.err == nil; {
			name := p.ident()
			p.expect(':')
			fields[name] = p.value()
		}
		p.expect('}')
		return fields
	}
	switch word := p.ident(); word {
	case "true", "false":
		return word == "true"
	case "null":
		return nil
	default:
		return word // an enum
	}
}
