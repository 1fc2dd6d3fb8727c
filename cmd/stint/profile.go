package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/broker"
	"github.com/stint-dev/stint/oidc/lease"
)

const (
	configName = "aws-config"
	// heldPrefix and heldSuffix are around the grant's name in the file that tells
	// `stint credential-process --held` whom to ask.
	heldPrefix, heldSuffix = "held-", ".json"
)

// shellSafe are paths that a shell takes to the letter within quotes. AWS's tools run
// a credential_process with one.
var shellSafe = regexp.MustCompile(`^[A-Za-z0-9_./\\:@+=, ~()-]+$`)

// profiles are a private AWS configuration with a profile for each grant. No key is in
// it: each profile runs `stint credential-process`.
type profiles struct {
	self string // the path of this program
	dir  *lease.Directory
	list []string // grants
	text strings.Builder
}

// newProfiles makes an empty configuration, kept for the job, or for this process.
func newProfiles(w world, job string) (*profiles, error) {
	self, err := os.Executable()
	if err != nil || !shellSafe.MatchString(self) {
		return nil, &failure{exitIncomplete, fmt.Sprintf("a profile cannot run stint by its path %q", self), "put the program at a plain path, or use another mode"}
	}
	dir, err := lease.NewDirectory(w.getenv("RUNNER_TEMP"), job)
	return &profiles{self: self, dir: dir}, err
}

// A heldBy names the endpoint of a broker to credential-process.
type heldBy struct {
	URL    string `json:"url"`
	Bearer string `json:"bearer"`
}

// add adds the profile of a grant whose lease another process holds.
func (p *profiles) add(grantName, region string, e *broker.Endpoint) error {
	text, err := json.Marshal(heldBy{e.URL, e.Bearer.Reveal()})
	if err != nil {
		return err
	}
	if _, err := p.dir.Put(heldPrefix+grantName+heldSuffix, oidc.NewSecret(string(text))); err != nil {
		return err
	}
	return p.write(grantName, region, "--held "+grantName)
}

// addAsking adds the profile of a grant that each use asks for itself.
func (p *profiles) addAsking(grantName, region, file string) error {
	if !shellSafe.MatchString(file) {
		return usage("put the grant file at a plain path", "a profile cannot name the grant file %q", file)
	}
	return p.write(grantName, region, fmt.Sprintf(`%s --file "%s"`, grantName, file))
}

func (p *profiles) write(grantName, region, args string) error {
	p.list = append(p.list, grantName)
	fmt.Fprintf(&p.text, "[profile %s]\nregion = %s\ncredential_process = \"%s\" credential-process %s\n", grantName, region, p.self, args)
	_, err := p.dir.Put(configName, oidc.NewSecret(p.text.String()))
	return err
}

// vars point AWS's tools to the configuration. The first grant is the profile of tools
// that are told none.
func (p *profiles) vars() []oidc.Var {
	return []oidc.Var{
		{Name: "AWS_CONFIG_FILE", Value: oidc.NewSecret(filepath.Join(p.dir.Path(), configName)), Public: true},
		{Name: "AWS_PROFILE", Value: oidc.NewSecret(p.list[0]), Public: true},
	}
}

func (p *profiles) remove() error { return p.dir.Remove() }
