package lease

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/stint-dev/stint/oidc"
)

// MaxRunnerFileBytes bounds what one call appends to a file of the runner. It is
// the size that GitHub documents for a step's summary.
const MaxRunnerFileBytes = 1 << 20

// A RunnerFile is one of the files by which a step speaks to the runner:
// GITHUB_ENV, GITHUB_OUTPUT, GITHUB_STATE, GITHUB_STEP_SUMMARY. The runner makes
// them; a missing one, a link, or anything but a regular file is refused.
type RunnerFile struct {
	Name string // of the variable, for messages
	Path string
	// Rand gives delimiters; nil is crypto/rand.
	Rand io.Reader
}

// A Setting is one name and its value in a RunnerFile.
type Setting struct {
	Name  string
	Value oidc.Secret
}

var settingName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,127}$`)

// Set appends settings, all or none. Values may have several lines: each is put
// between random delimiters, so that no value can set another name.
func (f RunnerFile) Set(settings ...Setting) error {
	var b strings.Builder
	for _, s := range settings {
		if !settingName.MatchString(s.Name) {
			return f.errorf("%.64q is not a name", s.Name)
		}
		delimiter, err := f.delimiter()
		if err != nil {
			return err
		}
		value := s.Value.Reveal()
		if strings.Contains(value, delimiter) || strings.Contains(value, "\x00") {
			return f.errorf("the value of %s cannot be written", s.Name)
		}
		fmt.Fprintf(&b, "%s<<%s\n%s\n%s\n", s.Name, delimiter, value, delimiter)
	}
	return f.Append(b.String())
}

// delimiter is new for every value: code that could foresee it could end the
// value early and go on with a name of its own.
func (f RunnerFile) delimiter() (string, error) {
	source := f.Rand
	if source == nil {
		source = rand.Reader
	}
	var b [16]byte
	if _, err := io.ReadFull(source, b[:]); err != nil {
		return "", f.errorf("there is no randomness")
	}
	return "stint_" + hex.EncodeToString(b[:]), nil
}

// Append appends text. When it cannot be written whole, what was written is cut
// off again.
func (f RunnerFile) Append(text string) error {
	if len(text) > MaxRunnerFileBytes {
		return f.errorf("%d bytes are more than the %d that are written at once", len(text), MaxRunnerFileBytes)
	}
	file, size, err := f.open()
	if err != nil {
		return err
	}
	err = writeFile(file, text)
	if err != nil {
		_ = file.Truncate(size)
	}
	if closeErr := file.Close(); err != nil || closeErr != nil {
		return f.errorf("it could not be written")
	}
	return nil
}

// open opens the file without following a link in its last element. The check by
// identity holds where the system has no flag for that.
func (f RunnerFile) open() (*os.File, int64, error) {
	before, err := os.Lstat(f.Path)
	if err != nil || !before.Mode().IsRegular() {
		return nil, 0, f.errorf("%q is not a regular file", f.Path)
	}
	file, err := os.OpenFile(f.Path, os.O_WRONLY|os.O_APPEND|noFollow, 0)
	if err != nil {
		return nil, 0, f.errorf("%q cannot be opened for appending", f.Path)
	}
	after, err := file.Stat()
	if err != nil || !os.SameFile(before, after) {
		_ = file.Close()
		return nil, 0, f.errorf("%q was replaced while it was opened", f.Path)
	}
	return file, after.Size(), nil
}

func (f RunnerFile) errorf(format string, args ...any) *oidc.Error {
	return &oidc.Error{Stage: oidc.StageHandOver,
		Message: f.Name + ": " + fmt.Sprintf(format, args...),
		Hint:    "run this in a step of a job, where the runner provides " + f.Name}
}

// HandToJob hands leases to the later steps of the job: the masks to output, then
// the variables of all of them to env, which is GITHUB_ENV, at once. Two that set one
// variable are an error. When it fails nothing was handed over, and the caller ends
// the leases.
//
// GITHUB_ENV cannot unset a variable. Post can set the names of the states to ""
// (which AWS's tools take for unset), but the steps in between have had them.
func HandToJob(output io.Writer, env RunnerFile, leases ...*Lease) error {
	if err := checkOverlap(leases); err != nil {
		return err
	}
	var secrets []oidc.Var
	var settings []Setting
	for _, l := range leases {
		secrets = append(secrets, l.Secrets()...)
		for _, v := range l.Vars() {
			settings = append(settings, Setting{v.Name, v.Value})
		}
	}
	if err := WriteMasks(output, secrets); err != nil {
		return err
	}
	if err := env.Set(settings...); err != nil {
		return err
	}
	for _, l := range leases {
		l.leave()
	}
	return nil
}

var (
	envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)
	// notForUs are variables by which one could steer the runner or the loader of
	// programs. No credential is called so, but those of ours.
	notForUs = regexp.MustCompile(`^(?i:PATH|HOME|SHELL|IFS|ENV|BASH_ENV|NODE_OPTIONS|PYTHON.*|RUBYOPT|PERL5.*|LD_.*|DYLD_.*|GITHUB_.*|RUNNER_.*|ACTIONS_.*|INPUT_.*|STATE_.*)$`)
)

// ours are names among notForUs that are credentials: gh and other tools of GitHub read
// them, and the runner does not.
var ours = []string{"GITHUB_TOKEN", "GITHUB_ENTERPRISE_TOKEN"}

func checkEnvName(name string) error {
	if slices.Contains(ours, name) || envName.MatchString(name) && !notForUs.MatchString(name) {
		return nil
	}
	return &oidc.Error{Stage: oidc.StageHandOver, Message: fmt.Sprintf("a provider wants to set the variable %.64q", name),
		Hint: "nothing was handed over; report this"}
}
