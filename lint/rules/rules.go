// Package rules is the list of all rules. Each rule lies whole in the directory
// that has its id; the list is generated from the directories, so that adding a
// rule touches nothing else.
package rules

//go:generate go run ./gen
