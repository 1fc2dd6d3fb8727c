package azure

import (
	"errors"
	"strings"
	"testing"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providertest"
)

const ids = "tenant: " + tenant + ", client-id: " + client

func TestCloudsHaveTheirOwnNames(t *testing.T) {
	for cloud, want := range map[string]struct{ authority, scope, audience string }{
		"public": {"https://login.microsoftonline.com/", "https://management.azure.com/.default", "api://AzureADTokenExchange"},
		"usgov":  {"https://login.microsoftonline.us/", "https://management.usgovcloudapi.net/.default", "api://AzureADTokenExchangeUSGov"},
		"china":  {"https://login.partner.microsoftonline.cn/", "https://management.chinacloudapi.cn/.default", "api://AzureADTokenExchangeChina"},
	} {
		g := providertest.Grant(t, Name, "90m", "{ "+ids+", cloud: "+cloud+" }")
		made, err := New(g.Targets[0], g, Options{})
		if err != nil {
			t.Fatal(err)
		}
		p := made.(*provider)
		if p.authorityURL() != want.authority || p.Scope != want.scope || p.Audience() != want.audience || p.terraform == "" {
			t.Errorf("%s: %s %s %s", cloud, p.authorityURL(), p.Scope, p.Audience())
		}
	}
}

func TestNewRefuses(t *testing.T) {
	rows := map[string]struct{ ttl, block, want string }{
		"no tenant":      {"90m", "client-id: " + client, "tenant"},
		"tenant":         {"90m", "tenant: \"a b\", client-id: " + client, "tenant"},
		"no client":      {"90m", "tenant: " + tenant, "client-id"},
		"client by name": {"90m", "tenant: contoso.example, client-id: deploy", "client-id"},
		"subscription":   {"90m", ids + ", subscription: Production", "subscription"},
		"cloud":          {"90m", ids + ", cloud: germany", "cloud"},
		"scope":          {"90m", ids + ", scope: \"https://vault.azure.net\"", "scope"},
		"two scopes":     {"90m", ids + ", scope: \"https://a.example/.default https://b.example/.default\"", "scope"},
		"open line":      {"90m", ids + ", endpoint: \"http://login.example\"", "open line"},
		"owner's url":    {"90m", ids + ", audience: \"https://github.com/acme\"", "every token"},
		"variable":       {"90m", ids + ", access-token: \"a-b\"", "access-token"},
		"taken variable": {"90m", ids + ", access-token: ARM_CLIENT_ID", "access-token"},
		"short":          {"1h", ids, "up to 90 minutes"},
		"unknown key":    {"90m", ids + ", client-secret: x", "client-secret"},
	}
	for name, row := range rows {
		g := providertest.Grant(t, Name, row.ttl, "{ "+row.block+" }")
		p, err := New(g.Targets[0], g, Options{})
		var e *oidc.Error
		if !errors.As(err, &e) || !strings.Contains(e.Message, row.want) || e.Hint == "" || p != nil {
			t.Errorf("%s: %v %+v", name, p, err)
		}
	}
}
