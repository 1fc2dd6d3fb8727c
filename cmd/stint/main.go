// Command stint tells what every GitHub Actions job could lose, and trades a
// job's id-token for a credential that lasts one task.
//
// Each command is one file of this package; the work is done by the packages
// below it. This package only reads arguments, opens the outside world (files,
// network, clock, signals) and prints.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
)

// version is set by the release build.
var version = "dev"

// gcPercent lets the heap grow to five times what lives: a command is short, and a
// lint of 2,000 files takes a sixth less time with it, for 450 MB at the most in
// place of 220 (measured on 2026-11-21).
const gcPercent = 400

func main() {
	debug.SetGCPercent(gcPercent)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	w := world{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		getenv: os.Getenv, environ: os.Environ, now: time.Now,
	}
	os.Exit(run(ctx, w, os.Args[1:]))
}

// A world is what a command may touch, so that tests can give their own.
type world struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	environ        func() []string
	now            func() time.Time
	// sleep waits, or returns the context's error; nil waits on a timer.
	sleep func(context.Context, time.Duration) error
	// wait is sleep for the time until a credential is refreshed, which is long.
	wait func(context.Context, time.Duration) error
}
