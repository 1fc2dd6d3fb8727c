package grant

import (
	"cmp"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// A strict decoder fills Go values from YAML nodes and refuses what the types do
// not name. The yaml package refuses unknown keys only when it decodes a whole
// file, not one node of it, and guesses between types where we want to be told.
type strict struct{ path string }

// A number is a decimal id that people write with or without quotes.
type number string

var (
	durationType = reflect.TypeFor[time.Duration]()
	numberType   = reflect.TypeFor[number]()
)

// decode reads n into what v points to; what names the place in errors.
func (s strict) decode(n *yaml.Node, v any, what string) error {
	ptr := reflect.ValueOf(v)
	if ptr.Kind() != reflect.Pointer || ptr.IsNil() {
		return problem(s.path, n.Line, "", "%s cannot be read into a %T", what, v)
	}
	return s.value(resolve(n), ptr.Elem(), what)
}

func (s strict) value(n *yaml.Node, v reflect.Value, what string) error {
	switch v.Type() {
	case durationType:
		return s.duration(n, v, what)
	case numberType:
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" && n.ShortTag() != "!!str" {
			return s.wrong(n, what, "a number")
		}
		v.SetString(n.Value)
		return nil
	}
	switch v.Kind() {
	case reflect.Struct:
		return s.structure(n, v, what)
	case reflect.Map:
		return s.mapping(n, v, what)
	case reflect.Slice:
		return s.list(n, v, what)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return s.value(n, v.Elem(), what)
	case reflect.Interface:
		got, err := s.plain(n, what)
		if err == nil && got != nil {
			v.Set(reflect.ValueOf(got))
		}
		return err
	}
	return s.scalar(n, v, what)
}

func (s strict) scalar(n *yaml.Node, v reflect.Value, what string) error {
	if n.Kind != yaml.ScalarNode {
		return s.wrong(n, what, scalarName(v.Kind()))
	}
	switch v.Kind() {
	case reflect.String:
		if n.ShortTag() != "!!str" {
			return s.wrong(n, what, "text")
		}
		v.SetString(n.Value)
	case reflect.Bool:
		b, err := strconv.ParseBool(strings.ToLower(n.Value))
		if err != nil || n.ShortTag() != "!!bool" {
			return s.wrong(n, what, "true or false")
		}
		v.SetBool(b)
	case reflect.Int, reflect.Int32, reflect.Int64:
		i, err := strconv.ParseInt(n.Value, 10, v.Type().Bits())
		if err != nil || n.ShortTag() != "!!int" {
			return s.wrong(n, what, "a whole number")
		}
		v.SetInt(i)
	default:
		return problem(s.path, n.Line, "", "%s cannot be read into a %s", what, v.Type())
	}
	return nil
}

func scalarName(k reflect.Kind) string {
	switch k {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int32, reflect.Int64:
		return "a whole number"
	}
	return "text"
}

// wrong is the error of a value of another type; text that YAML takes for
// something else is the usual cause.
func (s strict) wrong(n *yaml.Node, what, want string) error {
	hint := "change the value to " + want
	switch {
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null":
		hint = "give it a value, or remove the key"
	case want == "text" && n.Kind == yaml.ScalarNode:
		hint = "put the value in quotes if it is meant as text"
	case want == "a list" && n.Kind == yaml.ScalarNode:
		hint = "write it as a list: [" + printable(n.Value) + "]"
	}
	return problem(s.path, n.Line, hint, "%s must be %s, not %s", what, want, kind(n))
}

func (s strict) duration(n *yaml.Node, v reflect.Value, what string) error {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
		return problem(s.path, n.Line, "write it with its unit: 15m, 900s, 1h", "%s must be a length of time, not %s", what, kind(n))
	}
	d, err := time.ParseDuration(n.Value)
	if err != nil {
		return problem(s.path, n.Line, "write it with its unit: 15m, 900s, 1h", "%s is not a length of time: %s", what, quote(n.Value))
	}
	v.SetInt(int64(d))
	return nil
}

