// Package lease is the life of one credential: open, check, hand over, refresh,
// end.
//
// Open decides the grant, asks the provider, and verifies identity and lifetime;
// only then does a hand-over see the credential. A lease that is not handed over
// leaves nothing behind. End is idempotent and says what truly happened: revoked,
// expired, or valid until a time.
//
// What main leaves for post is a [State]: handles, not credentials.
package lease
