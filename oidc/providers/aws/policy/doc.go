// Package policy reads AWS policy documents and decides what they admit: the
// trust policy of a role, the policies attached to it, a session policy.
//
// How it thinks: three-valued. What it reads, it decides as IAM documents it;
// what it does not read (an operator that it does not know, a policy variable, a
// key whose value the caller does not have) is neither true nor false. An unread
// condition never narrows an Allow and never makes a Deny apply, so that
// everything short of a certain refusal is an upper bound of what AWS admits, and
// says so: [Unknown] rather than [Allow].
//
// It has no clock, no network and no state; it imports nothing of stint.
//
// Source of the rules: the IAM User Guide, "Policy evaluation logic", "IAM JSON
// policy elements" and "Grammar of the IAM JSON policy language".
package policy
