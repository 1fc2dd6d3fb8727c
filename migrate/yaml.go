package migrate

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/stint-dev/stint/workflows"
)

// plainText is what YAML reads as the text that it is without quotes, inside of
// brackets as well.
var plainText = regexp.MustCompile(`^[A-Za-z_/.][A-Za-z0-9_/.@+-]*(:[A-Za-z0-9_/.@*+-]+)*$`)

// notText are the words that YAML 1.1 or 1.2 does not read as text.
var notText = []string{"true", "false", "yes", "no", "on", "off", "y", "n", "null", ".inf", ".nan"}

// yamlText writes a text as one scalar of YAML.
func yamlText(s string) string {
	if plainText.MatchString(s) && !slices.Contains(notText, strings.ToLower(s)) {
		return s
	}
	return quoted(s)
}

// yamlFlow writes a text as one scalar of YAML inside of brackets, where lists of
// actions and resources look best in quotes when they hold a star or a colon.
func yamlFlow(s string) string {
	if strings.ContainsAny(s, "*") {
		return quoted(s)
	}
	return yamlText(s)
}

// quoted writes a text in double quotes; JSON's escapes are YAML's too.
func quoted(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string cannot fail
	return strings.TrimSuffix(b.String(), "\n")
}

// oneLine makes a text fit for a comment or a message.
func oneLine(s string) string {
	return workflows.Printable(strings.Join(strings.Fields(s), " "))
}
