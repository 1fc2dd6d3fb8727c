// Package platform is what GitHub Actions and well-known actions do, as dated
// tables with sources: events by trust, contexts by what they can carry, actions
// by what their inputs mean, secret names by what they open, commands by what they
// take, and versions known to be bad.
//
// It is data and look-ups, without logic of a rule and without imports of ours: a
// new event, context, action or registry is a line here, not a branch in a rule.
package platform
