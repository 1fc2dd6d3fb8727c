package lint

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"go.yaml.in/yaml/v4"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// ParseConfig reads the keys lint: and debt: of a configuration file strictly;
// path is relative to the repository root. Keys of others are listed in
// Config.Other and not looked into. The error is a *ConfigError. Whether the rules
// it names exist is Config.CheckRules' to say.
func ParseConfig(path string, b []byte) (*Config, error) {
	if len(b) > MaxConfigBytes {
		return nil, &ConfigError{Path: path,
			Message: fmt.Sprintf("the file has %d bytes, more than the %d that are read", len(b), MaxConfigBytes),
			Hint:    "keep only grants, debt and lint settings in it"}
	}
	p := &configParser{config: &Config{File: workflows.Parse(path, b), set: map[string]int{}}, lines: lineStarts(b)}
	p.stream(yaml.NewDecoder(bytes.NewReader(b)))
	if p.err != nil {
		p.err.Path = path
		return nil, p.err
	}
	slices.Sort(p.config.Disable)
	slices.Sort(p.config.TrustedOwners)
	slices.Sort(p.config.Locked)
	return p.config, nil
}

// A configParser walks the nodes and keeps the first mistake.
type configParser struct {
	config *Config
	lines  []int // offset of the start of each line
	err    *ConfigError
}

// stream reads the one document that the file may hold.
func (p *configParser) stream(dec *yaml.Decoder) {
	var doc, more yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return // an empty file configures nothing
	case err != nil:
		p.err = &ConfigError{
			Message: "the file is not YAML: " + oneLine(strings.TrimPrefix(err.Error(), "yaml: ")),
			Hint:    "mend its syntax; an editor with YAML support shows the place"}
		return
	}
	if dec.Decode(&more) != io.EOF {
		p.fail(&more, "keep everything in one document, without ---", "the file holds more than one YAML document")
		return
	}
	p.document(doc.Content[0])
}

func (p *configParser) fail(n *yaml.Node, hint, format string, a ...any) {
	if p.err == nil {
		p.err = &ConfigError{Line: n.Line, Message: fmt.Sprintf(format, a...), Hint: hint}
	}
}

// resolve follows an alias once: the schema is a few levels deep, so that aliases
// cannot multiply.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

// object calls field for each key of a mapping; field reports whether it knows it.
func (p *configParser) object(n *yaml.Node, what string, field func(key string, k, v *yaml.Node) bool) {
	n = resolve(n)
	if n.Kind != yaml.MappingNode {
		p.fail(n, "write it as keys and values", "%s must be a mapping", what)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], resolve(n.Content[i+1])
		switch {
		case k.Kind != yaml.ScalarNode:
			p.fail(k, "use plain names as keys", "%s has a key that is no name", what)
		case seen[k.Value]:
			p.fail(k, "keep one of them", "%s has the key %q twice", what, oneLine(k.Value))
		case !field(k.Value, k, v):
			p.fail(k, "remove it or mend its spelling; lint/README.md lists the keys", "%s has no key %q", what, oneLine(k.Value))
		}
		seen[k.Value] = true
	}
}

// list calls item for each element of a sequence.
func (p *configParser) list(n *yaml.Node, what string, item func(*yaml.Node)) {
	if n.Kind != yaml.SequenceNode {
		p.fail(n, "write it as a list: [a, b]", "%s must be a list", what)
		return
	}
	for _, c := range n.Content {
		item(resolve(c))
	}
}

// text returns a non-empty scalar's text.
func (p *configParser) text(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" || strings.TrimSpace(n.Value) == "" {
		p.fail(n, "give it a value or remove the key", "%s must be text", what)
		return ""
	}
	return n.Value
}

func (p *configParser) date(n *yaml.Node, what string) string {
	s := p.text(n, what)
	if s != "" && badDate(s) != "" {
		p.fail(n, "write a day as YYYY-MM-DD", "%s %q is no date", what, oneLine(s))
	}
	return s
}

func (p *configParser) document(n *yaml.Node) {
	p.object(n, "the file", func(key string, k, v *yaml.Node) bool {
		switch key {
		case "version":
			if v.Value != "1" {
				p.fail(v, "write version: 1, or use a newer stint", "version %q is not known", oneLine(v.Value))
			}
		case "lint":
			p.lint(v)
		case "debt":
			p.config.set["debt"] = k.Line
			p.list(v, "debt", p.debt)
		case "extends":
			p.extends(v)
		case "locked":
			p.list(v, "locked", p.locked)
		default:
			p.config.Other = append(p.config.Other, Key{Name: key, Line: k.Line})
		}
		return true
	})
}

var profileForm = regexp.MustCompile(`^\d{4}-(0[1-9]|1[0-2])$`)

