package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// onFullDisk runs stint in a mount namespace of its own, its runner directory on a file
// system with so many inodes and pages left, and prints what lies there afterwards.
const onFullDisk = `
mount -t tmpfs -o "size=$PAGES"k,nr_inodes="$INODES" tmpfs "$RUNNER_TEMP" || exit 125
for name in GITHUB_ENV GITHUB_STATE GITHUB_OUTPUT GITHUB_STEP_SUMMARY; do : > "$RUNNER_TEMP/$name" || exit 125; done
while [ "$FILL" -gt 0 ]; do dd if=/dev/zero of="$RUNNER_TEMP/GITHUB_STEP_SUMMARY" bs=4k count=1 oflag=append conv=notrunc status=none || break; FILL=$((FILL - 1)); done
"$@"
status=$?
echo "== left"
find "$RUNNER_TEMP" -mindepth 1 ! -name 'GITHUB_*' ! -name 'stint-receipts.jsonl'
echo "== files"
cat "$RUNNER_TEMP"/GITHUB_* "$RUNNER_TEMP/stint-receipts.jsonl" 2> /dev/null
exit $status
`

// canMount reports whether this process may make a file system of its own.
func canMount(t *testing.T) bool {
	t.Helper()
	cmd := exec.Command("sh", "-c", `mount -t tmpfs tmpfs "$0"`, t.TempDir())
	cmd.SysProcAttr = ownMounts()
	return cmd.Run() == nil
}

func ownMounts() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Setsid: true, Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}, GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
}

// A disk that is full when the first, the second … file or directory is made, or when the
// n-th page is written: either all is as it would be, or the command does not run, the job
// gets nothing and nothing is left. The receipts stay: they are no secret.
func TestFullDiskAtEachStage(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the program some fifty times")
	}
	if !canMount(t) {
		t.Skip("this machine lets nobody but its owner mount a file system")
	}
	for _, c := range []struct{ name, mode string }{{"exec", modeFile}, {"main", modeFile}, {"main", modeEnv}} {
		ran := 0
		for _, room := range rooms() {
			v := newVictim(t, "")
			v.env = append(v.env, "INPUT_MODE="+c.mode)
			text, status := v.inRoom(t, room, stageArgs[c.name]...)
			t.Run(fmt.Sprintf("%s/%s/%d inodes, %d pages", c.name, c.mode, room.inodes, room.pages), func(t *testing.T) {
				v.checkRoom(t, c.name, text, status)
			})
			if status == exitOK {
				ran++
			}
		}
		if ran == 0 || ran == len(rooms()) {
			t.Errorf("%+v: %d of %d ran: the rooms do not tell the stages apart", c, ran, len(rooms()))
		}
	}
}

func (v *victim) checkRoom(t *testing.T, name, text string, status int) {
	t.Helper()
	said, left, _ := strings.Cut(text, "== left\n")
	left, files, _ := strings.Cut(left, "== files\n")
	_, err := os.Stat(filepath.Join(v.dir, "witness"))
	switch {
	case status == 125:
		t.Fatalf("the room could not be made\n%s", text)
	case status == exitOK && name == "main":
		return // post ends what it handed over
	case status == exitOK && err != nil:
		t.Error("the command did not run")
	case status != exitOK && err == nil:
		t.Errorf("the command ran, and stint said %d", status)
	case status != exitOK && !strings.Contains(said, "stint: error: "):
		t.Errorf("no error is said\n%s", said)
	}
	if left != "" {
		t.Errorf("status %d, left\n%s", status, left)
	}
	for _, secret := range []string{v.bearer, "AWS_SECRET_ACCESS_KEY<<", "aws_secret_access_key"} {
		if strings.Contains(files, secret) {
			t.Errorf("the runner's files hold %q", secret)
		}
	}
}

// A room is how much a file system still takes.
type room struct{ inodes, pages int }

func rooms() []room {
	var all []room
	for n := range 8 {
		all = append(all, room{inodes: n, pages: 64}, room{inodes: 64, pages: n})
	}
	return all
}

// inRoom runs stint where the disk takes no more than the room.
func (v *victim) inRoom(t *testing.T, r room, args ...string) (text string, status int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	trap := filepath.Join(v.dir, "stint") // by whose name the program knows what it is
	if err := os.Symlink(self, trap); err != nil {
		t.Fatal(err)
	}
	const total = 64 // pages; the room is what is left of them
	cmd := exec.Command("sh", append([]string{"-c", onFullDisk, "sh", trap}, args...)...)
	cmd.Dir, cmd.SysProcAttr = v.dir, ownMounts()
	cmd.Env = append(v.env, fmt.Sprintf("INODES=%d", 5+r.inodes), fmt.Sprintf("PAGES=%d", 4*total), fmt.Sprintf("FILL=%d", total-r.pages))
	for _, name := range []string{"GITHUB_ENV", "GITHUB_STATE", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"} {
		cmd.Env = append(cmd.Env, name+"="+filepath.Join(v.temp, name))
	}
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}
