package providers

import (
	"cmp"
	"maps"
	"slices"

	"github.com/stint-dev/stint/oidc/trust"
)

// Clouds lists the clouds whose locks are known, sorted by name.
func Clouds() []trust.Cloud {
	list := slices.Collect(maps.Values(locks))
	slices.SortFunc(list, func(a, b trust.Cloud) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// Cloud returns a cloud by name.
func Cloud(name string) (trust.Cloud, bool) {
	for _, c := range locks {
		if c.Name == name {
			return c, true
		}
	}
	return trust.Cloud{}, false
}

// LockOf returns the cloud that decides about a provider's tokens, by the provider's
// key in a grant.
func LockOf(provider string) (trust.Cloud, bool) {
	c, ok := locks[provider]
	return c, ok
}
