// Package github asks GitHub what files on disk cannot tell. A [Client] asks which commit
// a ref names, whether a commit belongs to a repository, where a repository has gone, and
// which advisories there are. A [Reader] reads an organization: the files of all its
// repositories, and the settings that bear on credentials.
//
// How it thinks: what git's own protocol can answer is asked over it, which needs no
// token and is not counted against the API's limits; each question is asked once a run.
// A repository that does not answer fails alone, and a network that answers nobody is
// not asked again. A token goes to the API's host and nowhere else.
//
// An organization is listed with the text of its files inline, a hundred repositories a
// request, the one pushed last first, so that a later run ends where the one before began.
// What is too much for the host is asked for in half the size, what is too often waits as
// long as the host says. Every text is held against its git id; what the host leaves out,
// cuts or denies is said and never taken for clean.
package github
