package platform

import (
	"slices"
	"strings"
)

// credentialEndings end the names that are written without separators: only a word
// that ends so is taken apart.
var credentialEndings = []string{
	"token", "key", "apikey", "accesskey", "privatekey", "secret", "password", "passwd", "pat", "credentials", "webhook", "url", "arn", "id",
	"region", "username",
}

// partWords are all words that a name can be made of: those of the tables, and what
// people put between them.
var partWords = collectParts()

// minPartBytes is the shortest word that is looked for inside another; shorter ones
// are found by chance.
const minPartBytes = 3

func collectParts() map[string]bool {
	parts := map[string]bool{}
	add := func(words ...string) {
		for _, w := range words {
			if len(w) >= minPartBytes && !strings.HasSuffix(w, "*") {
				parts[w] = true
			}
		}
	}
	for _, line := range secretTable {
		add(strings.Fields(line.words)...)
	}
	for pair := range joinedWords {
		add(pair[0], pair[1])
	}
	add(credentialEndings...)
	add("auth", "prod", "publish", "deploy", "release")
	parts["gh"], parts["id"] = true, true
	return parts
}

// splitRunTogether takes apart the words of a name that are several without a
// separator (NPMTOKEN, AWSSECRETACCESSKEY), where there is one way to do so with the
// fewest known words. It reports whether there was any.
func splitRunTogether(words []string) (split []string, ok bool) {
	for _, w := range words {
		parts := splitWord(w)
		ok = ok || len(parts) > 1
		split = append(split, parts...)
	}
	return joinWords(split), ok
}

// splitWord returns the parts of a word, or the word alone. Of a role's ARN the part
// in front needs not be known: nothing else ends so.
func splitWord(word string) []string {
	if partWords[word] {
		return []string{word}
	}
	if front, ok := strings.CutSuffix(word, "rolearn"); ok && front != "" {
		return []string{front, "role", "arn"}
	}
	ends := func(e string) bool { return strings.HasSuffix(word, e) }
	if parts := fewestParts(word); len(parts) > 1 && slices.ContainsFunc(credentialEndings, ends) {
		return parts
	}
	return []string{word}
}

// fewestParts covers a word with the fewest known ones; nil when there is no way, or
// more than one with as few.
func fewestParts(word string) []string {
	type cover struct {
		last  string
		words int
		ways  int
	}
	best := make([]cover, len(word)+1) // of the first n bytes
	best[0].ways = 1
	for end := 1; end <= len(word); end++ {
		for start := range end {
			if best[start].ways == 0 || !partWords[word[start:end]] {
				continue
			}
			switch b, n := &best[end], best[start].words+1; {
			case b.ways == 0 || n < b.words:
				*b = cover{word[start:end], n, best[start].ways}
			case n == b.words:
				b.ways += best[start].ways
			}
		}
	}
	if best[len(word)].ways != 1 {
		return nil
	}
	var parts []string
	for end := len(word); end > 0; end -= len(best[end].last) {
		parts = append(parts, best[end].last)
	}
	slices.Reverse(parts)
	return parts
}
