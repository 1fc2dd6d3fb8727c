// Package pypi trades an id-token for a token that publishes one project on the Python
// package index, by its trusted publishing. What all registries have in common is in
// package registry; here is what this one has of its own.
//
// Facts of the wire: the source of the index, and its documentation of trusted
// publishers, as of November 2026.
package pypi
