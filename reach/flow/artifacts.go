package flow

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// Keys of scriptFlow.saved that no path equals: all that lies in a directory, and an
// archive that was fetched and not yet unpacked.
func treeKey(dir string) string { return "\x00tree " + dir }

const archiveKey = "\x00archive"

// ArtifactSource is the source of what an artifact of another run holds.
const ArtifactSource = "an artifact of another run"

// An unpacking is a directory that the artifact of another run was unpacked into.
type unpacking struct {
	span   workflows.Span
	dir    string
	taints []Taint
}

// artifact is the taint of what another run left: an outsider's, in a job that the
// outsider starts with the repository's rights.
func (ev *eval) artifact(sc *scope, at workflows.Span) []Taint {
	t := ev.head(sc, ArtifactSource, at)
	for i := range t {
		t[i].Hops[0].Text = "made in a run of " + t[i].By()
	}
	return t
}

// fileReaders are the commands whose operands are files, by how many operands stand
// before them.
var fileReaders = map[string]int{
	"cat": 0, "head": 0, "tail": 0, "tac": 0, "nl": 0, "sort": 0, "base64": 0, "paste": 0, "rev": 0, "cut": 0,
	"jq": 1, "yq": 1, "grep": 1, "egrep": 1, "sed": 1, "awk": 1, "gawk": 1,
}

// operand returns what the constant word i of a command holds as a file.
func (r *reader) operand(c *workflows.Command, i int) []Taint {
	w := c.Words[i]
	before, reads := fileReaders[c.Name]
	for _, earlier := range c.Words[c.NameAt+1 : i] {
		if !strings.HasPrefix(earlier.Text, "-") {
			before--
		}
	}
	if !reads || before > 0 || strings.HasPrefix(w.Text, "-") {
		return r.flow.saved[CleanDir(w.Text)]
	}
	return r.file(w.Text)
}

// file returns what a file of the workspace holds, by its path as a script names it.
func (r *reader) file(name string) []Taint {
	out := r.flow.saved[CleanDir(name)]
	at := placed(r.dir, name)
	if at == UnknownDir {
		return merge(slices.Clone(out), r.flow.unpacked())
	}
	for {
		out = merge(slices.Clone(out), r.flow.saved[treeKey(at)])
		if at == "" {
			return out
		}
		if at = path.Dir(at); at == "." {
			at = ""
		}
	}
}

// unpacked returns the taints of everything that was unpacked, in a fixed order.
func (f *scriptFlow) unpacked() []Taint {
	var dirs []string
	for key := range f.saved {
		if strings.HasPrefix(key, treeKey("")) {
			dirs = append(dirs, key)
		}
	}
	slices.Sort(dirs)
	var out []Taint
	for _, d := range dirs {
		out = merge(out, f.saved[d])
	}
	return out
}

// unpack records that the artifact of another run lies in dir.
func (r *reader) unpack(dir string, t []Taint, at workflows.Span) {
	if len(t) == 0 {
		return
	}
	r.flow.saved[treeKey(dir)] = merge(r.flow.saved[treeKey(dir)], t)
	r.flow.unpackings = append(r.flow.unpackings, unpacking{at, dir, t})
}

// takesArtifacts reports whether a step's action takes artifacts of another run.
func takesArtifacts(s *workflows.Step) bool {
	if s.Uses == nil {
		return false
	}
	info, ok := platform.LookupArtifactDownload(s.Uses.FullName())
	if run := s.With.Get(info.Run); run != nil && info.Run != "" {
		return !ownRun(run)
	}
	return ok && info.Always
}

// downloads follows an action that takes artifacts of another run.
func (r *reader) downloads() {
	u := r.step.Uses
	info, _ := platform.LookupArtifactDownload(u.FullName())
	dir := ""
	if v := r.step.With.Get(info.Path); v != nil && info.Path != "" {
		dir = placed("", v.Value)
	}
	r.unpack(dir, r.ev.artifact(r.sc, u.Span), u.Span)
}

// temporary is how the runner's directory outside of the workspace is written.
var temporary = regexp.MustCompile(`^(?:\$\{\{ *runner\.temp *\}\}|\$\{?RUNNER_TEMP\}?)`)

