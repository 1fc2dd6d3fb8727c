package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/org"
)

// A field that a spreadsheet would run is text, however it is led in.
func TestFieldsAreNoFormulas(t *testing.T) {
	for in, want := range map[string]string{
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "|cmd": "'|cmd", "＝1": "'＝1",
		"\t=1": "' =1", "\r=1": "' =1", "\n=1": "' =1", "  =1": "'  =1", "\u00a0=1": "'\u00a0=1", "\x00=1": "\ufffd=1",
		"": "", "a=1": "a=1", "1-2": "1-2", "'=1": "'=1",
	} {
		if got := Fields(in)[0]; got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

// No field of hostile documents begins with what a spreadsheet would run, and no record is
// broken in two.
func TestHostileFieldsInCSV(t *testing.T) {
	for _, text := range []string{"=1", "\t=1", "\r+1", "\n@x", "-1", "a\",=1", "a\n=1,=2", "a;=1"} {
		var out bytes.Buffer
		if err := CSV(&out, filled(text)); err != nil {
			t.Fatal(err)
		}
		records, err := csv.NewReader(&out).ReadAll()
		if err != nil || len(records) < 5 {
			t.Fatalf("%q: %d records, %v", text, len(records), err)
		}
		for _, r := range records {
			for _, field := range r {
				if strings.ContainsAny(field, "\t\r\n") || field != "" && strings.ContainsRune(formula, []rune(strings.TrimSpace(field))[0]) {
					t.Errorf("%q comes out as the field %q", text, field)
				}
			}
		}
	}
}

// The members of the streamed document are those of the document, and the analyses.
func TestJSONIsTheDocument(t *testing.T) {
	d := generated(200)
	var out bytes.Buffer
	if err := JSON(&out, d); err != nil {
		t.Fatal(err)
	}
	var got struct {
		org.Document
		Analyses map[string]*org.Analysis `json:"analyses"`
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]*org.Analysis{}
	if err := d.EachAnalysis(func(a *org.Analysis, _ []int) error {
		want[a.Key] = a
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	same := func(a, b any) bool {
		x, errX := json.Marshal(a)
		y, errY := json.Marshal(b)
		return errX == nil && errY == nil && bytes.Equal(x, y)
	}
	if len(want) == 0 || !same(got.Document, d) || !same(got.Analyses, want) {
		t.Error("the document is read back as another one")
	}
}

// files collects what SARIFFiles makes.
type files map[string]*bytes.Buffer

func (f files) create(name string) (io.WriteCloser, error) {
	if f[name] != nil {
		return nil, errors.New("made twice: " + name)
	}
	f[name] = &bytes.Buffer{}
	return nopCloser{f[name]}, nil
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// A file's name is made of a repository's that is one, whatever the index says, and no two
// are the same where case does not count.
func TestNamesOfSARIFFiles(t *testing.T) {
	d := small()
	var repos []org.Repository
	for i, name := range []string{
		"acme/app", "acme/App", "ACME/app", "acme/app+2", "acme/..", "../../etc/passwd", "acme/a/b", "/etc/passwd", `acme\app`, "acme/a\x00b", "acme", "", "acme/.github",
		"acme/con", "acme/" + strings.Repeat("a", 101), "acme/denied",
	} {
		repos = append(repos, org.Repository{ID: int64(i), Name: name, Status: org.StatusOK, Analysis: "k"})
	}
	repos[len(repos)-1].Analysis = ""
	d.Repositories = repos
	made := files{}
	unnamed, err := SARIFFiles(d, testRule, made.create)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"acme--.github.sarif", "acme--app+1.sarif", "acme--app+2.sarif", "acme--app.sarif", "acme--con.sarif"}
	if got := slices.Sorted(maps.Keys(made)); !slices.Equal(got, want) {
		t.Errorf("made %q, want %q", got, want)
	}
	if len(unnamed) != 10 {
		t.Errorf("%d have no name: %q", len(unnamed), unnamed)
	}
	for name, text := range made {
		if !json.Valid(text.Bytes()) {
			t.Errorf("%s is no JSON", name)
		}
	}
	full := errors.New("full")
	if _, err := SARIFFiles(d, testRule, func(string) (io.WriteCloser, error) { return nil, full }); !errors.Is(err, full) {
		t.Errorf("a file that cannot be made: %v", err)
	}
}

// What cannot be read is told by every format, and never left out.
func TestErrorsOfReadingAreReturned(t *testing.T) {
	lost := errors.New("lost")
	for name, write := range map[string]func(*org.Document) error{
		"html":     func(d *org.Document) error { return HTML(io.Discard, d, Options{}) },
		"json":     func(d *org.Document) error { return JSON(io.Discard, d) },
		"csv":      func(d *org.Document) error { return CSV(io.Discard, d) },
		"markdown": func(d *org.Document) error { return Markdown(io.Discard, d) },
		"sarif": func(d *org.Document) error {
			_, err := SARIFFiles(d, testRule, files{}.create)
			return err
		},
	} {
		d := small()
		d.Read = func(string) (*org.Analysis, error) { return nil, lost }
		if err := write(d); !errors.Is(err, lost) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
