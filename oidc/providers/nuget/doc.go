// Package nuget trades an id-token for an API key that pushes the packages of one
// account's trusted-publishing policy, on the .NET gallery. What all registries have in
// common is in package registry; here is what this one has of its own: the account in
// whose name the key is made, which the grant must say.
//
// Facts of the wire: the gallery's documentation of trusted publishing and its login
// action, as of November 2026.
package nuget
