package platform

import (
	"cmp"
	"slices"
	"strings"
)

// A SecretWeight is what a literal that has a credential's form is worth to
// whoever reads it, rising.
type SecretWeight int

// Weights of literal credentials.
const (
	// SecretTest opens a sandbox only (a payment provider's test mode).
	SecretTest SecretWeight = iota
	// SecretPart is half of a pair, or a key that is often shown on purpose and
	// limited elsewhere (an AWS key id, a Google API key).
	SecretPart
	// SecretWhole opens what it was made for.
	SecretWhole
)

// A SecretHit is a literal with the form of a credential, at a place of a text, in
// bytes. The text itself must never be printed; Hint may.
type SecretHit struct {
	// Kind is what it is, with its article: "an npm access token".
	Kind string
	// Opens is as in ActionInfo.
	Opens  string
	Weight SecretWeight
	// Proven is set when the text carries a checksum or a structure that made-up
	// text does not have.
	Proven bool
	// Hint is the public beginning of the form, at most four bytes; "" for none.
	Hint string
	// Ends is the date (2006-01-02) on which it stops by its own word, "" when it has none.
	Ends       string
	Start, End int
}

// FindSecrets returns the literals in text that have the form of a credential, in
// order of place and without overlaps. Placeholders, values from documentation,
// and what fails the checksum of its form are left out; nothing is decoded to be
// looked into, except a web token's own claims.
func FindSecrets(text string) []SecretHit {
	hits := secretIndexByStart.find(text)
	hits = findPrivateKeys(hits, text)
	hits = findURLPasswords(hits, text)
	slices.SortStableFunc(hits, func(a, b SecretHit) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End))
	})
	end := 0
	return slices.DeleteFunc(hits, func(h SecretHit) bool {
		if h.Start < end {
			return true
		}
		end = h.End
		return false
	})
}

// A secretFormat is a credential with a public beginning.
type secretFormat struct {
	kind, opens string
	// prefix begins the credential; body is the alphabet of what follows, of which
	// there are least to most bytes (0: no limit).
	prefix      string
	body        alphabet
	least, most int
	weight      SecretWeight
	// check may look further at the whole and set what it finds; false drops it.
	// Without one the body must look random.
	check func(whole string, h *SecretHit) bool
}

// maxSecretBytes bounds a credential that is looked at.
const maxSecretBytes = 8 << 10

// A startIndex finds the forms of credentials in one pass, by their first two bytes.
type startIndex struct {
	// group is, for two bytes, 1 + the index into groups of the forms that begin so.
	group  [1 << 16]uint8
	groups [][]*secretFormat
}

var secretIndexByStart = newStartIndex(secretFormats)

func newStartIndex(formats []secretFormat) *startIndex {
	x := &startIndex{}
	for i := range formats {
		f := &formats[i]
		key := twoBytes(f.prefix[0], f.prefix[1])
		if x.group[key] == 0 {
			x.groups = append(x.groups, nil)
			x.group[key] = uint8(len(x.groups))
		}
		group := &x.groups[x.group[key]-1]
		*group = append(*group, f)
	}
	return x
}

func twoBytes(a, b byte) uint16 { return uint16(a)<<8 | uint16(b) }

func (x *startIndex) find(text string) []SecretHit {
	var hits []SecretHit
	for i := 1; i < len(text); i++ {
		group := x.group[twoBytes(text[i-1], text[i])]
		if group == 0 {
			continue
		}
		for _, f := range x.groups[group-1] {
			if h, ok := f.at(text, i-1); ok {
				hits = append(hits, h)
			}
		}
	}
	return hits
}

// at returns the credential of the form that begins at start, if one does.
func (f *secretFormat) at(text string, start int) (SecretHit, bool) {
	if !strings.HasPrefix(text[start:], f.prefix) || start > 0 && f.continues(text[start-1]) {
		return SecretHit{}, false
	}
	from := start + len(f.prefix)
	end := f.body.run(text, from)
	end = from + len(strings.TrimRight(text[from:end], ".")) // of a sentence
	size := end - from
	if size < f.least || f.most > 0 && size > f.most || size > maxSecretBytes || !variableFree(text, end) {
		return SecretHit{}, false
	}
	h := SecretHit{Kind: f.kind, Opens: f.opens, Weight: f.weight, Hint: f.prefix[:min(len(f.prefix), 4)], Start: start, End: end}
	check := f.check
	if check == nil {
		check = f.random
	}
	ok := check(text[start:end], &h)
	return h, ok
}

// continues reports whether a credential that would begin behind c is the middle
// of a longer word. What may also part a name from its value is none.
func (f *secretFormat) continues(c byte) bool {
	return (wordBytes[c] || f.body[c]) && c != '=' && c != ':'
}

