package receipt

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stint-dev/stint/oidc"
)

// Schema is the version of the lines' form.
const Schema = 1

// Limits of a line. What is longer is cut, so that it ends in "…" and keeps the limit;
// the digests are over the whole.
const (
	MaxLineBytes = 64 << 10
	maxText      = 1024 // bytes of one text
	maxReasons   = 32
	maxFacts     = 32
	maxArgs      = 16
)

// A Kind is what an event tells of.
type Kind string

// The kinds of events.
const (
	Decision Kind = "decision"
	Issuance Kind = "issuance"
	Refresh  Kind = "refresh"
	End      Kind = "end"
)

// The values of Event.Decision.
const (
	Admitted = "admitted"
	Refused  = "refused"
)

// An Event is one line. The order of the fields is that of the line; a field
// without a value is left out.
type Event struct {
	Schema       int               `json:"schema"`         // set by Encode
	Prev         string            `json:"prev,omitempty"` // set by Writer: the hash of the line before
	Time         time.Time         `json:"time"`
	Kind         Kind              `json:"kind"`
	Tool         string            `json:"tool,omitempty"`
	Run          *Run              `json:"run,omitempty"`
	Grant        string            `json:"grant,omitempty"`
	GrantDigest  string            `json:"grant_digest,omitempty"`
	Intent       string            `json:"intent,omitempty"`
	Owner        string            `json:"owner,omitempty"`
	Claims       *Claims           `json:"claims,omitempty"`
	Decision     string            `json:"decision,omitempty"`
	Reasons      []Reason          `json:"reasons,omitempty"`
	Provider     string            `json:"provider,omitempty"`
	Identity     string            `json:"identity,omitempty"`
	CredentialID string            `json:"credential_id,omitempty"`
	SessionName  string            `json:"session_name,omitempty"`
	PolicyDigest string            `json:"policy_digest,omitempty"`
	Command      []string          `json:"command,omitempty"` // argv[0] alone, unless more was asked for
	AskedSeconds int64             `json:"asked_seconds,omitempty"`
	GotSeconds   int64             `json:"got_seconds,omitempty"`
	UsableUntil  time.Time         `json:"usable_until,omitzero"`
	Expires      time.Time         `json:"expires,omitzero"`
	Facts        map[string]string `json:"facts,omitempty"` // sorted by key
	Ending       *oidc.Ending      `json:"ending,omitempty"`
}

// A Run is the run that asked, as the job's surroundings name it.
type Run struct {
	Repository string `json:"repository,omitempty"`
	ID         string `json:"id,omitempty"`
	Attempt    string `json:"attempt,omitempty"`
	Job        string `json:"job,omitempty"`
	URL        string `json:"url,omitempty"`
}

// RunOf returns the run for an event.
func RunOf(r oidc.Run) *Run {
	return &Run{Repository: r.Repository, ID: r.ID, Attempt: r.Attempt, Job: r.Job, URL: r.URL}
}

// A Reason is one difference for which a grant was refused.
type Reason struct {
	Claim    string `json:"claim"`
	Expected string `json:"expected,omitempty"`
	Got      string `json:"got,omitempty"`
	Class    string `json:"class,omitempty"`
}

// Claims are what an event says of an id-token.
type Claims struct {
	Digest  string            `json:"digest"`             // over all claims
	JTIHash string            `json:"jti_hash,omitempty"` // names the token without showing it
	Chosen  map[string]string `json:"chosen"`             // sorted by name
}

// chosen are the claims recorded by value: those that say which run of which file
// asked, and none that may carry what a repository's owner keeps to itself
// (custom properties).
var chosen = []string{
	"iss", "sub", "aud", "repository", "repository_id", "repository_owner_id", "actor", "actor_id", "event_name",
	"ref", "ref_protected", "sha", "environment", "run_id", "run_attempt", "runner_environment",
	"workflow_ref", "workflow_sha", "job_workflow_ref", "job_workflow_sha",
}

// ClaimsOf returns what an event may say of a token's claims.
func ClaimsOf(c oidc.Claims) *Claims {
	out := &Claims{Digest: digestOf(c.Values), Chosen: map[string]string{}}
	for _, name := range chosen {
		if c.Has(name) {
			out.Chosen[name] = c.Get(name)
		}
	}
	if c.ID != "" {
		out.JTIHash = hashOf(c.ID)
	}
	return out
}

