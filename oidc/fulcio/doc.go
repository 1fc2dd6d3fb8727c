// Package fulcio asks a Fulcio, which is sigstore's certificate authority, for a signing
// certificate for a job's id-token. It is the one place that does: the provider sigstore
// and the signatures of receipts both come here.
//
// How it thinks: the key is made by whoever asks and never leaves the process; what goes
// out is the id-token, the public key, and a signature over the token's subject as proof
// of having the other half. What comes back is believed only as far as it can be checked
// here: a certificate for this key, signed by the next of its chain. Who trusts that chain
// is the business of those who verify signatures.
//
// A certificate names repository, workflow and run, and sigstore's public Fulcio writes
// every certificate to a log that all can read. So its address wants a consent
// ([Address]).
package fulcio
