package grant

import (
	_ "embed"
	"slices"
)

//go:embed stint.schema.json
var schema []byte

// Schema returns the JSON schema (draft 2020-12) of .github/stint.yml for
// editors. It accepts what Parse accepts, and describes the keys of package lint
// loosely; a wrong provider block may pass it, since the provider knows more.
func Schema() []byte { return slices.Clone(schema) }
