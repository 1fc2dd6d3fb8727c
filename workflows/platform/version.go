package platform

import (
	"cmp"
	"math"
	"strconv"
	"strings"
)

// A version is a loose version as actions use them: v4, 41, 46.0.1, v1.0.0-rc.1. A
// version of fewer than three parts is also a line that a tag floats on.
type version struct {
	major, minor, patch int
	parts               int
	pre                 string
}

// maxVersionBytes bounds what is read as a version.
const maxVersionBytes = 128

// parseVersion reads a version with or without a leading v. Build metadata is dropped.
func parseVersion(s string) (version, bool) {
	s = strings.TrimPrefix(strings.TrimPrefix(s, "v"), "V")
	if s == "" || len(s) > maxVersionBytes {
		return version{}, false
	}
	s, _, _ = strings.Cut(s, "+")
	s, pre, hasPre := strings.Cut(s, "-")
	if hasPre && pre == "" {
		return version{}, false
	}
	fields := strings.Split(s, ".")
	if len(fields) > 3 {
		return version{}, false
	}
	var n [3]int
	for i, field := range fields {
		value, err := strconv.Atoi(field)
		if err != nil || value < 0 || value >= math.MaxInt32 || strings.HasPrefix(field, "+") {
			return version{}, false
		}
		n[i] = value
	}
	return version{n[0], n[1], n[2], len(fields), pre}, true
}

// compare orders versions; a prerelease comes before its release.
func (v version) compare(w version) int {
	if c := cmp.Or(cmp.Compare(v.major, w.major), cmp.Compare(v.minor, w.minor), cmp.Compare(v.patch, w.patch)); c != 0 {
		return c
	}
	switch {
	case v.pre == w.pre:
		return 0
	case v.pre == "":
		return 1
	case w.pre == "":
		return -1
	}
	return comparePre(v.pre, w.pre)
}

// comparePre orders prereleases by their dotted parts, numbers before words.
func comparePre(a, b string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(as), len(bs)) {
		x, xErr := strconv.Atoi(as[i])
		y, yErr := strconv.Atoi(bs[i])
		c := strings.Compare(as[i], bs[i])
		switch {
		case xErr == nil && yErr == nil:
			c = cmp.Compare(x, y)
		case xErr == nil:
			c = -1
		case yErr == nil:
			c = 1
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(len(as), len(bs))
}

// top is above every version of the line on which v floats.
func (v version) top() version {
	switch v.parts {
	case 1:
		v.minor, v.patch = math.MaxInt32, math.MaxInt32
	case 2:
		v.patch = math.MaxInt32
	}
	return v
}

// A bound is one condition of a range.
type bound struct {
	op string
	version
}

// A versionRange is bounds that all hold; an empty one holds for every version.
type versionRange []bound

// parseRange reads ">=4.0.0,<4.1.3", "<=0.3.1" and "*".
func parseRange(s string) (versionRange, bool) {
	if s = strings.TrimSpace(s); s == "*" {
		return versionRange{}, true
	}
	var r versionRange
	for _, field := range strings.Split(s, ",") {
		field = strings.TrimSpace(field)
		op := field[:len(field)-len(strings.TrimLeft(field, "<>="))]
		v, ok := parseVersion(strings.TrimSpace(field[len(op):]))
		switch op {
		case "<", "<=", ">", ">=", "=":
		default:
			return nil, false
		}
		if !ok {
			return nil, false
		}
		r = append(r, bound{op, v})
	}
	return r, true
}

// holds reports whether v is in the range.
func (r versionRange) holds(v version) bool {
	for _, b := range r {
		c := v.compare(b.version)
		ok := map[string]bool{"<": c < 0, "<=": c <= 0, ">": c > 0, ">=": c >= 0, "=": c == 0}[b.op]
		if !ok {
			return false
		}
	}
	return true
}

// covers reports whether every version of v's line is in the range.
func (r versionRange) covers(v version) bool { return r.holds(v) && r.holds(v.top()) }

// touches reports whether some version of v's line is in the range. Two intervals
// meet where the higher of their lower ends is in both.
func (r versionRange) touches(v version) bool {
	if r.holds(v) {
		return true
	}
	for _, b := range r {
		low := b.version
		switch b.op {
		case ">":
			low.patch, low.pre = low.patch+1, ""
		case ">=", "=":
		default:
			continue
		}
		if low.compare(v) >= 0 && low.compare(v.top()) <= 0 && r.holds(low) {
			return true
		}
	}
	return false
}
