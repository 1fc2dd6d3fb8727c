package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stint-dev/stint/oidc/providers"
	"github.com/stint-dev/stint/oidc/trust"
	"github.com/stint-dev/stint/oidc/trust/cloudformation"
	"github.com/stint-dev/stint/oidc/trust/terraform"
)

// maxLockFiles bounds how many files one command reads.
const maxLockFiles = 20_000

// lockExtensions are the files that a directory is searched for.
var lockExtensions = []string{".tf", ".json", ".yaml", ".yml"}

// A lockFile is one file and the locks in it.
type lockFile struct {
	path string
	docs []trust.Document
	err  error
}

// readLocks finds the locks of files and of directories, sorted by path. A file of a
// directory that holds none is left out; one that is named itself is kept.
func readLocks(paths []string, clouds []trust.Cloud) ([]lockFile, error) {
	var files []lockFile
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, usage("give a file of a policy, or a directory", "%q cannot be read: %s", path, reason(err))
		}
		if !info.IsDir() {
			b, err := readPolicyFile(path)
			if err != nil {
				return nil, err
			}
			docs, err := findLocks(path, b, clouds)
			files = append(files, lockFile{path, docs, err})
			continue
		}
		found, err := walkLocks(path, clouds)
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	return files, nil
}

// walkLocks reads a directory. The Terraform files of one directory are one module.
func walkLocks(root string, clouds []trust.Cloud) ([]lockFile, error) {
	var files []lockFile
	modules := map[string]map[string][]byte{}
	seen := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			files = append(files, lockFile{path: path, err: errors.New(reason(err))})
			return nil
		case d.IsDir() && path != root && skipDirectory(d.Name()):
			return filepath.SkipDir
		case !d.Type().IsRegular() || !slices.Contains(lockExtensions, filepath.Ext(path)):
			return nil
		}
		if seen++; seen > maxLockFiles {
			return usage("name the directories that hold policies", "%q has more than %d files", root, maxLockFiles)
		}
		b, err := readPolicyFile(path)
		if err != nil {
			files = append(files, lockFile{path: path, err: err})
			return nil
		}
		if filepath.Ext(path) == ".tf" {
			dir := filepath.Dir(path)
			if modules[dir] == nil {
				modules[dir] = map[string][]byte{}
			}
			modules[dir][path] = b
			return nil
		}
		if docs, err := findLocks(path, b, clouds); err != nil || len(docs) > 0 {
			files = append(files, lockFile{path, docs, err})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, module := range modules {
		files = append(files, moduleLocks(module, clouds)...)
	}
	slices.SortStableFunc(files, func(a, b lockFile) int { return strings.Compare(a.path, b.path) })
	return files, nil
}

// skipDirectory leaves out what tools keep for themselves.
func skipDirectory(name string) bool {
	return name == ".git" || name == ".terraform" || name == "node_modules"
}

// moduleLocks groups the locks of a Terraform module by file.
func moduleLocks(module map[string][]byte, clouds []trust.Cloud) []lockFile {
	docs, err := terraform.Find(module)
	byPath := map[string][]trust.Document{}
	for _, d := range docs {
		if isOf(d, clouds) {
			byPath[d.Path] = append(byPath[d.Path], d)
		}
	}
	var files []lockFile
	for path, docs := range byPath {
		files = append(files, lockFile{path: path, docs: docs})
	}
	var broken terraform.Errors
	if errors.As(err, &broken) {
		for path, err := range broken {
			files = append(files, lockFile{path: path, err: err})
		}
	}
	return files
}

func isOf(d trust.Document, clouds []trust.Cloud) bool {
	return slices.ContainsFunc(clouds, func(c trust.Cloud) bool { return c.Name == d.Cloud })
}

func readPolicyFile(path string) ([]byte, error) {
	b, err := readBounded(machine{}, path, trust.MaxDocumentBytes)
	if err != nil {
		return nil, usage(fmt.Sprintf("give a regular file of at most %d MiB that this user may read", trust.MaxDocumentBytes>>20),
			"the policy file %q cannot be read: %s", path, reason(err))
	}
	return b, nil
}

// findLocks finds the locks of one file by its content.
func findLocks(path string, b []byte, clouds []trust.Cloud) ([]trust.Document, error) {
	if filepath.Ext(path) == ".tf" {
		var all []trust.Document
		for _, f := range moduleLocks(map[string][]byte{path: b}, clouds) {
			if f.err != nil {
				return nil, f.err
			}
			all = append(all, f.docs...)
		}
		return all, nil
	}
	docs, err := cloudformation.Find(path, b)
	if err != nil || len(docs) > 0 {
		return slices.DeleteFunc(docs, func(d trust.Document) bool { return !isOf(d, clouds) }), err
	}
	for _, c := range clouds {
		docs, err := c.Find(path, b)
		if err != nil || len(docs) > 0 {
			return docs, err
		}
	}
	return nil, nil
}

// parseLock reads one lock with its cloud.
func parseLock(d trust.Document) (trust.Policy, error) {
	c, ok := providers.Cloud(d.Cloud)
	if !ok {
		return nil, fmt.Errorf("there is no cloud %q", d.Cloud)
	}
	return c.Parse(d)
}

// policyError is the error of a file that is meant to be a policy.
func policyError(path string, err error) error {
	hint := nextStep(err)
	if hint == "" {
		hint = "compare the document with the one that the cloud itself gives back"
	}
	return &failure{exitUsage, fmt.Sprintf("%s: %s", path, err), hint}
}
