package main

import (
	"os"
	"strconv"

	"golang.org/x/term"
)

// The widths that tables are made for, in columns.
const (
	defaultWidth = 80
	minWidth     = 60
	maxWidth     = 160
)

// terminalWidth returns the width of the terminal that output goes to, COLUMNS
// where that is set, and 80 for files and pipes.
func terminalWidth(w world) int {
	width := defaultWidth
	if n, err := strconv.Atoi(w.getenv("COLUMNS")); err == nil {
		width = n
	} else if f, ok := w.stdout.(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			width = n
		}
	}
	return min(max(width, minWidth), maxWidth)
}

// colored reports whether output may be colored: a terminal, and NO_COLOR unset
// (no-color.org).
func colored(w world) bool {
	f, ok := w.stdout.(*os.File)
	return ok && w.getenv("NO_COLOR") == "" && w.getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}
