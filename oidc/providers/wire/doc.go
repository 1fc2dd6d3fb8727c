// Package wire carries the calls of providers that have no SDK of their own: one
// request, one bounded reply, no redirect, and an error in our own words.
//
// How it thinks: a call either brings back a reply, of whatever status, or an
// [oidc.Error] that names the kind of failure and repeats no text of the other
// side. What a status or a code means is the provider's business; this package
// knows what a line can do (refuse, break off, take too long, send elsewhere) and
// how long a busy server wants to be left alone. [Loop] decides whether there is
// another attempt.
//
// Nothing is read from the environment but the usual proxy variables, because
// runners behind a proxy need them.
package wire
