package longsession

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// maxJob is how long a job on a hosted runner may take when it does not say. Source:
// GitHub's documentation of timeout-minutes, 2026-11.
const maxJob = 360 * time.Minute

// usual is the lifetime that the clouds give by default: less is no defect where the
// job states no time of its own.
const usual = time.Hour

// shortest is the least that a role's session can be asked for. Source: AWS STS,
// AssumeRoleWithWebIdentity, DurationSeconds, 2026-11.
const shortest = 15 * time.Minute

// judgeLifetime reports a lifetime that is longer than the job can take.
func judgeLifetime(p *lint.Pass, s *workflows.Step, job *reach.Job) {
	info, _ := platform.LookupAction(s.Uses.FullName())
	for _, e := range s.With.All() {
		if info.Inputs[strings.ToLower(e.Key.Value)] != platform.RoleLifetime {
			continue
		}
		text, constant := e.Value.Const()
		life, ok := duration(text)
		if !constant || !ok || life <= usual && limit(job) == 0 {
			continue
		}
		report(p, s, job, e, life)
	}
}

func report(p *lint.Pass, s *workflows.Step, job *reach.Job, e workflows.Entry, life time.Duration) {
	most := limit(job)
	f := finding(p, s, job)
	f.Span = e.Value.Span
	switch {
	case most == 0 && life > maxJob:
		f.Message = fmt.Sprintf("the session lives for %s, longer than any job on a hosted runner%s", words(life), f.Message)
	case most == 0:
		f.Message = fmt.Sprintf("the session lives for %s, and the job says nowhere that it takes so long%s", words(life), f.Message)
		f.Strict = true
	case life < 2*max(most, shortest) && life < most+usual:
		return // no more than it takes to be on the safe side
	default:
		f.Message = fmt.Sprintf("the session lives for %s, the job at most for %s%s", words(life), words(most), f.Message)
	}
	f.Next = "ask for no more time than the job takes, and state that in timeout-minutes"
	if most > 0 && job.File == p.File {
		seconds := strconv.Itoa(int(max(most, shortest).Seconds()))
		if strings.HasSuffix(e.Value.Value, "s") {
			seconds += "s"
		}
		if edits, ok := p.File.SetStepWith(s, e.Key.Value, seconds); ok && secondsForm.MatchString(e.Value.Value) {
			f.Fixes = []lint.Fix{{Title: "let the session end with the job", Safe: true, Edits: edits}}
		}
	}
	p.Report(f)
}

// limit returns the time that the job states for itself, 0 for none.
func limit(job *reach.Job) time.Duration {
	if job == nil {
		return 0
	}
	text, ok := job.Job.Timeout.Const()
	minutes, err := strconv.Atoi(text)
	if !ok || err != nil || minutes <= 0 || minutes > 100_000 {
		return 0
	}
	return time.Duration(minutes) * time.Minute
}

var secondsForm = regexp.MustCompile(`^[0-9]+s?$`)

// duration reads 3600, 3600s or 1h30m.
func duration(text string) (time.Duration, bool) {
	if secondsForm.MatchString(text) && !strings.HasSuffix(text, "s") {
		text += "s"
	}
	d, err := time.ParseDuration(text)
	return d, err == nil && d > 0
}

// words writes a duration for people: 5h, 90m, 45s.
func words(d time.Duration) string {
	text := d.Round(time.Second).String()
	text = strings.TrimSuffix(text, "0s")
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
