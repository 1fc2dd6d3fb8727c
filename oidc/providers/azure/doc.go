// Package azure trades an id-token for an access token of a Microsoft Entra workload
// identity, by a client assertion, and hands the identity on to Azure's own tools as a
// federated token file that they exchange by themselves.
//
// How it thinks: the exchange shows, before any command runs, that the identity takes
// this job's tokens; its access token is given to the command only where the grant asks
// for it. The SDKs, Terraform and the Azure command line want a file with an id-token
// instead, which has to be fresh whenever they look: the broker keeps it so.
//
// The call is made with azidentity. A credential of it is made for one attempt and
// thrown away, so that neither its cache nor its retries outlive the attempt, and each
// attempt has an id-token of its own. All its requests go through a line of ours
// that bounds them, follows no redirect, and reaches no host but the authority's: not the
// instance metadata service, and not a regional endpoint that AZURE_REGIONAL_AUTHORITY_NAME
// asks for.
//
// Entra decides how long an access token lives, 60 to 90 minutes at random, and cannot
// end one. [Ender] says until when it stays valid and claims no more.
//
// Files called trust*.go read and write the lock: federated identity credentials.
package azure
