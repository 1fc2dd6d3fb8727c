// Package grant reads the grants of .github/stint.yml, decides whether a token's
// claims may have one, and explains the decision.
//
// A grant says who (claims), what for (intent), what exactly (the provider's
// block) and how long (ttl). The check made here is a guard-rail that explains
// itself: whoever can change the workflow can change the file. The cloud's own
// trust policy is the lock.
//
// How it thinks: the file is decoded strictly (an unknown key is an error with
// its line) into [File]; [Grant.Decide] is a pure function of grant, claims and
// what the caller expects; a refusal lists every claim that differs with the
// likely reason class. A provider's block is kept undecoded ([Target]) and read by the
// provider, so that a new provider changes nothing here.
package grant
