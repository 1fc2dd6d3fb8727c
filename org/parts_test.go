package org

import (
	"errors"
	"testing"
)

func TestParts(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 100} {
		done := make([]int, n)
		err := inParts(n, func(from, to int) error {
			for i := from; i < to; i++ {
				done[i]++
			}
			return nil
		})
		for i, times := range done {
			if err != nil || times != 1 {
				t.Errorf("%d of %d was done %d times, %v", i, n, times, err)
			}
		}
	}
	if err := inParts(3, func(int, int) error { return errDamaged }); !errors.Is(err, errDamaged) {
		t.Errorf("an error comes back as %v", err)
	}
	if err := inParts(3, func(int, int) error { panic("a page that is not there") }); !errors.Is(err, errDamaged) {
		t.Errorf("a panic comes back as %v", err)
	}
}

func TestEachAnalysisIsReadOnce(t *testing.T) {
	d := &Document{Repositories: []Repository{{Analysis: "b"}, {}, {Analysis: "a"}, {Analysis: "b"}}}
	reads := 0
	all := map[string]*Analysis{"a": {Key: "a"}, "b": {Key: "b"}, "c": {Key: "c"}}
	d.Read = func(key string) (*Analysis, error) {
		reads++
		return ReadFrom(all)(key)
	}
	var got []string
	var places [][]int
	err := d.EachAnalysis(func(a *Analysis, repositories []int) error {
		got, places = append(got, a.Key), append(places, repositories)
		return nil
	})
	if err != nil || reads != 2 || len(got) != 2 || got[0] != "b" || len(places[0]) != 2 || places[0][1] != 3 || places[1][0] != 2 {
		t.Errorf("%d reads, %v of %v, %v", reads, got, places, err)
	}
	delete(all, "a")
	if err := d.EachAnalysis(func(*Analysis, []int) error { return nil }); err == nil {
		t.Error("an analysis that is not there is passed over")
	}
}