func (s strict) structure(n *yaml.Node, v reflect.Value, what string) error {
	keys, err := pairs(s.path, n, what)
	if err != nil {
		return err
	}
	fields := fieldsOf(v.Type())
	for _, k := range keys {
		i, ok := fields[k.name]
		if !ok {
			return s.unknownKey(k, what, sortedKeys(fields))
		}
		if err := s.value(k.value, v.Field(i), k.name+" of "+what); err != nil {
			return err
		}
	}
	return nil
}

// unknownKey is the error of a key that nobody reads.
func (s strict) unknownKey(k pair, what string, known []string) error {
	hint := "keys here: " + strings.Join(known, ", ")
	if near := nearest(k.name, known); near != "" {
		hint = "did you mean " + strconv.Quote(near) + "? " + hint
	}
	return problem(s.path, k.line, hint, "unknown key %s in %s", quote(k.name), what)
}

// fieldsOf maps the yaml names of a struct's exported fields to their index.
func fieldsOf(t reflect.Type) map[string]int {
	fields := make(map[string]int, t.NumField())
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if f.IsExported() && name != "-" {
			fields[cmp.Or(name, strings.ToLower(f.Name))] = i
		}
	}
	return fields
}

func (s strict) mapping(n *yaml.Node, v reflect.Value, what string) error {
	if v.Type().Key().Kind() != reflect.String {
		return problem(s.path, n.Line, "", "%s cannot be read into a %s", what, v.Type())
	}
	keys, err := pairs(s.path, n, what)
	if err != nil {
		return err
	}
	m := reflect.MakeMapWithSize(v.Type(), len(keys))
	for _, k := range keys {
		item := reflect.New(v.Type().Elem()).Elem()
		if err := s.value(k.value, item, quote(k.name)+" of "+what); err != nil {
			return err
		}
		m.SetMapIndex(reflect.ValueOf(k.name).Convert(v.Type().Key()), item)
	}
	v.Set(m)
	return nil
}

func (s strict) list(n *yaml.Node, v reflect.Value, what string) error {
	if n.Kind != yaml.SequenceNode {
		return s.wrong(n, what, "a list")
	}
	out := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, c := range n.Content {
		if err := s.value(resolve(c), out.Index(i), "an entry of "+what); err != nil {
			return err
		}
	}
	v.Set(out)
	return nil
}

// plain turns a node into maps, slices, strings, booleans, int64 and float64,
// the same for every spelling of the same value.
func (s strict) plain(n *yaml.Node, what string) (any, error) {
	n = resolve(n)
	switch n.Kind {
	case yaml.MappingNode:
		keys, err := pairs(s.path, n, what)
		if err != nil {
			return nil, err
		}
		m := make(map[string]any, len(keys))
		for _, k := range keys {
			if m[k.name], err = s.plain(k.value, quote(k.name)+" of "+what); err != nil {
				return nil, err
			}
		}
		return m, nil
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, c := range n.Content {
			var err error
			if list[i], err = s.plain(c, "an entry of "+what); err != nil {
				return nil, err
			}
		}
		return list, nil
	}
	return s.plainScalar(n, what)
}

func (s strict) plainScalar(n *yaml.Node, what string) (any, error) {
	var v any
	var err error
	switch n.ShortTag() {
	case "!!null":
		return nil, nil
	case "!!bool":
		v, err = strconv.ParseBool(strings.ToLower(n.Value))
	case "!!int":
		v, err = strconv.ParseInt(n.Value, 10, 64)
	case "!!float":
		v, err = strconv.ParseFloat(n.Value, 64)
	default:
		return n.Value, nil
	}
	if err != nil {
		return nil, problem(s.path, n.Line, "put the value in quotes if it is meant as text", "%s has a value that cannot be read: %s", what, quote(n.Value))
	}
	return v, nil
}

// nearest returns the known name that is a slip of the keyboard away, or "".
func nearest(name string, known []string) string {
	best, at := "", max(2, len(name)/3)+1
	for _, k := range known {
		if d := distance(name, k); d < at {
			best, at = k, d
		}
	}
	return best
}

// distance is the number of single-byte edits between two names.
func distance(a, b string) int {
	const longest = 80 // longer names are no slip of the keyboard
	if len(a) > longest || len(b) > longest {
		return max(len(a), len(b))
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
