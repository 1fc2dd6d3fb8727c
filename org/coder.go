package org

import (
	"encoding/binary"
	"strings"
)

// A coder writes fields, or reads them: numbers from 0, texts by their place in a table
// that holds each once, and two flags in a byte.
type coder interface {
	number(*int)
	text(*string)
	flags(a, b *bool)
	// reach codes what jobs share as one text.
	reach(**JobReach)
	// list codes how many elements follow, and returns that.
	list(n int) int
}

// codeList codes a list; an empty one is read as nil.
func codeList[T any](c coder, list *[]T, code func(*T, coder)) {
	if n := c.list(len(*list)); n != len(*list) {
		*list = make([]T, n)
	}
	for i := range *list {
		code(&(*list)[i], c)
	}
}

// codeRank codes one of a row of constants that ends with most.
func codeRank[T ~int](c coder, v *T, most T) {
	n := int(*v)
	c.number(&n)
	*v = min(T(n), most)
}

// An encoder is the coder that writes.
type encoder struct {
	places map[string]int
	table  []byte
	body   []byte
}

func (e *encoder) number(n *int) { e.body = binary.AppendUvarint(e.body, uint64(max(*n, 0))) }

func (e *encoder) list(n int) int {
	e.number(&n)
	return n
}

func (e *encoder) text(s *string) {
	at, known := e.places[*s]
	if !known {
		at = len(e.places)
		e.places[*s] = at
		e.table = append(binary.AppendUvarint(e.table, uint64(len(*s))), *s...)
	}
	e.number(&at)
}

func (e *encoder) flags(a, b *bool) {
	var bits byte
	if *a {
		bits |= 1
	}
	if *b {
		bits |= 2
	}
	e.body = append(e.body, bits)
}

func (e *encoder) reach(r **JobReach) {
	text := string(encode(*r))
	e.text(&text)
}

// encode returns what is coded as it is kept: how many texts, each with its length before
// it, then the fields.
func encode(v coded) []byte {
	e := &encoder{places: map[string]int{}}
	v.code(e)
	out := binary.AppendUvarint(nil, uint64(len(e.places)))
	return append(append(out, e.table...), e.body...)
}

// What is coded says its fields in order, to be written or read.
type coded interface{ code(coder) }

// A decoder is the coder that reads. Once something is amiss all that follows is zero.
type decoder struct {
	rest  string
	table []string
	bad   bool
	// reaches are those read so far, by the text they are kept as.
	reaches map[string]*JobReach
}

// newDecoder reads records that share what jobs share. It is for one goroutine.
func newDecoder() *decoder { return &decoder{reaches: map[string]*JobReach{}} }

// decode reads what encode has written; the error is errDamaged.
func (r *decoder) decode(text string, into coded) error {
	r.rest, r.bad = text, false
	r.table = make([]string, r.list(0))
	for i := range r.table {
		r.table[i] = r.take(r.list(0))
	}
	into.code(r)
	if r.bad || r.rest != "" {
		return errDamaged
	}
	return nil
}

// digest reads a digest.
func (r *decoder) digest(text []byte) (digest, error) {
	var d digest
	if err := r.decode(string(text), &d); err != nil { // one copy: all texts are parts of it
		return digest{}, err
	}
	return d, nil
}

func (r *decoder) reach(j **JobReach) {
	var text string
	r.text(&text)
	known := r.reaches[text]
	if known == nil {
		known = &JobReach{}
		text = strings.Clone(text) // the digest that it is a part of is not kept for it
		if inner := (&decoder{}); inner.decode(text, known) != nil {
			r.fail()
			return
		}
		known.names = make([]string, 0, len(known.Credentials))
		for _, c := range known.Credentials {
			known.names = append(known.names, c.Name)
		}
		r.reaches[text] = known
	}
	*j = known
}

func (r *decoder) take(n int) string {
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

func (r *decoder) number(n *int) {
	*n = 0
	for i, shift := 0, 0; i < len(r.rest) && shift < 56; i, shift = i+1, shift+7 {
		b := r.rest[i]
		*n |= int(b&0x7f) << shift
		if b < 0x80 {
			r.rest = r.rest[i+1:]
			return
		}
	}
	r.fail()
	*n = 0
}

// list never returns more than there are bytes left, of which each element has one.
func (r *decoder) list(int) int {
	var n int
	if r.number(&n); n > len(r.rest) {
		r.fail()
		return 0
	}
	return n
}

func (r *decoder) text(s *string) {
	var at int
	if r.number(&at); at >= len(r.table) {
		r.fail()
		return
	}
	*s = r.table[at]
}

func (r *decoder) flags(a, b *bool) {
	if r.rest == "" {
		r.fail()
		return
	}
	bits := r.take(1)[0]
	*a, *b = bits&1 != 0, bits&2 != 0
}

func (r *decoder) fail() { r.bad, r.rest = true, "" }
