package untrustedcheckout

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/reach/flow"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// A refusal is what the checkout itself does about a fork's code.
type refusal int

const (
	takesAll  refusal = iota // no actions/checkout, or under an event at which it does not look
	older                    // a release from before it refused
	mayRefuse                // a commit without its version
	allowed                  // switched off by its input
	refuses
)

// refusalOf judges the checkout of a sink under the events that bring the code.
func refusalOf(s *flow.Sink, events []string) refusal {
	u := s.Step.Uses
	if u == nil || u.FullName() != "actions/checkout" || !slices.ContainsFunc(events, platform.CheckoutRefuses) {
		return takesAll
	}
	comment := ""
	if u.Comment != nil {
		comment = u.Comment.Text
	}
	switch version := platform.CheckoutRefusal(u.Ref, comment); {
	case version == platform.RefusalAbsent:
		return older
	case allowsUnsafe(s.Step) != nil:
		return allowed
	case version == platform.RefusalUnknown:
		return mayRefuse
	case slices.ContainsFunc(events, func(e string) bool { return !platform.CheckoutRefuses(e) }):
		return takesAll
	}
	return refuses
}

// allowsUnsafe returns the value that switches the refusal off, or nil.
func allowsUnsafe(s *workflows.Step) *workflows.Scalar {
	v := s.With.Get(platform.AllowUnsafeCheckout)
	if v == nil || strings.EqualFold(v.Value, "false") || v.Value == "" {
		return nil
	}
	return v
}

func (r refusal) sentence(s *flow.Sink) string {
	switch r {
	case older:
		return fmt.Sprintf("; %s is older than the releases of %s that refuse this", s.Step.Uses.Value, platform.CheckoutRefusalDate)
	case mayRefuse:
		return fmt.Sprintf("; releases of actions/checkout since %s refuse this, and which one the commit is cannot be seen", platform.CheckoutRefusalDate)
	case allowed:
		return "; " + platform.AllowUnsafeCheckout + " switches off the refusal of actions/checkout"
	case refuses:
		return "; actions/checkout of this version refuses it for forks when the job runs, until somebody switches that off"
	}
	return ""
}

// reportAllowed reports the switched-off refusal of a checkout that takes no
// outsider's code today: the next change of its ref is no longer stopped.
func reportAllowed(p *lint.Pass, s *workflows.Step, job *reach.Job) {
	if s.Uses == nil || s.Uses.FullName() != "actions/checkout" || allowsUnsafe(s) == nil {
		return
	}
	if !slices.ContainsFunc(job.Starts, func(st reach.Start) bool {
		return st.Who == platform.StartAnyone && platform.CheckoutRefuses(st.Event)
	}) {
		return
	}
	low := reach.Low
	exposure := job.Exposure(reach.OwnCode)
	p.Report(lint.Finding{
		Span: allowsUnsafe(s).Span, Job: job, Exposure: exposure, Ceiling: &low,
		Message: fmt.Sprintf("%s lets this checkout take a fork's code as soon as its ref or repository names it, beside %s",
			platform.AllowUnsafeCheckout, reach.CredentialList(exposure.Credentials)),
		Next: "remove the input: the checkout works without it",
	})
}
