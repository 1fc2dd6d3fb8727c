package templateinjection

import (
	"fmt"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/reach/flow"
	"github.com/stint-dev/stint/workflows/platform"
)

// judge grades a sink by who can set the text and what a run that carries it holds.
func judge(g *reach.Graph, s *flow.Sink) *injection {
	in := &injection{sink: s, taint: s.Worst(), confidence: lint.HighConfidence}
	if s.Job != nil {
		in.job = g.Of(s.Job)
	}
	switch t := in.taint; {
	case t.Merged:
		in.expose(reach.FetchedCode, platform.StartWriter)
		in.confidence = lint.MediumConfidence
	case t.Who == platform.StartAnyone && t.Start == platform.StartForkSandboxed, t.Who == platform.StartForkSandboxed:
		in.sandboxed()
	case t.Who == platform.StartAnyone:
		in.expose(reach.OutsiderCode, t.Start)
		if t.Start < platform.StartAnyone {
			in.confidence = lint.MediumConfidence
		}
	case t.Who == platform.StartCaller:
		in.fromCaller()
	default:
		in.expose(reach.OwnCode, platform.StartWriter)
		in.strict, in.confidence = true, lint.MediumConfidence
	}
	if in.taint.Guess {
		in.strict, in.confidence = true, lint.LowConfidence
	}
	return in
}

func (in *injection) expose(t reach.Trust, start platform.Starter) {
	in.exposure = lint.Expose(in.job, t)
	in.exposure.Start = start
}

// sandboxed grades text in a run that a fork's pull request starts: no stored
// secret is in it, its token reads, and the author may change the workflow itself
// in the same pull request. What is left is a chore, until the event is changed.
func (in *injection) sandboxed() {
	in.expose(reach.OutsiderCode, platform.StartForkSandboxed)
	in.exposure.Credentials = nil
	for _, c := range lint.Expose(in.job, reach.OutsiderCode).Credentials {
		if c.Kind == reach.RepositoryToken {
			in.exposure.Credentials = []*reach.Credential{{Kind: c.Kind, Name: c.Name, Lifetime: c.Lifetime, Opens: c.Opens, Enters: c.Enters}}
		}
	}
	low := reach.Low
	in.ceiling, in.exposure.Autonomy = &low, false
}

// fromCaller grades text that whoever uses the action or workflow gives it. What
// they pass is not known, and so it is no outsider's for sure; an input that is
// named for an outsider's text likely is, and a context of the event is.
func (in *injection) fromCaller() {
	in.confidence = lint.LowConfidence
	name, isInput := strings.CutPrefix(in.taint.Source, "inputs.")
	switch {
	case !isInput:
		in.expose(reach.OutsiderCode, platform.StartCaller)
		in.confidence = lint.MediumConfidence
	case platform.HoldsOutsiderText(name):
		in.expose(reach.MutableThirdParty, platform.StartCaller)
	default:
		in.expose(reach.PinnedThirdParty, platform.StartCaller)
	}
	in.exposure.Autonomy = false // the caller's, which is not seen
}

// message says what becomes of whose text and what it could take.
func (in *injection) message() string {
	text := fmt.Sprintf("%s, which %s can set,", in.taint.Source, in.by())
	switch {
	case in.sink.Kind == flow.SinkShellCode:
		text = fmt.Sprintf("this command runs text that %s can set as code (%s)", in.by(), in.taint.Source)
	case in.sink.Kind == flow.SinkScript:
		text = fmt.Sprintf("this script expands %s before the shell reads it", text)
	case in.isGithubScript():
		text = fmt.Sprintf("this JavaScript expands %s before it is read as code", text)
	default:
		text = fmt.Sprintf("what %s runs expands %s first", in.sink.Step.Uses.FullName(), text)
	}
	return text + "; " + in.takes()
}

func (in *injection) by() string {
	switch {
	case in.taint.Who != platform.StartCaller:
		return in.taint.By()
	case strings.HasPrefix(in.taint.Source, "github."):
		return "whoever starts the workflow that calls this"
	}
	return "whoever calls this"
}

func (in *injection) isGithubScript() bool {
	return in.sink.Step.Uses != nil && in.sink.Step.Uses.FullName() == "actions/github-script"
}

func (in *injection) takes() string {
	out := "code in it could take " + reach.CredentialList(in.exposure.Credentials)
	switch {
	case len(in.exposure.Credentials) == 0:
		out = "code in it runs in the job, in which nothing to take was found"
	case in.job == nil:
		out += " of the jobs that use it"
	}
	switch {
	case in.ceiling != nil:
		return out + ", for a run from a fork has no stored secret and its token only reads"
	case in.taint.Merged:
		return out + ", once a writer has merged it"
	case in.taint.Who == platform.StartAnyone && in.taint.Start < platform.StartAnyone:
		return out + ", once somebody with write access lets the run through"
	}
	return out
}

func (in *injection) next() string {
	switch {
	case in.sink.Kind == flow.SinkShellCode:
		return "call the command with its arguments, each variable in double quotes, instead of building code from text"
	case in.isGithubScript():
		return "put the value into the step's env: and read it as process.env.NAME"
	case in.sink.Kind == flow.SinkScriptInput:
		return "put the value into the step's env: and read the variable in double quotes, where the action hands its environment on"
	}
	return "put the value into the step's env: and read the variable in double quotes"
}
