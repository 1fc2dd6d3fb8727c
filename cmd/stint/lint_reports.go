package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/lint/report"
)

// reports are the handlers of a run: one a --format.
type reports struct {
	handlers []report.Handler
	files    []*os.File
}

// reports opens what --format names. Files are made now, so that a name that cannot be
// written fails before the work and not after it.
func (o lintOptions) reports(w world, rules []*lint.Rule) (*reports, error) {
	r := &reports{}
	onStdout := 0
	for _, f := range o.formats {
		format, name, toFile := strings.Cut(f, "=")
		out := w.stdout
		switch {
		case !toFile:
			onStdout++
		case name == "":
			return nil, r.abandon(usage("write FORMAT=FILE", "--format %q names no file", f))
		default:
			file, err := os.Create(name)
			if err != nil {
				return nil, r.abandon(&failure{exitUsage, fmt.Sprintf("the report %q cannot be written: %s", name, reason(err)), "see that its directory is there and may be written to"})
			}
			r.files, out = append(r.files, file), file
		}
		if o.diff && !toFile {
			out = io.Discard // --diff prints the patch and nothing else
		}
		shown := report.Options{Width: terminalWidth(w), Color: colored(w) && !toFile, Version: version, Rules: rules}
		h, ok := report.New(format, out, shown)
		if !ok {
			return nil, r.abandon(usage("the formats are "+strings.Join(report.Formats(), ", "), "unknown format %q", format))
		}
		r.handlers = append(r.handlers, h)
	}
	if onStdout > 1 {
		return nil, r.abandon(usage("write all but one of them to files: --format sarif=FILE", "%d formats are for standard output", onStdout))
	}
	return r, nil
}

// abandon closes the files and returns why.
func (r *reports) abandon(why error) error {
	for _, f := range r.files {
		f.Close()
	}
	return why
}

// Repository gives one result to every handler.
func (r *reports) Repository(result *lint.Result) error {
	for _, h := range r.handlers {
		if err := h.Repository(result); err != nil {
			return err
		}
	}
	return nil
}

// Close ends every report.
func (r *reports) Close() error {
	var errs []error
	for _, h := range r.handlers {
		errs = append(errs, h.Close())
	}
	for _, f := range r.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}