func (f *secretFormat) random(whole string, _ *SecretHit) bool {
	return LooksRandom(whole[len(f.prefix):])
}

// variableFree reports whether text does not go on with an expansion, as in
// ghp_$SUFFIX.
func variableFree(text string, end int) bool {
	return end == len(text) || text[end] != '$' && text[end] != '{'
}

// An alphabet is the set of bytes of a credential's body.
type alphabet [256]bool

func alphabetOf(ranges string) (a alphabet) {
	for i := 0; i < len(ranges); i++ {
		if i+2 < len(ranges) && ranges[i+1] == '-' {
			for c := int(ranges[i]); c <= int(ranges[i+2]); c++ {
				a[c] = true
			}
			i += 2
			continue
		}
		a[ranges[i]] = true
	}
	return a
}

// run returns the end of the run of the alphabet's bytes at from.
func (a *alphabet) run(text string, from int) int {
	for from < len(text) && a[text[from]] {
		from++
	}
	return from
}

// placeholders are words that no generated credential holds by chance, and that
// people write where one belongs.
var placeholders = []string{
	"example", "placeholder", "xxxx", "your", "dummy", "fake", "redacted", "changeme", "change-me", "change_me", "sample", "insert", "secret", "token",
	"password", "test", "mock", "replace", "notreal", "not-real", "invalid", "12345678", "abcdefgh", "abcd1234", "deadbeef", "00000000", "....", "****", "todo",
}

// IsPlaceholder reports whether a value says by itself that it stands for another
// (in words, or because it repeats itself), or is an emulator's published key.
func IsPlaceholder(value string) bool {
	lower := strings.ToLower(value)
	for _, w := range placeholders {
		if strings.Contains(lower, w) {
			return true
		}
	}
	return distinct(value) < min(5, len(value)) || isEmulatorKey(value)
}

// LooksRandom reports whether a value of 12 bytes or more is one that a generator
// made: letters and digits mixed, as many different ones as chance gives, and no
// words of a placeholder.
func LooksRandom(value string) bool {
	if len(value) < 12 || IsPlaceholder(value) {
		return false
	}
	digits := 0
	for i := range len(value) {
		if value[i] >= '0' && value[i] <= '9' {
			digits++
		}
	}
	// Hexadecimal text has few letters to choose from, so that 16 is the bound.
	return digits > 0 && digits < len(value) && distinct(value) >= min(9, len(value)*2/5) && longestRun(value) < 6
}

func distinct(s string) int {
	var seen [256]bool
	n := 0
	for i := range len(s) {
		if !seen[s[i]] {
			seen[s[i]] = true
			n++
		}
	}
	return n
}

// longestRun returns the length of the longest run of equal or counting bytes.
func longestRun(s string) int {
	longest, equal, rising := 0, 1, 1
	for i := 1; i < len(s); i++ {
		equal, rising = equal+1, rising+1
		if s[i] != s[i-1] {
			equal = 1
		}
		if s[i] != s[i-1]+1 {
			rising = 1
		}
		longest = max(longest, equal, rising)
	}
	return longest
}

// secretWords are last words of names whose values are credentials, and keyWords
// those that make one of a name that ends in "key".
var (
	secretWords = []string{"password", "passphrase", "secret", "token", "apikey", "accesskey", "privatekey", "credential", "credentials"}
	keyWords    = []string{"secret", "master", "encryption", "signing", "auth", "admin", "deploy", "service", "account"}
)

// NamesSecret reports whether a name of a variable or input says that its value is
// a credential.
func NamesSecret(name string) bool {
	info := lookupSecret(name)
	words := nameWords(name)
	if info.Public || len(words) == 0 {
		return false
	}
	last := words[len(words)-1]
	switch {
	case slices.Contains(secretWords, last):
		return true
	case last == "key" || last == "base":
		return slices.ContainsFunc(words[:len(words)-1], func(w string) bool { return slices.Contains(keyWords, w) })
	}
	return false
}

// uploadWords name services whose tokens for workflows only send reports in, so
// that many projects show theirs on purpose (their documentation, 2026-11).
var uploadWords = []string{"argos", "bundlewatch", "chromatic", "chromaui", "codacy", "codeclimate", "codecov", "coveralls", "deepsource", "fossa", "percy"}

// UploadsOnly reports whether a name is that of a token that only sends reports in,
// or of an action that takes one.
func UploadsOnly(name string) bool {
	return slices.ContainsFunc(nameWords(name), func(w string) bool { return slices.Contains(uploadWords, w) })
}
