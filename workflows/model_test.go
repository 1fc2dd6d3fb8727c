package workflows

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/syntax"
)

// parseData lists our own files with the path they are parsed under.
func parseData(tb testing.TB) []corpusFile {
	tb.Helper()
	names, err := filepath.Glob("testdata/parse/*.yml")
	if err != nil || len(names) == 0 {
		tb.Fatal("no test data", err)
	}
	var files []corpusFile
	for _, name := range names {
		source, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		base := filepath.Base(name)
		path := ".github/workflows/" + base
		switch kind, _, _ := strings.Cut(strings.TrimSuffix(base, ".yml"), "-"); kind {
		case "action":
			path = "action.yml"
		case "dependabot":
			path = ".github/dependabot.yml"
		}
		files = append(files, corpusFile{base, path, source})
	}
	return files
}

// walkModel calls visit for everything that can be reached from v, parents first.
// Shell programs are left out: they are not ours.
func walkModel(v any, visit func(name string, v any)) {
	walkValue("", reflect.ValueOf(v), map[uintptr]bool{}, visit)
}

func walkValue(name string, v reflect.Value, seen map[uintptr]bool, visit func(string, any)) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || seen[v.Pointer()] {
			return
		}
		if _, ok := v.Interface().(*syntax.File); ok {
			return
		}
		seen[v.Pointer()] = true
		visit(name, v.Interface())
		walkValue(name, v.Elem(), seen, visit)
	case reflect.Interface:
		if !v.IsNil() {
			walkValue(name, v.Elem(), seen, visit)
		}
	case reflect.Struct:
		if v.CanInterface() {
			visit(name, v.Interface())
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				walkValue(name+"."+f.Name, v.Field(i), seen, visit)
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		for i := range v.Len() {
			walkValue(fmt.Sprintf("%s[%d]", name, i), v.Index(i), seen, visit)
		}
	}
}

// A dumper writes a model as text, with the place of everything that has one.
type dumper struct {
	file *File
	out  strings.Builder
}

func dump(f *File) string {
	d := &dumper{file: f}
	for _, p := range f.Problems {
		fmt.Fprintf(&d.out, "problem %s %s whole=%v\n", d.place(p.Span), p.Message, p.Whole)
	}
	for _, c := range f.Comments {
		fmt.Fprintf(&d.out, "comment %s %q own=%v\n", d.place(c.Span), c.Text, c.OwnLine)
	}
	for _, v := range []any{f.Workflow, f.Action, f.Dependabot, f.Lock} {
		if !reflect.ValueOf(v).IsNil() {
			d.value(0, reflect.TypeOf(v).Elem().Name(), reflect.ValueOf(v))
		}
	}
	return d.out.String()
}

func (d *dumper) place(s Span) string {
	if s.IsZero() {
		return "-"
	}
	a, b := d.file.Position(s.Start), d.file.Position(s.End)
	return fmt.Sprintf("%d:%d-%d:%d", a.Line, a.Column, b.Line, b.Column)
}

func (d *dumper) line(depth int, format string, args ...any) {
	fmt.Fprintf(&d.out, strings.Repeat("  ", depth)+format+"\n", args...)
}

// value writes v below name and leaves out what is empty.
func (d *dumper) value(depth int, name string, v reflect.Value) {
	if v.IsZero() {
		return
	}
	switch x := v.Interface().(type) {
	case *Scalar:
		d.scalar(depth, name, x)
		return
	case *Script:
		d.scalar(depth, name, x.Scalar)
		d.line(depth+1, "shell %d commands %d err %v", x.Shell, len(x.Commands), x.Err)
		return
	case Entry:
		d.scalar(depth, x.Key.Value+" "+d.place(x.Key.Span), x.Value)
		return
	case Span:
		d.line(depth, "%s %s", name, d.place(x))
		return
	case *Workflow:
		if depth > 0 {
			return // a job's way back
		}
	}
	switch v.Kind() {
	case reflect.Pointer:
		d.value(depth, name, v.Elem())
	case reflect.Slice:
		for i := range v.Len() {
			d.value(depth, fmt.Sprintf("%s[%d]", name, i), v.Index(i))
		}
	case reflect.Struct:
		d.line(depth, "%s", name)
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				d.value(depth+1, f.Name, v.Field(i))
			}
		}
	default:
		d.line(depth, "%s %v", name, v.Interface())
	}
}

func (d *dumper) scalar(depth int, name string, s *Scalar) {
	d.line(depth, "%s %q %s style %d", name, s.Value, d.place(s.Span), s.Style)
	for _, e := range s.Exprs {
		d.line(depth+1, "expr %q %s err %v", e.Text, d.place(e.Span), e.Err)
		Walk(e.Root, func(n ExprNode) bool {
			d.line(depth+2, "%T %q", n, d.file.Text(n.Range()))
			return true
		})
	}
}
