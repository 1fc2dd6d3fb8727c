package vault

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stint-dev/stint/oidc"
)

// bounds are bound_claims: by the name of a claim, or a JSON pointer to it.
type bounds map[string]bound

func (b bounds) names() []string { return slices.Sorted(maps.Keys(b)) }

// A bound is what one claim may be: any of the texts. A number or a boolean is kept
// apart, since none equals a claim of GitHub, which are all texts.
type bound struct {
	texts  []string
	others bool
}

// UnmarshalJSON reads one value or a list of them.
func (b *bound) UnmarshalJSON(raw []byte) error {
	var list []any
	if json.Unmarshal(raw, &list) != nil {
		var one any
		if err := json.Unmarshal(raw, &one); err != nil {
			return err
		}
		list = []any{one}
	}
	for _, v := range list {
		switch v := v.(type) {
		case string:
			b.texts = append(b.texts, v)
		case float64, bool:
			b.others = true
		default:
			return fmt.Errorf("%w: a bound claim is a text, a number, a boolean or a list of these", errKind)
		}
	}
	return nil
}

func (b bound) refusal(name string, c oidc.Claims, globs bool) string {
	values := claimValues(name, c)
	if len(values) == 0 {
		return fmt.Sprintf("the token has no claim %.60q", name)
	}
	for _, want := range b.texts {
		for _, got := range values {
			if got == want || globs && matchGlob(want, got) {
				return ""
			}
		}
	}
	return fmt.Sprintf("claim %.60q is %.300q, which is none of the bound values", name, strings.Join(values, ", "))
}

// claimValues are the values of a claim, none when it is absent. A name that begins
// with "/" is a JSON pointer; GitHub's claims have no parts, so that only a pointer to
// a whole claim leads anywhere.
func claimValues(name string, c oidc.Claims) []string {
	if pointer, ok := strings.CutPrefix(name, "/"); ok {
		if strings.Contains(pointer, "/") {
			return nil
		}
		name = strings.NewReplacer("~1", "/", "~0", "~").Replace(pointer)
	}
	if name == "aud" {
		return c.Audience
	}
	if !c.Has(name) {
		return nil
	}
	return []string{c.Get(name)}
}

// matchGlob matches the whole of s; "*" is any run of characters, also none, and
// nothing else is special (ryanuber/go-glob).
func matchGlob(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	rest, ok := strings.CutPrefix(s, parts[0])
	if !ok {
		return false
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, parts[last])
}
