// Package github asks GitHub what files on disk cannot tell: which commit a ref names,
// whether a commit belongs to a repository, where a repository has gone, and which
// advisories there are. Reading repositories over the API belongs here too.
//
// How it thinks: what git's own protocol can answer is asked over it, which needs no
// token and is not counted against the API's limits; each question is asked once a run.
// A repository that does not answer fails alone, and a network that answers nobody is
// not asked again. A token goes to the API's host and nowhere else.
package github
