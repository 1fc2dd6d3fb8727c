//go:build unix

package lease

import (
	"os"
	"syscall"
)

// caught are the signals that must not end stint before its command.
var caught = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT}

// passOn reports whether a signal is sent on to the command. The command stays in
// stint's process group, so that it can use the terminal. What is typed there (the
// interrupt and quit keys) the terminal sends to the whole group itself; sent
// again, it would be the second one, at which many tools give up without tidying.
func passOn(s os.Signal, terminal bool) bool {
	return !terminal || s != syscall.SIGINT && s != syscall.SIGQUIT
}

// hasTerminal reports whether the process has a controlling terminal. On a runner
// it has none.
func hasTerminal() bool {
	tty, err := os.OpenFile("/dev/tty", os.O_RDONLY|syscall.O_NOCTTY, 0)
	if err != nil {
		return false
	}
	_ = tty.Close()
	return true
}

// stop asks a command to end.
func stop(p *os.Process) error { return p.Signal(syscall.SIGTERM) }

// status is the exit status as a shell gives it.
func status(s *os.ProcessState) int {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return statusSignal + int(w.Signal())
	}
	return s.ExitCode()
}
