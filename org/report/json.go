package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"

	"github.com/stint-dev/stint/org"
)

// JSON writes the document as it is, with the analyses by their keys as its last member.
// The error is that of w, or of reading the document.
func JSON(w io.Writer, d *org.Document) error {
	head, err := json.Marshal(d)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 1<<16)
	out.Write(bytes.TrimSuffix(head, []byte("}"))) // the error is kept
	out.WriteString(`,"analyses":{`)
	between := ""
	err = d.EachAnalysis(func(a *org.Analysis, _ []int) error {
		key, err := json.Marshal(a.Key)
		if err != nil {
			return err
		}
		out.WriteString(between)
		out.Write(append(key, ':'))
		between = ","
		return json.NewEncoder(out).Encode(a)
	})
	if err != nil {
		return err
	}
	out.WriteString("}}\n")
	return out.Flush()
}
