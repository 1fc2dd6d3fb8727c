// Package oidc is the ground floor of the credential half: where an id-token
// comes from, what it says, and the contract by which a provider trades it for a
// credential.
//
// How it thinks: a credential is issued for one declared grant, decided against
// the token's claims before any exchange (package grant), opened, checked, handed
// over and ended by package lease, and recorded by package receipt. A provider
// (oidc/providers/<name>) knows one cloud's wire and nothing of the rest.
//
// What must be true everywhere here:
//
//   - No secret reaches a message, a log, a receipt or a state file: every value
//     that is one is a [Secret], which redacts itself.
//   - An error says what is wrong and what to do next ([Error]); it never carries
//     a response body or a token.
//   - The clock, the network and randomness come in from outside.
//   - Expiry is read from what the issuer said, never assumed.
//
// A job with id-token: write can mint a token for any audience from any step;
// nothing in this package changes that. It narrows what is asked for, checks it,
// and leaves nothing behind.
package oidc
