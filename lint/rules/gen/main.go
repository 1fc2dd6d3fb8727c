// Command gen writes the list of rules, lint/rules/rules_gen.go, from the
// directories that hold one, and makes the directory of a new rule:
//
//	go generate ./lint/rules
//	go run ./lint/rules/gen new <id>
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gen: error:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	cwd, err := os.Getwd()
	if err != nil {
		return err
	}
	root, err := moduleRoot(cwd)
	if err != nil {
		return err
	}
	dir := filepath.Join(root, "lint", "rules")
	switch {
	case len(args) == 0:
		return writeList(dir)
	case len(args) == 2 && args[0] == "new":
		if err := scaffold(dir, args[1]); err != nil {
			return err
		}
		return writeList(dir)
	}
	return errors.New("usage: gen [new <id>]")
}

// moduleRoot returns the nearest directory at or above dir that holds a go.mod.
func moduleRoot(dir string) (string, error) {
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("no go.mod here or above")
		}
		dir = up
	}
}
