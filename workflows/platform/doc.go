// Package platform is what GitHub Actions and well-known actions do, as dated
// tables with sources: events by trust, contexts by what they can carry, actions
// by what their inputs mean, secret names by what they open, commands by what they
// take, versions known to be bad, and what known campaigns left behind.
//
// It is data and look-ups, without logic of a rule and without imports of ours: a
// new event, context, action or registry is a line here, not a branch in a rule.
// A line is one entry; a block names its source and date; keys are in lower case.
// What a table cannot tell is said by an empty answer, not by a guess.
//
//	events.go            every event of on:, who can start it, what was stopped since
//	contexts.go          github.* and the payload of events, by whose text it is
//	actions*.go          actions by kind
//	secrets_table.go     names of secrets, by their words
//	commands_table.go, commands_run.go   commands of the shell, by their first words
//	indicators_table.go  literals of known campaigns
//	bad.json             bad versions of actions and images
//
// bad.json is brought up to date by
//
//	gh api --paginate '/advisories?ecosystem=actions&per_page=100' > advisories.json
//	go run ./workflows/platform/refresh -data workflows/platform/bad.json advisories.json
//
// which adds and renews published advisories and removes nothing; malicious versions
// that no advisory names are written into it by hand, and go generate puts them in order.
package platform
