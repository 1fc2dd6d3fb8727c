// Package sandbox is an issuer of GitHub-shaped id-tokens and an STS on loopback,
// so that a grant can be tried without a cloud and the exchange tested against
// signatures that are really verified and policies that are really evaluated.
//
// It is a stand-in: it proves that stint's requests are well formed and that its
// checks hold, not that a cloud accepts them.
package sandbox
