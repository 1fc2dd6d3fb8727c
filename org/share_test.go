package org

import (
	"path/filepath"
	"reflect"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/stint-dev/stint/reach"
)

// What is equal in two analyses is read once, and nothing of either is lost.
func TestAnalysesShareWhatIsEqual(t *testing.T) {
	job := Job{DocumentJob: reach.DocumentJob{Path: "ci.yml", Job: "build", Grade: "high", Pairs: 2}, Uses: []Use{{Name: "a/b", Ref: "v1"}}}
	other := job
	other.Grade = "low"
	find := Finding{Rule: "unpinned", Severity: "high", Message: "m", Fingerprint: "f", Credentials: []string{"NPM_TOKEN"}}
	want := []*Analysis{
		{Key: "aa", Jobs: []Job{job, other}, Findings: []Finding{find}, Pairs: 4, Unread: []Unread{{"x", "y"}}, NotChecked: []string{"n"}},
		{Key: "bb", Jobs: []Job{job}, Findings: []Finding{find, find}, Actions: []Action{{Dir: "d", Uses: job.Uses}}, Levers: []reach.DocumentLever{{What: "w"}}},
		{Key: "cc", Jobs: []Job{}, Findings: []Finding{}},
	}
	x, err := Create(filepath.Join(t.TempDir(), "acme.index"))
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	var got []*Analysis
	err = x.update(func(tx *bbolt.Tx) error {
		s := newSharer()
		for _, a := range want {
			if err := putAnalysis(tx, a); err != nil {
				return err
			}
			b, err := s.analysis(tx, a.Key)
			if err != nil {
				return err
			}
			got = append(got, b)
		}
		return nil
	})
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%v\n got %+v\nwant %+v", err, got, want)
	}
	if &got[0].Jobs[0].Uses[0] != &got[1].Jobs[0].Uses[0] || &got[0].Findings[0].Credentials[0] != &got[1].Findings[1].Credentials[0] {
		t.Error("equal jobs or findings are held twice")
	}
	if &got[0].Jobs[0].Uses[0] == &got[0].Jobs[1].Uses[0] {
		t.Error("jobs of different grades are taken for one")
	}
}
