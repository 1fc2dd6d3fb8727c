// Package aws trades an id-token for a session of an AWS role, by
// AssumeRoleWithWebIdentity, with the rights and the time that a grant names.
//
// How it thinks: the grant's aws block is checked when the provider is made, so
// that what AWS would refuse (a role of another partition, a session policy over
// 2,048 characters) costs no token and no call. An exchange is a loop of attempts;
// each asks for a fresh token and builds its own session policy. A reply is read
// into a credential only when it is whole, and [Provider.Verify] compares the
// identity and the times in it with the grant before anyone may use it.
//
// AWS cannot end a session. [Ender] says until when it stays valid and claims no
// more. A ttl below the 900 seconds that AWS issues at least is kept by a Deny on
// aws:CurrentTime in the session policy: from then on AWS denies what the session
// asks for, while the session itself lives on until its expiry.
//
// Nothing is read from the environment's AWS settings or from ~/.aws. The usual
// proxy variables are honoured, because runners behind a proxy need them.
package aws
