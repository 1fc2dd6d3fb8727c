// Package reconcile joins receipts with what a cloud's own log says: a credential of a
// grant's role that no receipt explains was minted by something else.
//
// How it thinks: receipts name the roles that grants lead to, and the credentials that
// stint was given. A log is read for these roles alone. Of each credential in it there is
// a receipt, by its id, or there is none. A receipt is written by the job, a log by the
// cloud; the log is believed.
//
// What does not show: roles that no receipt names and that nobody adds, what the log does
// not hold (CloudTrail has the events of one account and of the regions that it is set up
// for; STS writes to the region that was asked), and what is done with a credential that
// has a receipt before its end.
package reconcile
