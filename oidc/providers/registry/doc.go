// Package registry is what the package registries that take trusted publishing have in
// common: an id-token goes in, a short-lived token for publishing comes out. What one
// registry has of its own (its address, the shapes on its wire, the names under which
// its tools look for the token, what its form of trust can say) is a [Registry] value
// in that registry's own package.
//
// How it thinks: every registry marks an id-token as used, by its jti, before it
// answers. A call whose answer is lost may have issued a token that nobody holds, so
// there is exactly one id-token and one try for each exchange; a second try is the
// caller's decision, in a new run of the command. What was issued ends by itself, but
// where a registry takes a token back ([Registry.Revoke]) it is taken back.
//
// No registry lets the caller choose how long a token lives. A grant whose ttl is
// shorter than that is refused before an id-token is asked for, because the ttl could
// not be kept.
package registry
