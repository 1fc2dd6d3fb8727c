package reach

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/stint-dev/stint/workflows"
)

// A Fetched is code that a script takes from the network and runs, or puts where it
// will be run, without a check of what it is: no checksum, no signature, and an
// address that does not name a commit.
type Fetched struct {
	// Name is short: "curl | sh", or the name of the file that is run.
	Name string
	Step *workflows.Step
	// Fetch takes it from the network, Run runs it. They may stand in different steps.
	Fetch, Run *workflows.Command
	// RunIn is the step of Run.
	RunIn *workflows.Step
	// URL is the address as far as it is known, "" when it is not at all.
	URL string
	// Archive is set when what runs is taken to come from an archive by its name.
	Archive bool
}

// RunUnchecked returns what [RunUnchecked] does of the job's own steps.
func (j *Job) RunUnchecked() []Fetched {
	if j.traced {
		return j.fetched
	}
	return RunUnchecked(j.Job.AllSteps())
}

// RunUnchecked returns the code that the steps of one job fetch and run unchecked, in
// order. Scripts that are not of a POSIX shell are not looked at.
func RunUnchecked(steps []*workflows.Step) []Fetched {
	t := &fetchTracer{values: map[string]string{}}
	for _, s := range steps {
		if s.Run == nil {
			continue
		}
		for _, e := range s.Env.All() {
			if text, ok := e.Value.Const(); ok {
				t.values[e.Key.Value] = text
			}
		}
		for _, c := range s.Run.Commands {
			t.command(s, c)
		}
	}
	return t.found
}

// A fetchTracer follows downloaded files through the scripts of a job.
type fetchTracer struct {
	values map[string]string // of variables, as far as they are known
	files  []*download
	found  []Fetched
}

// A download is a file that came from the network and was not checked yet.
type download struct {
	step  *workflows.Step
	fetch *workflows.Command
	// name is the file, cleaned; "" for an archive that was unpacked from a pipe.
	name, url string
	// archive is set once the file was unpacked.
	archive bool
}

// maxDownloads bounds the files that are followed in one job, maxValue the bytes of a
// value: a script may double a variable in every line.
const (
	maxDownloads = 256
	maxValue     = 4096
)

func (t *fetchTracer) command(s *workflows.Step, c *workflows.Command) {
	for _, a := range c.Assigns {
		t.values[a.Name] = t.text(a.Value)
	}
	if verifies(c) && !s.Run.Ignores(c) && (s.ContinueOnError == nil || s.ContinueOnError.Value == "false") {
		t.files = nil
		return
	}
	if name := PipedToShell(c); name != "" {
		run := RunBy(c)
		if url := t.address(c); !fixedAddress(url) && !slices.ContainsFunc(t.found, func(f Fetched) bool { return f.Run == run }) {
			t.found = append(t.found, Fetched{Name: name, Step: s, Fetch: c, Run: run, RunIn: s, URL: url})
		}
		return
	}
	t.runs(s, c)
	t.moves(c)
	if len(t.files) < maxDownloads {
		t.fetches(s, c)
	}
}

// runs reports the downloads that a command runs, and forgets them.
func (t *fetchTracer) runs(s *workflows.Step, c *workflows.Command) {
	words := t.words(c)
	t.files = slices.DeleteFunc(t.files, func(d *download) bool {
		name, ok := d.run(c, words)
		if ok {
			t.found = append(t.found, Fetched{Name: name, Step: d.step, Fetch: d.fetch, Run: c, RunIn: s, URL: d.url, Archive: d.archive})
		}
		return ok
	})
}

// moves follows a rename, and unpacking.
func (t *fetchTracer) moves(c *workflows.Command) {
	words := t.words(c)
	if len(words) < 2 {
		return
	}
	for _, d := range t.files {
		switch c.Name {
		case "mv", "cp":
			if len(words) == 3 && d.is(words[1]) {
				d.name = cleanFile(words[2])
			}
		case "tar", "bsdtar", "unzip", "7z", "gunzip", "unxz", "xz", "gzip":
			if slices.ContainsFunc(words[1:], d.is) {
				d.archive = true
			}
		}
	}
}

// fetches adds the file that a command downloads.
func (t *fetchTracer) fetches(s *workflows.Step, c *workflows.Command) {
	switch c.Name {
	case "curl", "wget", "wget2", "aria2c":
	default:
		return
	}
	url := t.address(c)
	if fixedAddress(url) {
		return
	}
	name, archive := t.target(c, url)
	if name != "" || archive {
		t.files = append(t.files, &download{step: s, fetch: c, name: cleanFile(name), url: url, archive: archive})
	}
}

