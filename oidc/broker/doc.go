// Package broker is the endpoint on loopback that a command's cloud tools ask for
// credentials, for as long as the command runs.
//
// How it thinks: each credential has an address and a bearer of its own, both random,
// and is answered only to a GET that names this very address as its host. What is
// answered is the credential of that moment, so that a long command has a fresh one
// and a copied bearer is of no use after the command. It follows and sends no
// redirect, keeps no connection open, and bounds what it reads and how much it answers
// at once. It writes no log; it counts what it refused.
//
// The bearer is in the environment of the command, which other processes of the same
// user can read while it runs: the broker shortens what such a reader has, and does
// not shut it out.
package broker
