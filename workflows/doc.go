// Package workflows finds, parses, locates and edits GitHub Actions files.
//
// It is the ground floor of the linter: one parse turns a file's bytes into a
// model with ordered jobs and steps in which every value knows the exact bytes
// it came from. Whoever needs a position, an expression, a shell command or an
// edit asks here; nobody above this package reads YAML.
//
// How it thinks:
//
//   - A file is never lost. What cannot be read becomes a [Problem] with a place
//     and the rest of the tree is used.
//   - Bytes are the truth. A [Span] is a half-open byte range of [File.Source];
//     lines and columns are made from it in one place ([File.Position]).
//   - What GitHub accepts and we do not know yet is kept ([Job.Unknown],
//     [Step.Unknown]), never refused: new syntax must not blind the rules.
//   - All input is hostile: sizes, depths and counts are bounded by the named
//     limits in limits.go.
//
// The YAML tree comes from the YAML library that actionlint uses; expressions are
// parsed by actionlint and converted to the small tree of expr.go, so that no
// other package depends on actionlint's unstable Go API. Shell scripts are parsed
// by mvdan.cc/sh.
package workflows
