package trust

import (
	"slices"
	"testing"

	"github.com/stint-dev/stint/oidc"
)

func TestPartialIsAnUpperBound(t *testing.T) {
	main := Target{Owner: "umbrella", Repository: "shop"}.Token(false)
	text := globs{"sub": {"repo:umbrella/unresolved-1:ref:refs/heads/main"}}
	for name, c := range map[string]struct {
		may    func(oidc.Claims) bool
		admits bool
	}{
		"nothing is known": {nil, true},
		"it may":           {func(oidc.Claims) bool { return true }, true},
		"it never does":    {func(oidc.Claims) bool { return false }, false},
	} {
		if a := Partial(text, c.may).Decide(main); a.Admits != c.admits || a.Exact || a.Why == "" {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// What is written is judged as it stands; only that it admits nothing cannot be said.
func TestPartialIsJudgedAsWritten(t *testing.T) {
	grade, found := Judge(Partial(globs{"sub": {"repo:umbrella/unresolved-1:ref:refs/heads/main"}}, nil))
	if grade != Good || slices.Contains(classesIn(found), "no-subject") {
		t.Errorf("%s with %s", grade, classesIn(found))
	}
	grade, found = Judge(Partial(globs{"sub": {"unresolved-1"}}, nil))
	if grade != Good || slices.Contains(classesIn(found), "never-admits") {
		t.Errorf("%s with %s", grade, classesIn(found))
	}
}

func TestHasPlaceholders(t *testing.T) {
	for _, c := range []struct {
		d    Document
		want bool
	}{
		{Document{Body: []byte(`"unresolved-1"`), Unresolved: []string{"var.x"}}, true},
		{Document{Body: []byte(`"unresolved-1"`)}, false},
		{Document{Body: []byte(`"x"`), Unresolved: []string{"var.x"}}, false},
	} {
		if got := c.d.HasPlaceholders(); got != c.want {
			t.Errorf("%s: %v", c.d.Body, got)
		}
	}
}
