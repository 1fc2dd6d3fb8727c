// Package spiffe is a source of id-tokens for jobs that do not run on GitHub's runners:
// the JWT-SVIDs that a SPIFFE Workload API gives to a workload which it has attested.
//
// How it thinks: the socket says who the workload is, so there is no secret to hand in;
// the audience is asked for as it is with the runner. An SVID has a subject and an
// issuer and none of GitHub's claims, so only a grant that names both (the keys
// issuer and subject of for:) admits one. Agents hand out the same SVID until half of its life
// is over: a token may be given twice.
//
// Like the runner's, its tokens come straight from who issued them and are not
// verified here: the relying party does that. A relying party outside SPIFFE wants an
// iss claim, which SPIRE sets only when its server has a jwt_issuer.
package spiffe
