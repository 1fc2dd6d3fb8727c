package org_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/stint-dev/stint/org"
	"github.com/stint-dev/stint/workflows/github/githubtest"
)

// A file that is no index of ours is left as it is, and the error says what to do.
func TestForeignFiles(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "whole")
	newWorld(t, githubtest.Options{Repositories: 20, Workflows: 1, Plain: true}).scan(whole)
	good, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other")
	writeDatabase(t, other, "things", "format", "another")
	newer := filepath.Join(t.TempDir(), "newer")
	writeDatabase(t, newer, "meta", "format", "stint organization index", "version", "99")
	for name, c := range map[string]struct {
		text []byte
		want string
	}{
		"text":                 {[]byte(strings.Repeat("name: ci\n", 4000)), "is no index of stint"},
		"another database":     {read(t, other), "is no index of stint"},
		"a later version":      {read(t, newer), "was written by another version"},
		"cut":                  {good[:len(good)/2], "is damaged"},
		"cut after the header": {good[:8192], "is damaged"},
	} {
		for _, open := range []func(string) (*org.Index, error){org.Create, org.Open} {
			path := filepath.Join(t.TempDir(), "index")
			if err := os.WriteFile(path, c.text, 0o600); err != nil {
				t.Fatal(err)
			}
			x, err := open(path)
			if err == nil {
				_, err = readAll(x)
				x.Close()
			}
			var at *org.IndexError
			if !errors.As(err, &at) || !strings.Contains(err.Error(), c.want) || at.NextStep() == "" || strings.Contains(err.Error()+at.Hint, "\n") {
				t.Errorf("%s: %v", name, err)
			}
			if now := read(t, path); string(now) != string(c.text) {
				t.Errorf("%s: the file was changed", name)
			}
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeDatabase(t *testing.T, path, bucket string, pairs ...string) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket([]byte(bucket))
		for i := 0; err == nil && i < len(pairs); i += 2 {
			err = b.Put([]byte(pairs[i]), []byte(pairs[i+1]))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Whatever bytes are wrong in the middle of an index, reading it fails or says something,
// and never breaks off.
func TestDamagedIndex(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "whole")
	newWorld(t, githubtest.Options{Repositories: 20, Workflows: 1, Plain: true}).scan(whole)
	good := read(t, whole)
	failed := 0
	for at := 8192; at < len(good); at += 4096 {
		bad := append([]byte(nil), good...)
		for i := range 64 {
			bad[at+i] ^= 0xa5
		}
		path := filepath.Join(t.TempDir(), "index")
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		x, err := org.Open(path)
		if err == nil {
			_, err = readAll(x)
			_, err2 := x.Incident(org.Query{Action: "actions/checkout"})
			err = errors.Join(err, err2)
			x.Close()
		}
		var is *org.IndexError
		if err != nil && !errors.As(err, &is) {
			t.Errorf("page %d: %v", at/4096, err)
		}
		if err != nil {
			failed++
		}
	}
	if failed == 0 {
		t.Error("no damage was seen")
	}
}

func TestIndexIsPrivateAndLocked(t *testing.T) {
	path := indexPath(t)
	x := create(t, path)
	defer x.Close()
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, err := org.Create(path); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second writer: %v", err)
	}
}

// An index stays with its organization, host and shard.
func TestIndexBelongsToOne(t *testing.T) {
	w := newWorld(t, githubtest.Options{Repositories: 5, Workflows: 1, Plain: true})
	path := indexPath(t)
	w.scan(path)
	for _, change := range []func(*org.Options){
		func(o *org.Options) { o.Organization = "other" },
		func(o *org.Options) { o.Host = "github.example.com" },
		func(o *org.Options) { o.Shard = org.Shard{Index: 1, Of: 2} },
	} {
		o := w.options()
		change(&o)
		x := create(t, path)
		err := org.Scan(t.Context(), w.reader(), x, o)
		x.Close()
		var is *org.IndexError
		if !errors.As(err, &is) {
			t.Errorf("%v", err)
		}
	}
}

func TestParseShard(t *testing.T) {
	for s, ok := range map[string]bool{"1/1": true, "4/4": true, "0/4": false, "5/4": false, "1": false, "a/b": false, "1/9999": false, "": false} {
		if got, err := org.ParseShard(s); (err == nil) != ok || ok && got.String() != s {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
}
