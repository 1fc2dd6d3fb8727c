// Package gcp trades an id-token for an access token of Google Cloud, by workload
// identity federation, and reads and writes the locks that decide on it.
//
// How it thinks: an attempt is up to three calls in a row, begun with a fresh
// id-token: the token exchange at the security token service, then, where the grant
// names a service account, a token of that account, then, where the grant names
// buckets, a token cut down to these by a credential access boundary. A reply is read
// into a credential only when it is whole, and [oidc.Provider.Verify] holds its times
// against the grant before anyone may use it. Google has no call that ends such a
// token; [Ender] says until when it is good.
//
// The lock is a provider of a workload identity pool, whose condition is a CEL
// expression, and the IAM members bound to the pool. [Trust] evaluates both as they
// are written (package cel) and renders a grant into them; a condition can look at
// every claim, so nothing of a grant is left out.
//
// The rules of an access boundary are written in the types of golang.org/x/oauth2,
// and the tests hold the credentials file against that module's own reader. The calls
// themselves are plain HTTP: the module's exchange keeps its tokens until they run
// out, where each attempt here must begin with a new id-token; it puts the body of a
// reply into its errors, where ours may quote none; it takes neither delegates nor an
// endpoint for all three calls. cloud.google.com/go/auth prints whole requests, tokens
// included, when a variable of the environment asks for it, and any step of a job can
// set that variable.
//
// Nothing is read from the environment's Google settings or from ~/.config/gcloud. The
// usual proxy variables are honoured, because runners behind a proxy need them.
package gcp
