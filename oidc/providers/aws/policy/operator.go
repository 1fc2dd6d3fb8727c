package policy

import (
	"encoding/base64"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// A qualifier says how an operator treats a key with several values.
type qualifier uint8

const (
	single qualifier = iota
	forAny           // ForAnyValue: some value of the request
	forAll           // ForAllValues: every value, also when there is none
)

// An operator is a condition operator taken apart.
type operator struct {
	base     string
	qual     qualifier
	ifExists bool
	comparison
}

// A comparison is what an operator does with one value of the request and one of
// the document.
type comparison struct {
	// negated operators hold when no value of the document matches.
	negated bool
	// wildcards are read in the document's values.
	wildcards bool
	// text is set for the comparisons that fit a key of type string.
	text bool
	// valid reports whether IAM can read the document's value; nil means any.
	valid func(string) bool
	// test compares; nil means that this package does not read the operator.
	test func(want operand, got string) truth
}

// null is the operator that asks whether a key is there.
const null = "Null"

// comparisons are the operators of IAM ("IAM JSON policy elements: Condition
// operators"), by their base names, which are case-sensitive.
var comparisons = map[string]comparison{
	"StringEquals":              {text: true, test: equalText},
	"StringNotEquals":           {text: true, test: equalText, negated: true},
	"StringEqualsIgnoreCase":    {text: true, test: equalFolded},
	"StringNotEqualsIgnoreCase": {text: true, test: equalFolded, negated: true},
	"StringLike":                {text: true, test: equalText, wildcards: true},
	"StringNotLike":             {text: true, test: equalText, wildcards: true, negated: true},

	"NumericEquals":            {valid: isNumber, test: numeric(func(c int) bool { return c == 0 })},
	"NumericNotEquals":         {valid: isNumber, test: numeric(func(c int) bool { return c == 0 }), negated: true},
	"NumericLessThan":          {valid: isNumber, test: numeric(func(c int) bool { return c < 0 })},
	"NumericLessThanEquals":    {valid: isNumber, test: numeric(func(c int) bool { return c <= 0 })},
	"NumericGreaterThan":       {valid: isNumber, test: numeric(func(c int) bool { return c > 0 })},
	"NumericGreaterThanEquals": {valid: isNumber, test: numeric(func(c int) bool { return c >= 0 })},

	"DateEquals":            {valid: isDate, test: date(func(c int) bool { return c == 0 })},
	"DateNotEquals":         {valid: isDate, test: date(func(c int) bool { return c == 0 }), negated: true},
	"DateLessThan":          {valid: isDate, test: date(func(c int) bool { return c < 0 })},
	"DateLessThanEquals":    {valid: isDate, test: date(func(c int) bool { return c <= 0 })},
	"DateGreaterThan":       {valid: isDate, test: date(func(c int) bool { return c > 0 })},
	"DateGreaterThanEquals": {valid: isDate, test: date(func(c int) bool { return c >= 0 })},

	"Bool":         {valid: isBool, test: equalBool},
	"BinaryEquals": {valid: isBase64},

	"IpAddress":    {valid: isNetwork, test: inNetwork},
	"NotIpAddress": {valid: isNetwork, test: inNetwork, negated: true},

	"ArnEquals":    {test: equalARN, wildcards: true},
	"ArnLike":      {test: equalARN, wildcards: true},
	"ArnNotEquals": {test: equalARN, wildcards: true, negated: true},
	"ArnNotLike":   {test: equalARN, wildcards: true, negated: true},

	null: {text: true, valid: isBool},
}

// parseOperator takes a name apart; ok is false for a name that IAM does not have.
func parseOperator(name string) (op operator, ok bool) {
	rest := name
	if after, found := strings.CutPrefix(rest, "ForAnyValue:"); found {
		op.qual, rest = forAny, after
	} else if after, found := strings.CutPrefix(rest, "ForAllValues:"); found {
		op.qual, rest = forAll, after
	}
	op.base, op.ifExists = strings.CutSuffix(rest, "IfExists")
	op.comparison, ok = comparisons[op.base]
	if op.base == null && (op.ifExists || op.qual != single) {
		return op, false
	}
	return op, ok
}

func equalText(want operand, got string) truth   { return want.pat.match(got, false) }
func equalFolded(want operand, got string) truth { return want.pat.match(got, true) }
func equalARN(want operand, got string) truth    { return want.pat.matchARN(got) }

func equalBool(want operand, got string) truth {
	a, errA := parseBool(want.raw)
	b, errB := parseBool(got)
	if errA != nil || errB != nil {
		return unknown
	}
	return truthOf(a == b)
}

func isBool(s string) bool { _, err := parseBool(s); return err == nil }

func parseBool(s string) (bool, error) {
	switch {
	case strings.EqualFold(s, "true"):
		return true, nil
	case strings.EqualFold(s, "false"):
		return false, nil
	}
	return false, strconv.ErrSyntax
}

// numeric compares whole numbers exactly and others as IEEE doubles.
func numeric(holds func(int) bool) func(operand, string) truth {
	return func(want operand, got string) truth {
		a, errA := strconv.ParseInt(got, 10, 64)
		b, errB := strconv.ParseInt(want.raw, 10, 64)
		if errA == nil && errB == nil {
			return truthOf(holds(compare(a, b)))
		}
		if !isNumber(got) || !isNumber(want.raw) {
			return unknown
		}
		x, _ := strconv.ParseFloat(got, 64)
		y, _ := strconv.ParseFloat(want.raw, 64)
		return truthOf(holds(compare(x, y)))
	}
}

func compare[T int64 | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// isNumber takes decimal numbers only: no hexadecimal, infinity or underscore.
func isNumber(s string) bool {
	if strings.Trim(s, "0123456789+-.eE") != "" {
		return false
	}
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}

func date(holds func(int) bool) func(operand, string) truth {
	return func(want operand, got string) truth {
		a, okA := parseDate(got)
		b, okB := parseDate(want.raw)
		if !okA || !okB {
			return unknown
		}
		return truthOf(holds(a.Compare(b)))
	}
}

func isDate(s string) bool { _, ok := parseDate(s); return ok }

// dateLayouts are the forms of ISO 8601 in W3C's note that IAM names; it also
// takes seconds since 1970.
var dateLayouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02", "2006-01", "2006",
}

func parseDate(s string) (time.Time, bool) {
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.Unix(n, 0), true
	}
	return time.Time{}, false
}

func isNetwork(s string) bool { _, ok := parseNetwork(s); return ok }

func parseNetwork(s string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p, true
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, a.BitLen()), true
}

func inNetwork(want operand, got string) truth {
	network, ok := parseNetwork(want.raw)
	addr, err := netip.ParseAddr(got)
	if !ok || err != nil {
		return unknown
	}
	return truthOf(network.Contains(addr))
}

func isBase64(s string) bool {
	_, err := base64.StdEncoding.DecodeString(s)
	return err == nil
}
