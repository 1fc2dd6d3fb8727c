// Package terraform finds trust policies in Terraform files: roles of AWS, pool
// providers and members of Google Cloud, federated credentials of Entra, roles of
// Vault.
//
// How it thinks: files are read, never run. Literals, locals, variables with
// defaults and references within the module are resolved; whatever else an
// expression is becomes a placeholder that no token has, and is listed as
// unresolved.
package terraform
