// Package sandbox is an issuer of GitHub-shaped id-tokens and a small AWS (an STS
// and an object store) on loopback, so that a grant can be tried without a cloud
// and the exchange tested against signatures that are really verified and
// policies that are really evaluated.
//
// How it thinks: three servers on 127.0.0.1 share one clock, one set of roles and
// one fault hook. The issuer signs what a [Job] would present. The STS verifies
// the token, evaluates the role's trust policy and issues a session. The object
// store checks the signature of every request with the session's key and lets
// through what the role's policies and the session policy both allow at that
// moment. Where the STS is, a session may also read roles and the identity provider
// as in IAM, if its policies let it. What a policy says that package policy does not read is refused, and
// the log says which part it was.
//
// It is a stand-in: it proves that stint's requests are well formed and that its
// checks hold, not that a cloud accepts them. AWS's order of checks, its error
// texts and its packed policy size are imitated as far as they are documented.
package sandbox
