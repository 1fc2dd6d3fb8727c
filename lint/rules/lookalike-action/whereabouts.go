package lookalikeaction

import (
	"errors"
	"fmt"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// whereabouts reports a repository that is gone, renamed or archived. What is embedded
// has no say in that, so an offline run does not ask.
func whereabouts(p *lint.Pass, u *workflows.Uses, job *reach.Job, code *reach.Code) {
	if !p.Online {
		return
	}
	f := lint.Finding{Span: u.Span, Job: job, Code: code, Exposure: lint.Expose(job, code.Trust)}
	low := reach.Low
	_, locked := p.Repository.Lock().Pinned(p.File.Path, u)
	fixed := locked || u.Kind == workflows.UsesCommit
	switch refs, err := p.Resolver.Refs(p.Context, u.Owner, u.Repo); {
	case errors.Is(err, workflows.ErrNotFound) && fixed:
		f.Ceiling = &low
		f.Message = fmt.Sprintf("there is no repository %s that everybody can read, so that its commit will not run", u.Name())
		f.Next = "replace it"
	case errors.Is(err, workflows.ErrNotFound):
		f.Exposure = lint.Expose(job, max(code.Trust, reach.OutsiderCode))
		f.Message = fmt.Sprintf("there is no repository %s that everybody can read: whoever registers the name chooses what runs", u.Name())
		f.Next = "replace it, or say in a suppression that the repository is private and shared with this one"
		if p.Repository.NameFold() == "" { // perhaps it is a private one of the same owner
			f.Ceiling, f.Confidence = &low, lint.LowConfidence
		}
	case err != nil:
		return
	case refs.Renamed != "":
		moved(&f, u, refs.Renamed, fixed)
	default:
		if archived, err := p.Resolver.Archived(p.Context, u.Owner, u.Repo); err != nil || !archived {
			return
		}
		f.Ceiling = &low
		f.Message = fmt.Sprintf("%s is archived: nobody mends what is found in it", u.Name())
		f.Next = "replace it by one that is kept, or by the commands that it runs"
	}
	if len(f.Exposure.Credentials) > 0 {
		f.Message += "; it could take " + reach.CredentialList(f.Exposure.Credentials)
	}
	p.Report(f)
}

// moved says what a new name means: the old one goes on working by a redirect that ends
// when somebody makes a repository there. With another owner that may be anybody.
func moved(f *lint.Finding, u *workflows.Uses, now string, fixed bool) {
	owner, _, _ := strings.Cut(now, "/")
	low, medium := reach.Low, reach.Medium
	f.Ceiling = &low
	f.Message = fmt.Sprintf("%s is called %s now", u.Name(), now)
	switch {
	case strings.EqualFold(owner, u.Owner) || fixed:
		f.Strict = true
	default:
		f.Ceiling = &medium
		f.Exposure = lint.Expose(f.Job, max(f.Code.Trust, reach.MutableThirdParty))
		f.Confidence = lint.LowConfidence
		f.Message += ": whoever gets hold of the old owner's name chooses what runs under it"
	}
	f.Next = "write " + now
}
