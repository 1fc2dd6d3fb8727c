package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/oidc/sandbox"
)

// emptied checks that nothing was handed to the job and that no directory is left.
func (s *scene) emptied(t *testing.T) {
	t.Helper()
	for _, name := range []string{"GITHUB_ENV", "GITHUB_OUTPUT"} {
		if text := s.read(t, name); text != "" {
			t.Errorf("%s holds %q", name, text)
		}
	}
	s.noLeaseLeft(t)
}

func (s *scene) noLeaseLeft(t *testing.T) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(s.env["RUNNER_TEMP"], "stint-lease-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

// A network that hangs up, at each stage of main and in each mode that exchanges: the
// job has nothing, and the state lists nothing, because nothing was issued.
func TestMainOnADeadNetwork(t *testing.T) {
	for _, endpoint := range []sandbox.Endpoint{sandbox.EndpointIssuer, sandbox.EndpointSTS} {
		for _, mode := range []string{modeEnv, modeFile} {
			s := newActionScene(t, func(c sandbox.Call) *sandbox.Fault {
				if c.Endpoint == endpoint {
					return &sandbox.Fault{Drop: true}
				}
				return nil
			})
			s.env["INPUT_MODE"] = mode
			if status := s.action(t, "main"); status != exitIncomplete {
				t.Errorf("%v, %s: status %d", endpoint, mode, status)
			}
			if state := settings(s.env["GITHUB_STATE"]); !slices.Equal(state, []string{"lease="}) || strings.Contains(s.stdout.String(), "::add-mask::") {
				t.Errorf("%v, %s: state %q", endpoint, mode, s.read(t, "GITHUB_STATE"))
			}
			s.emptied(t)
			s.noSecrets(t, "")
		}
	}
}

// A job that is cancelled while the credential is on its way gets nothing: main ends
// what came, and post, which has its handle, ends it again.
func TestMainCancelledDuringTheExchange(t *testing.T) {
	s, p := newCloudScene(t, "vault")
	s.withRunnerFiles(t)
	ctx, cancel := context.WithCancel(t.Context())
	next := s.at.transport
	s.at.transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if err != nil || !strings.HasSuffix(r.URL.Path, "/login") {
			return resp, err
		}
		body, err := io.ReadAll(resp.Body) // so that the answer is not lost with the context
		resp.Body = io.NopCloser(bytes.NewReader(body))
		cancel()
		return resp, err
	})
	c := actionCommand(s.w, func(world) (venue, error) { return s.at, nil })
	c.SetArgs([]string{"main"})
	c.SilenceErrors, c.SilenceUsage = true, true
	if err := c.ExecuteContext(ctx); err == nil || statusOf(err) != exitIncomplete {
		t.Errorf("%v", err)
	}
	if p.taken != 1 || len(p.alive) != 0 {
		t.Errorf("%d tokens were taken, %d credentials live", p.taken, len(p.alive))
	}
	s.emptied(t)
	s.giveState()
	s.stdout.Reset()
	if status := s.action(t, "post"); status != exitOK {
		t.Errorf("post: status %d\n%s", status, s.stderr.String())
	}
}

