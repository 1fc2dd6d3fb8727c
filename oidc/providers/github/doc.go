// Package github gives a job a token of a GitHub App's installation, limited to
// repositories and permissions: by the exchange of an octo-sts server, or with the
// app's own key where stint runs on a host that is trusted with it.
//
// How it thinks: with octo-sts the id-token goes to a server that holds the app's key
// and that decides by a trust policy in the target repository; the policy says what the
// token may do. With the app's own key no third party decides: whoever can read the key
// can make any token of the app, so stint refuses to use one on GitHub's own runners,
// takes the job's claims from the runner's own issuer only, and always asks for named
// repositories and permissions, because a request without them gives everything that
// the app has.
//
// Tokens are opaque: since 2026 they may be 40 characters or 520, with dots or without.
// They live one hour, which no request changes, and are ended with DELETE
// /installation/token. A token is called revoked only when a call with it was answered
// with 401 afterwards; long stateless ones have been seen in both states.
//
// Facts of the wire: GitHub's REST reference, and the source of octo-sts, as of
// November 2026.
package github
