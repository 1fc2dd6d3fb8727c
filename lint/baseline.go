package lint

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/stint-dev/stint/reach"
)

// MaxBaselineBytes is the largest baseline file that is read.
const MaxBaselineBytes = 16 << 20

// baselineVersion is the version of the file's form.
const baselineVersion = 1

// Known is what was found before a change, by fingerprint: at the base of a pull
// request, or when a baseline file was written.
type Known struct {
	findings map[string]reach.Severity
	// lines are digests of the lines that facts from outside can be about, by path;
	// nil when the base was judged together with the change, so that the clock has
	// told both the same.
	lines map[string]map[string]bool
}

// KnownOf returns what the result of a base holds. The base is to be judged on the same
// day and with the same rules as the change, down to the least severity.
func KnownOf(base *Result) *Known {
	k := &Known{findings: map[string]reach.Severity{}}
	for _, f := range base.Findings {
		k.findings[f.Fingerprint] = f.Severity
	}
	return k
}

// Judge splits the findings of a result: Findings keeps those that the change brings,
// and Old takes the others. A finding is brought when its fingerprint is not known, or
// when more could now be lost through it than before: a secret that is put into a job
// makes an old defect there worth more. What the clock brings is marked as a notice; see
// Rule.Clock. with names the base, for reports.
func (k *Known) Judge(r *Result, with string) {
	var brought, old []Finding
	for _, f := range r.Findings {
		was, known := k.findings[f.Fingerprint]
		switch {
		case known && f.Severity <= was && !f.Rule.Clock:
			old = append(old, f)
		case known && f.Severity <= was, k.byClock(&f):
			f.Notice = true
			brought = append(brought, f)
		default:
			brought = append(brought, f)
		}
	}
	r.Findings, r.Old, r.Compared = brought, old, with
}

// Join adds what another configuration makes of the same repository: the findings that r
// lacks or holds at less severity, and failures. Not checked is what neither checked. What
// that configuration says of itself and of suppressions is left out, since it is not the
// one that is there. It is for before Judge.
func (r *Result) Join(other *Result) {
	at := map[string]int{}
	for i, f := range r.Findings {
		at[f.Fingerprint] = i
	}
	for _, f := range other.Findings {
		i, known := at[f.Fingerprint]
		switch {
		case f.Rule.CheckSuppressions != nil || f.File.Path == ConfigPath:
		case !known:
			r.Findings = append(r.Findings, f)
		case f.Severity > r.Findings[i].Severity:
			r.Findings[i] = f
		}
	}
	slices.SortStableFunc(r.Findings, byPlace)
	r.Redacted = append(r.Redacted, other.Redacted...)
	one := func(notes, others []string) []string {
		return slices.DeleteFunc(slices.Clone(notes), func(n string) bool {
			return !strings.HasPrefix(n, unreadNote) && !slices.Contains(others, n)
		})
	}
	r.NotChecked = joined(one(r.NotChecked, other.NotChecked), one(other.NotChecked, r.NotChecked))
	r.Failures = joined(r.Failures, other.Failures)
}

// byClock reports whether a finding that the baseline lacks is about a line that was
// there when the baseline was written.
func (k *Known) byClock(f *Finding) bool {
	return f.Rule.Clock && !f.Span.IsZero() && k.lines[f.File.Path][digestAt(f)]
}

// Failing returns the findings that are no notices.
func (r *Result) Failing() []Finding {
	return slices.DeleteFunc(slices.Clone(r.Findings), func(f Finding) bool { return f.Notice })
}

// A baselineFile is the file's form.
type baselineFile struct {
	Version  int               `json:"version"`
	Findings []baselineFinding `json:"findings"`
	// Lines are the digests of Known.lines, sorted.
	Lines map[string][]string `json:"lines"`
}

// A baselineFinding says in words what the fingerprint stands for, for those who review
// the file; only fingerprint and severity are compared.
type baselineFinding struct {
	Fingerprint string `json:"fingerprint"`
	Severity    string `json:"severity"`
	Rule        string `json:"rule"`
	Path        string `json:"path"`
}

// WriteBaseline writes a baseline of the result: its findings, those that suppressions
// take away today, so that the end of one turns no change red, and digests of the lines
// that facts from outside can be about. The same findings give the same bytes.
func WriteBaseline(w io.Writer, r *Result) error {
	doc := baselineFile{Version: baselineVersion, Findings: []baselineFinding{}, Lines: map[string][]string{}}
	for _, f := range slices.Concat(r.Findings, r.suppressed) {
		doc.Findings = append(doc.Findings, baselineFinding{f.Fingerprint, f.Severity.String(), f.Rule.ID, f.File.Path})
	}
	slices.SortFunc(doc.Findings, func(a, b baselineFinding) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Rule, b.Rule), strings.Compare(a.Fingerprint, b.Fingerprint))
	})
	doc.Findings = slices.Compact(doc.Findings)
	for _, f := range r.Repository.Files {
		doc.Lines[f.Path] = lineDigests(f.Source)
	}
	if r.config != nil && r.config.File != nil {
		doc.Lines[r.config.File.Path] = lineDigests(r.config.File.Source)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return enc.Encode(doc)
}

// clockWords are in every line that a rule with Clock can be about: what is used, and
// until when something is tolerated.
var clockWords = [][]byte{[]byte("uses"), []byte("until")}

func lineDigests(source []byte) []string {
	digests := []string{}
	for line := range bytes.Lines(source) {
		if slices.ContainsFunc(clockWords, func(w []byte) bool { return bytes.Contains(line, w) }) {
			digests = append(digests, lineDigest(line))
		}
	}
	slices.Sort(digests)
	return slices.Compact(digests)
}

// lineDigest is 32 hex digits of a line without the space around it.
func lineDigest(line []byte) string {
	sum := sha256.Sum256(bytes.TrimSpace(line))
	return hex.EncodeToString(sum[:16])
}

// digestAt returns the digest of the line on which a finding starts.
func digestAt(f *Finding) string {
	at := lineAt(f.File.Source, f.Span.Start)
	return lineDigest(f.File.Source[at.Start:at.End])
}

// ReadBaseline reads a file that WriteBaseline wrote.
func ReadBaseline(b []byte) (*Known, error) {
	var doc baselineFile
	if err := json.Unmarshal(b, &doc); err != nil {
		return nil, errors.New("it is not JSON of a baseline")
	}
	if doc.Version != baselineVersion {
		return nil, fmt.Errorf("its version %d is not known", doc.Version)
	}
	k := &Known{findings: map[string]reach.Severity{}, lines: map[string]map[string]bool{}}
	for _, f := range doc.Findings {
		s, ok := reach.ParseSeverity(f.Severity)
		if !ok {
			return nil, errors.New("it has a finding without a severity")
		}
		k.findings[f.Fingerprint] = max(s, k.findings[f.Fingerprint])
	}
	for path, digests := range doc.Lines {
		k.lines[path] = map[string]bool{}
		for _, d := range digests {
			k.lines[path][d] = true
		}
	}
	return k, nil
}
