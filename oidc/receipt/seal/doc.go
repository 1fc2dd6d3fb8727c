// Package seal signs the head of a chain of receipts, and verifies such a signature: with
// a certificate that sigstore's Fulcio gives for the job's own id-token, or with a key
// that one keeps.
//
// How it thinks: what is signed is the file of receipts up to and including a line, byte
// for byte, so that `cosign verify-blob` verifies it too. The signature stands in a
// sigstore bundle of version 0.3 beside the file. A bundle made before the end of a job is
// a checkpoint: it covers the lines that there were, and [Verify] says how many.
//
// A certificate lives for ten minutes, so a signature with one needs a timestamp: without
// a timestamp authority nothing says later that it was made in time. A transparency log
// is of use against who could take back a bundle, and it is public to all who read it:
// the names of repository, workflow and run are in the certificate. Sigstore's public
// Fulcio writes them to a log by itself. So nothing of sigstore's public instance is used
// unless one says that this may be published.
//
// What a signature does not say: that the receipts are true. Code of the same job can
// write receipts and have them signed, with the job's own token. It says which job did,
// and that nobody has changed them since.
package seal
