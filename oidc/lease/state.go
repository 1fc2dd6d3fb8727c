package lease

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stint-dev/stint/oidc"
)

// StateVersion is the version of the state's form.
const StateVersion = 1

// Limits of a state. It comes back through a file of the runner that other code
// of the job can reach, so it is read as any foreign input.
const (
	MaxStateBytes   = 64 << 10
	maxStateHandles = 32
	maxStateVars    = 256
	maxRevokeBytes  = 16 << 10
	maxStatePath    = 4096 // bytes
)

// A State is what main leaves for post: which credentials are open and how their
// clouds name them. The only secret in it is what revocation needs.
type State struct {
	Version     int           `json:"version"`
	Grant       string        `json:"grant"`
	GrantDigest string        `json:"grant_digest"`
	Handles     []oidc.Handle `json:"handles"` // in the order of issue
	Vars        []string      `json:"vars"`    // names of the variables handed over
	// Dir is the directory of the private files, "" without any; see [State.RemoveListed].
	Dir string `json:"dir,omitempty"`
}

// Encode returns the state as one line of JSON. It refuses a state that Decode
// would refuse.
func (s State) Encode() ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // so that what was read can be written within the limit
	if err := enc.Encode(s); err != nil || b.Len() > MaxStateBytes {
		return nil, stateError("it is larger than %d bytes", MaxStateBytes)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Secrets are what is to be masked before the state is written: the runner's debug log
// shows what it saves. A credential may be revoked by another secret than it is.
func (s State) Secrets() []oidc.Var {
	var list []oidc.Var
	for _, h := range s.Handles {
		list = append(list, oidc.Var{Name: "revoke", Value: oidc.NewSecret(h.Revoke)})
	}
	return list
}

// DecodeState reads a state strictly: unknown fields, another version, anything
// after it, and values out of their limits are errors. Errors never quote it.
func DecodeState(b []byte) (State, error) {
	if len(b) > MaxStateBytes {
		return State{}, stateError("it is larger than %d bytes", MaxStateBytes)
	}
	if !utf8.Valid(b) {
		return State{}, stateError("it is not text")
	}
	var s State
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		return State{}, stateError("it is not json of the expected form")
	}
	if _, err := dec.Token(); err != io.EOF {
		return State{}, stateError("there is something after it")
	}
	return s, s.check()
}

func stateError(format string, args ...any) *oidc.Error {
	return &oidc.Error{Stage: oidc.StageEnd,
		Message: "the saved state cannot be used: " + fmt.Sprintf(format, args...),
		Hint:    "open credentials expire by themselves; look into the receipts of this run for their ids and times"}
}

var (
	providerName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	// digestText is a digest, or nothing when the grant has none.
	digestText = regexp.MustCompile(`^(sha256:[0-9a-f]{64})?$`)
)

func (s State) check() error {
	switch {
	case s.Version != StateVersion:
		return stateError("it has version %d, this stint reads %d", s.Version, StateVersion)
	case !plain(s.Grant, 128) || !digestText.MatchString(s.GrantDigest):
		return stateError("its grant is not one")
	case s.Dir != "" && (!plain(s.Dir, maxStatePath) || !filepath.IsAbs(s.Dir)):
		return stateError("its directory is not one")
	case len(s.Handles) > maxStateHandles || len(s.Vars) > maxStateVars:
		return stateError("it lists too much")
	}
	for _, name := range s.Vars {
		if err := checkEnvName(name); err != nil {
			return stateError("it has a variable that is not one")
		}
	}
	for i, h := range s.Handles {
		if !plainHandle(h) {
			return stateError("entry %d is not a credential", i+1)
		}
	}
	return nil
}

func plainHandle(h oidc.Handle) bool {
	return providerName.MatchString(h.Provider) && plain(h.Grant, 128) && plain(h.ID, 256) && plain(h.Identity, 2048) &&
		plain(h.Revoke, maxRevokeBytes) && plain(h.Endpoint, 2048) && (endless(h) || plausible(h.Expires) && plausible(h.UsableUntil))
}

// endless reports whether the handle is of a credential whose end its cloud does not state.
func endless(h oidc.Handle) bool { return h.Expires.IsZero() && h.UsableUntil.IsZero() }

// plain reports whether a text is short, valid and printable, so that it can be
// shown and compared.
func plain(s string, limit int) bool {
	return len(s) <= limit && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

func plausible(t time.Time) bool { return t.Year() >= 2020 && t.Year() < 2200 }
