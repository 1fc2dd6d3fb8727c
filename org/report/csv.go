package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stint-dev/stint/org"
)

// csvHead are the columns of CSV.
var csvHead = []string{
	"kind", "severity", "rule", "repository", "path", "line", "job", "pairs", "message", "next", "credentials", "address", "fingerprint",
}

// CSV writes one line a job and one a finding: first the repositories that were not read,
// then jobs, findings of lint and files that were not read by repository, then findings of
// the posture and what was not checked, so that a table of findings says what it does not
// cover. Repositories with the same files stand together. The error is that of w, or of
// reading the document.
func CSV(w io.Writer, d *org.Document) error {
	out := csv.NewWriter(w)
	link := linkerOf(d)
	write := func(fields ...string) { out.Write(Fields(fields...)) } // the error is kept
	write(csvHead...)
	for i := range d.Repositories {
		if r := &d.Repositories[i]; r.Status != org.StatusOK && r.Status != org.StatusEmpty {
			write("not read", "", string(r.Status), r.Name, "", "", "", "", r.Why, "", "", link.repository(r.Name), "")
		}
	}
	err := d.EachAnalysis(func(a *org.Analysis, repositories []int) error {
		for _, i := range repositories {
			r := &d.Repositories[i]
			for k := range a.Jobs {
				j := &a.Jobs[k]
				write("job", j.Grade, "", r.Name, j.Path, strconv.Itoa(j.Place.Line), j.Job, strconv.Itoa(j.Pairs), j.Sentence, "",
					strings.Join(j.Standing(), " "), link.line(r, j.Path, j.Place.Line), "")
			}
			for _, f := range a.Findings {
				write("lint", f.Severity, f.Rule, r.Name, f.Path, strconv.Itoa(f.Line), f.Job, "", f.Message, f.Next,
					strings.Join(f.Credentials, " "), link.line(r, f.Path, f.Line), f.Fingerprint)
			}
			for _, u := range a.Unread {
				write("not read", "", "", r.Name, u.Path, "", "", "", u.Reason, "", "", link.line(r, u.Path, 0), "")
			}
		}
		return out.Error()
	})
	if err != nil {
		return err
	}
	for _, f := range d.Posture {
		write("posture", f.Severity, f.Rule, f.Path, "", "", "", "", f.Message, f.Next, strings.Join(f.Credentials, " "), link.repository(f.Path), f.Fingerprint)
	}
	for _, n := range d.NotChecked {
		write("not checked", "", n.Rule, "", "", "", "", "", n.Why+" ("+count(n.Count, "time")+")", "", "", "", "")
	}
	out.Flush()
	return out.Error()
}

// Fields makes texts of others fit to be fields of CSV: on one line, and with an
// apostrophe before what a spreadsheet would take for a formula. It changes the list.
func Fields(list ...string) []string {
	for i, s := range list {
		// A tab or line break that would start one is a space after this.
		s = shown(s)
		if first, n := utf8.DecodeRuneInString(strings.TrimLeftFunc(s, unicode.IsSpace)); n > 0 && strings.ContainsRune(formula, first) {
			s = "'" + s
		}
		list[i] = s
	}
	return list
}

// formula are the characters by which spreadsheets know a formula, also in full width.
const formula = "=+-@|＝＋－＠"