// target returns the file that a download is written to; archive is set when it is
// unpacked from the pipe.
func (t *fetchTracer) target(c *workflows.Command, url string) (name string, archive bool) {
	if into := c.PipesInto; into != nil {
		return t.piped(into)
	}
	for _, r := range c.Redirs {
		if r.Op == ">" || r.Op == ">|" || r.Op == "&>" {
			return t.text(r.Target), false
		}
	}
	name, dir, ok := outputOption(c.Name, t.words(c)[1:])
	switch {
	case !ok && c.Name == "curl", name == "-", name == "/dev/null", name == "/dev/stdout", strings.HasPrefix(name, "/dev/fd"):
		return "", false
	case name == "" && url == "":
		return "", false
	case name == "":
		base, _, _ := strings.Cut(url, "?")
		name = path.Base(base)
	}
	return path.Join(dir, name), false
}

// piped returns where a pipe behind a download leads.
func (t *fetchTracer) piped(into *workflows.Command) (name string, archive bool) {
	for ; into != nil; into = into.PipesInto {
		words := t.words(into)
		switch into.Name {
		case "tar", "bsdtar", "unzip", "cpio":
			return "", true
		case "tee", "dd":
			for _, w := range words[1:] {
				if w = strings.TrimPrefix(w, "of="); !strings.HasPrefix(w, "-") && w != "/dev/null" {
					return w, false
				}
			}
		case "gunzip", "zcat", "unxz", "xzcat", "xz", "gzip", "zstd", "bunzip2", "cat", "base64", "sed", "tr":
		default:
			return "", false // a filter of data: jq, grep, gpg --dearmor …
		}
		for _, r := range into.Redirs {
			if r.Op == ">" || r.Op == ">|" {
				return t.text(r.Target), false
			}
		}
	}
	return "", false
}

// outputOption reads where curl, wget or aria2c write; ok is false when curl writes
// to the standard output. An empty name is the last part of the address.
func outputOption(client string, args []string) (name, dir string, ok bool) {
	curl := client == "curl"
	for i := 0; i < len(args); i++ {
		w := args[i]
		next := ""
		if i+1 < len(args) {
			next = args[i+1]
		}
		long, value, hasValue := strings.Cut(w, "=")
		if !hasValue {
			value = next
		}
		switch {
		case long == "--output" || long == "--output-document" || long == "--out":
			name, ok = value, true
		case long == "--output-dir" || long == "--directory-prefix" || long == "--dir":
			dir = value
		case long == "--remote-name" || long == "--remote-name-all":
			ok = true
		case !shortGroup(w):
		case curl:
			if _, file, found := strings.Cut(w, "o"); found {
				name, ok = file, true
				if file == "" {
					name = next
				}
			} else if strings.Contains(w, "O") {
				ok = true
			}
		default:
			if _, file, found := strings.Cut(w, "O"); found || client == "aria2c" && strings.HasPrefix(w, "-o") {
				if !found {
					file = w[len("-o"):]
				}
				if name, ok = file, true; file == "" {
					name = next
				}
			} else if rest, found := strings.CutPrefix(w, "-P"); found {
				if dir = rest; rest == "" {
					dir = next
				}
			}
		}
	}
	return name, dir, ok
}

// address returns the address that a command fetches, "" when it shows none.
func (t *fetchTracer) address(c *workflows.Command) string {
	words := t.words(c)
	for _, w := range words[min(1, len(words)):] {
		if strings.Contains(w, "://") {
			return w
		}
	}
	return ""
}

// words returns the words of a command from its name on, as far as they are known.
func (t *fetchTracer) words(c *workflows.Command) []string {
	out := make([]string, 0, len(c.Words))
	for i, w := range c.Words {
		if i >= c.NameAt {
			out = append(out, t.text(w))
		}
	}
	return out
}

// text is a word with the variables of known value filled in, and the names of the
// others, so that two words that write one name alike are equal.
func (t *fetchTracer) text(w workflows.Word) string {
	if w.Const || strings.Count(w.Text, "\uFFFD") != len(w.Vars) {
		return w.Text
	}
	text := w.Text
	for _, v := range w.Vars {
		value, ok := t.values[v]
		if !ok {
			value = "${" + v + "}"
		}
		text = strings.Replace(text, "\uFFFD", strings.ReplaceAll(value, "\uFFFD", "…"), 1)
	}
	return text[:min(len(text), maxValue)]
}

// commitInAddress is a full commit or a sha-256 as a part of an address.
var commitInAddress = regexp.MustCompile(`[/@=]([0-9a-f]{40}|[0-9a-f]{64})([/.?#]|$)`)

// fixedAddress reports whether what an address gives cannot change: it names a
// commit, or is on the runner itself.
func fixedAddress(url string) bool {
	_, host, _ := strings.Cut(url, "://")
	for _, near := range []string{"localhost", "127.0.0.1", "0.0.0.0", "[::1]"} {
		if strings.HasPrefix(host, near) {
			return true
		}
	}
	return strings.HasPrefix(url, "file://") || commitInAddress.MatchString(url)
}

// cleanFile makes two ways to write one path equal.
func cleanFile(name string) string {
	if name == "" {
		return ""
	}
	return path.Clean(name)
}

