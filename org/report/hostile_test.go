package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/stint-dev/stint/org"
)

// hostile are texts that mean something in the places a page has.
var hostile = []string{
	`<script>alert(1)</script>`, `</script><img src=x onerror=alert(1)>`, `"><svg onload=alert(1)>`, `' onmouseover='alert(1)`,
	`javascript:alert(1)`, `]]><!--`, `-->`, `</title></style></textarea><b>`, "a\u2028b\u2029c\u202Ed\x00e\x1b[31m", `{{.}}<%= x %>${y}`,
	`&lt;b&gt;&#x3c;i`, "`+alert(1)+`", `\u003cscript\u003e`, "\xff\xfe</td></tr></table>", `data:text/html,x`, `//evil.example/x`, `=HYPERLINK("x")`,
}

// filled is a document all of whose texts are the same, and whose lists have two of each.
func filled(text string) *org.Document {
	d, a := &org.Document{}, &org.Analysis{}
	fill(reflect.ValueOf(d).Elem(), text, 0)
	fill(reflect.ValueOf(a).Elem(), text, 0)
	d.Read = org.ReadFrom(map[string]*org.Analysis{text: a})
	for i := range d.Repositories {
		d.Repositories[i].Analysis = text
		d.Repositories[i].Status = [...]org.Status{org.StatusOK, org.StatusDenied}[i]
	}
	for i := range a.Jobs {
		a.Jobs[i].Credentials[0].Lifetime, a.Jobs[i].Code[0].Foreign = "standing", true
	}
	return d
}

func fill(v reflect.Value, text string, depth int) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), text, depth+1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), text, depth+1)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(k, text, depth+1)
		fill(e, text, depth+1)
		v.SetMapIndex(k, e)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(scanned.AddDate(0, 0, depth)))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), text, depth+1)
		}
	}
}

// shape lists the elements of a page with the names of their attributes, and complains of
// anything that runs or leads away.
func shape(t testing.TB, page []byte) string {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.CommentNode {
			t.Errorf("the page has a comment: %q", n.Data)
		}
		if n.Type != html.ElementNode {
			continue
		}
		fmt.Fprintf(&out, "%s", n.Data)
		for _, a := range n.Attr {
			fmt.Fprintf(&out, " %s", a.Key)
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "src" || a.Key == "srcset" {
				t.Errorf("<%s> has the attribute %s=%q", n.Data, a.Key, a.Val)
			}
			if a.Key == "href" && !strings.HasPrefix(a.Val, "#") && !strings.HasPrefix(a.Val, "https://github.com/") {
				t.Errorf("a link leads to %q", a.Val)
			}
		}
		out.WriteByte('\n')
	}
	return out.String()
}

func pageOf(t testing.TB, d *org.Document) []byte {
	t.Helper()
	var page bytes.Buffer
	if err := HTML(&page, d, Options{}); err != nil {
		t.Fatal(err)
	}
	return page.Bytes()
}

// No text changes which elements and attributes the page has.
func TestNoTextBreaksOut(t *testing.T) {
	for _, host := range []string{"", "github.com"} {
		plain := filled("plain")
		plain.Host = host
		want := shape(t, pageOf(t, plain))
		if strings.Count(want, "script") != 2 || strings.Count(want, "\nstyle") != 1 {
			t.Fatalf("the page has other scripts than its data and its own:\n%s", want)
		}
		for _, text := range hostile {
			d := filled(text)
			d.Host = host
			page := pageOf(t, d)
			if got := shape(t, page); got != want {
				t.Errorf("%q changes the page", text)
			}
			checkIsland(t, page, text)
		}
	}
}

func TestNoTextChoosesAHost(t *testing.T) {
	for _, text := range hostile {
		if page := pageOf(t, filled(text)); bytes.Contains(page, []byte(" href=\"http")) {
			t.Errorf("%q as the host makes links", text)
		}
	}
}

func FuzzPage(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	plain := filled("plain")
	plain.Host = "github.com"
	want := shape(f, pageOf(f, plain))
	f.Fuzz(func(t *testing.T, text string) {
		if shown(text) == "" || len(text) > 1000 {
			return
		}
		d := filled(text)
		d.Host = "github.com"
		if strings.Contains(text, "/") && repoForm.MatchString(text) {
			return // a repository's name makes links
		}
		page := pageOf(t, d)
		if shape(t, page) != want && text != "standing" && text != "old" && text != "failed" {
			t.Errorf("%q changes the page", text)
		}
		checkIsland(t, page, text)
	})
}

// islandOf takes the data out of a page as a browser does.
func islandOf(t *testing.T, page []byte) (raw string, texts []string) {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == "script" && len(n.Attr) == 2 {
			raw = n.FirstChild.Data
		}
	}
	var data struct{ Strings []string }
	if err := json.Unmarshal([]byte(raw), &data); err != nil {
		t.Fatalf("the data cannot be read: %v", err)
	}
	return raw, data.Strings
}

func checkIsland(t *testing.T, page []byte, text string) {
	t.Helper()
	raw, texts := islandOf(t, page)
	if strings.ContainsAny(raw, "<>&\u2028\u2029") {
		t.Errorf("the data of %q has characters that HTML or JavaScript may read", text)
	}
	for _, s := range texts {
		for _, r := range s {
			if r < ' ' || r == 0x7f || r == '\u2028' || r == '\u202e' {
				t.Errorf("the data of %q has the control character %U", text, r)
			}
		}
	}
}

func TestOtherFormatsBearHostileText(t *testing.T) {
	for _, text := range hostile {
		d := filled(text)
		for name, write := range map[string]func(*bytes.Buffer) error{
			"csv":      func(b *bytes.Buffer) error { return CSV(b, d) },
			"markdown": func(b *bytes.Buffer) error { return Markdown(b, d) },
			"sarif":    func(b *bytes.Buffer) error { return firstSARIF(b, d) },
		} {
			var out bytes.Buffer
			if err := write(&out); err != nil {
				t.Fatal(err)
			}
			got := out.String()
			if strings.ContainsAny(got, "\x00\x1b\u2028\u202e") {
				t.Errorf("%s lets a control character of %q through", name, text)
			}
			if name == "markdown" && strings.ContainsAny(got, "<>") {
				t.Errorf("markdown lets markup of %q through", text)
			}
			if name == "csv" && strings.Contains(got, ",=") {
				t.Errorf("csv lets a formula through")
			}
			if name == "sarif" && !json.Valid(out.Bytes()) {
				t.Errorf("sarif of %q is no JSON", text)
			}
		}
	}
}
