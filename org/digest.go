package org

import (
	"cmp"
	"encoding/hex"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows/platform"
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
	Path, Job string
	Line      int
	*JobReach
	Installs []Install // of their places only path and line
	Uses     []useDigest
}

// A JobReach is what can be lost in a job, and to whom. Most jobs of an organization have
// theirs in common with many others, which then share one: it is not to be changed.
type JobReach struct {
	Grade, Environment string
	Starts             []string // the events
	Starter            platform.Starter
	// Trust is how far the worst code of the job can be steered from outside; Foreign is
	// set when any of its code is foreign, and Movable when that of any is an action by a
	// tag or branch.
	Trust            reach.Trust
	Foreign, Movable bool
	Autonomy         []string
	// Inherits is set when the job hands on or holds every secret of its repository.
	Inherits bool
	// Credentials are those of the job, without their places, in the order in which to
	// rotate them.
	Credentials []reach.DocumentCredential

	names []string // of the credentials
}

// ActsAlone is that of the job.
func (r *JobReach) ActsAlone() bool { return actsAlone(r.Autonomy, r.Starter) }

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
	return jobDigest{Path: j.Path, Job: j.Job, Line: j.Place.Line, JobReach: ReachOf(j), Installs: j.Installs, Uses: useDigestsOf(j.Uses)}
}

// ReachOf returns what can be lost in a job.
func ReachOf(j *Job) *JobReach {
	_, trust := j.WorstCode()
	r := &JobReach{Grade: j.Grade, Environment: j.Environment, Starter: j.Starter(), Trust: trust, Autonomy: j.Autonomy, Inherits: j.Inherits}
	for _, s := range j.Starts {
		r.Starts = append(r.Starts, s.Event)
	}
	for _, c := range j.Credentials {
		c.Enters = nil
		r.Credentials = append(r.Credentials, c)
	}
	slices.SortStableFunc(r.Credentials, func(a, b reach.DocumentCredential) int {
		return cmp.Or(cmp.Compare(urgency(a.Lifetime, 1, a.Opens), urgency(b.Lifetime, 1, b.Opens)), strings.Compare(a.Name, b.Name))
	})
	for _, c := range j.Code {
		r.Foreign = r.Foreign || c.Foreign
		r.Movable = r.Movable || c.Trust == reach.MutableThirdParty.String()
	}
	return r
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
	c.text(&j.Path)
	c.text(&j.Job)
	c.number(&j.Line)
	c.reach(&j.JobReach)
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

func (r *JobReach) code(c coder) {
	c.text(&r.Grade)
	c.text(&r.Environment)
	codeRank(c, &r.Starter, platform.StartAnyone)
	codeRank(c, &r.Trust, reach.MaliciousCode)
	c.flags(&r.Foreign, &r.Movable)
	c.flags(&r.Inherits, new(bool))
	codeList(c, &r.Starts, codeText)
	codeList(c, &r.Autonomy, codeText)
	codeList(c, &r.Credentials, func(d *reach.DocumentCredential, c coder) {
		for _, s := range []*string{&d.Name, &d.Kind, &d.Lifetime, &d.Opens} {
			c.text(s)
		}
		codeList(c, &d.Scopes, codeText)
		c.flags(&d.Default, new(bool))
	})
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
	if err := tx.Bucket(digestBucket).Put(hashKey(a.Key), encode(&d)); err != nil {
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

// A use is an analysis in which an action, or installs of an ecosystem, are used.
type use struct{ name, analysis string }

// usesOf returns the uses of an action and of what lies below its name.
func usesOf(tx *bbolt.Tx, name string) ([]use, error) {
	var out []use
	c := tx.Bucket(useBucket).Cursor()
	for k, _ := c.Seek([]byte(name)); k != nil && strings.HasPrefix(string(k), name); k, _ = c.Next() {
		full, key, ok := cutUseKey(k)
		if !ok {
			return nil, errDamaged
		}
		if rest := full[len(name):]; rest == "" || rest[0] == '/' {
			out = append(out, use{full, key})
		}
	}
	return out, nil
}

// digestText returns a digest as it is kept; it is valid within the transaction.
func digestText(tx *bbolt.Tx, key string) ([]byte, error) {
	text := tx.Bucket(digestBucket).Get(hashKey(key))
	if text == nil {
		return nil, errDamaged
	}
	return text, nil
}

// read reads the digest of an analysis.
func (r *decoder) read(tx *bbolt.Tx, key string) (digest, error) {
	text, err := digestText(tx, key)
	if err != nil {
		return digest{}, err
	}
	return r.digest(text)
}
