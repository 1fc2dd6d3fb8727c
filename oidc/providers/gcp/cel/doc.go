// Package cel reads the expressions of a workload identity pool provider, written
// in the Common Expression Language, and says what each could evaluate to.
//
// How it thinks: an expression has a set of possible outcomes, not a value. What
// is read has one outcome; a function that is not read here could give anything,
// an error included. Sets go through the operators as CEL defines them: an error
// on one side of || or && is absorbed when the other side decides, a claim that is
// absent is an error everywhere but in has(). So [Outcome.Can] true is never too
// narrow, and [Outcome.Only] is said of nothing that was guessed.
//
// The grammar is that of CEL's language definition, whole; the evaluator knows
// what conditions on id-tokens use. It has a parser of its own because the one of
// cel-go brings protocol buffers, a parser generator's run time and some twenty
// packages into a program that handles credentials, for a grammar of fifteen
// lines. The expectations of the tests are what cel-go 0.33.2 answers.
//
// Source: the CEL language definition, and "Attribute conditions" in the IAM
// documentation of Google Cloud.
package cel
