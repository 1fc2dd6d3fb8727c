package terraform

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/stint-dev/stint/oidc/trust"
)

func find(t *testing.T, files map[string]string) []trust.Document {
	t.Helper()
	b := map[string][]byte{}
	for name, text := range files {
		b[name] = []byte(text)
	}
	docs, err := Find(b)
	if err != nil {
		t.Fatal(err)
	}
	return docs
}

// testdata/*.txtar are modules: .tf files, and for each document that must be found a
// file want/ADDRESS that holds its cloud, place, unresolved expressions and body.
func TestFind(t *testing.T) {
	archives, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil || len(archives) == 0 {
		t.Fatalf("no test data: %v", err)
	}
	for _, path := range archives {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files, want := map[string]string{}, map[string]string{}
		for _, f := range archive.Files {
			if address, ok := strings.CutPrefix(f.Name, "want/"); ok {
				want[address] = string(f.Data)
			} else {
				files[f.Name] = string(f.Data)
			}
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			for _, d := range find(t, files) {
				if got := written(t, d); got != want[d.Name] {
					t.Errorf("%s is\n%swant\n%s", d.Name, got, want[d.Name])
				}
				delete(want, d.Name)
			}
			for name := range want {
				t.Errorf("%s was not found", name)
			}
		})
	}
}

func written(t *testing.T, d trust.Document) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(d.Body, &v); err != nil {
		t.Fatalf("%s is not json: %v\n%s", d.Name, err, d.Body)
	}
	body, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	unresolved := ""
	for _, u := range d.Unresolved {
		unresolved += "unresolved " + u + "\n"
	}
	return d.Cloud + " " + d.Path + ":" + string(rune('0'+d.Line/10)) + string(rune('0'+d.Line%10)) + "\n" + unresolved + string(body) + "\n"
}

func TestAReferenceToItselfIsUnresolved(t *testing.T) {
	docs := find(t, map[string]string{"main.tf": `
locals {
  a = local.b
  b = local.a
}
resource "azuread_application_federated_identity_credential" "x" {
  issuer  = "https://token.actions.githubusercontent.com"
  subject = local.a
}`})
	if len(docs) != 1 || !strings.Contains(string(docs[0].Body), "unresolved-1") || len(docs[0].Unresolved) == 0 {
		t.Errorf("found %+v", docs)
	}
}

func TestNestedReferencesAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("locals {\n  v0 = \"x\"\n")
	for i := 1; i < 40; i++ {
		n, m := string(rune('a'+i/10))+string(rune('0'+i%10)), string(rune('a'+(i-1)/10))+string(rune('0'+(i-1)%10))
		b.WriteString("  " + n + " = \"${local." + m + "}${local." + m + "}\"\n")
	}
	b.WriteString("}\nresource \"azuread_application_federated_identity_credential\" \"x\" {\n issuer = \"https://token.actions.githubusercontent.com\"\n subject = local.d9\n}\n")
	docs := find(t, map[string]string{"main.tf": b.String()})
	if len(docs) != 1 || len(docs[0].Body) > 4*maxText {
		t.Errorf("found %d documents", len(docs))
	}
}

func TestWhatIsNoHCLIsNamed(t *testing.T) {
	docs, err := Find(map[string][]byte{
		"broken.tf": []byte("resource {{{"),
		"good.tf":   []byte("resource \"azurerm_federated_identity_credential\" \"x\" {\n issuer = \"https://token.actions.githubusercontent.com\"\n subject = \"repo:umbrella/shop:environment:live\"\n audience = [\"api://AzureADTokenExchange\"]\n}\n"),
	})
	var broken Errors
	if !errors.As(err, &broken) || len(broken) != 1 || broken["broken.tf"] == nil || !strings.Contains(broken.Error(), "line 1") {
		t.Errorf("error is %v", err)
	}
	if len(docs) != 1 || docs[0].Cloud != "azure" {
		t.Errorf("found %+v", docs)
	}
}

func FuzzFind(f *testing.F) {
	archives, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range archives {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range txtar.Parse(b).Files {
			f.Add(file.Data)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		docs, err := Find(map[string][]byte{"main.tf": b})
		again, _ := Find(map[string][]byte{"main.tf": b})
		if !slices.EqualFunc(docs, again, func(a, b trust.Document) bool { return string(a.Body) == string(b.Body) && a.Name == b.Name }) {
			t.Error("two readings differ")
		}
		for _, d := range docs {
			if d.Line < 1 || d.Cloud == "" || d.Name == "" {
				t.Errorf("document %+v (%v)", d, err)
			}
		}
	})
}
