package platform

import (
	"slices"
	"strings"
	"testing"
)

// The inputs and variables are those of actions that the tables know to mint something.
func TestEndings(t *testing.T) {
	for name, s := range endings {
		info, known := LookupAction(name)
		if !known || info.Mints == "" {
			t.Errorf("%s mints nothing that the tables know", name)
		}
		if s.Name == "" || s.Left == "" || s.Off == s.On || !slices.Contains([]string{"true", "false"}, s.Off) {
			t.Errorf("%s: %+v", name, s)
		}
		if got, ok := LookupEnding(strings.ToUpper(name)); !ok || got != s {
			t.Errorf("%s is not found", name)
		}
	}
	for name := range appTokens {
		if info, _ := LookupAction(name); info.Mints != "app-token" {
			t.Errorf("%s mints no app's token", name)
		}
		if _, ok := LookupAppToken(name); !ok {
			t.Errorf("%s is not found", name)
		}
	}
	if _, ok := LookupEnding("actions/checkout"); ok {
		t.Error("a checkout has an ending")
	}
	if _, ok := LookupAppToken("actions/checkout"); ok {
		t.Error("a checkout mints a token")
	}
	if vs := CleanupVariables(); len(vs) != 2 || vs[0].Off == vs[0].On {
		t.Errorf("variables %v", vs)
	}
}
