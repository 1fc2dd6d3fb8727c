package knownbadaction

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// images judges the container images of a file: those that jobs run in or beside, those
// of docker:// steps and docker actions, and those that scripts name to docker.
func images(p *lint.Pass) {
	p.Jobs(func(job *reach.Job) {
		if c := job.Job.Container; c != nil {
			image(p, c.Image, job)
		}
		for _, s := range job.Job.Services {
			image(p, s.Image, job)
		}
	})
	p.Steps(func(s *workflows.Step, job *reach.Job) {
		if s.Uses != nil && s.Uses.Kind == workflows.UsesDocker {
			image(p, s.Uses.Scalar, job)
		}
		if s.Run == nil {
			return
		}
		for _, c := range s.Run.Commands {
			if slices.Contains(runners, c.Name) {
				inCommand(p, c, job)
			}
		}
	})
	if a := p.File.Action; a != nil {
		var job *reach.Job // the first one speaks for all
		if users := p.Graph.Users(p.File); len(users) > 0 {
			job = users[0]
		}
		image(p, a.Image, job)
	}
}

// runners are the commands that run or fetch images.
var runners = []string{"docker", "podman", "nerdctl", "buildah", "skopeo", "crane"}

// inCommand looks at every word: the names of bad images are no other command's words.
func inCommand(p *lint.Pass, c *workflows.Command, job *reach.Job) {
	for _, w := range c.Args() {
		if w.Const {
			report(p, w.Text, w.Span, job)
		}
	}
}

func image(p *lint.Pass, s *workflows.Scalar, job *reach.Job) {
	if name, ok := s.Const(); ok {
		report(p, strings.TrimPrefix(name, "docker://"), s.Span, job)
	}
}

// report reports an image that was malicious. A name or tag that was put back is one of
// many and tells nothing of today; it is for strict.
func report(p *lint.Pass, name string, at workflows.Span, job *reach.Job) {
	plain, digest, _ := strings.Cut(name, "@")
	repository, tag := plain, ""
	if i := strings.LastIndexByte(plain, ':'); i > strings.LastIndexByte(plain, '/') {
		repository, tag = plain[:i], plain[i+1:]
	}
	list := platform.LookupBadImage(repository, tag, digest)
	if len(list) == 0 {
		return
	}
	bad := list[0]
	f := lint.Finding{Span: at, Job: job, Exposure: lint.Expose(job, reach.MaliciousCode)}
	f.Message = fmt.Sprintf("the image %s served malicious code (%s): %s", workflows.Printable(name), reference(bad), bad.Summary)
	f.Next = "remove it, and rotate what its jobs held while it was used: " + reach.CredentialList(f.Exposure.Credentials)
	if !bad.Exact {
		f.Exposure, f.Strict, f.Confidence = lint.Expose(job, reach.MutableThirdParty), true, lint.LowConfidence
		f.Message = fmt.Sprintf("the image %s served malicious code for a while and was put back (%s): %s", workflows.Printable(name), reference(bad), bad.Summary)
		f.Next = "name a version by its digest, and look at the runs of that time"
	}
	p.Report(f)
}
