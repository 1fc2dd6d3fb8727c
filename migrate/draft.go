package migrate

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A draft is a grant that is not in the file yet.
type draft struct {
	name, intent, owner string
	who                 who
	block               block
}

// key is what makes two drafts the same grant: all but their names and intents.
func (d *draft) key() string {
	return fmt.Sprintf("%q", []any{d.who.workflow, d.who.called, d.who.environment, d.who.runner, d.who.refs, d.who.events, d.block})
}

// lines writes the draft as lines below grants:, each indented by one step of two
// blanks and its depth.
func (d *draft) lines() []string {
	lines := []string{
		d.name + ":",
		"  intent: " + yamlText(d.intent) + " # say what the credential is for",
		"  owner: " + yamlText(d.owner),
		"  for:",
		"    workflow: " + yamlText(d.who.workflow),
	}
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	if d.who.called != "" {
		add("    called: %s", yamlText(d.who.called))
	}
	switch {
	case d.who.open:
		add("    # ref: refs/heads/main # fill in: the one branch or tag that needs this; without it any may have it")
	case len(d.who.refs) == 1:
		add("    ref: %s", yamlFlow(d.who.refs[0]))
	case len(d.who.refs) > 1:
		add("    refs: [%s]", flowList(d.who.refs))
	}
	if d.who.environment != "" {
		add("    environment: %s", yamlText(d.who.environment))
	}
	add("    events: [%s]", flowList(d.who.events))
	if d.who.runner != "github-hosted" {
		add("    runner: %s", d.who.runner)
	}
	add("  ttl: %s", ttlText(d.block.ttl))
	add("  %s:", d.block.provider)
	for _, f := range d.block.fields {
		comment := ""
		if f.comment != "" {
			comment = " # " + f.comment
		}
		add("    %s: %s%s", f.key, d.proposed(f), comment)
	}
	if d.block.rights != "" {
		add("    # fill in what the job needs, no more; without it the credential has all rights of its identity:")
		add("    # %s", d.block.rights)
	}
	return lines
}

// proposed gives an identity that is yet to be made the grant's name, where the cloud
// takes it: roles of AWS and Vault, and providers of Google's pools (4 to 32 characters).
func (d *draft) proposed(f field) string {
	if f.comment == "" || f.key != "role" && (f.key != "provider" || len(d.name) < 4 || len(d.name) > 32) {
		return f.text
	}
	return strings.Replace(f.text, noName, d.name, 1)
}

func flowList(texts []string) string {
	var out []string
	for _, t := range texts {
		out = append(out, yamlFlow(t))
	}
	return strings.Join(out, ", ")
}

// notName is what cannot stand in the name of a grant.
var notName = regexp.MustCompile(`[^a-z0-9]+`)

// nameFor finds a free name: the job's, with the workflow's in front and then with a
// number where that is taken.
func nameFor(job, workflow, provider string, taken []string) string {
	slug := func(s string) string {
		s = strings.Trim(notName.ReplaceAllString(strings.ToLower(s), "-"), "-")
		return strings.Trim(s[:min(len(s), 40)], "-")
	}
	base := slug(job)
	if base == "" {
		base = provider
	}
	file := slug(strings.TrimSuffix(strings.TrimSuffix(workflow[strings.LastIndexByte(workflow, '/')+1:], ".yml"), ".yaml"))
	for _, name := range []string{base, base + "-" + provider, slug(file + "-" + base)} {
		if name != "" && !slices.Contains(taken, name) {
			return name
		}
	}
	for n := 2; ; n++ {
		if name := fmt.Sprintf("%s-%d", base, n); !slices.Contains(taken, name) {
			return name
		}
	}
}
