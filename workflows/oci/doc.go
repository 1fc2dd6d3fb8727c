// Package oci asks image registries what the name of an image stands for now: the digest
// of its manifest, or of its index where there is one for several platforms.
//
// How it thinks: the name comes from a workflow file, so that whoever wrote the file
// chooses the host. A registry is asked over https only, at addresses that anybody on the
// internet could reach, and so is whoever it names to hand out tokens or sends the question
// on to. Nothing is sent that belongs to the user: no credential, no configuration of
// docker, no cookie, no proxy. Every wait, answer, chain of redirects and number of
// registries has a limit. A registry that does not answer fails alone, and is not asked
// again.
//
// The protocol is that of the OCI distribution specification 1.1 (HEAD or GET of
// /v2/<name>/manifests/<tag>) with the anonymous tokens of the distribution project
// (the answer 401 with WWW-Authenticate: Bearer).
package oci