// openVault runs main for Vault and gives post its state. What the state holds for
// revoking is taken out of what may not be seen.
func openVault(t *testing.T) (*scene, *party) {
	t.Helper()
	s, p := newCloudScene(t, "vault")
	s.withRunnerFiles(t)
	if status := s.action(t, "main"); status != exitOK || len(p.alive) != 1 {
		t.Fatalf("main: status %d\n%s", status, s.stderr.String())
	}
	s.giveState()
	s.hideHandOver(t)
	if err := os.WriteFile(s.env["GITHUB_STATE"], nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return s, p
}

// The state and the record are there to be revoked, and go with the revocation; the
// post step of a cancelled job does it too.
func TestPostOfACancelledJob(t *testing.T) {
	s, p := openVault(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := actionCommand(s.w, func(world) (venue, error) { return s.at, nil })
	c.SetArgs([]string{"post"})
	if err := c.ExecuteContext(ctx); err != nil || len(p.alive) != 0 {
		t.Errorf("%v, %d live", err, len(p.alive))
	}
	s.noLeaseLeft(t)
	s.noSecrets(t, "")
}

// Post on a dead network says what is open and until when, and claims no end.
func TestPostOnADeadNetwork(t *testing.T) {
	s, p := openVault(t)
	s.at.transport = roundTrip(func(*http.Request) (*http.Response, error) { return nil, timeout{} })
	if status := s.action(t, "post"); status != exitIncomplete || len(p.alive) != 1 {
		t.Errorf("status %d, %d live", status, len(p.alive))
	}
	said := s.stdout.String() + s.stderr.String()
	if !strings.Contains(said, "may stay valid until 2026-11-21T12:15:00Z") || strings.Contains(said, "deploy-site: revoked") {
		t.Errorf("it says\n%s", said)
	}
	s.noLeaseLeft(t)
	s.noSecrets(t, "")
}

// A lost job left its record on a machine of one's own: the first step of the next job
// revokes what is in it, and so does a job whose network is dead not claim to.
func TestNextJobEndsWhatALostJobHad(t *testing.T) {
	for _, alive := range []bool{true, false} {
		s, p := openVault(t)
		s.env["GITHUB_RUN_ID"] = "2" // of the next job
		s.env["INPUT_GRANT"] = "no-such-grant"
		delete(s.env, "STATE_lease")
		if !alive {
			s.at.transport = roundTrip(func(*http.Request) (*http.Response, error) { return nil, timeout{} })
		}
		path := filepath.Join(t.TempDir(), "receipts.jsonl")
		receipts, err := openLedger(path)
		if err != nil {
			t.Fatal(err)
		}
		saySwept(t.Context(), s.w, s.at, jobKey(s.w), receipts)
		receipts.close(&s.stderr)
		if text, err := os.ReadFile(path); err != nil || !strings.Contains(string(text), `"kind":"end"`) || strings.Contains(string(text), `"outcome":"revoked"`) != alive {
			t.Errorf("%v, the receipt is %s", err, text)
		}
		said := s.stderr.String()
		want := "stint: deploy-site: revoked, with all that was leased under it"
		if !alive {
			want = "may stay valid until 2026-11-21T12:15:00Z"
		}
		if !strings.Contains(said, want) || (len(p.alive) == 0) != alive {
			t.Errorf("%d live\n%s", len(p.alive), said)
		}
		s.noLeaseLeft(t)
		s.noSecrets(t, "")
	}
}

// The summary, the outputs, the annotations and the log of a step, from main to post,
// for every cloud: what is secret is in the variables or a private file, in a mask, and
// in what revokes it, and nowhere else.
func TestActionOfEveryCloudShowsNoSecret(t *testing.T) {
	for _, c := range cloudCases {
		t.Run(c.name, func(t *testing.T) {
			s, p := newCloudScene(t, c.name)
			s.withRunnerFiles(t)
			if status := s.action(t, "main"); status != exitOK || p.taken == 0 {
				t.Fatalf("main: status %d\n%s", status, s.stderr.String())
			}
			s.giveState()
			handed := s.read(t, "GITHUB_ENV") + s.stdout.String()
			if got := strings.Contains(handed, cloudCanary); got != (c.modes[modeEnv] == handsToken) {
				t.Errorf("the job has the cloud's token: %v", got)
			}
			s.hideHandOver(t)
			if err := os.WriteFile(s.env["GITHUB_STATE"], nil, 0o600); err != nil {
				t.Fatal(err)
			}
			private := filepath.Join(t.TempDir(), "private")
			for _, move := range [][2]string{{s.env["RUNNER_TEMP"], private}, {private, s.env["RUNNER_TEMP"]}} {
				if err := os.Rename(move[0], move[1]); err != nil {
					t.Fatal(err)
				}
				if move[1] == private {
					s.noSecrets(t, "")
				}
			}
			if status := s.action(t, "post"); status != exitOK || !strings.Contains(s.stdout.String(), c.end) {
				t.Errorf("post: status %d\n%s%s", status, s.stdout.String(), s.stderr.String())
			}
			s.noLeaseLeft(t)
			s.noSecrets(t, "")
		})
	}
}

// The credentials that credential-process prints are in its output and nowhere else.
func TestCredentialProcessShowsNoSecretElsewhere(t *testing.T) {
	s := newScene(t, grants, nil)
	o := processOptions{execOptions: execOptions{file: s.file, receipts: filepath.Join(s.dir, "receipts.jsonl")}}
	if err := runCredentialProcess(t.Context(), s.w, s.at, o, "deploy-site"); err != nil {
		t.Fatal(err)
	}
	if len(s.secrets) != 6 { // bearer, ambient, token and its signature, key, session token
		t.Fatalf("%d secrets are known", len(s.secrets))
	}
	for _, secret := range s.secrets[4:] {
		if !strings.Contains(s.stdout.String(), secret) {
			t.Error("a secret is not handed over")
		}
	}
	s.stdout.Reset()
	s.noSecrets(t, "")
}
