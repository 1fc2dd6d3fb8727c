package platform

import "testing"

func TestHostServes(t *testing.T) {
	for _, c := range []struct {
		place, host string
		want        bool
	}{
		{"npm", "registry.npmjs.example", true},
		{"npm", "npmjs.org.vendor.test", false},
		{"npm", "registry.acme.test", false},
		{"aws", "sts.eu-west-1.amazonaws.com", true},
		{"aws", "notamazonaws.com", false},
		{"gitlab", "gitlab.acme.test", true},
		{"github", "api.github.com", true},
		{"", "acme.test", false},
	} {
		if got := HostServes(c.place, c.host); got != c.want {
			t.Errorf("HostServes(%q, %q) = %v", c.place, c.host, got)
		}
	}
}
