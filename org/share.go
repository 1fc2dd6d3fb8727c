package org

import (
	"crypto/sha256"
	"encoding/json"
	"reflect"

	"go.etcd.io/bbolt"
)

// A sharer reads analyses such that what is equal in several is held once: most workflows
// of an organization are copies of a few, and say the same wherever they stand.
type sharer struct {
	jobs     map[[sha256.Size]byte]Job
	findings map[[sha256.Size]byte]Finding
	texts    map[string]string
}

func newSharer() *sharer {
	return &sharer{map[[sha256.Size]byte]Job{}, map[[sha256.Size]byte]Finding{}, map[string]string{}}
}

// analysis reads an analysis; nobody may change what it returns.
func (s *sharer) analysis(tx *bbolt.Tx, key string) (*Analysis, error) {
	text, err := analysisText(tx, key)
	if err != nil {
		return nil, err
	}
	var raw struct {
		Analysis
		Jobs     []json.RawMessage `json:"jobs"`
		Findings []json.RawMessage `json:"findings"`
	}
	if err := decode(text, &raw); err != nil {
		return nil, err
	}
	a := raw.Analysis
	s.intern(reflect.ValueOf(&a).Elem())
	if a.Jobs, err = shareAll(s, s.jobs, raw.Jobs); err != nil {
		return nil, err
	}
	a.Findings, err = shareAll(s, s.findings, raw.Findings)
	return &a, err
}

func shareAll[T any](s *sharer, known map[[sha256.Size]byte]T, list []json.RawMessage) ([]T, error) {
	out := make([]T, len(list))
	for i, text := range list {
		sum := sha256.Sum256(text)
		v, ok := known[sum]
		if !ok {
			if err := decode(text, &v); err != nil {
				return nil, err
			}
			s.intern(reflect.ValueOf(&v).Elem())
			known[sum] = v
		}
		out[i] = v
	}
	return out, nil
}

// intern makes equal texts in a value one.
func (s *sharer) intern(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		text, known := s.texts[v.String()]
		if !known {
			text = v.String()
			s.texts[text] = text
		}
		v.SetString(text)
	case reflect.Struct:
		for i := range v.NumField() {
			s.intern(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			s.intern(v.Index(i))
		}
	}
}
