package main

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write the golden parts of the scripts anew")

// TestMain lets the test binary be stint, and the other commands of the scripts,
// by the name under which it is started.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"stint":   main,
		"runner":  runnerMain,
		"put":     putMain,
		"environ": environMain,
		"status":  statusMain,
		"trap":    trapMain,
		"blob":    blobMain,
		"reveal":  revealMain,
	})
}

// TestScripts runs the program as a user does: arguments, files, output, status.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("..", "..", "testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"scrub": scrub, "setenv": setenv, "hub": hub},
		Condition: func(cond string) (bool, error) {
			return cond == "user" && os.Getuid() != 0, nil
		},
	})
}

// scrubs name what differs from run to run.
var scrubs = []struct {
	form *regexp.Regexp
	name string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`), "TIME"},
	{regexp.MustCompile(`ASIA[A-Z0-9]{16}`), "KEYID"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "LOOPBACK"},
	{regexp.MustCompile(`(::add-mask::.*\n)+`), "::add-mask::SECRETS\n"},
	{regexp.MustCompile(`request id [0-9a-f]+`), "request id ID"},
	{regexp.MustCompile(`sha256:[0-9a-f]{64}`), "sha256:DIGEST"},
	{regexp.MustCompile(`\bat [0-9a-f]{12}\b`), "at COMMIT"},
}

// setenv NAME COMMAND… sets a variable to the one line that a command prints.
func setenv(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: setenv NAME COMMAND...")
	}
	ts.Check(ts.Exec(args[1], args[2:]...))
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}

// scrub FROM TO copies a file, or stdout or stderr, with names in place of what
// differs from run to run, so that the rest can be compared to the letter.
func scrub(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: scrub FROM TO")
	}
	text := ts.ReadFile(args[0])
	for _, s := range scrubs {
		text = s.form.ReplaceAllString(text, s.name)
	}
	text = strings.ReplaceAll(text, ts.Getenv("WORK"), "WORK")
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o666))
}
