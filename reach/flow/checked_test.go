package flow

import "testing"

func TestPlainPattern(t *testing.T) {
	for pattern, want := range map[string]bool{
		`^[0-9]+$`: true, `^[[:digit:]]+$`: true, `^[0-9a-f]{40}$`: true, `^v[0-9]+(\.[0-9]+)*$`: true, `^(main|stable)$`: true, `^main$|^stable$`: true,
		`^[A-Za-z0-9._/-]+$`: true, `^$`: true,
		``: false, `[0-9]+`: false, `^[0-9]+`: false, `[0-9]+$`: false, `^.*$`: false, `^[^;]+$`: false, `^[0-9]+$|x`: false,
		`^[ -~]+$`: false, `^[0-9;]+$`: false, `^\S+$`: false, `^[0-9`: false, `^a$(b)`: false, `^[[:print:]]+$`: false,
	} {
		if got := plainPattern(pattern); got != want {
			t.Errorf("plainPattern(%q) = %v", pattern, got)
		}
	}
}
