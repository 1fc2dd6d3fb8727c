package platform

import (
	"slices"
	"strings"
)

// serviceHosts are the domains of places whose credentials are worth stealing, by
// what [SecretInfo] calls them in Opens. Source: their documentation, 2026-11.
var serviceHosts = map[string][]string{
	"aws":         {"amazonaws.com", "amazonaws.com.cn", "aws.amazon.com"},
	"gcp":         {"googleapis.com", "google.com"},
	"gemini":      {"googleapis.com"},
	"azure":       {"azure.com", "azure.net", "windows.net", "microsoftonline.com", "visualstudio.com"},
	"dockerhub":   {"docker.com", "docker.io"},
	"github":      {"github.com", "githubusercontent.com", "ghcr.io"},
	"huggingface": {"huggingface.co", "hf.co"},
}

// registryNames are the names of public registries, by what Opens calls them; a
// host is theirs when the label before its last is that name.
var registryNames = map[string]string{
	"npm": "npmjs", "pypi": "pypi", "crates": "crates", "rubygems": "rubygems", "nuget": "nuget",
}

// HostServes reports whether a host (lower case, without port) belongs to a place,
// as [SecretInfo] names it in Opens. Of a place whose domains are not listed, every
// host counts that is called after it, as one's own instance often is.
func HostServes(place, host string) bool {
	if name := registryNames[place]; name != "" {
		labels := strings.Split(host, ".")
		return len(labels) > 1 && labels[len(labels)-2] == name
	}
	domains, ok := serviceHosts[place]
	if !ok {
		return place != "" && strings.Contains(host, place)
	}
	return slices.ContainsFunc(domains, func(domain string) bool {
		return host == domain || strings.HasSuffix(host, "."+domain)
	})
}
