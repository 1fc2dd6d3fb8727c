// Package providertest is what the tests of providers have in common: the sandbox's
// issuer behind a real source of tokens, a virtual clock, a stand-in server whose
// faults are scripted, and the search for secrets where none may be.
//
// A stand-in of a cloud is written in the tests of its provider and verifies tokens
// with [Bench.Verify]; nothing here knows any cloud.
package providertest
