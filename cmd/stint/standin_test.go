package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// The commands that scripts run beside stint.

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(99)
}

// putMain puts an object with the credentials of its environment, as a deployment
// does, and prints the store's answer: put site/index.html.
func putMain() {
	const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	req, err := http.NewRequest(http.MethodPut, os.Getenv("AWS_ENDPOINT_URL_S3")+"/"+os.Args[1], http.NoBody)
	if err != nil {
		fail("put: %v", err)
	}
	req.Header.Set("X-Amz-Content-Sha256", emptyHash)
	keys := awssdk.Credentials{AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: os.Getenv("AWS_SESSION_TOKEN")}
	if err := v4.NewSigner().SignHTTP(context.Background(), keys, req, emptyHash, "s3", os.Getenv("AWS_REGION"), time.Now()); err != nil {
		fail("put: %v", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		fail("put: %v", err)
	}
	_ = resp.Body.Close()
	fmt.Println("put", os.Args[1], resp.StatusCode)
	if resp.StatusCode != http.StatusOK {
		os.Exit(1)
	}
}

// statusMain runs a command and succeeds if its status is the one that is wanted:
// status 3 stint exec ….
func statusMain() {
	want, err := strconv.Atoi(os.Args[1])
	if err != nil {
		fail("status: %v", err)
	}
	cmd := exec.Command(os.Args[2], os.Args[3:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Run(); cmd.ProcessState == nil {
		fail("status: %v", err)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		fail("status: %d, want %d", got, want)
	}
}

// environMain prints which variables with one of the prefixes there are, without
// their values, and ends with the status that STATUS names.
func environMain() {
	names := []string{}
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		if value != "" && slices.ContainsFunc(os.Args[1:], func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	fmt.Println(strings.Join(names, "\n"))
	if n, err := strconv.Atoi(os.Getenv("STATUS")); err == nil {
		os.Exit(n)
	}
}

// trapMain says that it is ready, waits for a signal, names it and ends with 42.
func trapMain() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, caughtByTrap...)
	fmt.Println("ready")
	fmt.Println("got", <-c)
	os.Exit(42)
}

// blobMain makes files that a script cannot hold: blob KIND FILE.
func blobMain() {
	const head = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make\n"
	var b []byte
	switch os.Args[1] {
	case "nul":
		b = []byte("on: push\njobs:\n  a:\n    runs-on: \x00\n")
	case "bom":
		b = []byte("\ufeff" + head)
	case "crlf":
		b = []byte(strings.ReplaceAll(head, "\n", "\r\n"))
	case "large":
		b = append([]byte(head), bytes.Repeat([]byte("# padding\n"), 500_000)...)
	case "bomb":
		b = []byte("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
		for i := range 20 {
			b = fmt.Appendf(b, "a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
		}
	}
	if err := os.WriteFile(os.Args[2], b, 0o666); err != nil {
		fail("blob: %v", err)
	}
}

// runnerMain runs steps as the Actions runner does: runner STEP…. A step is "uses
// GRANT", which is the action, or "run CMD ARGS…". The action's post steps run last,
// in reverse, whatever became of the job. Each step has files of its own, of which
// the runner takes up the variables and the state, and keeps the summaries.
func runnerMain() {
	r := &runner{dir: os.Getenv("RUNNER_DIR"), env: os.Environ()}
	failed := false
	type post struct {
		grant string
		state []string
	}
	var posts []post
	for _, step := range os.Args[1:] {
		words := strings.Fields(step)
		if failed {
			fmt.Println("- skipped:", step)
			continue
		}
		fmt.Println("-", step)
		if words[0] == "uses" {
			state, ok := r.step(r.inputs(words[1]), []string{"stint", "sandbox", "action", "main"})
			posts, failed = append(posts, post{words[1], state}), !ok
			continue
		}
		_, ok := r.step(nil, words[1:])
		failed = !ok
	}
	for _, p := range slices.Backward(posts) {
		fmt.Println("- post of", p.grant)
		_, ok := r.step(append(r.inputs(p.grant), p.state...), []string{"stint", "sandbox", "action", "post"})
		failed = failed || !ok
	}
	if failed {
		os.Exit(1)
	}
}

// A runner is what is left of a job between its steps.
type runner struct {
	dir   string
	env   []string
	steps int
}

func (r *runner) inputs(grantName string) []string {
	return []string{"INPUT_GRANT=" + grantName, "INPUT_FILE=.github/stint.yml", "INPUT_MODE=" + os.Getenv("MODE")}
}

// step runs one step and returns the state that it saved.
func (r *runner) step(extra, args []string) (state []string, ok bool) {
	r.steps++
	files := map[string]string{}
	env := append(slices.Clone(r.env), extra...)
	workspace, err := os.Getwd()
	if err != nil {
		fail("runner: %v", err)
	}
	env = append(env, "GITHUB_WORKSPACE="+workspace, "RUNNER_TEMP="+r.dir)
	for _, name := range []string{"GITHUB_ENV", "GITHUB_STATE", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"} {
		files[name] = filepath.Join(r.dir, strings.ToLower(name)+"_"+strconv.Itoa(r.steps))
		if err := os.WriteFile(files[name], nil, 0o600); err != nil {
			fail("runner: %v", err)
		}
		env = append(env, name+"="+files[name])
	}
	path, err := exec.LookPath(args[0])
	if err != nil {
		fail("runner: %v", err)
	}
	cmd := exec.Cmd{Path: path, Args: args, Env: env, Stdout: os.Stdout, Stderr: os.Stderr}
	err = cmd.Run()
	r.env = append(r.env, settings(files["GITHUB_ENV"])...)
	for _, s := range settings(files["GITHUB_STATE"]) {
		state = append(state, "STATE_"+s)
	}
	return state, err == nil
}

// settings reads a file of the form that the runner documents: name<<delimiter,
// lines, delimiter.
func settings(path string) []string {
	b, err := os.ReadFile(path)
	if err != nil {
		fail("runner: %v", err)
	}
	var list []string
	lines := strings.Split(string(b), "\n")
	for i := 0; i < len(lines); i++ {
		name, delimiter, found := strings.Cut(lines[i], "<<")
		if !found {
			continue
		}
		end := slices.Index(lines[i+1:], delimiter)
		if end < 0 {
			fail("runner: %s has no end of %s", path, name)
		}
		list = append(list, name+"="+strings.Join(lines[i+1:i+1+end], "\n"))
		i += end + 1
	}
	return list
}