// placed returns the directory that name is in dir. One outside of the workspace is
// kept under its own path, which nothing in the workspace lies in.
func placed(dir, name string) string {
	name = temporary.ReplaceAllString(name, "/RUNNER_TEMP")
	root := strings.HasPrefix(name, "/") || strings.HasPrefix(name, "${{ github.workspace }}")
	name = strings.TrimPrefix(name, "${{ github.workspace }}")
	switch {
	case strings.ContainsAny(name, "$~\uFFFD") || dir == UnknownDir && !root:
		return UnknownDir
	case root:
		return CleanDir(name)
	}
	return CleanDir(dir + "/" + name)
}

func ownRun(v *workflows.Scalar) bool {
	return len(v.Exprs) == 1 && strings.EqualFold(strings.TrimSpace(v.Exprs[0].Text), "github.run_id")
}

// archiveCall is what a script writes to fetch an artifact as an archive. Source: the
// REST API of GitHub for artifacts, 2026-11.
var archiveCall = regexp.MustCompile(`\bdownloadArtifact\b|archive_download_url|/artifacts/\S+/zip\b`)

// callsArchive reports whether text has such a call. The words are looked for first:
// nearly no script has one of them, and that is quick to see.
func callsArchive(text string) bool {
	return (strings.Contains(text, "rtifact") || strings.Contains(text, "archive_download_url")) && archiveCall.MatchString(text)
}

// unpacks follows commands that fetch the artifact of another run or unpack it.
func (r *reader) unpacks(c *workflows.Command) {
	words := constWords(c)
	text := strings.Join(words, " ")
	switch {
	case strings.HasPrefix(text, "gh run download"):
		if !slices.ContainsFunc(c.Args(), func(w workflows.Word) bool { return slices.Contains(w.Vars, "GITHUB_RUN_ID") }) {
			r.unpack(r.target(c, "-D", "--dir"), r.ev.artifact(r.sc, c.Span), c.Span)
		}
	case (c.Name == "gh" || c.Name == "curl" || c.Name == "wget") && callsArchive(text):
		r.flow.saved[archiveKey] = r.ev.artifact(r.sc, c.Span)
	case c.Name == "unzip" && !slices.Contains(words, "-p"):
		r.unpack(r.target(c, "-d"), r.flow.saved[archiveKey], c.Span)
	case c.Name == "tar" || c.Name == "bsdtar":
		r.unpack(r.target(c, "-C", "--directory"), r.flow.saved[archiveKey], c.Span)
	}
}

// target returns the directory behind one of the flags, else the current one.
func (r *reader) target(c *workflows.Command, flags ...string) string {
	args := c.Args()
	for i, w := range args {
		value, joined := "", false
		for _, f := range flags {
			if v, ok := strings.CutPrefix(w.Text, f+"="); ok {
				value, joined = v, true
			}
		}
		if !joined {
			if !slices.Contains(flags, w.Text) || i+1 == len(args) {
				continue
			}
			value = WordPath(args[i+1])
		}
		return placed(r.dir, value)
	}
	return r.dir
}

// readsFile finds in JavaScript the reading of a file, and number what makes a number
// of it.
var (
	readsFile = regexp.MustCompile(`readFile(?:Sync)?\(`)
	number    = regexp.MustCompile(`\b(?:Number|parseInt)\s*\(`)
)

// artifactText is what a statement reads from the files of an artifact.
func (js *jsReader) artifactText(text string) []Taint {
	if !readsFile.MatchString(text) || number.MatchString(text) {
		return nil
	}
	return js.flow.unpacked()
}

// artifactSinks are the places where artifacts of other runs come into the job.
func (st *state) artifactSinks(sc *scope, s *workflows.Step, add addSink) {
	if len(anyoneEvents(sc)) == 0 {
		return
	}
	f := st.script(sc, s, asText)
	if f == nil {
		return
	}
	for _, u := range f.unpackings {
		add(Sink{Kind: SinkArtifact, Span: u.span, Taints: u.taints, dir: u.dir})
	}
}
