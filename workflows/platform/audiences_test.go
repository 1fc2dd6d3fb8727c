package platform

import "testing"

func TestAudiences(t *testing.T) {
	for name, a := range audiences {
		if info, _ := LookupAction(name); !info.OIDC || len(a.With) == 0 {
			t.Errorf("%s: %+v takes no id-token", name, a)
		}
		if got, ok := LookupAudience(name); !ok || got.Default != a.Default {
			t.Errorf("%s is not found", name)
		}
	}
	if _, ok := LookupAudience("actions/checkout"); ok {
		t.Error("a checkout asks for a token")
	}
}
