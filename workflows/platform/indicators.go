package platform

import (
	"path"
	"strings"
)

// An Indicator is a literal that a known campaign left in repositories. Literals
// change within weeks while shapes stay: a rule on shapes goes first, and this
// table says which campaign it was.
type Indicator struct {
	Campaign string
	// Literal is in lower case; in a file name "*" stands for anything but "/".
	Literal string
	// Kind is "filename" (of a file in the repository), "host", "string" (a piece
	// of text: a workflow's or job's name, a marker, a payload's file) or "label" (of a runner).
	Kind string
	// Confidence is "high" when the literal decides alone, "medium" when it needs a second sign.
	Confidence string
	// Source and Date of the campaign's description.
	Source, Date string
}

// An IndicatorHit is an indicator at a place of a text, in bytes.
type IndicatorHit struct {
	Indicator
	Start, End int
}

// FindIndicators returns the hosts, strings and labels of known campaigns in text,
// in order of place, without regard to the case of ASCII letters. A literal counts
// only where letters and digits do not go on. It reads the text once.
func FindIndicators(text string) []IndicatorHit { return indicatorIndex.find(text) }

// LookupFileName returns the indicators that fit the name of a repository's file, its
// path relative to the root with slashes.
func LookupFileName(name string) []Indicator {
	var found []Indicator
	parts := strings.Split(strings.ToLower(name), "/")
	for _, i := range indicators {
		if i.Kind != "filename" {
			continue
		}
		size := strings.Count(i.Literal, "/") + 1
		if size > len(parts) {
			continue
		}
		if ok, err := path.Match(i.Literal, strings.Join(parts[len(parts)-size:], "/")); ok && err == nil {
			found = append(found, i)
		}
	}
	return found
}

// indicators is the table with the facts of each campaign filled in.
var indicators = fillIndicators(indicatorTable)

func fillIndicators(table []indicatorLine) []Indicator {
	filled := make([]Indicator, 0, len(table))
	for _, line := range table {
		filled = append(filled, Indicator{line.campaign.name, strings.ToLower(line.literal), line.kind, line.confidence, line.campaign.source, line.campaign.date})
	}
	return filled
}

// keyBytes is how much of a literal's beginning the index looks at; literals are longer.
const keyBytes = 4

// A literalIndex finds many literals in one pass: at each byte the four bytes before
// it are a key, a bit of its hash throws out nearly every place, and the map names
// the candidates.
type literalIndex struct {
	seen  [1 << 16]bool
	byKey map[uint32][]Indicator
}

var indicatorIndex = newLiteralIndex(indicators)

func newLiteralIndex(table []Indicator) *literalIndex {
	index := &literalIndex{byKey: map[uint32][]Indicator{}}
	for _, i := range table {
		if i.Kind == "filename" || len(i.Literal) < keyBytes {
			continue
		}
		key := uint32(0)
		for _, b := range []byte(i.Literal[:keyBytes]) {
			key = key<<8 | uint32(b)
		}
		index.seen[keyHash(key)] = true
		index.byKey[key] = append(index.byKey[key], i)
	}
	return index
}

// keyHash spreads keys over 16 bits (Fibonacci hashing).
func keyHash(key uint32) uint32 { return key * 2654435769 >> 16 }

func (x *literalIndex) find(text string) []IndicatorHit {
	var hits []IndicatorHit
	key := uint32(0)
	for i := range len(text) {
		key = key<<8 | uint32(lowerByte(text[i]))
		if !x.seen[keyHash(key)] || i+1 < keyBytes {
			continue
		}
		at := i + 1 - keyBytes
		for _, indicator := range x.byKey[key] {
			end := at + len(indicator.Literal)
			if end <= len(text) && equalFoldASCII(text[at:end], indicator.Literal) && standsAlone(text, at, end) {
				hits = append(hits, IndicatorHit{indicator, at, end})
			}
		}
	}
	return hits
}

// standsAlone reports whether letters and digits do not go on at either end.
func standsAlone(text string, start, end int) bool {
	goesOn := func(a, b byte) bool { return isAlnum(rune(a)) && isAlnum(rune(b)) }
	return (start == 0 || !goesOn(text[start-1], text[start])) && (end == len(text) || !goesOn(text[end-1], text[end]))
}

func equalFoldASCII(text, lower string) bool {
	for i := range len(lower) {
		if lowerByte(text[i]) != lower[i] {
			return false
		}
	}
	return true
}

func lowerByte(b byte) byte {
	if b >= 'A' && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}
