// Package github asks GitHub what files on disk cannot tell. Today that is which
// commit a ref names; reading repositories over the API belongs here too.
//
// How it thinks: one question a repository, asked over git's own protocol, which
// needs no token and is not counted against the API's limits, and remembered for
// the run. A repository that does not answer fails alone.
package github
