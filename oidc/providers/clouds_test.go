package providers

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stint-dev/stint/oidc/trust"
	"github.com/stint-dev/stint/oidc/trust/trusttest"
)

// TestGradesAgreeWithTheLabels holds the grades to the labelled set that
// STINT_TRUST_CASES names, and the classes to those of its labels.
func TestGradesAgreeWithTheLabels(t *testing.T) {
	dir := os.Getenv(trusttest.CasesVar)
	if dir == "" {
		t.Skip(trusttest.CasesVar + " names no directory of labelled policies")
	}
	index, err := os.ReadFile(filepath.Join(dir, "index.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSpace(string(index)), "\n")[1:]
	for _, row := range rows {
		cells := strings.Split(row, "\t")
		t.Run(cells[0], func(t *testing.T) {
			cloud, ok := Cloud(cells[1])
			if !ok {
				t.Fatalf("there is no cloud %q", cells[1])
			}
			body, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(cells[0])))
			if err != nil {
				t.Fatal(err)
			}
			grade, found := trust.Judge(trusttest.Read(t, cloud, cells[0], body))
			if string(grade) != cells[4] {
				t.Errorf("grade is %s, want %s (%s): %s", grade, cells[4], cells[5], summary(found))
			}
			if want := strings.Fields(cells[3])[0]; want != "ok" && !hasID(found, want) {
				t.Logf("no finding of %s (%s): %s", cells[3], cells[5], summary(found))
			}
		})
	}
}

func hasID(found []trust.Finding, id string) bool {
	for _, f := range found {
		if trust.ID(f.Class) == id {
			return true
		}
	}
	return false
}

func summary(found []trust.Finding) string {
	var list []string
	for _, f := range found {
		list = append(list, f.Class+" "+trust.ID(f.Class)+" "+string(f.Grade))
	}
	return strings.Join(list, ", ")
}
