package org

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stint-dev/stint/reach"
)

// sampleDigest has every field set, so that one that is forgotten is missed.
func sampleDigest() digest {
	use := useDigest{"acme/tool", "v1", strings.Repeat("a", 40), true, false, ".github/workflows/ci.yml", 300}
	return digest{Pairs: 1 << 40, Actions: []actionDigest{{"setup", []useDigest{use}}, {Dir: ""}}, Jobs: []jobDigest{{
		Path: ".github/workflows/ci.yml", Job: "build", Line: 7, Grade: "high", Environment: "production", Starts: []string{"push", "", "push"},
		Credentials: []credentialDigest{{"NPM_TOKEN", "stored-secret", "standing", "npm"}}, Inherits: true,
		Installs: []Install{{Ecosystem: "npm", Command: "npm install \x00é", Packages: []string{"a@1"}, KeepsLock: true,
			Place: reach.DocumentPlace{Path: "action.yml", Line: 9}}},
		Uses: []useDigest{use, {Name: "b/c", Locked: true}},
	}, {Foreign: true}}}
}

func TestDigestIsReadAsWritten(t *testing.T) {
	for _, want := range []digest{{}, sampleDigest()} {
		got, err := decodeDigest(want.encode())
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("\n got %+v, %v\nwant %+v", got, err, want)
		}
	}
}

func TestDamagedDigests(t *testing.T) {
	whole := sampleDigest().encode()
	for i := range whole {
		if _, err := decodeDigest(whole[:i]); err == nil {
			t.Errorf("the first %d bytes of %d are taken for a whole", i, len(whole))
		}
	}
	if _, err := decodeDigest(append(whole, 0)); err == nil {
		t.Error("a byte too many is taken")
	}
}

// Whatever a file holds, reading it ends, and what is read can be written.
func FuzzDigest(f *testing.F) {
	f.Add(sampleDigest().encode())
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := decodeDigest(text)
		if err != nil {
			return
		}
		if again, err := decodeDigest(d.encode()); err != nil || !reflect.DeepEqual(again, d) {
			t.Errorf("%+v is read back as %+v, %v", d, again, err)
		}
	})
}
