// Package receipt records decisions, issuances and ends as JSON lines, one event
// a line, without a secret in any of them.
//
// A receipt says what an honest job did. A hostile job makes none: completeness
// must come from the cloud's own log, with which receipts join on the credential
// id and the session name.
package receipt
