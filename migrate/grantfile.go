package migrate

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/oidc/grant"
)

// A grantFile is .github/stint.yml while entries are added to it.
type grantFile struct {
	before    []byte // nil when there is none
	providers []string
	names     []string // of its grants, the added ones included
	secrets   []string // of its debts
	added     []*draft
	debts     []lint.Debt
}

// openGrantFile reads what the file has; one that cannot be read cannot be added to.
func openGrantFile(before []byte, providers []string) (*grantFile, error) {
	f := &grantFile{before: before, providers: providers}
	if before == nil {
		return f, nil
	}
	old, err := grant.Parse(grant.Path, before, grant.Options{Providers: providers})
	if err != nil {
		return nil, err
	}
	for _, g := range old.Grants {
		f.names = append(f.names, g.Name)
	}
	config, err := lint.ParseConfig(grant.Path, before)
	if err != nil {
		return nil, err
	}
	for _, d := range config.Debt {
		f.secrets = append(f.secrets, strings.ToLower(d.Secret))
	}
	return f, nil
}

// add adds a draft, or finds the equal one that is there, and returns its name. A
// draft that makes the file wrong, or that check refuses, is not added.
func (f *grantFile) add(d *draft, check func(*grant.Grant) error) (string, error) {
	for _, other := range f.added {
		if other.key() == d.key() {
			return other.name, nil
		}
	}
	f.added = append(f.added, d)
	g, err := f.grant(d.name)
	if err == nil && check != nil {
		err = check(g)
	}
	if err != nil {
		f.added = f.added[:len(f.added)-1]
		return "", err
	}
	f.names = append(f.names, d.name)
	return d.name, nil
}

// drop takes the last draft back.
func (f *grantFile) drop() {
	f.added, f.names = f.added[:len(f.added)-1], f.names[:len(f.names)-1]
}

// grant reads an added grant as the file will have it.
func (f *grantFile) grant(name string) (*grant.Grant, error) {
	after, err := f.bytes()
	if err != nil {
		return nil, err
	}
	parsed, err := grant.Parse(grant.Path, after, grant.Options{Providers: f.providers})
	if err != nil {
		return nil, err
	}
	return parsed.Grant(name)
}

// owe adds a debt unless the file has one for the secret.
func (f *grantFile) owe(d lint.Debt) {
	if name := strings.ToLower(d.Secret); !slices.Contains(f.secrets, name) {
		f.secrets, f.debts = append(f.secrets, name), append(f.debts, d)
	}
}

// change returns the file's change, nil when nothing is added. That what was there
// means what it did is checked and not believed.
func (f *grantFile) change() (*Change, error) {
	if len(f.added)+len(f.debts) == 0 {
		return nil, nil
	}
	after, err := f.bytes()
	if err != nil {
		return nil, err
	}
	if err := f.compare(after); err != nil {
		return nil, err
	}
	return &Change{Path: grant.Path, Before: f.before, After: after}, nil
}

// compare refuses a new text in which an old grant or setting differs.
func (f *grantFile) compare(after []byte) error {
	now, err := grant.Parse(grant.Path, after, grant.Options{Providers: f.providers})
	if err != nil {
		return err
	}
	config, err := lint.ParseConfig(grant.Path, after)
	if err != nil {
		return err
	}
	old, were := &grant.File{}, &lint.Config{}
	if f.before != nil {
		if old, err = grant.Parse(grant.Path, f.before, grant.Options{Providers: f.providers}); err != nil {
			return err
		}
		if were, err = lint.ParseConfig(grant.Path, f.before); err != nil {
			return err
		}
	}
	same := len(now.Grants) == len(old.Grants)+len(f.added) && len(config.Debt) == len(were.Debt)+len(f.debts)
	for i := 0; same && i < len(old.Grants); i++ {
		same = now.Grants[i].Digest == old.Grants[i].Digest
	}
	if !same {
		return fmt.Errorf("%s cannot be added to without changing what is in it; write the entries by hand", grant.Path)
	}
	return nil
}

// bytes returns the file with the entries added.
func (f *grantFile) bytes() ([]byte, error) {
	text := f.before
	if text == nil {
		text = []byte("# Who may have which credential: stint grant schema describes this file to an editor.\nversion: 1\n")
	}
	var grants, debts []string
	for _, d := range f.added {
		grants = append(grants, d.lines()...)
	}
	for _, d := range f.debts {
		debts = append(debts, fmt.Sprintf("- { secret: %s, owner: %s, reason: %s, until: %s }", yamlText(d.Secret), yamlFlow(d.Owner), quoted(d.Reason), d.Until))
	}
	text, err := insert(text, "grants", grants)
	if err != nil {
		return nil, err
	}
	return insert(text, "debt", debts)
}

// insert adds lines below a top-level key, which is added where it is missing.
func insert(text []byte, key string, lines []string) ([]byte, error) {
	if len(lines) == 0 {
		return text, nil
	}
	at, indent, err := placeOf(text, key)
	if err != nil {
		return nil, err
	}
	lineBreak := "\n"
	if bytes.Contains(text, []byte("\r\n")) {
		lineBreak = "\r\n"
	}
	var b bytes.Buffer
	if at > 0 && text[at-1] != '\n' {
		b.WriteString(lineBreak)
	}
	if indent < 0 {
		b.WriteString(key + ":" + lineBreak)
		indent = 2
	}
	for _, l := range lines {
		b.WriteString(strings.Repeat(" ", indent) + l + lineBreak)
	}
	return slices.Concat(text[:at], b.Bytes(), text[at:]), nil
}

// placeOf returns the offset at which entries of a top-level key are added and their
// indentation in columns, -1 when the key is missing.
func placeOf(text []byte, key string) (at, indent int, err error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil || len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		return 0, 0, fmt.Errorf("%s is not a mapping of YAML", grant.Path)
	}
	top := doc.Content[0]
	lines := bytes.SplitAfter(text, []byte("\n"))
	if top.Style&yaml.FlowStyle != 0 {
		return 0, 0, inBrackets("the file")
	}
	end := len(lines)
	for i := 0; i+1 < len(top.Content); i += 2 {
		if top.Content[i].Value != key {
			continue
		}
		if i+2 < len(top.Content) {
			end = top.Content[i+2].Line - 1
		}
		indent, err := indentOf(top.Content[i+1], lines, key)
		return endOf(lines, end), indent, err
	}
	return endOf(lines, end), -1, nil
}

// indentOf returns the indentation of the entries of a value that is written in lines.
func indentOf(value *yaml.Node, lines [][]byte, key string) (int, error) {
	if value.Kind != yaml.MappingNode && value.Kind != yaml.SequenceNode || value.Style&yaml.FlowStyle != 0 || len(value.Content) == 0 {
		return 0, inBrackets(key)
	}
	line := lines[value.Content[0].Line-1]
	return len(line) - len(bytes.TrimLeft(line, " ")), nil
}

func inBrackets(what string) error {
	return fmt.Errorf("%s of %s is not written in lines of its own; write it so, or add the entries by hand", what, grant.Path)
}

// endOf returns the offset behind the last of the lines that holds more than a comment
// about what follows.
func endOf(lines [][]byte, end int) int {
	for end > 0 && (len(bytes.TrimSpace(lines[end-1])) == 0 || lines[end-1][0] == '#') {
		end--
	}
	at := 0
	for _, l := range lines[:end] {
		at += len(l)
	}
	return at
}
