//go:build !unix

package lease

import "os"

// caught are the signals that must not end stint before its command.
var caught = []os.Signal{os.Interrupt}

// passOn is false: the console sends its own events to the command as well, and
// there is no other way to send one.
func passOn(os.Signal, bool) bool { return false }

func hasTerminal() bool { return true }

// stop ends a command. There is no way to ask it.
func stop(p *os.Process) error { return p.Kill() }

// status is the exit status.
func status(s *os.ProcessState) int { return s.ExitCode() }
