package platform

import (
	"fmt"
	"testing"
)

func TestParseVersion(t *testing.T) {
	for text, want := range map[string]string{
		"v4": "4.0.0/1", "4": "4.0.0/1", "v4.1": "4.1.0/2", "46.0.1": "46.0.1/3", "V1.2.3": "1.2.3/3", "v1.0.0-rc.1": "1.0.0-rc.1/3", "1.2.3+build": "1.2.3/3",
	} {
		v, ok := parseVersion(text)
		got := fmt.Sprintf("%d.%d.%d", v.major, v.minor, v.patch)
		if v.pre != "" {
			got += "-" + v.pre
		}
		if got = fmt.Sprintf("%s/%d", got, v.parts); !ok || got != want {
			t.Errorf("parseVersion(%q) = %s, %v; want %s", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "v", "main", "v1.x", "1.2.3.4", "1.-2", "v1.2.3-", "1..2", "+1", "99999999999999999999", "release-1"} {
		if v, ok := parseVersion(text); ok {
			t.Errorf("parseVersion(%q) = %+v", text, v)
		}
	}
}

func TestVersionOrder(t *testing.T) {
	order := []string{"0.0.1", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-rc.2", "1.0.0-rc.10", "1.0.0", "1.0.1", "1.1.0", "2", "41", "46.0.1"}
	for i, a := range order {
		for j, b := range order {
			v, _ := parseVersion(a)
			w, _ := parseVersion(b)
			if got := v.compare(w); got < 0 != (i < j) || got > 0 != (i > j) {
				t.Errorf("compare(%s, %s) = %d", a, b, got)
			}
		}
	}
}

func TestRanges(t *testing.T) {
	for _, c := range []struct {
		rng, version            string
		holds, covers, touching bool
	}{
		{"<41", "40.2.1", true, true, true},
		{"<41", "v40", true, true, true},
		{"<41", "v41", false, false, false},
		{">=4.0.0,<4.1.3", "v4", true, false, true},
		{">=4.0.0,<4.1.3", "v4.1", true, false, true},
		{">=4.0.0,<4.1.3", "v4.0", true, true, true},
		{">=4.0.0,<4.1.3", "4.1.3", false, false, false},
		{">=4.0.0,<4.1.3", "v3", false, false, false},
		{">=3.26.11,<3.28.3", "v3", false, false, true},
		{">=3.26.11,<3.28.3", "v4", false, false, false},
		{">3.1.0,<3.1.2", "v3", false, false, true},
		{"<=45.0.7", "45.0.7", true, true, true},
		{"<=45.0.7", "v45", true, false, true},
		{"=1.2.3", "v1", false, false, true},
		{"*", "v9", true, true, true},
		{"<1.0.0", "1.0.0-rc.1", true, true, true},
	} {
		r, ok := parseRange(c.rng)
		v, okVersion := parseVersion(c.version)
		if !ok || !okVersion {
			t.Fatalf("%s, %s do not parse", c.rng, c.version)
		}
		if r.holds(v) != c.holds || r.covers(v) != c.covers || r.touches(v) != c.touching {
			t.Errorf("%s against %s: holds %v, covers %v, touches %v", c.version, c.rng, r.holds(v), r.covers(v), r.touches(v))
		}
	}
	for _, text := range []string{"", "4", "~>4", "<", "<x", ">=1,,<2", "<1 || >2"} {
		if r, ok := parseRange(text); ok {
			t.Errorf("parseRange(%q) = %v", text, r)
		}
	}
}

// A line is covered only when it is touched, and every version of a covered line is held.
func FuzzRanges(f *testing.F) {
	f.Add(">=4.0.0,<4.1.3", "v4", 1, 3)
	f.Add("<41", "v40", 0, 0)
	f.Add(">1.2,<=1.3.0-rc.1", "1.3", 0, 7)
	f.Fuzz(func(t *testing.T, rng, text string, minor, patch int) {
		r, ok := parseRange(rng)
		line, okLine := parseVersion(text)
		if !ok || !okLine {
			return
		}
		if r.covers(line) && !r.touches(line) {
			t.Errorf("%s covers and does not touch %s", rng, text)
		}
		one := inLine(line, minor, patch)
		if r.covers(line) && !r.holds(one) {
			t.Errorf("%s covers %s and does not hold %+v", rng, text, one)
		}
		if r.holds(one) && !r.touches(line) {
			t.Errorf("%s holds %+v and does not touch %s", rng, one, text)
		}
	})
}

// inLine returns a release on the line that v floats on.
func inLine(v version, minor, patch int) version {
	if v.parts < 2 {
		v.minor = max(v.minor, minor&0xffff)
	}
	if v.parts < 3 {
		v.patch = max(v.patch, patch&0xffff)
	}
	if v.parts < 3 {
		v.pre = ""
	}
	return v
}
