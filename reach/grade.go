package reach

import (
	"slices"

	"github.com/stint-dev/stint/workflows/platform"
)

// A Severity is how much a finding matters, rising.
type Severity int

// Severities.
const (
	Info Severity = iota
	Low
	Medium
	High
	Critical
)

// Severities by name, in rising order.
var severityNames = [...]string{"info", "low", "medium", "high", "critical"}

// String returns the lower-case name.
func (s Severity) String() string { return severityNames[s] }

// ParseSeverity reads a lower-case name.
func ParseSeverity(name string) (Severity, bool) {
	for i, n := range severityNames {
		if n == name {
			return Severity(i), true
		}
	}
	return Info, false
}

// An Exposure is what a finding is graded by.
type Exposure struct {
	// Credentials are those that could be taken.
	Credentials []*Credential
	// Steer is how far the code that could take them is steered from outside.
	Steer Trust
	// Start is who can start the job.
	Start platform.Starter
	// Autonomy is set when the job acts without a person in the loop.
	Autonomy bool
}

// Only returns the exposure of the credentials of the given kinds alone.
func (e Exposure) Only(kinds ...Kind) Exposure {
	all := e.Credentials
	e.Credentials = nil
	for _, c := range all {
		if slices.Contains(kinds, c.Kind) {
			e.Credentials = append(e.Credentials, c)
		}
	}
	return e
}

// Stake is what is lost at most, rising: the rows of the table in lint/README.md.
type Stake int

// Stakes.
const (
	NothingAtStake  Stake = iota // no credential
	ReadAtStake                  // a job-lived token that only reads
	WriteAtStake                 // a job-lived or minted credential that can change something
	StandingAtStake              // a credential that stays usable after the job
)

// Stake returns the highest stake among the credentials.
func (e Exposure) Stake() Stake {
	worst := NothingAtStake
	for _, c := range e.Credentials {
		s := ReadAtStake
		switch {
		case c.Lifetime == Standing:
			s = StandingAtStake
		case c.Writes || c.Lifetime == ForHours:
			s = WriteAtStake
		}
		worst = max(worst, s)
	}
	return worst
}

// gradeTable is severity by stake (rows) and by steering (columns: own code;
// pinned, same owner or platform; mutable, inside or fetched; agent; outsider;
// malicious).
var gradeTable = [...][6]Severity{
	NothingAtStake:  {Info, Info, Low, Low, Low, High},
	ReadAtStake:     {Info, Info, Low, Medium, Medium, High},
	WriteAtStake:    {Low, Low, Medium, High, High, Critical},
	StandingAtStake: {Medium, Medium, High, Critical, Critical, Critical},
}

// Grade is the one function of severity: a look-up by stake and steering, raised
// by one step when anyone can start the job and its code is foreign, and by one
// when a standing credential is in a job that acts by itself beside foreign code.
// Raising stops at Critical and nothing at stake is never raised.
func Grade(e Exposure) Severity {
	stake := e.Stake()
	s := gradeTable[stake][column(e.Steer)]
	if stake == NothingAtStake || !e.Steer.Foreign() {
		return s
	}
	if e.Start == platform.StartAnyone {
		s++
	}
	if e.Autonomy && stake == StandingAtStake {
		s++
	}
	return min(s, Critical)
}

func column(t Trust) int {
	switch {
	case t >= MaliciousCode:
		return 5
	case t >= OutsiderCode:
		return 4
	case t >= AgentCode:
		return 3
	case t.Foreign():
		return 2
	case t > OwnCode:
		return 1
	}
	return 0
}
