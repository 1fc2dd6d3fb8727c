package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"
)

// Parse reads a policy strictly: JSON in UTF-8 of at most [MaxDocumentBytes],
// only the elements that IAM has, each at most once, with the elements that the
// kind demands. What is well formed and not read becomes a [Note]. Errors are one
// lower-case line that quotes names of the document.
func Parse(kind Kind, b []byte) (*Document, error) {
	switch {
	case len(b) > MaxDocumentBytes:
		return nil, fmt.Errorf("policy: document has %d bytes, more than the %d that are read", len(b), MaxDocumentBytes)
	case !utf8.Valid(b):
		return nil, errors.New("policy: document is not UTF-8")
	case !json.Valid(b):
		return nil, errors.New("policy: document is not valid JSON")
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	p := &parser{dec: dec, doc: &Document{Kind: kind, Version: version2008}}
	if err := p.document(); err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return p.doc, nil
}

const (
	version2008 = "2008-10-17"
	version2012 = "2012-10-17"
)

// A parser reads one document token by token, because encoding/json would let a
// repeated key overwrite the first.
type parser struct {
	dec *json.Decoder
	doc *Document
}

func (p *parser) document() error {
	hasStatement := false
	err := p.object("the document", func(key string) (err error) {
		switch key {
		case "Version":
			p.doc.Version, err = p.text(key)
			if err == nil && p.doc.Version != version2008 && p.doc.Version != version2012 {
				err = fmt.Errorf("version %.80q is not one of %.80q and %.80q", p.doc.Version, version2012, version2008)
			}
		case "Id":
			p.doc.ID, err = p.text(key)
		case "Statement":
			hasStatement = true
			err = p.statements()
		default:
			err = fmt.Errorf("unknown element %.80q", key)
		}
		return err
	})
	if err == nil && !hasStatement {
		err = errors.New("element \"Statement\" is missing")
	}
	if err != nil {
		return err
	}
	// Version decides how values are read and may come last, so they are read now.
	return p.doc.prepare()
}

// object reads "{", then calls field with each key; a repeated key is an error.
func (p *parser) object(what string, field func(key string) error) error {
	t, err := p.dec.Token()
	if err != nil {
		return err
	}
	if t != json.Delim('{') {
		return fmt.Errorf("%s is not an object", what)
	}
	return p.fields(what, field)
}

// fields is object after its "{".
func (p *parser) fields(what string, field func(key string) error) error {
	seen := map[string]bool{}
	for p.dec.More() {
		t, err := p.dec.Token()
		if err != nil {
			return err
		}
		key, _ := t.(string)
		if seen[key] {
			return fmt.Errorf("%.80q is given twice in %s", key, what)
		}
		seen[key] = true
		if err := field(key); err != nil {
			return err
		}
	}
	_, err := p.dec.Token()
	return err
}

func (p *parser) text(what string) (string, error) {
	t, err := p.dec.Token()
	if err != nil {
		return "", err
	}
	s, ok := t.(string)
	if !ok {
		return "", fmt.Errorf("%.80q is not a string", what)
	}
	return s, nil
}

// list reads a scalar or a list of scalars.
func (p *parser) list(what string, scalar func(json.Token) (string, bool)) ([]string, error) {
	t, err := p.dec.Token()
	if err != nil {
		return nil, err
	}
	if s, ok := scalar(t); ok {
		return []string{s}, nil
	}
	if t != json.Delim('[') {
		return nil, fmt.Errorf("%.80q is neither a value nor a list of values", what)
	}
	values := []string{}
	for p.dec.More() {
		t, err := p.dec.Token()
		if err != nil {
			return nil, err
		}
		s, ok := scalar(t)
		if !ok {
			return nil, fmt.Errorf("%.80q holds something that is not a value", what)
		}
		values = append(values, s)
	}
	_, err = p.dec.Token()
	return values, err
}

func onlyText(t json.Token) (string, bool) { s, ok := t.(string); return s, ok }

// textNumberOrBool is what IAM takes for a condition value.
func textNumberOrBool(t json.Token) (string, bool) {
	switch v := t.(type) {
	case string:
		return v, true
	case bool:
		return fmt.Sprint(v), true
	case json.Number:
		return v.String(), true
	}
	return "", false
}

func (p *parser) statements() error {
	t, err := p.dec.Token()
	if err != nil {
		return err
	}
	switch t {
	case json.Delim('{'):
		return p.statement()
	case json.Delim('['):
		for p.dec.More() {
			t, err := p.dec.Token()
			if err != nil {
				return err
			}
			if t != json.Delim('{') {
				return errors.New("a statement is not an object")
			}
			if err := p.statement(); err != nil {
				return err
			}
		}
		_, err := p.dec.Token()
		return err
	}
	return errors.New("\"Statement\" is neither an object nor a list of objects")
}

// statement reads one statement after its "{".
func (p *parser) statement() error {
	what := fmt.Sprintf("statement %d", len(p.doc.Statements)+1)
	s := Statement{}
	seen := map[string]bool{}
	err := p.fields("it", func(key string) error {
		seen[key] = true
		return p.element(&s, key)
	})
	if err == nil {
		err = p.checkElements(seen)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	p.doc.Statements = append(p.doc.Statements, s)
	return nil
}

func (p *parser) element(s *Statement, key string) (err error) {
	switch key {
	case "Sid":
		s.Sid, err = p.text(key)
	case "Effect":
		var effect string
		effect, err = p.text(key)
		s.Effect = Effect(effect)
		if err == nil && s.Effect != EffectAllow && s.Effect != EffectDeny {
			err = fmt.Errorf("effect %.80q is not one of %.80q and %.80q", effect, EffectAllow, EffectDeny)
		}
	case "Principal", "NotPrincipal":
		s.NotPrincipal = key == "NotPrincipal"
		s.Principals, err = p.principals(key)
	case "Action", "NotAction":
		s.NotAction = key == "NotAction"
		s.Actions, err = p.list(key, onlyText)
	case "Resource", "NotResource":
		s.NotResource = key == "NotResource"
		s.Resources, err = p.list(key, onlyText)
	case "Condition":
		s.Conditions, err = p.conditions()
	default:
		err = fmt.Errorf("unknown element %.80q", key)
	}
	return err
}

// checkElements holds the elements of a statement against what its kind demands.
func (p *parser) checkElements(seen map[string]bool) error {
	one, none := []string{"Principal", "NotPrincipal"}, []string{"Resource", "NotResource"}
	if p.doc.Kind == Identity {
		one, none = none, one
	}
	if !seen["Effect"] {
		return errors.New("element \"Effect\" is missing")
	}
	for _, pair := range [][]string{{"Action", "NotAction"}, one} {
		if seen[pair[0]] == seen[pair[1]] {
			return fmt.Errorf("exactly one of %.80q and %.80q must be there", pair[0], pair[1])
		}
	}
	for _, key := range none {
		if seen[key] {
			return fmt.Errorf("element %.80q has no place in this kind of policy", key)
		}
	}
	return nil
}

var principalTypes = []string{"AWS", "Federated", "Service", "CanonicalUser"}

func (p *parser) principals(what string) ([]Principal, error) {
	t, err := p.dec.Token()
	if err != nil {
		return nil, err
	}
	if t == "*" {
		return []Principal{{"*", "*"}}, nil
	}
	if t != json.Delim('{') {
		return nil, fmt.Errorf("%.80q is neither \"*\" nor an object", what)
	}
	list := []Principal{}
	err = p.fields(what, func(kind string) error {
		if !slices.Contains(principalTypes, kind) {
			return fmt.Errorf("%.80q has no principals of type %.80q", what, kind)
		}
		ids, err := p.list(kind, onlyText)
		for _, id := range ids {
			list = append(list, Principal{kind, id})
		}
		return err
	})
	return list, err
}

func (p *parser) conditions() ([]Condition, error) {
	list := []Condition{}
	err := p.object("Condition", func(operator string) error {
		return p.object(operator, func(key string) error {
			values, err := p.list(key, textNumberOrBool)
			list = append(list, Condition{Operator: operator, Key: key, Values: values})
			return err
		})
	})
	return list, err
}