// is reports whether a word of a command is the downloaded file.
func (d *download) is(word string) bool {
	if d.name == "" || word == "" || strings.HasPrefix(word, "-") {
		return false
	}
	word = cleanFile(word)
	return word == d.name || path.Base(word) == path.Base(d.name) && (!path.IsAbs(word) || !path.IsAbs(d.name))
}

// binDirs are what the directories that are searched for commands end in.
var binDirs = regexp.MustCompile(`(^|/)s?bin(/[^/]*)?$|^/usr/local(/|$)|^/opt(/|$)|^\$\{?(RUNNER_TOOL_CACHE|GITHUB_PATH)`)

// run reports whether a command runs the download, or puts it where commands are
// found, and the name of what is run.
func (d *download) run(c *workflows.Command, words []string) (string, bool) {
	if len(words) == 0 {
		return "", false
	}
	args := words[1:]
	if d.archive {
		return d.member(c, words)
	}
	if strings.Contains(words[0], "/") && d.is(words[0]) {
		return path.Base(d.name), true
	}
	named := slices.ContainsFunc(args, d.is)
	if !named {
		return "", false
	}
	return path.Base(d.name), d.runAs(c, args)
}

// runAs reports whether a command that names the download makes it run.
func (d *download) runAs(c *workflows.Command, args []string) bool {
	last := args[len(args)-1]
	switch c.Name {
	case "chmod":
		return slices.ContainsFunc(args, executable.MatchString)
	case "mv", "cp", "ln":
		return binDirs.MatchString(last)
	case "install":
		return !slices.Contains(args, "-d")
	case "source", ".", "msiexec", "installer":
		return true
	case "dpkg", "rpm", "apt", "apt-get", "yum", "dnf", "zypper", "apk":
		return slices.ContainsFunc(args, func(a string) bool {
			return slices.Contains([]string{"-i", "-U", "-Uvh", "-ivh", "--install", "install", "localinstall", "add"}, a)
		})
	case "java":
		return slices.Contains(args, "-jar")
	case "pip", "pip3", "npm":
		return slices.Contains(args, "install")
	case "tar", "bsdtar", "unzip":
		return slices.ContainsFunc(args, binDirs.MatchString) && !strings.HasPrefix(strings.TrimPrefix(args[0], "-"), "t")
	}
	if how := invoked(c); isInterpreter(c.Name) && !how.input && !how.text && how.script < len(args) {
		return d.is(args[how.script])
	}
	return false
}

var executable = regexp.MustCompile(`^[ugoa]*\+[rwX]*x|^[0-7]?[1357][0-7]{2}$`)

// member reports whether a command runs something of an unpacked archive: that is a
// guess by its name, which the address holds.
func (d *download) member(c *workflows.Command, words []string) (string, bool) {
	if (c.Name == "mv" || c.Name == "cp" || c.Name == "install") && len(words) > 2 && binDirs.MatchString(words[len(words)-1]) {
		for _, w := range words[1 : len(words)-1] {
			if d.holds(w) {
				return path.Base(w), true
			}
		}
	}
	if c.Name == "chmod" && len(words) > 2 && executable.MatchString(words[1]) && d.holds(words[2]) {
		return path.Base(words[2]), true
	}
	if strings.HasPrefix(words[0], "./") && d.holds(words[0]) {
		return path.Base(words[0]), true
	}
	return "", false
}

func (d *download) holds(word string) bool {
	base := strings.ToLower(path.Base(word))
	return len(base) > 1 && !strings.HasPrefix(word, "-") && strings.Contains(strings.ToLower(path.Base(path.Dir(d.url))+path.Base(d.url)+d.url), base)
}

// verifies reports whether a command checks what files are, or works out a checksum
// for a comparison.
func verifies(c *workflows.Command) bool {
	args := c.Line
	has := func(any ...string) bool {
		return slices.ContainsFunc(args, func(a string) bool { return slices.Contains(any, a) })
	}
	if c.NameAt < len(c.Words) && strings.HasSuffix(c.Words[c.NameAt].Text, "sum") { // "${algorithm}sum" too
		return c.Within != nil || c.PipesInto != nil || slices.ContainsFunc(c.Args(), func(w workflows.Word) bool {
			return w.Text == "--check" || shortGroup(w.Text) && strings.Contains(w.Text, "c")
		})
	}
	switch c.Name {
	case "openssl":
		return has("dgst", "-verify", "smime", "cms")
	case "gpg", "gpg2":
		return has("--verify")
	case "gpgv", "minisign", "signify", "rekor-cli", "slsa-verifier", "slsa-verifier-linux-amd64":
		return true
	case "cosign":
		return has("verify", "verify-blob", "verify-blob-attestation", "verify-attestation")
	case "gh":
		return has("attestation") && has("verify")
	case "rpm":
		return has("-K", "--checksig")
	case "Get-FileHash", "certutil":
		return true
	}
	return false
}
