package org

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows/platform"
)

// sampleDigest has every field set, so that one that is forgotten is missed.
func sampleDigest() digest {
	use := useDigest{"acme/tool", "v1", strings.Repeat("a", 40), true, false, ".github/workflows/ci.yml", 300}
	install := Install{Ecosystem: "npm", Command: "npm install \x00é", Packages: []string{"a@1"}, KeepsLock: true, Place: reach.DocumentPlace{Path: "action.yml", Line: 9}}
	shared := &JobReach{
		Grade: "high", Environment: "production", Starts: []string{"push", "", "push"}, Starter: platform.StartCaller, Trust: reach.OutsiderCode,
		Foreign: true, Movable: true, Inherits: true, Autonomy: []string{"agent"}, names: []string{"NPM_TOKEN"},
		Credentials: []reach.DocumentCredential{{Name: "NPM_TOKEN", Kind: "stored-secret", Lifetime: "standing", Opens: "npm", Scopes: []string{"s"}, Default: true}},
	}
	return digest{Pairs: 1 << 40, Actions: []actionDigest{{"setup", []useDigest{use}}, {Dir: ""}}, Jobs: []jobDigest{
		{Path: ".github/workflows/ci.yml", Job: "build", Line: 7, JobReach: shared, Installs: []Install{install}, Uses: []useDigest{use, {Name: "b/c", Locked: true}}},
		{JobReach: &JobReach{Grade: "low", names: []string{}}}, {JobReach: shared},
	}}
}

func TestDigestIsReadAsWritten(t *testing.T) {
	for _, want := range []digest{{}, sampleDigest()} {
		got, err := newDecoder().digest(encode(&want))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("\n got %+v, %v\nwant %+v", got, err, want)
		}
		if n := len(got.Jobs); n > 0 && (got.Jobs[0].JobReach != got.Jobs[2].JobReach || got.Jobs[0].JobReach == got.Jobs[1].JobReach) {
			t.Error("what jobs share is not held once for each")
		}
	}
}

func TestDamagedDigests(t *testing.T) {
	sample := sampleDigest()
	whole := encode(&sample)
	for i := range whole {
		if _, err := newDecoder().digest(whole[:i]); err == nil {
			t.Errorf("the first %d bytes of %d are taken for a whole", i, len(whole))
		}
	}
	if _, err := newDecoder().digest(append(whole, 0)); err == nil {
		t.Error("a byte too many is taken")
	}
}

// Whatever a file holds, reading it ends, and what is read can be written.
func FuzzDigest(f *testing.F) {
	sample := sampleDigest()
	f.Add(encode(&sample))
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := newDecoder().digest(text)
		if err != nil {
			return
		}
		if again, err := newDecoder().digest(encode(&d)); err != nil || !reflect.DeepEqual(again, d) {
			t.Errorf("%+v is read back as %+v, %v", d, again, err)
		}
	})
}
