// Package trusttest holds the locks of a cloud to what they should admit: to labelled
// cases, and to the grants that they are rendered from.
//
// How it thinks: a lock is right when it answers as the cloud would, token by token.
// The tokens are such as a job can present, so that sub never contradicts the claims
// beside it. A rendered lock may be wider than its grant only by its residue: for
// each token that it admits and the grant refuses there are other values of the
// residue's claims with which the grant admits the same token, and for each token
// that it refuses there are none.
//
// It is imported by tests only.
package trusttest
