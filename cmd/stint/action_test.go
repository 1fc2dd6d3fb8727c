package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/lint/report"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/lease"
	"github.com/stint-dev/stint/oidc/sandbox"
)

// newActionScene is a scene whose job has what the runner gives to the action.
func newActionScene(t *testing.T, fault func(sandbox.Call) *sandbox.Fault) *scene {
	t.Helper()
	s := newScene(t, grants, fault)
	s.env["RUNNER_TEMP"] = s.dir
	s.withRunnerFiles(t)
	return s
}

// withRunnerFiles gives a scene's job what the runner gives to the action.
func (s *scene) withRunnerFiles(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{"INPUT_GRANT": "deploy-site", "INPUT_FILE": "stint.yml", "INPUT_MODE": "env",
		"GITHUB_WORKSPACE": s.dir,
	} {
		s.env[name] = value
	}
	for _, name := range []string{"GITHUB_ENV", "GITHUB_STATE", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"} {
		s.env[name] = filepath.Join(s.dir, name)
		if err := os.WriteFile(s.env[name], nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// action runs main or post as the program does, outputs and annotations included.
func (s *scene) action(t *testing.T, stage string) int {
	t.Helper()
	c := actionCommand(s.w, func(world) (venue, error) { return s.at, nil })
	c.SetArgs([]string{stage})
	c.SilenceErrors, c.SilenceUsage = true, true
	err := c.ExecuteContext(t.Context())
	var status errStatus
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &status):
		return int(status)
	}
	printError(&s.stderr, err)
	return statusOf(err)
}

// giveState gives post what main saved, as the runner does: the last of each name.
func (s *scene) giveState() {
	for _, setting := range settings(s.env["GITHUB_STATE"]) {
		name, value, _ := strings.Cut(setting, "=")
		s.env["STATE_"+name] = value
	}
}

// file returns what was written to a file of the runner.
func (s *scene) read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(s.env[name])
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var masks = regexp.MustCompile(`(?m)^::add-mask::.*\n`)

// hideHandOver takes away the two places where the secrets belong: the masks, which
// the runner does not show, and the variables of the job.
func (s *scene) hideHandOver(t *testing.T) {
	t.Helper()
	if !strings.HasPrefix(s.stdout.String(), "::add-mask::") {
		t.Errorf("the masks are not first:\n%s", s.stdout.String())
	}
	out := masks.ReplaceAllString(s.stdout.String(), "")
	s.stdout.Reset()
	s.stdout.WriteString(out)
	if err := os.WriteFile(s.env["GITHUB_ENV"], nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A job from main to post: the secrets are in the masks and in the variables of the
// job, and in nothing else that was written anywhere.
func TestActionShowsNoSecret(t *testing.T) {
	s := newActionScene(t, nil)
	if status := s.action(t, "main"); status != exitOK {
		t.Fatalf("main ends with %d\n%s", status, s.stderr.String())
	}
	handed := s.read(t, "GITHUB_ENV")
	if len(s.secrets) != 6 { // bearer, ambient, token and its signature, key, session token
		t.Fatalf("%d secrets are known", len(s.secrets))
	}
	for _, secret := range s.secrets[4:] {
		if !strings.Contains(handed, secret) || !strings.Contains(s.stdout.String(), "::add-mask::"+secret+"\n") {
			t.Error("a secret was handed over without a mask, or not at all")
		}
	}
	s.hideHandOver(t)
	s.noSecrets(t, "")

	// Post works from the state alone: of the grant file and the inputs nothing is left.
	if err := os.Remove(s.file); err != nil {
		t.Fatal(err)
	}
	if s.giveState(); !strings.HasPrefix(s.env["STATE_lease"], "{") {
		t.Fatalf("the state is %q", s.env["STATE_lease"])
	}
	for _, name := range []string{"INPUT_GRANT", "INPUT_FILE", "ACTIONS_ID_TOKEN_REQUEST_URL", "GITHUB_WORKSPACE"} {
		s.env[name] = "nonsense"
	}
	s.pass(time.Minute)
	if status := s.action(t, "post"); status != exitOK {
		t.Fatalf("post ends with %d\n%s", status, s.stderr.String())
	}
	s.noSecrets(t, "")
	if said := s.stdout.String(); !strings.Contains(said, "session policy denies everything from 2026-11-21T12:02:00Z") {
		t.Errorf("post says\n%s", said)
	}
	for _, variable := range settings(s.env["GITHUB_ENV"]) {
		if _, value, _ := strings.Cut(variable, "="); value != "" {
			t.Errorf("post sets %q", variable)
		}
	}
	outputs := strings.Join(settings(s.env["GITHUB_OUTPUT"]), "\n")
	if want := "expires=2026-11-21T12:02:00Z\nidentity=arn:aws:sts::111122223333:assumed-role/site-deploy/gh-1-1-site\nreceipts=" + filepath.Join(s.dir, receiptsName); outputs != want {
		t.Errorf("the outputs are\n%s", outputs)
	}
	if s.stderr.Len() > 0 {
		t.Errorf("stderr: %s", s.stderr.String())
	}
}

// When the hand-over fails, the job has nothing, the lease is ended at once, and
// post has what it needs to say so again.
func TestActionThatCannotHandOver(t *testing.T) {
	for _, file := range []string{"GITHUB_ENV", "GITHUB_STATE", "GITHUB_OUTPUT"} {
		var s *scene
		s = newActionScene(t, func(c sandbox.Call) *sandbox.Fault {
			if c.Endpoint == sandbox.EndpointSTS { // after the files were looked at
				_ = os.Remove(s.env[file])
				_ = os.Mkdir(s.env[file], 0o700)
			}
			return nil
		})
		if status := s.action(t, "main"); status != exitIncomplete {
			t.Errorf("%s: status %d", file, status)
		}
		said := s.stderr.String()
		if !strings.Contains(said, "stint: deploy-site: aws cannot end a session early") || !strings.Contains(said, "stint: error: "+file) {
			t.Errorf("%s: stderr is\n%s", file, said)
		}
		if !strings.Contains(s.stdout.String(), "::error title=stint::"+file) {
			t.Errorf("%s: there is no annotation:\n%s", file, s.stdout.String())
		}
		if file != "GITHUB_ENV" && s.read(t, "GITHUB_ENV") != "" {
			t.Errorf("%s: the job has %q", file, s.read(t, "GITHUB_ENV"))
		}
		s.stdout.Reset() // the masks may be there
		s.noSecrets(t, "")
	}
}

// forged is a state that a step in between sets as a variable: what it lists is not
// what main opened, and its server is not the cloud's.
const forged = `{"version":1,"grant":"forged","grant_digest":"","handles":[{"provider":"aws","grant":"forged","id":"x","identity":"y",` +
	`"expires":"2199-01-01T00:00:00Z","usable_until":"2199-01-01T00:00:00Z"}],"vars":["FORGED"]}`

// Post ends what main saved, and no state that another step put beside or in its place.
func TestPostTakesNoForgedState(t *testing.T) {
	for _, row := range []struct{ grant, says string }{
		{"deploy-site", "deploy-site: aws cannot end"}, {"no-such-grant", "this step opened nothing"},
	} {
		s := newActionScene(t, nil)
		s.env["STATE_lease"], s.env["STATE_lease_2"] = forged, forged
		s.env["INPUT_GRANT"] = row.grant
		status := s.action(t, "main")
		s.giveState()
		s.stdout.Reset()
		if s.action(t, "post") != exitOK || (status == exitOK) != (row.grant == "deploy-site") {
			t.Errorf("%s: main ends with %d\n%s", row.grant, status, s.stderr.String())
		}
		said := s.stdout.String() + s.read(t, "GITHUB_ENV") + s.read(t, "GITHUB_STEP_SUMMARY")
		if !strings.Contains(said, row.says) || strings.Contains(said, "forged") || strings.Contains(said, "FORGED") {
			t.Errorf("%s: post says\n%s", row.grant, said)
		}
	}
}

// What revokes is masked before it is saved, also where it is handed to nobody: the
// runner's debug log shows what it saves.
func TestSavedStateIsMasked(t *testing.T) {
	s := newActionScene(t, nil)
	state, err := lease.DecodeState([]byte(strings.Replace(forged, `"usable_until"`, `"revoke":"hvs.`+cloudCanary+`","usable_until"`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	var masked bool
	step := actionStep{action: action{world: s.w}}
	step.files.state = lease.RunnerFile{Name: "GITHUB_STATE", Path: s.env["GITHUB_STATE"]}
	step.commands = writerFunc(func(p []byte) (int, error) {
		masked = strings.Contains(string(p), "::add-mask::hvs."+cloudCanary+"\n") && s.read(t, "GITHUB_STATE") == ""
		return len(p), nil
	})
	if err := step.save(1, state); err != nil || !masked || !strings.Contains(s.read(t, "GITHUB_STATE"), cloudCanary) {
		t.Errorf("masked %v, %v", masked, err)
	}
	step.commands = writerFunc(func([]byte) (int, error) { return 0, errors.New("closed") })
	if err := step.save(2, state); err == nil || strings.Count(s.read(t, "GITHUB_STATE"), cloudCanary) > 1 {
		t.Errorf("it was saved without a mask: %v", err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// What a step prints of others' text is no command to the runner.
func TestStepLogLeavesNoCommand(t *testing.T) {
	var b strings.Builder
	if n, err := report.Inert(&b).Write([]byte("a ##[add-path]b")); n != 15 || err != nil || b.String() != "a ## [add-path]b" {
		t.Errorf("%d, %v, %q", n, err, b.String())
	}
	b.Reset()
	refused := grant.Decision{Grant: "g", Reasons: []grant.Reason{{Claim: "environment", Got: strings.Repeat("x", 60) + " ::stop-commands::x"}}}
	if err := grant.WriteDecision(report.Inert(&b), refused); err != nil || !strings.Contains(b.String(), "\n              : :stop-commands::x\n") {
		t.Errorf("%v, %q", err, b.String())
	}
	b.Reset()
	annotate(&b, "error", &failure{message: "one\n::warning::100%", hint: "two ##[group]x"})
	if got := b.String(); got != "::error title=stint::one ::warning::100%25%0Atwo ## [group]x\n" {
		t.Errorf("%q", got)
	}
}

// Text of others stays text on the page of the run.
func TestSummaryEscapes(t *testing.T) {
	for text, want := range map[string]string{
		"a_b":         "`a_b`",
		"a`b|c":       "<code>a&#96;b&#124;c</code>",
		"":            "<code></code>",
		"a\n| b":      "<code>a &#124; b</code>",
		"<img src=x>": "`<img src=x>`",
	} {
		if got := code(text); got != want {
			t.Errorf("code(%q) is %q, want %q", text, got, want)
		}
	}
	if got := plain("**x** <b>@all</b> [a](b) | c"); strings.ContainsAny(got, "*<>@[]|") {
		t.Errorf("plain leaves %q", got)
	}
}
