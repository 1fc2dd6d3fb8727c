// Package npm trades an id-token for a token that publishes one package on the npm
// registry, by its trusted publishing. What all registries have in common is in package
// registry; here is what this one has of its own.
//
// Facts of the wire: the npm command line and the registry's documentation of trusted
// publishers, as of November 2026. How long a token lives is not documented: the reply
// says it, or nobody knows.
package npm
