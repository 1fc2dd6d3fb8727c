package org

import (
	"encoding/hex"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"github.com/stint-dev/stint/reach"
)

// maxNameBytes is the longest name of an action that can be looked up.
const maxNameBytes = 1000

// A digest is what queries need of an analysis: they look at thousands of them within
// a second, and the whole of each is too long for that.
type digest struct {
	Pairs   int
	Jobs    []jobDigest
	Actions []actionDigest
}

type jobDigest struct {
	Path, Job          string
	Line               int
	Grade, Environment string
	Starts             []string
	Credentials        []credentialDigest // in the order in which to rotate them
	Foreign, Inherits  bool
	Installs           []Install // of their places only path and line
	Uses               []useDigest
}

type credentialDigest struct{ Name, Kind, Lifetime, Opens string }

type actionDigest struct {
	Dir  string
	Uses []useDigest
}

// A useDigest is one use of an action, and where it stands.
type useDigest struct {
	Name, Ref, Commit string
	Pinned, Locked    bool
	Path              string
	Line              int
}

// standing is the lifetime of what is kept until somebody rotates it.
var standing = reach.Standing.String()

func digestOf(a *Analysis) digest {
	d := digest{Pairs: a.Pairs}
	for i := range a.Jobs {
		d.Jobs = append(d.Jobs, jobDigestOf(&a.Jobs[i]))
	}
	for _, act := range a.Actions {
		d.Actions = append(d.Actions, actionDigest{act.Dir, useDigestsOf(act.Uses)})
	}
	return d
}

func jobDigestOf(j *Job) jobDigest {
	d := jobDigest{
		Path: j.Path, Job: j.Job, Line: j.Place.Line, Grade: j.Grade, Environment: j.Environment, Inherits: j.Inherits,
		Installs: j.Installs, Uses: useDigestsOf(j.Uses),
	}
	for _, s := range j.Starts {
		d.Starts = append(d.Starts, s.Event)
	}
	for _, c := range j.Credentials {
		d.Credentials = append(d.Credentials, credentialDigest{c.Name, c.Kind, c.Lifetime, c.Opens})
	}
	slices.SortStableFunc(d.Credentials, func(a, b credentialDigest) int {
		return byUrgency(Rotation{Name: a.Name, Lifetime: a.Lifetime, Opens: a.Opens}, Rotation{Name: b.Name, Lifetime: b.Lifetime, Opens: b.Opens})
	})
	for _, c := range j.Code {
		d.Foreign = d.Foreign || c.Foreign
	}
	return d
}

func useDigestsOf(list []Use) []useDigest {
	var out []useDigest
	for _, u := range list {
		if len(u.Name) <= maxNameBytes {
			out = append(out, useDigest{u.Name, u.Ref, u.Commit, u.Pinned, u.Locked, u.Place.Path, u.Place.Line})
		}
	}
	return out
}

// code writes the digest or reads it: what it does in which order is said once.
func (d *digest) code(c coder) {
	c.number(&d.Pairs)
	codeList(c, &d.Jobs, (*jobDigest).code)
	codeList(c, &d.Actions, func(a *actionDigest, c coder) {
		c.text(&a.Dir)
		codeList(c, &a.Uses, (*useDigest).code)
	})
}

func (j *jobDigest) code(c coder) {
	for _, s := range []*string{&j.Path, &j.Job, &j.Grade, &j.Environment} {
		c.text(s)
	}
	c.number(&j.Line)
	c.flags(&j.Foreign, &j.Inherits)
	codeList(c, &j.Starts, codeText)
	codeList(c, &j.Credentials, func(d *credentialDigest, c coder) {
		for _, s := range []*string{&d.Name, &d.Kind, &d.Lifetime, &d.Opens} {
			c.text(s)
		}
	})
	codeList(c, &j.Installs, func(in *Install, c coder) {
		c.text(&in.Ecosystem)
		c.text(&in.Command)
		codeList(c, &in.Packages, codeText)
		c.flags(&in.Locked, &in.KeepsLock)
		c.text(&in.Place.Path)
		c.number(&in.Place.Line)
	})
	codeList(c, &j.Uses, (*useDigest).code)
}

func (u *useDigest) code(c coder) {
	for _, s := range []*string{&u.Name, &u.Ref, &u.Commit, &u.Path} {
		c.text(s)
	}
	c.flags(&u.Pinned, &u.Locked)
	c.number(&u.Line)
}

func codeText(s *string, c coder) { c.text(s) }

// putDigest writes the digest of an analysis, and under the names of what it uses and
// the ecosystems of what it installs that it does.
func putDigest(tx *bbolt.Tx, a *Analysis) error {
	d := digestOf(a)
	if err := tx.Bucket(digestBucket).Put(hashKey(a.Key), d.encode()); err != nil {
		return err
	}
	b := tx.Bucket(useBucket)
	for name := range d.names() {
		if err := b.Put(useKey(name, a.Key), []byte{}); err != nil {
			return err
		}
	}
	return nil
}

// names are what a digest is found by.
func (d digest) names() map[string]bool {
	out := map[string]bool{}
	add := func(uses []useDigest) {
		for _, u := range uses {
			out[u.Name] = true
		}
	}
	for _, j := range d.Jobs {
		add(j.Uses)
		for _, in := range j.Installs {
			if in.Ecosystem != "" {
				out[ecosystemName(in.Ecosystem)] = true
			}
		}
	}
	for _, a := range d.Actions {
		add(a.Uses)
	}
	return out
}

// ecosystemName is the name by which installs are found; no action has it, since the name
// of one has a slash.
func ecosystemName(ecosystem string) string { return ecosystem + ":" }

func useKey(name, key string) []byte { return append([]byte(name+"\x00"), hashKey(key)...) }

func cutUseKey(k []byte) (name, key string, ok bool) {
	name, raw, ok := strings.Cut(string(k), "\x00")
	return name, hex.EncodeToString([]byte(raw)), ok
}

// eachUse calls f for the analyses that use an action or what lies below its name.
func eachUse(tx *bbolt.Tx, name string, f func(full, key string) error) error {
	c := tx.Bucket(useBucket).Cursor()
	for k, _ := c.Seek([]byte(name)); k != nil && strings.HasPrefix(string(k), name); k, _ = c.Next() {
		full, key, ok := cutUseKey(k)
		if !ok {
			return errDamaged
		}
		if rest := full[len(name):]; rest != "" && rest[0] != '/' {
			continue
		}
		if err := f(full, key); err != nil {
			return err
		}
	}
	return nil
}

func getDigest(tx *bbolt.Tx, key string) (digest, error) {
	text := tx.Bucket(digestBucket).Get(hashKey(key))
	if text == nil {
		return digest{}, errDamaged
	}
	return decodeDigest(text)
}
