// Package receipt records decisions, issuances and ends as JSON lines, one event
// a line, without a secret in any of them.
//
// A receipt says what an honest job did. A hostile job makes none: completeness
// must come from the cloud's own log, with which receipts join on the credential
// id and the session name.
//
// How it thinks: an [Event] has a field for each thing that may be said and none
// for what may not. Its fields are written in the order of the struct, absent ones
// are left out, and the line is plain ASCII, so that a terminal, a log viewer and a
// diff show what is there. A claim is recorded by value only when it is on the list
// of [Claims]; the others count in the digest alone. The id-token itself appears as
// the hash of its jti.
//
// # Chain
//
// prev is the hash of the line before: sha256 over its bytes without the newline. The
// first line has none. So a line that was changed, removed, added or moved shows at the
// line that follows. What was cut off at the end does not show, and neither does a change
// of the last line, or a chain that was written anew: for these somebody must have kept,
// or signed, the head (package seal).
//
// # Canonical form
//
// A line is one JSON object in printable ASCII without spaces between its parts: the
// fields in the order of the schema, keys of claims and facts sorted, absent fields left
// out, times in UTC as RFC 3339 with the fraction that they have, "\u" escapes in lower
// case and for nothing that can stand for itself. [Read] takes no other form: a line is
// what [Event.Encode] gives for it, byte for byte.
//
// # Schema, version 1
//
// The same for programs is in receipt.schema.json.
//
//	schema          1
//	prev            hash of the line before
//	time            when the line was made, RFC 3339 in UTC
//	kind            decision, issuance, refresh or end
//	tool            name and version of the tool
//	run             repository, id, attempt, job and url of the run
//	grant           name of the grant
//	grant_digest    sha256 of its canonical form
//	intent, owner   as the grant says
//	claims          digest over all claims, jti_hash, and the chosen ones by name
//	decision        admitted or refused
//	reasons         for a refusal: claim, expected, got and class of each difference
//	provider        the key of the provider: aws
//	identity        who the bearer is in the cloud's words
//	credential_id   the public id by which the cloud's log names the credential
//	session_name    the name of the session in that log
//	policy_digest   sha256 of the session policy that was sent
//	command         what the credential is for: argv[0], or all of argv where asked for
//	asked_seconds   the lifetime asked for
//	got_seconds     until the cloud's own expiry
//	usable_until    when the credential stops being of use
//	expires         when the cloud says that it ends
//	facts           further public details of the issuance
//	ending          outcome, time and detail of an end
package receipt
