package org

import (
	"slices"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows/platform"
)

// Starter returns the most dangerous of those who can start the job.
func (j *Job) Starter() platform.Starter {
	worst := platform.StartWriter
	for _, s := range j.Starts {
		for who := worst + 1; who <= platform.StartAnyone; who++ {
			if s.Who == who.String() {
				worst = who
			}
		}
	}
	return worst
}

// WorstCode returns the code that is steered furthest from outside, and how far; nil
// when the job runs none that is known.
func (j *Job) WorstCode() (*reach.DocumentCode, reach.Trust) {
	var worst *reach.DocumentCode
	trust := reach.OwnCode
	for i := range j.Code {
		if t := TrustOf(&j.Code[i]); worst == nil || t > trust {
			worst, trust = &j.Code[i], t
		}
	}
	return worst, trust
}

// TrustOf returns how far code can be steered from outside.
func TrustOf(c *reach.DocumentCode) reach.Trust {
	for t := reach.MaliciousCode; t > reach.OwnCode; t-- {
		if t.String() == c.Trust {
			return t
		}
	}
	return reach.OwnCode
}

// Standing names the standing credentials of the job.
func (j *Job) Standing() []string {
	var out []string
	for _, c := range j.Credentials {
		if c.Lifetime == standing {
			out = append(out, c.Name)
		}
	}
	return out
}

// ActsAlone reports whether an agent acts in the job or anybody can start it, so that no
// person is in the loop.
func (j *Job) ActsAlone() bool { return actsAlone(j.Autonomy, j.Starter()) }

func actsAlone(autonomy []string, who platform.Starter) bool {
	return slices.Contains(autonomy, "agent") || who == platform.StartAnyone
}
