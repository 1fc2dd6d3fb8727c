package lease

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/stint-dev/stint/oidc"
)

// Statuses of a command that did not run, those of the shell.
const (
	StatusNotExecutable = 126
	StatusNotFound      = 127
	statusSignal        = 128 // plus the signal's number
)

// stopDelay is how long a command has to stop by itself after the context ended,
// and how long its left-over children may keep its output open.
const stopDelay = 5 * time.Second

// A Command is what runs under a lease.
type Command struct {
	Args []string // the program and its arguments
	Dir  string   // "" is the current directory
	// Env is the environment before [ChildEnv] narrows it, usually os.Environ().
	Env []string
	// Set are variables beside those of the leases.
	Set            []oidc.Var
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Run runs a command with the lease's variables in its environment, keeps the lease
// fresh meanwhile, and then ends it, whatever became of the command. status is the
// command's own, 128 and the signal's number when a signal ended it, 126 or 127 with
// an error when it could not be started.
//
// The credentials reach the command and what it starts. Interrupt, terminate and
// hang-up are passed on to the command while stint waits for it.
func (l *Lease) Run(ctx context.Context, c Command) (status int, ended []Ended, err error) {
	return Run(ctx, c, l)
}

// Run is [Lease.Run] for a command that needs several leases. They are ended in the
// reverse order.
func Run(ctx context.Context, c Command, leases ...*Lease) (status int, ended []Ended, err error) {
	stopKeeping := keep(ctx, leases)
	defer func() {
		stopKeeping()
		for _, l := range slices.Backward(leases) {
			ended = append(ended, l.End(ctx)...)
		}
	}()
	env, _, err := ChildEnv(c.Env, leases...)
	if err != nil {
		return StatusNotExecutable, nil, err
	}
	for _, v := range c.Set {
		env = setEnv(env, v.Name, v.Value.Reveal())
	}
	c.Env = env
	status, err = c.run(ctx)
	return status, nil, err
}

// keep keeps leases fresh until the function that it returns is called.
func keep(ctx context.Context, leases []*Lease) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var keepers sync.WaitGroup
	for _, l := range leases {
		keepers.Go(func() { l.Keep(ctx) })
	}
	return func() {
		cancel()
		keepers.Wait()
	}
}

func (c Command) run(ctx context.Context) (int, error) {
	if len(c.Args) == 0 {
		return StatusNotFound, &oidc.Error{Stage: oidc.StageHandOver, Message: "there is no command to run",
			Hint: "name it after --, as in stint exec GRANT -- ./deploy.sh"}
	}
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.Dir, cmd.Env = c.Dir, c.Env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Stdin, c.Stdout, c.Stderr
	cmd.Cancel = func() error { return stop(cmd.Process) }
	cmd.WaitDelay = stopDelay

	// Before the start, so that no signal finds stint without a lease's end.
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, caught...)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return notStarted(c.Args[0], err)
	}
	finished := make(chan struct{})
	go forward(cmd.Process, signals, finished)
	err := cmd.Wait()
	close(finished)
	return waited(cmd, err)
}

// forward passes signals on until the command has finished.
func forward(p *os.Process, signals <-chan os.Signal, finished <-chan struct{}) {
	terminal := hasTerminal()
	for {
		select {
		case <-finished:
			return
		case s := <-signals:
			if passOn(s, terminal) {
				_ = p.Signal(s) // the command may be gone already
			}
		}
	}
}

func waited(cmd *exec.Cmd, err error) (int, error) {
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && cmd.ProcessState == nil {
		return StatusNotExecutable, &oidc.Error{Stage: oidc.StageHandOver, Message: "the command was lost",
			Hint: "look at the machine's memory and process limits"}
	}
	return status(cmd.ProcessState), nil
}

func notStarted(name string, err error) (int, error) {
	e := &oidc.Error{Stage: oidc.StageHandOver, Message: "command " + strconv.Quote(name) + " cannot be run",
		Hint: "check that it is executable and made for this machine", Err: err}
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		e.Message, e.Hint = "there is no command "+strconv.Quote(name), "check its name and PATH"
		return StatusNotFound, e
	}
	if errors.Is(err, exec.ErrDot) {
		e.Hint = "write ./" + name + " to run what is in the current directory"
	}
	return StatusNotExecutable, e
}
