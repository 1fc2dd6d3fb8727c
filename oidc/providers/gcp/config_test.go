package gcp

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providertest"
)

func TestBlocks(t *testing.T) {
	const p, sa = "provider: " + testProvider, "service-account: " + testAccount
	rule := "{ bucket: my-site, permissions: [roles/storage.objectViewer] }"
	for name, row := range map[string]struct{ ttl, block, says string }{
		"least":             {"15m", "{ " + p + " }", ""},
		"all":               {"1h", "{ " + p + ", " + sa + ", delegates: [" + middleman + "], scopes: [" + cloudPlatform + "], allow: [" + rule + "], audience: deploy.example, project: my-project, endpoint: http://127.0.0.1:1 }", ""},
		"no provider":       {"15m", "{ " + sa + " }", "provider is missing"},
		"short provider":    {"15m", "{ provider: github/release }", "not the name of one"},
		"project id":        {"15m", "{ provider: " + strings.Replace(testProvider, "123456789", "my-project", 1) + " }", "the project's number"},
		"account":           {"15m", "{ " + p + ", service-account: ann@acme.example }", "not the address of a service account"},
		"delegates alone":   {"15m", "{ " + p + ", delegates: [" + testAccount + "] }", "need a service-account"},
		"bad delegate":      {"15m", "{ " + p + ", " + sa + ", delegates: [x] }", "not the address"},
		"empty delegate":    {"15m", "{ " + p + ", " + sa + `, delegates: [""] }`, "not the address"},
		"scope":             {"15m", "{ " + p + ", scopes: [cloud-platform] }", "is not a scope"},
		"bucket":            {"15m", "{ " + p + ", allow: [{ bucket: gs://x, permissions: [roles/a.b] }] }", "is not a bucket"},
		"no permissions":    {"15m", "{ " + p + ", allow: [{ bucket: my-site }] }", "has no permissions"},
		"permission":        {"15m", "{ " + p + ", allow: [{ bucket: my-site, permissions: [storage.objects.get] }] }", "is not a role"},
		"many rules":        {"15m", "{ " + p + ", allow: [" + strings.TrimSuffix(strings.Repeat(rule+", ", 11), ", ") + "] }", "takes 10"},
		"prefix":            {"15m", "{ " + p + `, allow: [{ bucket: my-site, permissions: [roles/a.b], prefix: "a\n" }] }`, "prefix"},
		"id-token alone":    {"1h", "{ " + p + ", id-token-audience: https://a.example }", "needs a service-account"},
		"id-token and more": {"1h", "{ " + p + ", " + sa + ", id-token-audience: https://a.example, allow: [" + rule + "] }", "neither allow nor scopes"},
		"id-token's ttl":    {"15m", "{ " + p + ", " + sa + ", id-token-audience: https://a.example }", "an id-token of Google lives"},
		"default audience":  {"15m", "{ " + p + ", audience: https://github.com/acme }", "what every token without an audience has"},
		"project":           {"15m", "{ " + p + `, project: "My Project" }`, "project"},
		"open line":         {"15m", "{ " + p + ", endpoint: http://sts.example }", "open line"},
		"direct ttl":        {"2m", "{ " + p + " }", "without a service-account"},
		"unknown key":       {"15m", "{ " + p + ", service_account: x }", "service_account"},
	} {
		g := providertest.Grant(t, Name, row.ttl, row.block)
		made, err := New(g.Targets[0], g, Options{})
		if row.says == "" {
			if err != nil || made.Name() != Name {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		var e *oidc.Error
		if made != nil || !errors.As(err, &e) || !strings.Contains(e.Message, row.says) || e.Hint == "" || !strings.Contains(e.Message, "line 8") && name != "unknown key" {
			t.Errorf("%s: %+v", name, err)
		}
	}
}

func TestTTLLimits(t *testing.T) {
	for ttl, ok := range map[time.Duration]bool{time.Minute: true, 59 * time.Second: false, 12 * time.Hour: true, 13 * time.Hour: false} {
		_, err := newSettings(config{Provider: testProvider, ServiceAccount: testAccount}, &grant.Grant{Name: "a", TTL: ttl}, 1)
		if (err == nil) != ok {
			t.Errorf("%s: %v", ttl, err)
		}
	}
}

func TestAudienceIsTheProvidersURL(t *testing.T) {
	g := providertest.Grant(t, Name, "15m", "{ provider: "+testProvider+" }")
	p, err := New(g.Targets[0], g, Options{})
	if err != nil || p.Audience() != testAudience {
		t.Errorf("%v, %v", p, err)
	}
}
