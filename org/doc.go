// Package org knows all repositories of an organization: what their workflows use,
// which credentials are in reach of it, and what the organization's settings add.
//
// How it thinks: reading is one thing and judging another. [Scan] brings an index up
// to date, with the fewest requests there are, and writes down for each repository
// what became of it; whatever is asked afterwards (a report, an incident, a shard to
// merge) reads the index alone and works offline. What is the same is judged once: an
// analysis belongs to the content of a repository's workflow files, not to the
// repository, so that forks, copies and templates share it, in one run and between runs.
//
// Nothing is taken for clean because it could not be read. Each repository has a
// [Status], each setting may be "not readable", and all reports say both.
package org
