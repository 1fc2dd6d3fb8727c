// Package report shows what is known of an organization, or of one repository, to
// people and tools: as a page, as tables and as SARIF.
//
// How it thinks: every format is a function of an [org.Document] and decides nothing
// about it; it adds up, sorts and shows. What could not be read is shown as loudly as
// what was found, because a number without it is a guess. All text of a document was
// written by strangers: it passes through [workflows.Printable] and the escapes of
// the place it goes to, it is cut at a named length, and it never chooses where a link
// leads: that is the document's host and a repository that the host named.
package report
