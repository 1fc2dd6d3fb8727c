package org

import (
	"slices"
	"strings"
)

// ownActions are the actions and workflows of the organization itself that it uses, by
// their full names in lower case, and those of which the index has the files.
type ownActions struct {
	prefix     string
	used, read map[string]bool
}

// add adds what a repository has and uses.
func (o *ownActions) add(repository string, d *digest) {
	use := func(uses []useDigest) {
		for i := range uses {
			if strings.HasPrefix(uses[i].Name, o.prefix) {
				o.used[uses[i].Name] = true
			}
		}
	}
	for i := range d.Jobs {
		o.read[below(repository, d.Jobs[i].Path)] = true
		use(d.Jobs[i].Uses)
	}
	for i := range d.Actions {
		o.read[below(repository, d.Actions[i].Dir)] = true
		use(d.Actions[i].Uses)
	}
}

func (o *ownActions) missing() []string {
	var out []string
	for name := range o.used {
		if !o.read[name] {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
