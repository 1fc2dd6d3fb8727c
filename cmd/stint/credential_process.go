package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
)

const credentialProcessLong = `credential-process trades GRANT and prints AWS's credentials as the setting
credential_process of a profile wants them. Each use is an exchange of its own,
so that nothing lies on disk between them:

  [profile deploy-site]
  region = eu-west-1
  credential_process = stint credential-process deploy-site

What it prints is a secret, so it refuses to print to a terminal unless --show
is given.`

type processOptions struct {
	execOptions
	show, held bool
}

// credentialProcessCommand is credential-process at a venue.
func credentialProcessCommand(w world, at func(world) (venue, error)) *cobra.Command {
	var o processOptions
	c := &cobra.Command{
		Use:   "credential-process GRANT",
		Short: "AWS credentials of a grant, for a profile that wants them",
		Long:  credentialProcessLong,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if onTerminal(w) && !o.show {
				return usage("let AWS's tools run it from a profile; --show prints it here all the same", "the credentials would be shown on this terminal")
			}
			if o.held {
				return printHeld(cmd.Context(), w, args[0])
			}
			v, err := at(w)
			if err != nil {
				return err
			}
			return runCredentialProcess(cmd.Context(), w, v, o, args[0])
		},
	}
	c.Flags().StringVar(&o.file, "file", grant.Path, "the grant `FILE`")
	c.Flags().StringVar(&o.receipts, "receipts", "", "append a JSON line for each event to `FILE`")
	c.Flags().StringVar(&o.tokenFile, "token-file", "", "take the id-token from `FILE` instead of asking the runner")
	c.Flags().BoolVar(&o.show, "show", false, "print to a terminal, too")
	c.Flags().BoolVar(&o.held, "held", false, "ask the stint exec that wrote the profile")
	_ = c.Flags().MarkHidden("held") // profiles of stint exec use it
	return c
}

func onTerminal(w world) bool {
	f, ok := w.stdout.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// runCredentialProcess trades a grant and prints what AWS issued. The session is the
// tool's from here on; AWS cannot end it early.
func runCredentialProcess(ctx context.Context, w world, at venue, o processOptions, name string) error {
	file, err := readGrants(machine{}, o.file, "run it where the repository is checked out, or name the file with --file")
	if err != nil {
		return err
	}
	g, err := file.Grant(name)
	if err != nil {
		return asUsage(err)
	}
	if len(g.Targets) != 1 || g.Targets[0].Provider != "aws" {
		return usage("use stint exec for it", "grant %q does not open aws alone", name)
	}
	if err := notWithin(w, g, o.tokenFile); err != nil {
		return err
	}
	receipts, err := openLedger(o.receipts)
	if err != nil {
		return err
	}
	defer receipts.close(w.stderr)
	l, err := exchange{w: w, at: at, grant: g, source: at.source(w, g, o.tokenFile), receipts: receipts}.open(ctx)
	if err != nil {
		explainRefusal(w.stderr, err)
		return err
	}
	p := processReply{Version: 1, Expiration: stamp(l.Credentials()[0].UsableUntil)}
	for _, v := range l.Vars() {
		switch v.Name {
		case "AWS_ACCESS_KEY_ID":
			p.AccessKeyID = v.Value.Reveal()
		case "AWS_SECRET_ACCESS_KEY":
			p.SecretAccessKey = v.Value.Reveal()
		case "AWS_SESSION_TOKEN":
			p.SessionToken = v.Value.Reveal()
		}
	}
	return p.print(w)
}

// A processReply is what credential_process prints. Source: "Sourcing credentials with
// an external process", AWS SDKs and Tools Reference Guide.
type processReply struct {
	Version         int
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      string
}

func (p processReply) print(w world) error {
	if p.AccessKeyID == "" || p.SecretAccessKey == "" || p.SessionToken == "" {
		return &failure{exitIncomplete, "there are no keys to print", "run the outer command again"}
	}
	return json.NewEncoder(w.stdout).Encode(p)
}

var grantName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

const (
	maxHeldBytes = 64 << 10 // of the file, and of the answer
	heldTimeout  = 95 * time.Second
)

// printHeld asks the broker that the profile's own directory names.
func printHeld(ctx context.Context, w world, name string) error {
	over := func(err error) error {
		return &failure{exitIncomplete, fmt.Sprintf("the stint exec that holds grant %q does not answer: %v", name, err), "run the command again under stint exec --mode profile"}
	}
	if !grantName.MatchString(name) {
		return usage("leave --held to the profiles of stint exec", "%q is not a grant", name)
	}
	b, err := readBounded(machine{}, filepath.Join(filepath.Dir(w.getenv("AWS_CONFIG_FILE")), heldPrefix+name+heldSuffix), maxHeldBytes)
	if err != nil {
		return over(errGone)
	}
	var to heldBy
	if err := json.Unmarshal(b, &to); err != nil {
		return over(errGone)
	}
	reply, err := askHeld(ctx, to)
	if err != nil {
		return over(err)
	}
	return reply.print(w)
}

var errGone = fmt.Errorf("it has ended")

func askHeld(ctx context.Context, to heldBy) (p processReply, err error) {
	u, err := url.Parse(to.URL)
	if err != nil || !onLoopback(u) {
		return p, errGone
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return p, errGone
	}
	req.Header.Set("Authorization", oidc.NewSecret(to.Bearer).Reveal())
	client := http.Client{
		Timeout: heldTimeout, Transport: &http.Transport{DisableKeepAlives: true}, // and no proxy
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		return p, errGone
	}
	defer resp.Body.Close()
	body, err := readAll(resp.Body, maxHeldBytes)
	if err != nil || resp.StatusCode != http.StatusOK {
		return p, fmt.Errorf("status %d", resp.StatusCode)
	}
	var answer struct{ AccessKeyID, SecretAccessKey, Token, Expiration string }
	if json.Unmarshal(body, &answer) != nil {
		return p, errGone
	}
	return processReply{1, answer.AccessKeyID, answer.SecretAccessKey, answer.Token, answer.Expiration}, nil
}
