package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestListIsFresh(t *testing.T) {
	want, err := list("..")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join("..", listFile))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("oidc/providers/%s is stale: run go generate ./oidc/providers (%v)", listFile, err)
	}
}

func TestCloudsAreFresh(t *testing.T) {
	want, err := clouds("..")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join("..", cloudsFile))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("oidc/providers/%s is stale: run go generate ./oidc/providers (%v)", cloudsFile, err)
	}
}

func TestLiveReadersAreFresh(t *testing.T) {
	want, err := live("..")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join("..", liveFile))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("oidc/providers/%s is stale: run go generate ./oidc/providers (%v)", liveFile, err)
	}
}

func TestCloudsAreTheDirectoriesWithATrustVariable(t *testing.T) {
	dir := t.TempDir()
	for name, body := range map[string]string{
		"vault/trust.go":    "package vault\n\nvar Trust = 1\n",
		"registry/trust.go": "package registry\n\nfunc Trust() {}\n",
		"broken/other.go":   "no go at all",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	src, err := clouds(dir)
	if text := string(src); err != nil || !strings.Contains(text, "vault.Trust") || strings.Contains(text, "registry.Trust") {
		t.Errorf("got %v\n%s", err, src)
	}
}

func TestListHoldsTheDirectoriesWithAProvider(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"vault/provider.go", "aws/provider.go", "gen/main.go", "README.md"} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	src, err := list(dir)
	text := string(src)
	aws, vault := strings.Index(text, "name: aws.Name"), strings.Index(text, "name: vault.Name")
	if err != nil || aws < 0 || vault < aws || strings.Contains(text, "gen.Name") {
		t.Errorf("got %v\n%s", err, text)
	}
	if err := writeList(dir); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, listFile)); err != nil || !bytes.Equal(got, src) {
		t.Errorf("the file holds %q (%v), not the list", got, err)
	}
}
