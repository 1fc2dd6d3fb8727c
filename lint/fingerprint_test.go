package lint

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// A sketch is a workflow that tests change piece by piece.
type sketch struct{ jobs []sketchJob }

type sketchJob struct {
	id    string
	steps []sketchStep
}

// A sketchStep is the lines of a step; lines that hold "bad!" are findings.
type sketchStep struct {
	name  string
	lines []string
}

func (s sketch) String() string {
	var b strings.Builder
	b.WriteString("on: push\njobs:\n")
	for _, j := range s.jobs {
		fmt.Fprintf(&b, "  %s:\n    runs-on: x\n    steps:\n", j.id)
		for _, st := range j.steps {
			for i, l := range st.lines {
				b.WriteString(map[bool]string{true: "      - ", false: "        "}[i == 0] + l + "\n")
			}
		}
	}
	return b.String()
}

// prints returns the fingerprints by job, step and text of the line, those of
// equal lines joined.
func (s sketch) prints(t *testing.T) map[string]string {
	t.Helper()
	res := lintWords(s.String(), Options{})
	got := map[string]string{}
	for _, f := range res.Findings {
		job, step := place(f.File, f.Span)
		line := f.File.LineText(f.File.Position(f.Span.Start).Line)
		key := job + "/" + step + "/" + strings.TrimLeft(line, " -")
		got[key] += f.Fingerprint
	}
	return got
}

func sketched() sketch {
	return sketch{[]sketchJob{
		{"a", []sketchStep{
			{"first", []string{"name: first", "run: bad! a"}},
			{"", []string{"uses: bad!/x@v1", "with: { k: bad! }"}},
			{"third", []string{"id: third", "env: { A: bad! }", "run: make"}},
		}},
		{"b", []sketchStep{
			{"first", []string{"name: first", "run: bad! a"}},
			{"", []string{"run: |", "    bad! one", "    bad! two"}},
		}},
	}}
}

// Edits elsewhere must leave every fingerprint of what is still there.
func TestFingerprintOutlivesEditsElsewhere(t *testing.T) {
	before := sketched().prints(t)
	if len(before) != 7 {
		t.Fatalf("%d findings: %v", len(before), before)
	}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		s := sketched()
		for range 1 + r.IntN(5) {
			s.change(r)
		}
		after := s.prints(t)
		for key, print := range before {
			if now, ok := after[key]; ok && now != print {
				t.Fatalf("seed %d: %s was %s, is %s in\n%s", seed, key, print, now, s)
			}
		}
	}
}

// change makes one random edit that leaves all findings that remain themselves.
func (s *sketch) change(r *rand.Rand) {
	j := &s.jobs[r.IntN(len(s.jobs))]
	at := r.IntN(len(j.steps) + 1)
	n := r.IntN(1000)
	switch r.IntN(6) {
	case 0: // a comment above
		j.steps = slices.Insert(j.steps, at, sketchStep{lines: []string{fmt.Sprintf("# note %d", n), fmt.Sprintf("  run: note %d", n)}})
	case 1: // a step with findings of its own
		j.steps = slices.Insert(j.steps, at, sketchStep{lines: []string{fmt.Sprintf("name: new %d", n), "run: bad! a"}})
	case 2: // a job with findings of its own
		s.jobs = slices.Insert(s.jobs, r.IntN(len(s.jobs)+1), sketchJob{fmt.Sprintf("j%d", n), sketched().jobs[0].steps})
	case 3: // a sibling mended
		if len(j.steps) > 1 {
			at = min(at, len(j.steps)-1)
			j.steps = slices.Delete(j.steps, at, at+1)
		}
	case 4: // another key in every step
		for i := range j.steps {
			j.steps[i].lines = append(slices.Clone(j.steps[i].lines), fmt.Sprintf("env%d: x", n))
			if strings.HasSuffix(j.steps[i].lines[0], "|") {
				j.steps[i].lines = j.steps[i].lines[:len(j.steps[i].lines)-1]
			}
		}
	case 5: // the order of jobs
		slices.Reverse(s.jobs)
	}
}

// What is different must be told apart, and what changes itself must change.
func TestFingerprintTellsApart(t *testing.T) {
	base := sketched()
	seen := map[string]string{}
	for key, print := range base.prints(t) {
		if other, ok := seen[print]; ok {
			t.Errorf("%s and %s have one fingerprint", key, other)
		}
		seen[print] = key
	}
	only := func(src string) string { return lintWords(src, Options{}).Findings[0].Fingerprint }
	one := func(job, name, word string) string {
		return "on: push\njobs:\n  " + job + ":\n    runs-on: x\n    steps:\n      - name: " + name + "\n        run: " + word + "\n"
	}
	print := only(one("a", "b", "bad!"))
	for what, src := range map[string]string{"job": one("z", "b", "bad!"), "step": one("a", "z", "bad!")} {
		if only(src) == print {
			t.Errorf("the fingerprint is the same in another %s", what)
		}
	}
}

// Equal findings in one step are numbered, so mending one takes away the last number.
func TestEqualFindingsAreNumbered(t *testing.T) {
	step := func(n int) string { return head + "      - run: |\n" + strings.Repeat("          bad!\n", n) }
	two, three := lintWords(step(2), Options{}).Findings, lintWords(step(3), Options{}).Findings
	for i := range two {
		if two[i].Fingerprint != three[i].Fingerprint {
			t.Errorf("number %d is another", i)
		}
	}
	if three[2].Fingerprint == three[1].Fingerprint {
		t.Error("equal findings have one fingerprint")
	}
}

func TestOwnText(t *testing.T) {
	a := lintWords(head+"      - uses: bad!/x@v1\n", Options{}).Findings[0].Fingerprint
	b := lintWords(head+"      - uses: bad!/x@v1   # v1.2.3\n", Options{}).Findings[0].Fingerprint
	if a != b || len(a) != 32 {
		t.Errorf("a comment changes the fingerprint: %s, %s", a, b)
	}
}
