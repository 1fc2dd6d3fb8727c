package platform

import "strings"

// A secretLine judges names that hold all of its words, in this order. A word is a
// run of the name between separators; the first line that fits decides.
type secretLine struct {
	words string
	SecretInfo
}

// Places, classes and whether the place takes an id-token: see federates.
func cloudKey(opens string) SecretInfo     { return secretInfo(opens, "cloud-key") }
func publishToken(opens string) SecretInfo { return secretInfo(opens, "publish-token") }
func modelKey(opens string) SecretInfo     { return secretInfo(opens, "model-key") }
func serviceToken(opens string) SecretInfo { return secretInfo(opens, "service-token") }
func login(opens string) SecretInfo        { return secretInfo(opens, "registry-login") }
func webhook(opens string) SecretInfo      { return secretInfo(opens, "webhook") }
func secretInfo(opens, class string) SecretInfo {
	return SecretInfo{Opens: opens, Class: class, Federates: federates[opens]}
}

var (
	public       = SecretInfo{Public: true}
	personal     = secretInfo("github", "personal-token")
	appKey       = secretInfo("github", "app-key")
	sshKey       = secretInfo("ssh", "ssh-key")
	signingKey   = secretInfo("signing", "signing-key")
	jobToken     = SecretInfo{Opens: "github", Class: "repository-token"}
	unclassified = SecretInfo{}
)

// federates holds the places that take GitHub's id-token in place of a stored key,
// with the date from which, where one is known. GitHub itself does so through a broker
// only (octo-sts) and is not in the list. Sources: the places' documentation and the
// comparison of credential actions, 2026-11.
var federates = map[string]bool{
	"aws":        true, // 2021-11, AssumeRoleWithWebIdentity
	"gcp":        true, // 2021-11, workload identity federation
	"azure":      true, // 2021-10, federated credentials
	"alibaba":    true, // RAM OIDC providers
	"oracle":     true, // 2025, token exchange
	"vault":      true, // JWT auth
	"pypi":       true, // 2023-04
	"rubygems":   true, // 2023
	"crates":     true, // 2025-07
	"npm":        true, // 2025-07-31
	"nuget":      true, // 2025-09
	"dockerhub":  true, // OIDC connections of Team and Business organizations, docker/login-action of 2026-07-22
	"pulumi":     true, // OIDC issuers, 2024
	"anthropic":  true, // workload identity federation, claude-code-action's inputs, 2026
	"codecov":    true, // use_oidc
	"tailscale":  true, // workload identity, 2025
	"gemini":     true, // by a Google Cloud workload identity, run-gemini-cli's inputs
	"quay":       true, // federated robot accounts
	"jsr":        true,
	"pub":        true, // 2023, automated publishing
	"cloudsmith": true, "artifactory": true, "depot": true, "codspeed": true,
	"doppler": true, "infisical": true, "akeyless": true, "teleport": true, "chainguard": true,
}

// Federates reports whether a place, as [SecretInfo] names it in Opens, takes the
// job's id-token in place of a stored key today.
func Federates(place string) bool { return federates[place] }

// secretIndex finds the lines that can fit a name by the first word that they
// want; stars are the lines whose first word only begins so.
var secretIndex, secretStars = indexSecrets(secretTable)

// A splitSecret is a line of the table; order is its place there, and the first
// that fits decides.
type splitSecret struct {
	order int
	words []string
	SecretInfo
}

func indexSecrets(table []secretLine) (index map[string][]splitSecret, stars []splitSecret) {
	index = map[string][]splitSecret{}
	for order, line := range table {
		words := strings.Fields(line.words)
		first := words[0]
		if first == "^" {
			first = words[1]
		}
		split := splitSecret{order, words, line.SecretInfo}
		if strings.HasSuffix(first, "*") {
			stars = append(stars, split)
		} else {
			index[first] = append(index[first], split)
		}
	}
	return index, stars
}

func lookupSecret(name string) SecretInfo {
	if strings.EqualFold(name, "GITHUB_TOKEN") {
		return jobToken
	}
	words := nameWords(name)
	info, ok := lookupWords(words)
	if ok {
		return info
	}
	if split, more := splitRunTogether(words); more {
		info, _ = lookupWords(split)
	}
	return info
}

// lookupWords finds the first line of the table that fits the words of a name.
func lookupWords(words []string) (info SecretInfo, ok bool) {
	found := splitSecret{order: len(secretTable), SecretInfo: unclassified}
	look := func(lines []splitSecret) {
		for _, line := range lines {
			if line.order < found.order && holdsWords(words, line.words) {
				found = line
			}
		}
	}
	for _, w := range words {
		look(secretIndex[w])
	}
	look(secretStars)
	return found.SecretInfo, found.order < len(secretTable)
}

