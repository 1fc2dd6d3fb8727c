package platform

import (
	"strings"
	"testing"
)

func TestTools(t *testing.T) {
	for name, tool := range tools {
		if name != strings.ToLower(name) || strings.Count(name, "/") < 1 || tool.Name == "" || tool.Version == "" || tool.Version != strings.ToLower(tool.Version) {
			t.Errorf("%s: %+v: a line has a name, a tool and an input, in lower case", name, tool)
		}
	}
	if tool, ok := LookupTool("Astral-SH/setup-uv"); !ok || !tool.Newest || tool.Version != "version" {
		t.Errorf("%+v", tool)
	}
	if _, ok := LookupTool("astral-sh/setup-uv/other"); ok {
		t.Error("a path of an action is another action")
	}
}

func TestIsMoving(t *testing.T) {
	for version, want := range map[string]bool{"latest": true, " LATEST ": true, "*": true, "nightly": true, "1": false, "": false, "v1.2.3": false, "~> v2": false, "lts": false} {
		if IsMoving(version) != want {
			t.Errorf("%q: want %v", version, want)
		}
	}
}
