package vault

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stint-dev/stint/oidc"
)

// maxFieldBytes is the longest value of a field.
const maxFieldBytes = 64 << 10

// vars picks the fields. Version 2 of the key-value store wraps them with metadata.
func (one secret) vars(data map[string]any) ([]oidc.Var, error) {
	if _, wrapped := data["metadata"].(map[string]any); wrapped {
		inner, ok := data["data"].(map[string]any)
		if !ok {
			return nil, one.problem("check it with vault kv get, and undelete the version if that is right", "secret %q has been deleted", one.Path)
		}
		data = inner
	}
	fields := make([]string, 0, len(one.Fields))
	for field := range one.Fields {
		fields = append(fields, field)
	}
	slices.Sort(fields)
	vars := make([]oidc.Var, 0, len(fields))
	for _, field := range fields {
		value, ok := text(data[field])
		switch {
		case data[field] == nil:
			return nil, one.problem("compare fields: in the grant with the secret's own", "secret %q has no field %q", one.Path, field)
		case !ok || value == "":
			return nil, one.problem("name a field with a text of its own", "field %q of secret %q is empty or not a text", field, one.Path)
		case len(value) > maxFieldBytes || strings.Contains(value, "\x00"):
			return nil, one.problem("name a field that fits a variable", "field %q of secret %q cannot be in a variable", field, one.Path)
		}
		vars = append(vars, oidc.Var{Name: one.Fields[field], Value: oidc.NewSecret(value)})
	}
	return vars, nil
}

func text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

func (one secret) problem(hint, format string, args ...any) error {
	return &oidc.Error{Stage: oidc.StageExchange, Message: fmt.Sprintf(format, args...), Hint: hint}
}