// digestOf is over the claims as JSON with sorted keys and without spaces.
func digestOf(values map[string]string) string {
	b, err := json.Marshal(values)
	if err != nil {
		return "" // strings always encode
	}
	return hashOf(string(b))
}

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// The facts that have a field of their own.
const (
	factSession = "session_name"
	factPolicy  = "policy_digest"
)

// Issued fills the fields of an issuance from a credential. asked is the lifetime
// asked for. The variables, which hold the secrets, are not looked at.
func (e *Event) Issued(c *oidc.Credential, asked time.Duration) {
	e.named(c.Handle)
	e.SessionName, e.PolicyDigest = c.Facts[factSession], c.Facts[factPolicy]
	e.Facts = maps.Clone(c.Facts)
	delete(e.Facts, factSession)
	delete(e.Facts, factPolicy)
	e.AskedSeconds = int64(asked / time.Second)
	if !c.Expires.IsZero() { // else its cloud does not say
		e.GotSeconds = int64(c.Expires.Sub(e.Time).Round(time.Second) / time.Second)
	}
}

// Ended fills the fields of an end.
func (e *Event) Ended(h oidc.Handle, ending oidc.Ending) {
	e.named(h)
	e.Ending = &ending
}

func (e *Event) named(h oidc.Handle) {
	e.Provider, e.Identity, e.CredentialID = h.Provider, h.Identity, h.ID
	e.UsableUntil, e.Expires = h.UsableUntil.UTC(), h.Expires.UTC()
}

// Encode returns the event as one line with its newline. Texts are cut to their
// limit. An event over [MaxLineBytes] even so is an error.
func (e Event) Encode() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e.bounded()); err != nil {
		return nil, receiptError("it has a value that cannot be written")
	}
	line := ascii(b.Bytes())
	if len(line) > MaxLineBytes {
		return nil, receiptError("it would be longer than %d bytes", MaxLineBytes)
	}
	return line, nil
}

// bounded returns a copy with every text cut to its limit and times in UTC.
func (e Event) bounded() Event {
	e.Schema, e.Time = Schema, e.Time.UTC()
	for _, s := range []*string{
		&e.Prev, (*string)(&e.Kind), &e.Tool, &e.Grant, &e.GrantDigest, &e.Intent, &e.Owner, &e.Decision, &e.Provider,
		&e.Identity, &e.CredentialID, &e.SessionName, &e.PolicyDigest,
	} {
		*s = cut(*s)
	}
	if e.Run != nil {
		e.Run = &Run{cut(e.Run.Repository), cut(e.Run.ID), cut(e.Run.Attempt), cut(e.Run.Job), cut(e.Run.URL)}
	}
	if e.Claims != nil {
		e.Claims = &Claims{cut(e.Claims.Digest), cut(e.Claims.JTIHash), cutAll(e.Claims.Chosen)}
	}
	if e.Ending != nil {
		e.Ending = &oidc.Ending{Outcome: oidc.Outcome(cut(string(e.Ending.Outcome))), At: e.Ending.At.UTC(), Detail: cut(e.Ending.Detail)}
	}
	reasons := e.Reasons
	e.Reasons = nil
	for _, r := range reasons[:min(len(reasons), maxReasons)] {
		e.Reasons = append(e.Reasons, Reason{cut(r.Claim), cut(r.Expected), cut(r.Got), cut(r.Class)})
	}
	args := e.Command
	e.Command = nil
	for _, a := range args[:min(len(args), maxArgs)] {
		e.Command = append(e.Command, cut(a))
	}
	e.Facts = cutAll(e.Facts)
	return e
}

// cut shortens a text to maxText bytes, at a character.
func cut(s string) string {
	if len(s) <= maxText {
		return s
	}
	n := maxText - len("…")
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// cutAll cuts a map's texts and keeps the first of its keys, in their order.
func cutAll(m map[string]string) map[string]string {
	out := map[string]string{}
	for _, k := range sortedKeys(m) {
		if len(out) == maxFacts {
			break
		}
		out[cut(k)] = cut(m[k])
	}
	return out
}

// ascii escapes everything beyond printable ASCII the way JSON does. Bytes below
// the space are escaped by the encoder already, except for the newline at the end.
func ascii(line []byte) []byte {
	var b strings.Builder
	for _, r := range string(line) {
		switch {
		case r < 0x7f:
			b.WriteRune(r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		}
	}
	return []byte(b.String())
}
