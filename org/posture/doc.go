// Package posture judges the settings of an organization and its repositories by what
// could be taken through them.
//
// How it thinks: one table of checks, each a small function. A setting is no defect by
// itself; it is one by the credentials that it exposes, so every finding is graded by
// reach, like those of lint: which credentials, how far the code is steered that could
// take them, who can start it. A check whose settings could not be read, or of which
// the host did not say what it needs, is listed as not made, with the permission that
// was missing. It never counts as passed.
package posture
