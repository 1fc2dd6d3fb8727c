package main

import (
	"embed"
	"fmt"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"text/template"
	"time"
)

//go:embed templates
var templateFiles embed.FS

var templates = template.Must(template.ParseFS(templateFiles, "templates/*"))

var idForm = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// scaffoldFiles are the files of a new rule and the templates they come from.
var scaffoldFiles = []struct{ name, template string }{
	{"rule.go", "rule.go.tmpl"},
	{"rule_test.go", "rule_test.go.tmpl"},
	{"README.md", "README.md.tmpl"},
	{"testdata/basic.txtar", "basic.txtar.tmpl"},
}

// scaffold makes the directory of a new rule, ready to edit: it compiles, and its
// test fails on what is still to be written.
func scaffold(dir, id string) error {
	if !idForm.MatchString(id) || token.IsKeyword(packageName(id)) || id == "gen" {
		return fmt.Errorf("%q is no rule id: name the defect in kebab case, as in unpinned-action", id)
	}
	target := filepath.Join(dir, id)
	if _, err := os.Stat(target); err == nil {
		return fmt.Errorf("%s exists already", target)
	}
	data := struct{ ID, Package, Since string }{id, packageName(id), time.Now().UTC().Format("2006-01")}
	for _, f := range scaffoldFiles {
		if err := writeTemplate(filepath.Join(target, f.name), f.template, data); err != nil {
			return err
		}
	}
	return nil
}

func writeTemplate(path, name string, data any) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	w, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := w.Close(); err == nil {
			err = cerr
		}
	}()
	return templates.ExecuteTemplate(w, name, data)
}
