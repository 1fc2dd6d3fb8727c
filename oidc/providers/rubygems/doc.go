// Package rubygems trades an id-token for an API key that pushes one gem, by the trusted
// publishing of the Ruby community's registry. What all registries have in common is in
// package registry; here is what this one has of its own.
//
// Facts of the wire: the source of the registry, as of November 2026.
package rubygems
