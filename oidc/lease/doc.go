// Package lease is the life of one grant's credentials: open, check, hand over,
// end.
//
// [Open] decides the grant, asks the providers, and verifies identity and
// lifetime; only then is there a lease from which a hand-over can take anything.
// There are two: [Lease.Run] gives it to one command and ends it with the command,
// [Lease.HandToJob] gives it to the later steps of the job. A lease that is not
// handed over leaves nothing behind. End is idempotent and says what truly
// happened: revoked, expired, or valid until a time.
//
// What main leaves for post is a [State]: handles, not credentials. Post ends them
// with [EndState], which needs neither the grant file nor the environment, because
// steps in between can have changed both. A lease that can be revoked, or has private
// files, also keeps a record of its handles beside these files: when its process is
// killed, the next one that starts gives it to [Sweep].
//
// The credentials are for the one command, or the one job; nothing here hides them
// from code that reads the memory or the environment of its neighbours.
package lease
