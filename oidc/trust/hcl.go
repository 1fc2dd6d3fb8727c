package trust

import (
	"fmt"
	"strings"
	"unicode"
)

// HCLText writes a text of Terraform. In HCL "${" and "%{" begin a template, and
// control characters have no escape but \uNNNN.
func HCLText(s string) string {
	s = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "${", "$${", "%{", "%%{").Replace(s)
	var b strings.Builder
	for _, r := range s {
		if unicode.IsControl(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return `"` + b.String() + `"`
}
