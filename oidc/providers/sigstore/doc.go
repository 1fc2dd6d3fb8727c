// Package sigstore trades an id-token for a signing certificate of the job, by a Fulcio
// that the grant names.
//
// How it thinks: the credential is a key that is made here, for one exchange, and a
// certificate of ten minutes that says which job has it. Both go into private files, since
// that is how tools take them. Before they are handed over, the certificate is held against
// the key and against the id-token that was traded for it.
//
// Nothing ends a certificate early: who has the key can sign until its time, and a
// signature counts for as long as somebody can show that it was made before. So the end is
// always said to be the time.
//
// trust.go and its neighbours judge and write the other side, which is no policy of the
// Fulcio: whose signatures are accepted is decided by who verifies them, in the flags of
// cosign or their like. That is the lock.
package sigstore
