package platform

import (
	"encoding/base64"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// mint makes a credential of the form that opens nothing. The ones in the tests
// are made when they run: a file that holds them would be taken for a leak.
func mint(f *secretFormat, r *rand.Rand) string {
	size := max(f.least, 12)
	body := draw(&f.body, size, r)
	switch f.prefix {
	case "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "npm_":
		if f.body == dotted {
			return f.prefix + "123456_" + mintWebToken(`{"iss":"1"}`, r)
		}
		return f.prefix + body[:30] + base62(crc32.ChecksumIEEE([]byte(body[:30])))
	case "pypi-AgE":
		raw := append([]byte{2, 1, 8}, "pypi.example"...)
		raw = append(raw, draw(&urlBytes, 120, r)...)
		return "pypi-" + base64.RawURLEncoding.EncodeToString(raw)
	case "AccountKey=", "SharedAccessKey=":
		raw := []byte(draw(&urlBytes, map[int]int{88: 64, 44: 32}[f.least], r))
		return f.prefix + base64.StdEncoding.EncodeToString(raw)
	case "sk-":
		return f.prefix + "proj-" + body[:20] + "T3BlbkFJ" + body[20:]
	case "SG.":
		return f.prefix + draw(&alnum, 22, r) + "." + draw(&alnum, 43, r)
	case "xoxb-", "xoxp-", "xapp-":
		return f.prefix + "1234567890123-1234567890123-" + draw(&alnum, 24, r)
	case "https://hooks.slack.com/services/T":
		return f.prefix + draw(&base32, 9, r) + "/B" + draw(&base32, 9, r) + "/" + draw(&alnum, 24, r)
	case "https://hooks.slack.com/triggers/":
		return f.prefix + "T" + draw(&base32, 9, r) + "/1234567890123/" + draw(&alnum, 32, r)
	case "https://discord.com/api/webhooks/", "https://discordapp.com/api/webhooks/":
		return f.prefix + "123456789012345678/" + draw(&urlBytes, 68, r)
	case "https://api.telegram.org/bot":
		return f.prefix + "1234567890:AA" + draw(&urlBytes, 33, r)
	case "dp.st.":
		return f.prefix + "prd." + draw(&alnum, 40, r)
	case "eyJ":
		return mintWebToken(`{"sub":"1","iss":"acme"}`, r)
	}
	return f.prefix + body
}

func mintWebToken(claims string, r *rand.Rand) string {
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + enc([]byte(claims)) + "." + enc([]byte(draw(&urlBytes, 64, r)))
}

// draw draws text that looks random: nearly every draw does.
func draw(a *alphabet, size int, r *rand.Rand) string {
	var letters []byte
	for c := range a {
		if a[c] && c != '=' && c != '-' && c != '_' && c != '.' && c != ':' {
			letters = append(letters, byte(c))
		}
	}
	for {
		b := make([]byte, size)
		for i := range b {
			b[i] = letters[r.IntN(len(letters))]
		}
		if size < 12 || LooksRandom(string(b)) {
			return string(b)
		}
	}
}

func TestEveryFormatIsFound(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range secretFormats {
		f := &secretFormats[i]
		for range 20 {
			secret := mint(f, r)
			for _, around := range [][2]string{{"", ""}, {"TOKEN: ", "\n"}, {`"`, `"`}, {"x=", " # a comment"}, {"('", "')"}} {
				text := around[0] + secret + around[1]
				hits := FindSecrets(text)
				if len(hits) != 1 {
					t.Fatalf("%s: %d hits in %q", f.kind, len(hits), text)
				}
				h := hits[0]
				if text[h.Start:h.End] != secret || h.Kind != f.kind || len(h.Hint) > 4 {
					t.Fatalf("%q: found %q as %s (%s)", text, text[h.Start:h.End], h.Kind, h.Hint)
				}
			}
		}
	}
}

// Every form has lines that only look like it: placeholders, parts of longer
// words, expansions, a checksum that does not fit.
func TestLookAlikesAreLeftAlone(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for i := range secretFormats {
		f := &secretFormats[i]
		size := max(f.least, 12)
		for _, body := range []string{strings.Repeat("x", size), strings.Repeat("0", size), "${" + draw(&alnum, size, r) + "}", draw(&alnum, 4, r), (strings.Repeat("your-secret-here-", 20))[:size]} {
			if hits := FindSecrets("TOKEN=" + f.prefix + body + " "); len(hits) > 0 {
				t.Errorf("%s: %q counts", f.kind, f.prefix+body)
			}
		}
		if f.most > 0 && f.body == alnum && f.check == nil {
			if hits := FindSecrets(f.prefix + draw(&alnum, f.most+1, r)); len(hits) > 0 {
				t.Errorf("%s: a longer word counts", f.kind)
			}
		}
	}
	enc := base64.RawURLEncoding.EncodeToString
	token := mint(&secretFormats[0], r)
	wrong := token[:len(token)-1] + string("ab"[(token[len(token)-1]&1)])
	if wrong == token {
		wrong = token[:len(token)-1] + "c"
	}
	for _, text := range []string{
		wrong,
		token + "$SUFFIX",
		"AKIA" + "IOSFODNN7EXAMPLE",
		"AccountKey=" + emulatorKeys[0] + "Fq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
		mintWebToken(`{"role":"anon"}`, r),
		enc([]byte(`{"alg":"none"}`)) + "." + enc([]byte(`{"a":1}`)) + "." + draw(&alnum, 40, r),
		"eyJub3QiOiJhIHRva2VuIn0=", "eyJ" + draw(&alnum, 80, r),
		"-----BEGIN PUBLIC KEY-----\n" + draw(&alnum, 200, r) + "\n-----END PUBLIC KEY-----",
		"-----BEGIN PRIVATE KEY-----\n${{ secrets.KEY }}\n-----END PRIVATE KEY-----",
		"-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
		"grep -q '-----BEGIN OPENSSH PRIVATE KEY-----' key",
		"postgres://postgres:postgres@localhost:5432/test",
		"postgres://user:" + draw(&alnum, 20, r) + "@localhost:5432/test",
		"postgres://user:" + draw(&alnum, 20, r) + "@db:5432/test",
		"https://x-access-token:${TOKEN}@github.com/acme/site",
		"https://user:password@mirror.acme.org/",
		"https://acme.org/a:b@c",
		"actions/checkout@" + draw(&hexLower, 40, r),
		"sha256:" + draw(&hexLower, 64, r),
		"SKIP", "hf_hub_download_and_verify_checksums_x", "key-value",
	} {
		if hits := FindSecrets(text); len(hits) > 0 {
			t.Errorf("%q counts as %s", text, hits[0].Kind)
		}
	}
}

func TestPrivateKeysAndURLs(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	body := draw(&alnum, 64, r)
	for text, kind := range map[string]string{
		"key: |\n  -----BEGIN PRIVATE KEY-----\n  " + body + "\n  -----END PRIVATE KEY-----\nnext: 1":                                     "a private key",
		`"-----BEGIN RSA PRIVATE KEY-----\n` + body + `\n-----END RSA PRIVATE KEY-----\n"`:                                                "a private key",
		"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n" + body + "\n-----END PGP PRIVATE KEY BLOCK-----":                                      "a private key",
		"-----BEGIN OPENSSH PRIVATE KEY-----\n" + body + "\n(cut)":                                                                        "a private key",
		"git clone https://bot:" + draw(&alnum, 20, r) + "@git.acme.org/site":                                                             "a password in a URL",
		"mongodb+srv://app:" + draw(&alnum, 20, r) + "@cluster0.acme.mongodb.net/db":                                                      "a password in a URL",
		"https://x:" + mint(&secretFormats[0], r) + "@github.com/acme/site":                                                               "",
		"-----BEGIN PRIVATE KEY-----\n" + body + "\n-----END PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\n" + body + "\n-----END CERTI": "a private key",
	} {
		hits := FindSecrets(text)
		if len(hits) != 1 || kind != "" && hits[0].Kind != kind {
			t.Errorf("%q: %+v", text, hits)
			continue
		}
		if got := text[hits[0].Start:hits[0].End]; kind == "a private key" && (!strings.HasPrefix(got, "-----BEGIN") || !strings.Contains(got, body) || strings.Contains(got, "CERTIFICATE")) {
			t.Errorf("%q: found %q", text, got)
		}
	}
	if h := FindSecrets(mintWebToken(`{"exp":1700000000}`, r)); len(h) != 1 || h[0].Ends != "2023-11-14" {
		t.Errorf("%+v", h)
	}
}

func TestNamesSecret(t *testing.T) {
	for name, want := range map[string]bool{
		"NPM_TOKEN": true, "API_KEY": true, "apiKey": true, "client-secret": true, "DB_PASSWORD": true, "SECRET_KEY_BASE": true, "RAILS_MASTER_KEY": true, "AWS_SECRET_ACCESS_KEY": true,
		"key": false, "cache-key": false, "PUBLIC_KEY": false, "TOKEN_FILE": false, "GIT_COMMIT": false, "": false, "PASSWORD_MIN_LENGTH": false, "client-id": false, "secrets": false,
	} {
		if got := NamesSecret(name); got != want {
			t.Errorf("NamesSecret(%q) = %v", name, got)
		}
	}
}

func TestUploadsOnly(t *testing.T) {
	for name, want := range map[string]bool{"CODECOV_TOKEN": true, "percy-token": true, "NPM_TOKEN": false, "": false} {
		if got := UploadsOnly(name); got != want {
			t.Errorf("UploadsOnly(%q) = %v", name, got)
		}
	}
}

func FuzzFindSecrets(f *testing.F) {
	r := rand.New(rand.NewPCG(7, 8))
	for i := range secretFormats {
		f.Add(mint(&secretFormats[i], r))
	}
	f.Add("-----BEGIN PRIVATE KEY-----\n-----BEGIN -----END PRIVATE KEY-----")
	f.Add("://a:b@c.d://:@")
	canary := mint(&secretFormats[0], r)
	f.Fuzz(func(t *testing.T, text string) {
		end := 0
		for _, h := range FindSecrets(text) {
			if h.Start < end || h.End <= h.Start || h.End > len(text) || h.Kind == "" || !strings.HasPrefix(text[h.Start:], h.Hint) {
				t.Fatalf("%+v in %q", h, text)
			}
			end = h.End
		}
		hits := FindSecrets(canary + "\n" + text)
		if !slices.ContainsFunc(hits, func(h SecretHit) bool { return h.Start == 0 && h.End == len(canary) }) {
			t.Fatalf("the canary before %q is lost: %+v", text, hits)
		}
	})
}

func BenchmarkFindSecrets(b *testing.B) {
	text := strings.Repeat("      - uses: actions/checkout@v4\n        with: { token: '${{ secrets.TOKEN }}' }\n", 200)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		FindSecrets(text)
	}
}
