// Package cloudformation finds the trust policies of roles in templates of AWS
// CloudFormation, in YAML and in JSON.
//
// How it thinks: a template is read, never deployed. Parameters with defaults,
// pseudo parameters and references to the template's own identity providers are
// resolved; whatever else a function gives becomes a placeholder that no token has,
// and is listed as unresolved.
package cloudformation
