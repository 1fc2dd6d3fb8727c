// Package migrate moves workflows to grants: steps of other credential actions, and
// jobs that hold a stored key.
//
// It is where the two halves of stint meet outside of the commands: it reads
// workflows, and writes grants. How it thinks:
//
//   - A change is shown before it is made. A [Plan] holds the files before and
//     after; whoever calls decides whether they are written.
//   - Bytes outside of the edits stay as they are, in workflows ([workflows.Apply])
//     and in the grant file, whose new text is read back and compared with the old.
//   - What cannot be translated is left alone and said, with the next step. A guess
//     never widens what a job may do: what the files do not tell is a value that is
//     well formed, opens nothing, and carries the comment "fill in".
package migrate
