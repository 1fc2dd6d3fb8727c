package wormindicator

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// A weight is how much a sign says.
type weight int

const (
	// named: a name that honest files have too.
	named weight = 1
	// part: a piece of a shape, or a literal that needs a second sign.
	part weight = 2
	// enough is the sum that decides, and the weight of a sign that decides alone.
	enough weight = 4
)

// A sign is one thing about a file that planted ones have.
type sign struct {
	// kind tells signs apart: two of one kind count once.
	kind   string
	weight weight
	// text is a clause for messages, lower case.
	text string
	// campaign is who used the literal, "" for shapes.
	campaign   string
	confidence lint.Confidence
	span       workflows.Span
	job        *reach.Job // nil for the whole file
}

// verdict returns the signs, the deciding one first, and whether they are enough:
// one that decides alone, or several of different kinds in one job. Literals count
// together only when they are of one campaign.
func verdict(signs []sign) ([]sign, bool) {
	slices.SortStableFunc(signs, func(a, b sign) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(len(a.campaign), len(b.campaign)), cmp.Compare(a.span.Start, b.span.Start))
	})
	if len(signs) == 0 {
		return nil, false
	}
	if signs[0].weight >= enough {
		return signs, true
	}
	for _, first := range signs {
		if group := together(signs, first); len(group) > 1 {
			group[0].confidence = lint.MediumConfidence
			return group, true
		}
	}
	return nil, false
}

// together returns the signs that add up with the first to a verdict, or nil.
func together(signs []sign, first sign) []sign {
	group, sum := []sign{first}, first.weight
	for _, s := range signs {
		sameJob := s.job == first.job || s.job == nil || first.job == nil
		sameCampaign := s.campaign == first.campaign || s.campaign == "" || first.campaign == ""
		counted := slices.ContainsFunc(group, func(o sign) bool {
			overlap := o.span.Start < s.span.End && s.span.Start < o.span.End
			return o.kind == s.kind || overlap && o.campaign != s.campaign // a literal inside its own shape
		})
		if sameJob && sameCampaign && !counted {
			group, sum = append(group, s), sum+s.weight
		}
	}
	if sum < enough {
		return nil
	}
	return group
}

// fileSigns returns the literals of known campaigns in the file and in its name.
func fileSigns(p *lint.Pass) []sign {
	var out []sign
	for _, i := range platform.LookupFileName(p.File.Path) {
		s := literalSign(i, "its name, "+path.Base(p.File.Path))
		if i.Confidence != "high" {
			s.weight = named
		}
		out = append(out, s)
	}
	out = append(out, hidden(p.File)...)
	var quiet []workflows.Span // computed at the first hit: nearly no file has one
	for n, h := range platform.FindIndicators(string(p.File.Source)) {
		if n == 0 {
			quiet = quietSpans(p)
		}
		span := workflows.Span{Start: h.Start, End: h.End}
		if slices.ContainsFunc(quiet, func(q workflows.Span) bool { return q.Contains(span) }) || h.Campaign == dropHosts {
			continue // a drop host counts when something is sent there
		}
		s := literalSign(h.Indicator, p.File.Text(span))
		s.span, s.job = span, jobAt(p, span)
		if s.weight == part && strings.HasPrefix(h.Literal, "name: ") {
			s.weight = named
		}
		out = append(out, s)
	}
	return out
}

// hidden judges a workflow whose name starts with a dot, so that listings leave it
// out. Some projects call their reusable workflows so, which only other workflows
// start; a generated name as well decides.
func hidden(f *workflows.File) []sign {
	base := path.Base(f.Path)
	if f.Workflow == nil || !strings.HasPrefix(base, ".") {
		return nil
	}
	for _, t := range f.Workflow.On {
		if t.Event == "workflow_call" || t.Event == "workflow_dispatch" {
			continue
		}
		s := sign{kind: "hidden", weight: part, text: "its name starts with a dot, which hides it from listings", confidence: lint.MediumConfidence, span: t.Span}
		if generated(strings.TrimSuffix(base, path.Ext(base))) {
			s.weight, s.text = enough, "its name starts with a dot and ends as a program's temporary files do"
		}
		return []sign{s}
	}
	return nil
}

// generated reports whether a name ends in four or more random hexadecimal digits, or
// calls itself temporary.
func generated(name string) bool {
	if words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return strings.ContainsRune("_-.", r) }); slices.Contains(words, "tmp") || slices.Contains(words, "temp") {
		return true
	}
	last := strings.ToLower(name[strings.LastIndexAny(name, "_-.")+1:])
	return len(last) >= 4 && strings.Trim(last, "0123456789abcdef") == "" && strings.ContainsAny(last, "0123456789") && strings.ContainsAny(last, "abcdef")
}

// dropHosts is the campaign of the table under which hosts stand that honest
// people use too.
const dropHosts = "drop hosts of several campaigns"

func literalSign(i platform.Indicator, text string) sign {
	s := sign{kind: "literal " + i.Literal, weight: part, text: text, campaign: i.Campaign, confidence: lint.MediumConfidence}
	if i.Confidence == "high" {
		s.weight, s.confidence = enough, lint.HighConfidence
	}
	return s
}

// searchers only look for text, so that a literal among their words is one that
// somebody looks for.
var searchers = []string{"grep", "egrep", "fgrep", "rg", "ag", "find", "test", "[", "[[", "rm", "ls", "yara", "jq"}

// quietSpans are the places where a literal is talked about: comments of the YAML
// and of scripts, and commands that search or only print.
func quietSpans(p *lint.Pass) []workflows.Span {
	var out []workflows.Span
	for _, c := range p.File.Comments {
		out = append(out, c.Span)
	}
	p.Steps(func(s *workflows.Step, _ *reach.Job) {
		if s.Run == nil || s.Run.Shell != workflows.ShellPOSIX || s.Run.Err != nil {
			return
		}
		at := s.Run.Span.Start // between commands there are comments only
		for _, c := range s.Run.Commands {
			if c.Span.Start > at {
				out = append(out, workflows.Span{Start: at, End: c.Span.Start})
			}
			if talks(c) {
				out = append(out, c.Span)
			}
			at = max(at, c.Span.End)
			for _, r := range c.Redirs {
				at = max(at, r.Span.End, r.Target.Span.End)
			}
		}
		out = append(out, workflows.Span{Start: at, End: max(at, s.Run.Span.End)})
	})
	return out
}

// talks reports whether a command searches for text, or prints it to the log.
func talks(c *workflows.Command) bool {
	if slices.Contains(searchers, c.Name) || c.Name == "git" && len(c.Args()) > 0 && c.Args()[0].Text == "grep" {
		return true
	}
	return (c.Name == "echo" || c.Name == "printf") && c.PipesInto == nil && c.Within == nil && len(c.Redirs) == 0
}

func jobAt(p *lint.Pass, s workflows.Span) *reach.Job {
	var at *reach.Job
	p.Jobs(func(job *reach.Job) {
		if job.Job.Span.Contains(s) {
			at = job
		}
	})
	return at
}
