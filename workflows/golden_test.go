package workflows

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden holds the whole model of our own files, places included.
func TestGolden(t *testing.T) {
	for _, f := range parseData(t) {
		t.Run(f.name, func(t *testing.T) {
			got := dump(Parse(f.path, f.source))
			name := filepath.Join("testdata", "parse", strings.TrimSuffix(f.name, ".yml")+".golden")
			if *update {
				if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("the model changed; compare and run with -update:\n%s", firstDifference(got, string(want)))
			}
		})
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range g {
		if i >= len(w) || g[i] != w[i] {
			return "got:  " + g[i] + "\nwant: " + strings.Join(w[i:min(i+1, len(w))], "")
		}
	}
	return "want more: " + strings.Join(w[len(g):], "\n")
}

// TestLineEndings reads each file again with other line endings and a byte order
// mark: the same texts come out, in the same lines and columns.
func TestLineEndings(t *testing.T) {
	variants := map[string]func([]byte) []byte{
		"crlf": func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n")) },
		"cr":   func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\n"), []byte("\r")) },
		"bom":  func(b []byte) []byte { return append([]byte(byteOrderMark), b...) },
		"bom and crlf": func(b []byte) []byte {
			return append([]byte(byteOrderMark), bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))...)
		},
	}
	for _, f := range parseData(t) {
		for name, change := range variants {
			t.Run(f.name+"/"+name, func(t *testing.T) {
				// The texts of nodes hold the source's own line breaks.
				same := strings.NewReplacer(`\r\n`, `\n`, `\r`, `\n`)
				got := same.Replace(dump(Parse(f.path, change(f.source))))
				if want := dump(Parse(f.path, f.source)); got != want {
					t.Error(firstDifference(got, want))
				}
			})
		}
	}
}
