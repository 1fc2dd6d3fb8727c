package report

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"strings"

	"github.com/stint-dev/stint/org"
)

// csvHead are the columns of CSV.
var csvHead = []string{
	"kind", "severity", "rule", "repository", "path", "line", "job", "message", "next", "credentials", "address", "fingerprint",
}

// CSV writes one line a finding: those of lint, those of the posture, then what was not
// read and not checked, so that a table of findings says what it does not cover. A field
// that a spreadsheet would take for a formula begins with an apostrophe.
func CSV(w io.Writer, d *org.Document) error {
	out := csv.NewWriter(w)
	b := newBuilder(d)
	write := func(fields ...string) {
		for i := range fields {
			fields[i] = plainField(fields[i])
		}
		out.Write(fields) // the error is kept
	}
	write(csvHead...)
	for i := range d.Repositories {
		r := &d.Repositories[i]
		if r.Status != org.StatusOK && r.Status != org.StatusEmpty {
			write("not read", "", string(r.Status), r.Name, "", "", "", r.Why, "", "", b.link.repository(r.Name), "")
		}
		a := b.analysis(i)
		if a == nil {
			continue
		}
		for _, f := range a.Findings {
			write("lint", f.Severity, f.Rule, r.Name, f.Path, strconv.Itoa(f.Line), f.Job, f.Message, f.Next,
				strings.Join(f.Credentials, " "), b.link.line(r, f.Path, f.Line), f.Fingerprint)
		}
		for _, u := range a.Unread {
			write("not read", "", "", r.Name, u.Path, "", "", u.Reason, "", "", b.link.line(r, u.Path, 0), "")
		}
	}
	for _, f := range d.Posture {
		write("posture", f.Severity, f.Rule, f.Path, "", "", "", f.Message, f.Next, strings.Join(f.Credentials, " "), b.link.repository(f.Path), f.Fingerprint)
	}
	for _, n := range d.NotChecked {
		write("not checked", "", n.Rule, "", "", "", "", n.Why+" ("+count(n.Count, "time")+")", "", "", "", "")
	}
	out.Flush()
	return out.Error()
}

// plainField makes a field text for a spreadsheet, too.
func plainField(s string) string {
	s = shown(s)
	if first := strings.TrimLeft(s, " "); first != "" && strings.ContainsAny(first[:1], "=+-@|") {
		return "'" + s
	}
	return s
}

// JSON writes the document as it is.
func JSON(w io.Writer, d *org.Document) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return enc.Encode(d)
}