func (p *configParser) lint(n *yaml.Node) {
	c := p.config
	p.object(n, "lint", func(key string, k, v *yaml.Node) bool {
		c.set[key] = k.Line
		switch key {
		case "profile":
			c.Profile = p.text(v, "lint.profile")
			if !profileForm.MatchString(c.Profile) {
				p.fail(v, "write a month as YYYY-MM", "lint.profile %q is no profile", oneLine(c.Profile))
			}
		case "min-severity":
			s, ok := reach.ParseSeverity(v.Value)
			c.MinSeverity = &s
			if !ok {
				p.fail(v, "write info, low, medium, high or critical", "lint.min-severity %q is no severity", oneLine(v.Value))
			}
		case "strict":
			if v.Tag != "!!bool" {
				p.fail(v, "write true or false", "lint.strict must be true or false")
			}
			c.Strict = strings.EqualFold(v.Value, "true")
		case "disable":
			p.list(v, "lint.disable", func(n *yaml.Node) { c.Disable = append(c.Disable, p.rule(n, "lint.disable")) })
		case "trusted-owners":
			p.list(v, "lint.trusted-owners", func(n *yaml.Node) {
				c.TrustedOwners = append(c.TrustedOwners, strings.ToLower(p.text(n, "lint.trusted-owners")))
			})
		case "actions":
			p.actions(v)
		case "ignore":
			p.list(v, "lint.ignore", p.ignore)
		default:
			return false
		}
		return true
	})
}

func (p *configParser) actions(n *yaml.Node) {
	p.object(n, "lint.actions", func(key string, k, v *yaml.Node) bool {
		into := map[string]*[]string{"allow": &p.config.Actions.Allow, "deny": &p.config.Actions.Deny}[key]
		if into == nil {
			return false
		}
		what := "lint.actions." + key
		p.list(v, what, func(n *yaml.Node) {
			pattern := p.text(n, what)
			if why := badPattern(pattern); why != "" {
				p.fail(n, "write owner/repo, owner/*, owner/repo/path@ref or docker://image/**", "%s: %q %s", what, oneLine(pattern), why)
			}
			*into = append(*into, pattern)
		})
		return true
	})
}

// rule returns a rule id and remembers its line for CheckRules.
func (p *configParser) rule(n *yaml.Node, what string) string {
	id := p.text(n, what)
	p.config.named = append(p.config.named, namedRule{id, n.Line, true})
	return id
}

func (p *configParser) ignore(n *yaml.Node) {
	s := &Suppression{File: p.config.File, Span: p.span(n)}
	p.object(n, "lint.ignore", func(key string, k, v *yaml.Node) bool {
		switch key {
		case "rule":
			s.Rules = []SuppressedRule{{ID: p.rule(v, "lint.ignore.rule")}}
		case "path":
			s.glob = p.text(v, "lint.ignore.path")
			if !doublestar.ValidatePattern(s.glob) {
				p.fail(v, "write a path with * and **, relative to the repository", "lint.ignore.path %q is no pattern", oneLine(s.glob))
			}
		case "reason":
			s.Reason = p.text(v, "lint.ignore.reason")
		case "until":
			s.Until = p.date(v, "lint.ignore.until")
		default:
			return false
		}
		return true
	})
	if len(s.Rules) == 0 || s.glob == "" {
		p.fail(n, "write - { rule: …, path: …, reason: …, until: … }", "an entry of lint.ignore needs rule and path")
	}
	p.config.ignores = append(p.config.ignores, s)
}

func (p *configParser) debt(n *yaml.Node) {
	d := Debt{Span: p.span(n)}
	p.object(n, "debt", func(key string, k, v *yaml.Node) bool {
		switch key {
		case "secret":
			d.Secret = p.text(v, "debt.secret")
		case "owner":
			d.Owner = p.text(v, "debt.owner")
		case "reason":
			d.Reason = p.text(v, "debt.reason")
		case "until":
			d.Until = p.date(v, "debt.until")
		default:
			return false
		}
		return true
	})
	if d.Secret == "" {
		p.fail(n, "write - { secret: …, owner: …, reason: …, until: … }", "an entry of debt needs the name of a secret")
	}
	p.config.Debt = append(p.config.Debt, d)
}

// span returns the rest of the line on which a node starts: places in the
// configuration are shown, never edited, so that the line is enough.
func (p *configParser) span(n *yaml.Node) workflows.Span {
	if n.Line < 1 || n.Line > len(p.lines) {
		return workflows.Span{}
	}
	line := lineAt(p.config.File.Source, p.lines[n.Line-1])
	text := string(p.config.File.Source[line.Start:line.End])
	start := line.Start + len(text) - len(strings.TrimLeft(text, " -"))
	return workflows.Span{Start: start, End: max(start, line.Start+len(strings.TrimRight(text, " \r\n")))}
}

// lineStarts returns the offset of the start of each line.
func lineStarts(b []byte) []int {
	starts := []int{0}
	for i, c := range b {
		if c == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}
