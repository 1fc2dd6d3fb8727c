package trust

import (
	"strings"
	"testing"
)

func TestCheckKeys(t *testing.T) {
	for body, fails := range map[string]bool{
		`{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]}`: false,
		`{"a":1,"a":1}`:               true,
		`{"subject":1,"Subject":1}`:   true,
		`[{"x":{"a":1,"b":2,"a":3}}]`: true,
		`{"\u0061":1,"a":2}`:          true,
		``:                            false,
		`{"a":1`:                      false,
		`{"a":}`:                      false,
		strings.Repeat("[", 20000):    false,
		`"text"`:                      false,
	} {
		if err := CheckKeys([]byte(body)); (err != nil) != fails {
			t.Errorf("%.60s: %v", body, err)
		}
	}
}

func TestHCLText(t *testing.T) {
	for in, want := range map[string]string{
		"a": `"a"`, `it's "x" \ ${a} %{b}` + "\n": `"it's \"x\" \\ $${a} %%{b}\n"`,
		"\x01\x7f\u0085\u00e9": `"\u0001\u007f\u0085` + "\u00e9" + `"`,
	} {
		if got := HCLText(in); got != want {
			t.Errorf("%q is %s", in, got)
		}
	}
}