// holdsWords reports whether want is a subsequence of words. "^" fits the start of
// the name and "$" its end; a word with a trailing "*" fits any word that begins so.
func holdsWords(words, want []string) bool {
	i, anchored := 0, false
	for _, w := range want {
		switch w {
		case "^":
			anchored = true
			continue
		case "$":
			if i != len(words) {
				return false
			}
			continue
		}
		at := i
		for at < len(words) && !fitsWord(words[at], w) {
			at++
		}
		if at == len(words) || anchored && at != i {
			return false
		}
		i, anchored = at+1, false
	}
	return true
}

func fitsWord(word, want string) bool {
	if prefix, ok := strings.CutSuffix(want, "*"); ok {
		return strings.HasPrefix(word, prefix)
	}
	return word == want
}

// maxNameBytes bounds the name that is looked at.
const maxNameBytes = 256

// nameWords splits a name at every separator and every change from lower to upper
// case, in lower case, joins the spellings that are one word and drops a number at the end.
func nameWords(name string) []string {
	var words []string
	var word strings.Builder
	flush := func() {
		if word.Len() > 0 {
			words = append(words, strings.ToLower(word.String()))
			word.Reset()
		}
	}
	var last rune
	for _, r := range name[:min(len(name), maxNameBytes)] {
		switch {
		case !isAlnum(r):
			flush()
		case isUpper(r) && last != 0 && isAlnum(last) && !isUpper(last):
			flush()
			word.WriteRune(r)
		default:
			word.WriteRune(r)
		}
		last = r
	}
	flush()
	for len(words) > 1 && isNumber(words[len(words)-1]) {
		words = words[:len(words)-1]
	}
	return joinWords(words)
}

func isUpper(r rune) bool { return r >= 'A' && r <= 'Z' }

func isAlnum(r rune) bool {
	return r >= 'a' && r <= 'z' || isUpper(r) || r >= '0' && r <= '9'
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// joinedWords are pairs that people write as one word or as two.
var joinedWords = map[[2]string]string{
	{"docker", "hub"}:       "dockerhub",
	{"docker", "io"}:        "dockerhub",
	{"dockerio", ""}:        "dockerhub",
	{"ruby", "gems"}:        "rubygems",
	{"rubygem", ""}:         "rubygems",
	{"gem", "host"}:         "rubygems",
	{"digital", "ocean"}:    "digitalocean",
	{"do", "access"}:        "digitalocean",
	{"do", "api"}:           "digitalocean",
	{"cocoa", "pods"}:       "cocoapods",
	{"open", "ai"}:          "openai",
	{"open", "router"}:      "openrouter",
	{"hugging", "face"}:     "huggingface",
	{"hf", ""}:              "huggingface",
	{"gcloud", ""}:          "gcp",
	{"google", "cloud"}:     "gcp",
	{"gha", ""}:             "gh",
	{"github", ""}:          "gh",
	{"api", "key"}:          "apikey",
	{"access", "key"}:       "accesskey",
	{"private", "key"}:      "privatekey",
	{"web", "hook"}:         "webhook",
	{"quay", "io"}:          "quay",
	{"quayio", ""}:          "quay",
	{"ghpat", ""}:           "pat",
	{"dockerpublicbot", ""}: "dockerhub",
	{"appleid", ""}:         "apple",
	{"app", "store"}:        "appstore",
	{"rsa", ""}:             "privatekey",
	{"ed25519", ""}:         "privatekey",
	{"accesstoken", ""}:     "token",
	{"apitoken", ""}:        "token",
	{"authtoken", ""}:       "token",
	{"pem", ""}:             "privatekey",
	{"circle", "ci"}:        "circleci",
	{"build", "kite"}:       "buildkite",
	{"fly", "io"}:           "fly",
	{"git", "lab"}:          "gitlab",
	{"type", "sense"}:       "typesense",
	{"passwd", ""}:          "password",
	{"pwd", ""}:             "password",
	{"pw", ""}:              "password",
	{"pass", ""}:            "password",
	{"subscriptionid", ""}:  "subscription",
	{"tenantid", ""}:        "tenant",
	{"clientid", ""}:        "clientid",
	{"client", "id"}:        "clientid",
}

func joinWords(words []string) []string {
	joined := make([]string, 0, len(words))
	for i := 0; i < len(words); i++ {
		word := words[i]
		if i+1 < len(words) {
			if pair, ok := joinedWords[[2]string{word, words[i+1]}]; ok {
				joined = append(joined, pair)
				i++
				continue
			}
		}
		if one, ok := joinedWords[[2]string{word, ""}]; ok {
			word = one
		}
		joined = append(joined, word)
	}
	return joined
}
