// Package vault trades an id-token for a token of Vault or OpenBao, by a login with
// the JWT method, and for the secrets that a grant names: fields of the key-value
// store, and of what a secrets engine makes on demand.
//
// How it thinks: the login's token is the root of all that is issued. What an engine
// makes under it is leased to it and ends with it, so that one revocation ends all.
// The command gets the fields that the grant names, and the token itself only where
// the grant asks for it. Before anything is handed over, the token's policies and
// lifetime are compared with the grant: a role that issues more than the grant says
// gets its token back.
//
// A token counts as revoked only when a lookup afterwards was refused. What cannot
// be revoked (a batch token) or could not be is said to be open or to expire.
//
// trust.go and its neighbours judge and write the other side: the role of the JWT
// method, which is the lock.
//
// Nothing is read from VAULT_ADDR, VAULT_TOKEN or ~/.vault-token. The usual proxy
// variables are honoured, because runners behind a proxy need them.
package vault
