// Package crates trades an id-token for a token that publishes one crate, by the
// trusted publishing of the Rust community's registry, and takes the token back at the
// end. What all registries have in common is in package registry; here is what this one
// has of its own.
//
// Facts of the wire: the source of the registry, as of November 2026. It answers the
// deletion of a token with 204 whether the token existed or not, and has no call that
// shows whether one is alive: its answer is all there is.
package crates
