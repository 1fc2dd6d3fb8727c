package report

import (
	"encoding/json"
	"io"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// jsonVersion is the version of the document's form; it rises when a field
// changes its meaning or goes, not when one is added.
const jsonVersion = 1

type jsonDocument struct {
	Version  int           `json:"version"`
	Findings []jsonFinding `json:"findings"`
	Unread   []unread      `json:"unread"`
	Stats    jsonStats     `json:"stats"`
}

type jsonStats struct {
	Repositories int            `json:"repositories"`
	Files        int            `json:"files"`
	Jobs         int            `json:"jobs"`
	Pairs        int            `json:"pairs"`
	Severities   map[string]int `json:"severities"`
	Suppressed   int            `json:"suppressed"`
	Below        int            `json:"below_threshold"`
	Old          int            `json:"old,omitempty"`
	Notices      int            `json:"notices,omitempty"`
	Compared     string         `json:"compared,omitempty"`
	StrictOnly   int            `json:"strict_only"`
	NotChecked   []string       `json:"not_checked"`
	Failures     []string       `json:"failures"`
}

type jsonFinding struct {
	Rule        string           `json:"rule"`
	Severity    string           `json:"severity"`
	Notice      bool             `json:"notice,omitempty"`
	Confidence  string           `json:"confidence"`
	Repository  string           `json:"repository"`
	Path        string           `json:"path"`
	Start       jsonPosition     `json:"start"`
	End         jsonPosition     `json:"end"`
	Job         string           `json:"job,omitempty"`
	Message     string           `json:"message"`
	Next        string           `json:"next,omitempty"`
	Credentials []jsonCredential `json:"credentials"`
	Code        *jsonCode        `json:"code"`
	Related     []jsonRelated    `json:"related"`
	Fingerprint string           `json:"fingerprint"`
	Tags        []string         `json:"tags"`
	Fixes       []jsonFix        `json:"fixes"`
}

type jsonPosition struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Offset int `json:"offset"`
}

type jsonCredential struct {
	Name     string `json:"name"`
	Kind     string `json:"kind"`
	Lifetime string `json:"lifetime"`
}

type jsonCode struct {
	Name  string `json:"name"`
	Trust string `json:"trust"`
	Why   string `json:"why"`
}

type jsonRelated struct {
	Path  string       `json:"path"`
	Start jsonPosition `json:"start"`
	End   jsonPosition `json:"end"`
	Text  string       `json:"text"`
}

type jsonFix struct {
	Title string     `json:"title"`
	Safe  bool       `json:"safe"`
	Edits []jsonEdit `json:"edits"`
}

// A jsonEdit replaces the bytes from Start to End of the file by New.
type jsonEdit struct {
	Start int    `json:"start"`
	End   int    `json:"end"`
	New   string `json:"new"`
}

type jsonHandler struct {
	w      io.Writer
	doc    jsonDocument
	change comparison
}

func newJSON(w io.Writer, _ Options) Handler {
	return &jsonHandler{w: w, doc: jsonDocument{
		Version: jsonVersion, Findings: []jsonFinding{}, Unread: []unread{},
		Stats: jsonStats{Severities: map[string]int{}, NotChecked: []string{}, Failures: []string{}},
	}}
}

// Repository adds one repository to the document.
func (h *jsonHandler) Repository(r *lint.Result) error {
	st := &h.doc.Stats
	st.Repositories++
	st.Files += len(r.Repository.Files)
	st.Jobs += len(r.Graph.Jobs)
	st.Pairs += len(r.Graph.Pairs())
	st.Suppressed += r.Suppressed
	st.Below += r.Below
	st.StrictOnly += r.StrictOnly
	st.NotChecked = append(st.NotChecked, r.NotChecked...)
	st.Failures = append(st.Failures, r.Failures...)
	h.doc.Unread = append(h.doc.Unread, unreadOf(r.Repository)...)
	h.change.add(r)
	st.Old, st.Notices, st.Compared = h.change.old, h.change.notices, workflows.Printable(h.change.with)
	for _, f := range r.Findings {
		st.Severities[f.Severity.String()]++
		h.doc.Findings = append(h.doc.Findings, jsonFindingOf(r, f))
	}
	return nil
}

func jsonFindingOf(r *lint.Result, f lint.Finding) jsonFinding {
	out := jsonFinding{
		Rule: f.Rule.ID, Severity: f.Severity.String(), Notice: f.Notice, Confidence: confidence(f).String(),
		Repository: r.Repository.Root, Path: f.File.Path,
		Start: jsonPlace(f.File, f.Span.Start), End: jsonPlace(f.File, f.Span.End),
		Message: workflows.Printable(f.Message), Next: workflows.Printable(f.Next), Credentials: []jsonCredential{}, Related: []jsonRelated{},
		Fingerprint: f.Fingerprint, Tags: append([]string{}, f.Rule.Tags...), Fixes: []jsonFix{},
	}
	if f.Job != nil {
		out.Job = f.Job.Job.ID
	}
	for _, c := range f.Exposure.Credentials {
		out.Credentials = append(out.Credentials, jsonCredential{c.Name, string(c.Kind), c.Lifetime.String()})
	}
	out.Code = jsonCodeOf(f.Code)
	for _, x := range f.Related {
		out.Related = append(out.Related, jsonRelated{x.File.Path, jsonPlace(x.File, x.Span.Start), jsonPlace(x.File, x.Span.End), workflows.Printable(x.Text)})
	}
	for _, x := range f.Fixes {
		fix := jsonFix{Title: x.Title, Safe: x.Safe, Edits: []jsonEdit{}}
		for _, e := range x.Edits {
			fix.Edits = append(fix.Edits, jsonEdit{e.Span.Start, e.Span.End, e.New})
		}
		out.Fixes = append(out.Fixes, fix)
	}
	return out
}

func jsonCodeOf(c *reach.Code) *jsonCode {
	if c == nil {
		return nil
	}
	return &jsonCode{c.Name, c.Trust.String(), c.Why}
}

func jsonPlace(f *workflows.File, offset int) jsonPosition {
	p := f.Position(offset)
	return jsonPosition{p.Line, p.Column, p.Offset}
}

// Close writes the document.
func (h *jsonHandler) Close() error {
	h.doc.Stats.NotChecked = byReason(h.doc.Stats.NotChecked)
	enc := json.NewEncoder(h.w)
	enc.SetIndent("", " ")
	return enc.Encode(h.doc)
}
