package migrate

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stint-dev/stint/workflows"
)

// An inputs reads the inputs of one step and remembers what was not understood.
type inputs struct {
	opts   Options
	job    *workflows.Job
	step   *workflows.Step
	static bool     // the step logs in with a stored key, and what a grant needs is not there
	used   []string // lower case
	fills  []string // what a person has to fill in
	differ []string // what the grant does otherwise
	bad    *problem // the first thing that cannot be translated
}

// fail remembers the first problem.
func (in *inputs) fail(p *problem) {
	if in.bad == nil {
		in.bad = p
	}
}

// raw returns an input as written, "" when it is not there.
func (in *inputs) raw(name string) string {
	in.used = append(in.used, strings.ToLower(name))
	for _, e := range in.step.With.All() {
		if strings.EqualFold(e.Key.Value, name) {
			return strings.TrimSpace(e.Value.Value)
		}
	}
	return ""
}

// reference is an expression that is the same in every run: a variable, or a secret,
// as which identifiers are often kept.
var reference = regexp.MustCompile(`\$\{\{\s*(vars|secrets|env)\.([A-Za-z_][A-Za-z0-9_-]*)\s*\}\}`)

// constant resolves the references of a text; rest is true when some are left, and
// what else is an expression makes the step untranslatable.
func (in *inputs) constant(name string) (text string, rest bool) {
	text = reference.ReplaceAllStringFunc(in.raw(name), func(expr string) string {
		m := reference.FindStringSubmatch(expr)
		if v, ok := in.opts.Values[m[2]]; ok {
			return v
		}
		if m[1] == "env" {
			for _, e := range in.job.EffectiveEnv(in.step) {
				if v, constant := e.Value.Const(); constant && e.Key.Value == m[2] {
					return v
				}
			}
		}
		rest = true
		return expr
	})
	if strings.Contains(reference.ReplaceAllString(text, ""), "${{") {
		in.fail(stop("write a grant for each value and choose by a constant", "input %q changes from run to run", name))
	}
	return text, rest
}

// A field is one line of a provider's block. Text is YAML already.
type field struct{ key, text, comment string }

// accountOnly is a role of AWS of which only the account is not in the files.
var accountOnly = regexp.MustCompile(`^(arn:aws[a-z-]*:iam::)\$\{\{[^{}]*\}\}(:role/[A-Za-z0-9_+=,.@/-]+)$`)

// plain makes a field of an input; where its value is not in the files, of the
// placeholder, which a person replaces. A missing input gives no field.
func (in *inputs) plain(key, name, placeholder string) []field {
	text, rest := in.constant(name)
	if rest {
		if known := accountOnly.FindStringSubmatch(text); known != nil {
			placeholder = known[1] + "000000000000" + known[2]
		}
		return []field{in.fill(key, placeholder, text)}
	}
	if text == "" {
		return nil
	}
	return []field{{key: key, text: yamlText(text)}}
}

// required is plain for a field that the provider must have.
func (in *inputs) required(key, name, placeholder, what string) []field {
	if f := in.plain(key, name, placeholder); f != nil {
		return f
	}
	return []field{in.fill(key, placeholder, what)}
}

// fill makes a field for a person to complete; what says with what.
func (in *inputs) fill(key, placeholder, what string) field {
	in.fills = append(in.fills, key+": "+what)
	return field{key, yamlText(placeholder), "fill in: " + oneLine(what)}
}

// list makes a field of an input that holds several values, by commas or lines.
func (in *inputs) list(key, name string) []field {
	text, rest := in.constant(name)
	if rest {
		in.fail(stop("write the values out, or give them by --value NAME=TEXT", "input %q is not in the files", name))
	}
	var items []string
	for item := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == '\n' }) {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, yamlFlow(item))
		}
	}
	if len(items) == 0 {
		return nil
	}
	return []field{{key: key, text: "[" + strings.Join(items, ", ") + "]"}}
}

// seconds reads a lifetime in seconds, with or without the letter.
func (in *inputs) seconds(name string, otherwise time.Duration) time.Duration {
	text, rest := in.constant(name)
	if text == "" && !rest {
		return otherwise
	}
	n, err := strconv.Atoi(strings.TrimSuffix(text, "s"))
	if d := time.Duration(n) * time.Second; !rest && err == nil && d >= time.Minute && d <= 12*time.Hour {
		return d
	}
	in.fail(stop("write it as seconds, from 60 to 43200", "input %q is not a number of seconds that a grant can have", name))
	return otherwise
}

// idle passes over inputs that have no counterpart and that nothing is lost by.
func (in *inputs) idle(names ...string) {
	for _, n := range names {
		in.used = append(in.used, strings.ToLower(n))
	}
}

// must demands that an input, if it is there, has one of some values.
func (in *inputs) must(name, next string, values ...string) {
	if v := in.raw(name); v != "" && !slices.ContainsFunc(values, func(ok string) bool { return strings.EqualFold(ok, v) }) {
		in.fail(stop(next, "input %q has no counterpart in a grant", name))
	}
}

// rest refuses the inputs that nobody has asked for, unless they are off.
func (in *inputs) rest() {
	for _, e := range in.step.With.All() {
		name := strings.ToLower(e.Key.Value)
		if v := strings.TrimSpace(e.Value.Value); !slices.Contains(in.used, name) && v != "" && v != "false" {
			in.fail(stop("remove it if it is not needed, or keep the step as it is", "input %q has no counterpart in a grant", oneLine(name)))
		}
	}
}

// ttlText writes a lifetime as a grant has it.
func ttlText(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return fmt.Sprintf("%ds", d/time.Second)
}
