package unlockedaudience

import (
	"regexp"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// A request is a place that asks for the job's id-token.
type request struct {
	job *reach.Job
	at  reach.Site
	// by says what asks, as the subject of a sentence.
	by       string
	audience string
	// party is who gets the token, "" when that is not known.
	party      string
	confidence lint.Confidence // 0 for the rule's
}

// requests returns the requests of one step whose audience is known.
func requests(job *reach.Job, s reach.RunStep) []request {
	if s.Step.Uses != nil {
		return ofAction(job, s)
	}
	if s.Step.Run != nil {
		return ofScript(job, s)
	}
	return nil
}

// ofAction returns the request of an action, by what is known of it, or by the
// toolkit's call in a script that it runs.
func ofAction(job *reach.Job, s reach.RunStep) []request {
	u := s.Step.Uses
	r := request{job: job, at: reach.Site{File: s.File, Span: u.Span}, by: short(u.Value)}
	if a, ok := platform.LookupAudience(u.FullName()); ok && asks(s.Step, a) {
		info, _ := platform.LookupAction(u.FullName())
		r.party = info.Opens
		if a.Party != "" {
			r.party += " " + s.Step.With.Get(a.Party).String()
		}
		r.audience = a.Default
		if v := s.Step.With.Get(a.Input); v.String() != "" {
			r.audience = v.Value
			r.at.Span = v.Span
		}
		if r.audience == "" {
			r.audience = platform.DefaultAudience
		}
		return []request{r}
	}
	v := s.Step.With.Get("script")
	if v == nil {
		return nil
	}
	if at := emptyCall.FindStringIndex(v.Value); at != nil {
		r.at.Span, r.audience = v.SpanOf(at[0], at[1]), platform.DefaultAudience
		r.by = "the script"
		return []request{r}
	}
	return nil
}

// emptyCall is the toolkit's call without an audience.
var emptyCall = regexp.MustCompile(`getIDToken\(\s*(?:undefined|null|''|""|)\s*\)`)

// asks reports whether the inputs make the action ask for a token.
func asks(s *workflows.Step, a platform.Audience) bool {
	return slices.ContainsFunc(a.With, func(w string) bool {
		name, value, exact := strings.Cut(w, "=")
		given := s.With.Get(name).String()
		return given != "" && (!exact || strings.EqualFold(given, value))
	})
}

// address is the variable that holds where the job asks for tokens.
const address = "ACTIONS_ID_TOKEN_REQUEST_URL"

// ofScript returns the requests that a script makes by itself.
func ofScript(job *reach.Job, s reach.RunStep) []request {
	run := s.Step.Run
	r := request{job: job, at: reach.Site{File: s.File, Span: run.Span}, by: "the script", audience: platform.DefaultAudience}
	if run.Shell != workflows.ShellPOSIX || run.Err != nil {
		at := strings.Index(run.Value, address)
		if at < 0 || strings.Contains(run.Value, "audience") {
			return nil
		}
		r.at.Span, r.confidence = run.SpanOf(at, at+len(address)), lint.MediumConfidence
		return []request{r}
	}
	var out []request
	for _, c := range run.Commands {
		info, _ := platform.LookupCommand(c.Line)
		if info.Does != "fetch" || !slices.ContainsFunc(c.Words, func(w workflows.Word) bool { return slices.Contains(w.Vars, address) }) {
			continue
		}
		named := func(w workflows.Word) bool { return strings.Contains(w.Text, "audience") }
		variable := func(w workflows.Word) bool { // it may be in there
			return slices.ContainsFunc(w.Vars, func(v string) bool { return strings.Contains(strings.ToLower(v), "aud") })
		}
		if !slices.ContainsFunc(c.Words, named) && !slices.ContainsFunc(c.Words, variable) {
			r.at.Span = c.Span
			out = append(out, r)
		}
	}
	return out
}
