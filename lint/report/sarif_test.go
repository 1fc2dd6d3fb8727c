package report

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/stint-dev/stint/lint"
)

// A rule is the same in a log of lint and in one of findings that were kept by its id, and
// an id that is no rule's has no help.
func TestSARIFRules(t *testing.T) {
	rule := &lint.Rule{ID: "some-rule", Title: "what it is about", Readme: "# some-rule\n", Tags: []string{"secrets"}}
	direct, byID := sarif.NewRun(), sarif.NewRun()
	addRule(direct, rule)
	add := SARIFRules([]*lint.Rule{{ID: "other-rule"}, rule})
	add(byID, "some-rule")
	if !reflect.DeepEqual(direct, byID) || byID.Tool.Driver.Rules[0].Help == nil {
		t.Errorf("%+v by its id", byID.Tool.Driver.Rules[0])
	}
	add(byID, "no\x1brule")
	got, err := json.Marshal(byID.Tool.Driver.Rules[1])
	if want := `{"id":"no�rule","name":"no�rule","relationships":[]}`; err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
}
