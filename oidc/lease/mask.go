package lease

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/stint-dev/stint/oidc"
)

// minMask is the shortest value that is masked. A shorter one would blank words
// of every log, and is no secret worth the name.
const minMask = 8

// WriteMasks tells the runner, on the step's standard output, to blank the secret
// values of vars in the log. It must be called before any hand-over.
//
// Masking is for accidents: code that wants to print a secret writes it in another
// form.
func WriteMasks(w io.Writer, vars []oidc.Var) error {
	var b strings.Builder
	for _, m := range masks(vars) {
		b.WriteString("::add-mask::" + escapeData(m) + "\n")
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return &oidc.Error{Stage: oidc.StageHandOver, Message: "the masks could not be written",
			Hint: "nothing was handed over; keep the step's standard output open"}
	}
	return nil
}

// masks returns the values to mask, each once: the secret, its lines, and the
// forms in which it commonly turns up.
func masks(vars []oidc.Var) []string {
	var list []string
	add := func(s string) {
		if len(s) >= minMask && !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	for _, v := range vars {
		if v.Public {
			continue
		}
		value := v.Value.Reveal()
		if len(value) < minMask {
			continue
		}
		for _, form := range forms(value) {
			add(form)
		}
		for line := range strings.Lines(value) {
			add(strings.TrimSpace(line))
		}
	}
	return list
}

func forms(value string) []string {
	quoted, _ := json.Marshal(value) // a string always encodes
	return []string{
		value,
		base64.StdEncoding.EncodeToString([]byte(value)),
		base64.RawURLEncoding.EncodeToString([]byte(value)),
		url.QueryEscape(value),
		url.PathEscape(value),
		strings.Trim(string(quoted), `"`),
	}
}

// escapeData writes what a workflow command's value may not hold itself.
func escapeData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}
