// Package lint runs rules over what was read and reports what could be lost.
//
// How it thinks: a [Rule] is a value in its own directory (lint/rules/<id>); a
// [Pass] is what it is shown; a [Finding] is one place, what could be taken there,
// and the edit that mends it. Severity is not the rule's: it comes from reach
// ([reach.Grade]); a rule only says which exposure a finding has.
//
// Run is deterministic: rules × files and the rules that judge across files in
// parallel, then one grade, one fold of what is the same, fingerprints,
// suppressions (whose own rule sees what they did), and one total order.
//
// How to answer a finding, the grammar of suppressions and the keys of the
// configuration are in README.md, which tests hold against the code.
package lint
