package posture

import (
	"slices"
	"strings"

	"github.com/stint-dev/stint/org"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows/github"
	"github.com/stint-dev/stint/workflows/platform"
)

// A state is everything that checks look at.
type state struct {
	doc          *org.Document
	organization *github.Settings
	subjects     []subject
	// settled are the checks that the organization's setting answers for all of its
	// repositories.
	settled map[string]bool
}

// A subject is one repository with its settings, nil when they were not read, and jobs.
type subject struct {
	repository *org.Repository
	settings   *github.RepositorySettings
	jobs       []*org.JobReach
}

func (r *subject) name() string { return r.repository.Name }

func newState(d *org.Document, jobs map[string][]*org.JobReach, in Settings) *state {
	s := &state{doc: d, organization: in.Organization, settled: map[string]bool{}}
	of := map[string]*github.RepositorySettings{}
	for i := range in.Repositories {
		of[strings.ToLower(in.Repositories[i].Repository)] = &in.Repositories[i]
	}
	for i := range d.Repositories {
		r := &d.Repositories[i]
		s.subjects = append(s.subjects, subject{r, of[strings.ToLower(r.Name)], jobs[r.Analysis]})
	}
	if o := s.organization; o != nil {
		s.settled["default-write-token"] = o.Actions.DefaultPermissions == "read"
		s.settled["actions-approve-pull-requests"] = isFalse(o.Actions.CanApprove)
		s.settled["any-action-allowed"] = o.Actions.AllowedActions == "local_only" || o.Actions.AllowedActions == "selected"
		s.settled["commit-pins-not-required"] = isTrue(o.Actions.PinningRequired)
		s.settled["name-form-subject"] = isTrue(o.Subject.Immutable)
	}
	return s
}

func isTrue(b *bool) bool  { return b != nil && *b }
func isFalse(b *bool) bool { return b != nil && !*b }

// all returns the jobs of all repositories.
func (s *state) all() []*org.JobReach {
	var out []*org.JobReach
	for i := range s.subjects {
		out = append(out, s.subjects[i].jobs...)
	}
	return out
}

// A risk is the worst that jobs make of a setting.
type risk struct {
	severity    reach.Severity
	jobs        int
	credentials []string
}

// assess grades a setting by the jobs that it bears on: pick returns which credentials
// of a job the setting exposes, none where it does not bear on it.
func assess(jobs []*org.JobReach, pick func(*org.JobReach) []*reach.Credential) risk {
	var r risk
	for _, j := range jobs {
		at := pick(j)
		if len(at) == 0 {
			continue
		}
		r.jobs++
		r.severity = max(r.severity, reach.Grade(exposure(j, at)))
		for _, c := range at {
			if !slices.Contains(r.credentials, c.Name) {
				r.credentials = append(r.credentials, c.Name)
			}
		}
	}
	return r
}

func exposure(j *org.JobReach, at []*reach.Credential) reach.Exposure {
	return reach.Exposure{Credentials: at, Steer: j.Trust, Start: j.Starter, Autonomy: j.ActsAlone()}
}

// least raises the risk to what the credentials are worth without any code of others.
func (r risk) least(at ...*reach.Credential) risk {
	r.severity = max(r.severity, reach.Grade(reach.Exposure{Credentials: at}))
	for _, c := range at {
		if !slices.Contains(r.credentials, c.Name) {
			r.credentials = append(r.credentials, c.Name)
		}
	}
	return r
}

// stored is a stored secret as reach knows it.
func stored(name string) *reach.Credential {
	return &reach.Credential{Kind: reach.StoredSecret, Name: name, Lifetime: reach.Standing, Opens: platform.LookupSecret(name).Opens, Writes: true}
}

// credentials returns those of a job, of the kinds given or all.
func credentials(j *org.JobReach, kinds ...reach.Kind) []*reach.Credential {
	var out []*reach.Credential
	for i := range j.Credentials {
		c := &j.Credentials[i]
		if len(kinds) > 0 && !slices.Contains(kinds, reach.Kind(c.Kind)) {
			continue
		}
		out = append(out, &reach.Credential{
			Kind: reach.Kind(c.Kind), Name: c.Name, Lifetime: lifetimeOf(c.Lifetime), Opens: c.Opens, Scopes: c.Scopes,
			Writes: writes(c), All: c.Name == reach.EverySecret,
		})
	}
	return out
}

// writes reports whether a credential can change something; only the repository's token
// is known to be able to read alone.
func writes(c *reach.DocumentCredential) bool {
	k := reach.Kind(c.Kind)
	return k != reach.RepositoryToken && k != reach.GitCredential || len(c.Scopes) > 0 || c.Default
}

func lifetimeOf(name string) reach.Lifetime {
	for l := reach.Standing; l > reach.ForCommand; l-- {
		if l.String() == name {
			return l
		}
	}
	return reach.ForCommand
}

// naming returns the credentials of a job that mean one of the secrets, itself or as one
// of every secret.
func naming(j *org.JobReach, names ...string) []*reach.Credential {
	var out []*reach.Credential
	for _, n := range names {
		for i := range j.Credentials {
			c := &j.Credentials[i]
			if c.Lifetime == reach.Standing.String() && (strings.EqualFold(c.Name, n) || c.Name == reach.EverySecret) {
				out = append(out, stored(n))
				break
			}
		}
	}
	return out
}

// foreign returns the credentials of a job in which code runs that somebody outside can
// change.
func foreign(j *org.JobReach) []*reach.Credential {
	if !j.Trust.Foreign() {
		return nil
	}
	return credentials(j)
}
