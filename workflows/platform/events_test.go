package platform

import (
	"strings"
	"testing"
	"time"
)

func TestEventTable(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range eventTable {
		if e.Name != strings.ToLower(e.Name) || seen[e.Name] {
			t.Errorf("%s: not in lower case, or there twice", e.Name)
		}
		seen[e.Name] = true
		if e.Source == "" || e.Subject == "" {
			t.Errorf("%s: source %q, subject %q", e.Name, e.Source, e.Subject)
		}
		if _, err := time.Parse(time.DateOnly, e.Date); err != nil {
			t.Errorf("%s: date: %v", e.Name, err)
		}
		if e.Stopped != "" && e.Starter != StartWriter && e.Remains == "" {
			t.Errorf("%s: says what was stopped and not for whom it was not", e.Name)
		}
		if (e.By != "") != (e.Starter >= StartForkSandboxed) {
			t.Errorf("%s: an outsider starts it, or nobody outside does: By is %q", e.Name, e.By)
		}
		if e.AnyoneText && e.Starter < StartForkSandboxed {
			t.Errorf("%s: an outsider's text in a run that only writers start", e.Name)
		}
	}
}

func TestLookupEvent(t *testing.T) {
	for name, want := range map[string]Starter{
		"push": StartWriter, "schedule": StartWriter, "workflow_dispatch": StartWriter, "repository_dispatch": StartWriter, "release": StartWriter,
		"workflow_call": StartCaller,
		"pull_request":  StartForkSandboxed, "pull_request_review": StartForkSandboxed,
		"pull_request_target": StartAnyone, "issue_comment": StartAnyone, "issues": StartAnyone, "workflow_run": StartAnyone,
		"discussion": StartAnyone, "Pull_Request_Target": StartAnyone, "watch": StartAnyone,
	} {
		if e, ok := LookupEvent(name); !ok || e.Starter != want {
			t.Errorf("LookupEvent(%q) = %v, %v; want %v", name, e.Starter, ok, want)
		}
	}
	if e, ok := LookupEvent("no_such_event"); ok || e.Name != "no_such_event" || e.Starter != StartWriter {
		t.Errorf("unknown event: %+v, %v", e, ok)
	}
	if e, _ := LookupEvent("pull_request_target"); e.Stopped == "" || e.Remains == "" || e.Subject != "pull_request" {
		t.Errorf("pull_request_target: %+v", e)
	}
}

// The contexts name events; all of them must be in the table.
func TestContextEventsAreKnown(t *testing.T) {
	for _, line := range contexts {
		for _, name := range line.Events {
			if _, ok := LookupEvent(name); !ok {
				t.Errorf("%s: unknown event %q", line.Path, name)
			}
		}
	}
}

func TestLacks(t *testing.T) {
	for _, c := range []struct {
		event, object string
		want          bool
	}{
		{"issues", "comment", true}, {"issues", "issue", false}, {"issue_comment", "pull_request", true}, {"push", "pull_request", true},
		{"pull_request_review", "review", false}, {"push", "head_commit", false}, {"of_tomorrow", "issue", false},
	} {
		if got := Lacks(c.event, c.object); got != c.want {
			t.Errorf("%s lacks %s: %t", c.event, c.object, got)
		}
	}
}
