package posture

import (
	"fmt"
	"strings"

	"github.com/stint-dev/stint/org"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows/platform"
)

// of returns the secrets of the inventory for Actions that the organization itself has,
// or one repository with its environments.
func (s *state) of(repository string) []*org.Secret {
	var out []*org.Secret
	for i := range s.doc.Secrets {
		if v := &s.doc.Secrets[i]; v.Store == "actions" && strings.EqualFold(v.Repository, repository) {
			out = append(out, v)
		}
	}
	return out
}

// grade grades a secret by the jobs that name it.
func grade(jobs []*org.JobReach, name string) risk {
	return assess(jobs, func(j *org.JobReach) []*reach.Credential { return naming(j, name) }).least(stored(name))
}

func where(v *org.Secret) string {
	if v.Environment != "" {
		return fmt.Sprintf("the secret %q of the environment %q", v.Name, v.Environment)
	}
	return fmt.Sprintf("the secret %q", v.Name)
}

func wideSecrets(s *state) verdict {
	var v verdict
	for _, secret := range s.of("") {
		if secret.Visibility != "all" {
			continue
		}
		r := grade(s.all(), secret.Name)
		v.found = append(v.found, found{
			what: secret.Name, severity: r.severity, credentials: r.credentials,
			message: fmt.Sprintf("every repository sees %s; %s it", where(secret), namedBy(r.jobs)),
			next:    "let selected repositories see it, or replace it by an id-token",
		})
	}
	return v
}

func namedBy(jobs int) string {
	switch jobs {
	case 0:
		return "no job that was read names"
	case 1:
		return "1 job names"
	}
	return plural(jobs, "job") + " name"
}

func deadInOrganization(s *state) verdict {
	missing := 0
	for _, r := range s.subjects {
		if !r.read() {
			missing++
		}
	}
	return s.dead("", missing)
}

func deadInRepository(s *state, r *subject) verdict {
	if r.read() {
		return s.dead(r.name(), 0)
	}
	return s.dead(r.name(), 1)
}

// read reports whether all workflows of the repository are known.
func (r *subject) read() bool {
	return r.repository.Status == org.StatusOK || r.repository.Status == org.StatusEmpty
}

// dead looks for secrets that no job names. Where files could not be read nobody can
// say so.
func (s *state) dead(repository string, missing int) verdict {
	var v verdict
	for _, secret := range s.of(repository) {
		if !secret.Dead {
			continue
		}
		if missing > 0 {
			return unknown("a secret that no job names may be in use in workflows that could not be read")
		}
		v.found = append(v.found, found{
			what: secret.Environment + "/" + secret.Name, credentials: []string{secret.Name},
			severity: reach.Grade(reach.Exposure{Credentials: []*reach.Credential{stored(secret.Name)}}),
			message:  fmt.Sprintf("no job names %s: it can only be stolen", where(secret)),
			next:     "end it where it was issued, then delete it here",
		})
	}
	return v
}

func organizationAppKeys(s *state) verdict { return s.ofClass("", s.all(), "app-key", appKeyText) }

func repositoryAppKeys(s *state, r *subject) verdict {
	return s.ofClass(r.name(), r.jobs, "app-key", appKeyText)
}

func organizationTokens(s *state) verdict {
	return s.ofClass("", s.all(), "personal-token", personalTokenText)
}

func repositoryTokens(s *state, r *subject) verdict {
	return s.ofClass(r.name(), r.jobs, "personal-token", personalTokenText)
}

// A text is what a finding says behind the name of a secret, and what to do next.
type text struct{ message, next string }

var (
	appKeyText = text{
		"is by its name an app's private key: whoever takes it mints tokens for every installation of the app until the key is replaced",
		"keep it where an id-token opens it, and let a broker mint tokens for one job",
	}
	personalTokenText = text{
		"is by its name a person's token: it can do what that person can, and a classic one in every repository",
		"use the repository token, or a token that is minted for the job",
	}
)

// ofClass looks for secrets whose names tell what they are.
func (s *state) ofClass(repository string, jobs []*org.JobReach, class string, t text) verdict {
	var v verdict
	for _, secret := range s.of(repository) {
		if platform.LookupSecret(secret.Name).Class != class {
			continue
		}
		r := grade(jobs, secret.Name)
		v.found = append(v.found, found{
			what: secret.Environment + "/" + secret.Name, severity: r.severity, credentials: r.credentials,
			message: where(secret) + " " + t.message, next: t.next,
		})
	}
	return v
}
