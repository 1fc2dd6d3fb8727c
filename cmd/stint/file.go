package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers"
)

// fileKeys are the top-level keys of .github/stint.yml: those that package grant
// reads, then those of package lint. Each leaves the other's alone.
var fileKeys = []string{"version", "extends", "locked", "grants", "lint", "debt"}

// checkKey refuses a key of .github/stint.yml that neither of its readers knows.
func checkKey(path, name string, line int) error {
	if slices.Contains(fileKeys, name) {
		return nil
	}
	return &failure{exitUsage, fmt.Sprintf("%s:%d: there is no key %q", path, line, name), "the keys are " + strings.Join(fileKeys, ", ")}
}

// parseConfig reads the part of .github/stint.yml that is lint's.
func parseConfig(path string, b []byte) (*lint.Config, error) {
	config, err := lint.ParseConfig(path, b)
	if err != nil {
		return nil, asUsage(err)
	}
	for _, k := range config.Other {
		if err := checkKey(path, k.Name, k.Line); err != nil {
			return nil, err
		}
	}
	return config, nil
}

// parseGrants reads the part of .github/stint.yml that is the grants'.
func parseGrants(path string, b []byte) (*grant.File, error) {
	f, err := grant.Parse(path, b, grant.Options{Providers: providers.Names()})
	if err != nil {
		return nil, asUsage(err)
	}
	for _, k := range f.Other {
		if err := checkKey(path, k.Name, k.Line); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// A filesystem is where a file is looked for: the machine's, or a directory's
// that no link leads out of (os.Root).
type filesystem interface {
	Stat(name string) (fs.FileInfo, error)
	Open(name string) (*os.File, error)
}

// machine is the filesystem of the machine.
type machine struct{}

func (machine) Stat(name string) (fs.FileInfo, error) { return os.Stat(name) }
func (machine) Open(name string) (*os.File, error)    { return os.Open(name) }

// readGrants reads a grant file; hint is the next step when it is not there.
func readGrants(from filesystem, path, hint string) (*grant.File, error) {
	b, err := readBounded(from, path, grant.MaxFileBytes)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &failure{exitUsage, "there is no grant file " + strconv.Quote(path), hint}
	case err != nil:
		return nil, &failure{exitUsage, fmt.Sprintf("the grant file %q cannot be read: %s", path, reason(err)),
			fmt.Sprintf("give a regular file of at most %d KiB that this user may read", grant.MaxFileBytes>>10)}
	}
	return parseGrants(path, b)
}

// Why a file was not read.
var (
	errNotRegular = errors.New("it is not a regular file")
	errTooLarge   = errors.New("it is too large")
)

// readBounded reads a regular file of at most limit bytes.
func readBounded(from filesystem, path string, limit int64) ([]byte, error) {
	info, err := from.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	f, err := from.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f, limit)
}

// readAll reads at most limit bytes.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = errTooLarge
	}
	return b, err
}

// reason says why in words of ours: the system's own name the path again.
func reason(err error) string {
	var path *fs.PathError
	switch {
	case errors.Is(err, errNotRegular), errors.Is(err, errTooLarge):
		return err.Error()
	case errors.Is(err, fs.ErrNotExist):
		return "it does not exist"
	case errors.Is(err, fs.ErrPermission):
		return "this user may not read it"
	case errors.As(err, &path):
		return path.Err.Error()
	}
	return "it cannot be opened"
}

// asUsage gives an error of a configuration file the status of wrong use.
func asUsage(err error) error {
	return &failure{exitUsage, err.Error(), nextStep(err)}
}
