// Package trust judges locks: the trust policies by which clouds decide which
// id-tokens they take. It holds what all clouds have in common: what a lock is,
// what it answers, how wide that is, how it differs from a grant.
//
// How it thinks: a lock is judged by what it admits, not by how it is spelt. Each
// cloud reads its own policies into a [Policy] that answers for any set of claims;
// this package asks it about tokens made for the purpose ([Probes]) and says what
// the answers mean, with the token as a witness. What a policy's text alone can
// tell (a condition that does nothing, a document that the cloud refuses) the
// cloud's package adds itself.
//
// What is not read is never taken for narrow: an unread condition of an Allow
// counts as met, one of a Deny as not met, and the answer says that it is not exact.
package trust
