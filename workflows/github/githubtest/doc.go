// Package githubtest is a GitHub of one organization for tests: GraphQL and REST as package
// github uses them, over a generated organization or over checkouts on disk.
//
// How it thinks: a stand-in that answers whatever it is asked proves nothing. A query is
// parsed and held against a schema, so that an unknown field, argument, type or variable
// is an error as at the host; ids of files and trees are git's own; what the host does
// to long, binary, linked and forbidden files is done to them here; requests and points are
// counted by the documented formula. What goes wrong is asked of a [Fault], and time is
// a [Clock] that nobody has to wait for.
//
// A [Server] is an http.RoundTripper, which needs no socket, and an http.Handler.
package githubtest
