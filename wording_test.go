package stint_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// claims are what no text of ours may say, because nothing that runs inside a job can make it true. SECURITY.md says what is.
var claims = []*regexp.Regexp{
	regexp.MustCompile(`(?i)other (steps|jobs|code) (cannot|can't|can not|can never)\b`),
	regexp.MustCompile(`(?i)revoked at (the )?(job|end)`),
	regexp.MustCompile(`(?i)zero[- ]standing[- ]privilege`),
	regexp.MustCompile(`(?i)tamper[- ]?proof`),
	regexp.MustCompile(`(?i)prevents? (all |any )?supply[- ]chain`),
	regexp.MustCompile(`(?i)\b(AWS|STS)( session| key)?s? (is|are|was|were|gets?) revoked`),
	regexp.MustCompile(`(?i)works (with|on) (GHES|ghe\.com|GitHub Enterprise)`),
}

func TestNoTextClaimsTooMuch(t *testing.T) {
	read := 0
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		switch ext := filepath.Ext(name); {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && strings.HasPrefix(entry.Name(), "."), entry.IsDir() && entry.Name() == "testdata":
			return fs.SkipDir
		case entry.IsDir() || ext != ".md" && ext != ".yml" && ext != ".go" || strings.HasSuffix(name, "wording_test.go"):
			return nil
		}
		text, err := os.ReadFile(name)
		read++
		for _, claim := range claimsIn(string(text)) {
			t.Errorf("%s says %q", name, claim)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if read < 10 {
		t.Errorf("read %d texts: the test does not run at the root of the module", read)
	}
}

func TestClaimsAreFound(t *testing.T) {
	for _, text := range []string{
		"Other steps cannot get the credentials.", "The session is revoked\nat job end.", "Zero standing privilege", "a tamper-proof receipt",
		"Prevents supply-chain attacks", "the AWS session is revoked", "Works with GHES",
	} {
		if len(claimsIn(text)) == 0 {
			t.Errorf("%q passes", text)
		}
	}
	for _, text := range []string{"other steps can read it", "the Vault token was revoked (verified)", "AWS: not revocable, expires at 10:00"} {
		if found := claimsIn(text); len(found) > 0 {
			t.Errorf("%q is held for %q", text, found)
		}
	}
}

func claimsIn(text string) []string {
	text = strings.Join(strings.Fields(text), " ") // a claim may run over the end of a line
	var found []string
	for _, claim := range claims {
		found = append(found, claim.FindAllString(text, -1)...)
	}
	return found
}
