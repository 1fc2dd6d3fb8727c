package receipt

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/stint-dev/stint/oidc"
)

// writeChain writes events as a job does, and gives the file.
func writeChain(t testing.TB, list ...Event) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "receipts.jsonl")
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := NewWriter(f)
	for _, e := range list {
		if err := w.Write(e); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// job is the chain of one job: admitted, issued, refreshed, ended.
func job() []Event {
	e := events()
	refreshed := e["issued"]
	refreshed.Kind, refreshed.Command = Refresh, []string{"./deploy.sh"}
	return []Event{e["admitted"], e["issued"], refreshed, e["ended"]}
}

func read(t testing.TB, b []byte) *Chain {
	t.Helper()
	c, err := Read(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestChainIsWhole(t *testing.T) {
	b := writeChain(t, job()...)
	c := read(t, b)
	if len(c.Lines) != 4 || len(c.Breaks) != 0 || c.Head() != c.Lines[3].Hash {
		t.Fatalf("%d lines, breaks %v", len(c.Lines), c.Breaks)
	}
	if c.Lines[0].Event.Prev != "" || c.Lines[1].Event.Prev != c.Lines[0].Hash || c.Lines[3].End != int64(len(b)) {
		t.Error("the lines do not follow each other")
	}
	if n, ok := c.Signed(c.Lines[1].Sum[:]); n != 2 || !ok {
		t.Errorf("the first two lines are %d, %v", n, ok)
	}
	if _, ok := c.Signed(make([]byte, 32)); ok {
		t.Error("any digest is that of a file")
	}
}

// The last byte of each event of this chain is covered by the line after it; what the last
// line says is covered by nobody but who kept or signed the head.
func TestEveryChangedByteShows(t *testing.T) {
	b := writeChain(t, job()...)
	whole := read(t, b)
	last := whole.Lines[len(whole.Lines)-2].End
	for i := range b {
		for _, flip := range []byte{1, 0x20, 0x80} {
			changed := bytes.Clone(b)
			changed[i] ^= flip
			c, err := Read(bytes.NewReader(changed))
			if err != nil {
				continue
			}
			if int64(i) < last && len(c.Breaks) == 0 {
				t.Fatalf("byte %d of %d, %q for %q, is not seen", i, len(b), changed[i], b[i])
			}
			if n, ok := c.Signed(whole.Lines[len(whole.Lines)-1].Sum[:]); ok {
				t.Fatalf("byte %d: %d lines have the digest of the whole", i, n)
			}
			if c.Head() == whole.Head() && len(c.Breaks) == 0 {
				t.Fatalf("byte %d: the head is the same", i)
			}
		}
	}
}

func TestEveryRemovedAddedOrMovedLineShows(t *testing.T) {
	lines := slices.Collect(bytes.Lines(writeChain(t, job()...)))
	join := func(l ...[]byte) []byte { return bytes.Join(l, nil) }
	cases := map[string][]byte{
		"first removed":  join(lines[1:]...),
		"middle removed": join(lines[0], lines[2], lines[3]),
		"doubled":        join(lines[0], lines[1], lines[1], lines[2], lines[3]),
		"moved":          join(lines[0], lines[2], lines[1], lines[3]),
		"reversed":       join(lines[3], lines[2], lines[1], lines[0]),
		"torn":           join(lines...)[:len(join(lines...))-1],
		"empty line":     join(lines[0], []byte("\n"), lines[1]),
		"another chain":  join(lines[0], writeChain(t, job()[1:]...)),
	}
	for name, b := range cases {
		if c := read(t, b); len(c.Breaks) == 0 {
			t.Errorf("%s: the chain passes", name)
		}
	}
	// What the package comment says: a missing end does not show by itself.
	c := read(t, join(lines[:3]...))
	if len(c.Breaks) != 0 {
		t.Errorf("without its last line: %v", c.Breaks)
	}
	if full := read(t, join(lines...)); c.Head() == full.Head() {
		t.Error("its head is the same")
	}
}

func TestWriterGoesOnAfterATornLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "receipts.jsonl")
	whole := writeChain(t, job()[:2]...)
	if err := os.WriteFile(path, whole[:len(whole)-40], 0o600); err != nil { // as a full disk leaves it
		t.Fatal(err)
	}
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := NewWriter(f).Write(job()[3]); err != nil {
		t.Fatal(err)
	}
	b, _ := os.ReadFile(path)
	c := read(t, b)
	if len(c.Lines) != 3 || len(c.Breaks) != 1 || c.Breaks[0].Line != 2 || c.Lines[2].Event.Kind != End {
		t.Errorf("%d lines, breaks %v", len(c.Lines), c.Breaks)
	}
}

func TestWriterDoesNotWaitForever(t *testing.T) {
	if !canLock {
		t.Skip("no lock here")
	}
	path := filepath.Join(t.TempDir(), "receipts.jsonl")
	held, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if err := lock(held); err != nil {
		t.Fatal(err)
	}
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := NewWriter(f).Write(base(End)); err == nil || !strings.Contains(err.Error(), "locked") {
		t.Errorf("error %v", err)
	}
	unlock(held)
	if err := NewWriter(f).Write(base(End)); err != nil {
		t.Error(err)
	}
}

func TestReadHasLimits(t *testing.T) {
	for name, b := range map[string][]byte{
		"a long line": bytes.Repeat([]byte("x"), MaxLineBytes+2),
		"many lines":  bytes.Repeat([]byte("\n"), maxLines+1),
	} {
		if _, err := Read(bytes.NewReader(b)); err == nil {
			t.Errorf("%s is read", name)
		}
	}
	c := read(t, bytes.Repeat([]byte("{}\n"), 1000))
	if len(c.Lines) != 1000 || len(c.Breaks) != maxBreaks {
		t.Errorf("%d lines, %d breaks", len(c.Lines), len(c.Breaks))
	}
}

func TestDecodeTakesTheCanonicalFormAlone(t *testing.T) {
	line := bytes.TrimSuffix(writeChain(t, job()[0]), []byte("\n"))
	if _, err := Decode(line); err != nil {
		t.Fatal(err)
	}
	with := func(old, new string) string { return strings.Replace(string(line), old, new, 1) }
	for name, text := range map[string]string{
		"a space":           with(`:1,`, `: 1,`),
		"a later schema":    with(`"schema":1`, `"schema":2`),
		"no schema":         with(`"schema":1,`, ``),
		"a key twice":       with(`"grant":`, `"grant":"other","grant":`),
		"a key's case":      with(`"grant":`, `"Grant":`),
		"an unknown key":    with(`"grant":`, `"secret":"x","grant":`),
		"an escape":         with(`deploy-site`, `deploy\u002dsite`),
		"a time elsewhere":  with(`T12:00:00Z`, `T13:00:00+01:00`),
		"something after":   string(line) + `{}`,
		"a list":            `[]`,
		"nothing":           ``,
		"not text":          "\xff\xfe",
		"a field left null": with(`"decision":"admitted"`, `"decision":"admitted","facts":null`),
	} {
		if text == string(line) {
			t.Fatalf("%s: nothing was changed", name)
		}
		if _, err := Decode([]byte(text)); err == nil {
			t.Errorf("%s is taken", name)
		} else if strings.Contains(err.Error(), "deploy") {
			t.Errorf("%s: the error quotes the line: %v", name, err)
		}
	}
}

// What Encode writes, Decode reads, the cut texts included: else a long reason would look
// like a forgery.
func TestCutLinesAreRead(t *testing.T) {
	e := base(Decision)
	long := strings.Repeat("a", 1020) + strings.Repeat("é", 40)
	e.Intent, e.Reasons, e.Command = long, []Reason{{Claim: long}}, slices.Repeat([]string{long}, 40)
	e.Facts = map[string]string{long: long}
	e.Claims = &Claims{Chosen: map[string]string{long: long}}
	e.Time = time.Date(2026, 11, 21, 12, 0, 0, 123456789, time.FixedZone("", 3600))
	line, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := Decode(bytes.TrimSuffix(line, []byte("\n")))
	if err != nil {
		t.Fatal(err)
	}
	if len(back.Command) != maxArgs || len(back.Intent) > maxText || !back.Time.Equal(e.Time) {
		t.Errorf("%d arguments, %d bytes, %s", len(back.Command), len(back.Intent), back.Time)
	}
}

func TestLinesFitTheSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("receipt.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	list := append(job(), events()["refused"], base(End), Event{})
	list[len(list)-2].Ending = &oidc.Ending{Outcome: oidc.Revoked, At: noon, Detail: "seen as 403"}
	for line := range bytes.Lines(writeChain(t, list[:len(list)-1]...)) {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %v", line, err)
		}
		v.(map[string]any)["token"] = "x"
		if schema.Validate(v) == nil {
			t.Errorf("%s: a field of no meaning passes", line)
		}
	}
	var fields struct{ Properties map[string]json.RawMessage }
	text, _ := os.ReadFile("receipt.schema.json")
	if err := json.Unmarshal(text, &fields); err != nil || len(fields.Properties) != 25 {
		t.Errorf("%d fields: %v", len(fields.Properties), err)
	}
}

func FuzzRead(f *testing.F) {
	whole := writeChain(f, job()...)
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte("\n{\"schema\":1}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Read(bytes.NewReader(b))
		if err != nil || len(c.Breaks) > 0 {
			return
		}
		// A chain without a break is what a Writer writes: to the letter.
		var again []byte
		for _, l := range c.Lines {
			line, err := l.Event.Encode()
			if err != nil {
				t.Fatal(err)
			}
			again = append(again, line...)
		}
		if !bytes.Equal(again, b) {
			t.Errorf("%q is read as %q", b, again)
		}
	})
}
