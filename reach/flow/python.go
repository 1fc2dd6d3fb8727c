package flow

import (
	"regexp"
	"strings"
)

// The parts of Python that are read, a line at a time. It is no parser: a name means
// the same in the whole script.
var (
	pyName     = regexp.MustCompile(`[A-Za-z_]\w*`)
	pyNumber   = regexp.MustCompile(`^\s*\w+\s*=\s*(?:int|float|len|bool)\(`)
	pyMatch    = regexp.MustCompile(`^\s*(?:if not|assert)\s+re\.(fullmatch|match)\(\s*r?['"]([^'"]+)['"]\s*,\s*(\w+)\s*\)`)
	pyHandle   = regexp.MustCompile(`\bopen\(([^)]*\)?[^)]*)\)\s*as\s+(\w+)|(\w+)\s*=\s*open\(`)
	pyFileName = regexp.MustCompile(`(\w+)\s*=\s*os\.(?:environ|getenv)\b`)
	pyWrites   = regexp.MustCompile(`\b(\w+)\.write(?:lines)?\(|\bfile\s*=\s*(\w+)`)
	pyFile     = regexp.MustCompile(`,\s*file\s*=.*$`)
	pyText     = regexp.MustCompile(`'[^'{]*'|"[^"{]*"`)
)

// python reads a script of Python, or of another language that no reader knows:
// assignments, and writes to the runner's files.
func (r *reader) python() {
	files := map[string]string{} // by the name of the variable that stands for them
	start := 0
	for line := range strings.Lines(r.step.Run.Value) {
		end := start + len(line)
		r.pythonLine(line, start, end, files)
		start = end
	}
}

func (r *reader) pythonLine(line string, start, end int, files map[string]string) {
	if m := pyMatch.FindStringSubmatch(line); m != nil && plainPattern("^"+strings.TrimPrefix(m[2], "^")) || m != nil && m[1] == "fullmatch" && plainPattern("^"+m[2]+"$") {
		delete(r.vars, m[3])
		return
	}
	t := merge(r.lineTaints(line, start, end), r.pythonNames(line))
	if codeLine.MatchString(line) {
		r.codeOf(line, start, end)
	}
	target := ""
	if m := runnerFilePattern.FindStringSubmatch(line); m != nil {
		target = m[1]
	}
	opened := r.opens(line, target, files)
	if m := psAssign.FindStringSubmatch(line); m != nil {
		switch {
		case pyNumber.MatchString(line):
			delete(r.vars, m[1])
		case len(t) > 0:
			r.vars[m[1]] = merge(r.vars[m[1]], t)
		}
	}
	if m := pyWrites.FindStringSubmatch(line); m != nil && target == "" {
		target = files[m[1]+m[2]]
	} else if opened && m == nil {
		return
	}
	if target == "" {
		return
	}
	name := ""
	if n := outputName.FindStringSubmatch(pyFile.ReplaceAllString(line, "")); n != nil {
		name = n[1]
	}
	text := strings.TrimRight(line, "\r\n")
	r.printedOutput(target, name, t, false, r.step.Run.SpanOf(start+len(text)-len(strings.TrimLeft(text, " \t")), start+len(text)))
}

// opens records the names under which a line keeps one of the runner's files.
func (r *reader) opens(line, target string, files map[string]string) bool {
	if m := pyFileName.FindStringSubmatch(line); m != nil && target != "" && !strings.Contains(line, "open(") {
		files[m[1]] = target
		return true
	}
	m := pyHandle.FindStringSubmatch(line)
	if m == nil {
		return false
	}
	for _, name := range pyName.FindAllString(line, -1) {
		if target == "" {
			target = files[name]
		}
	}
	if target != "" {
		files[m[2]+m[3]] = target
	}
	return true
}

// pythonNames returns what the names of a line carry, but for those in plain text.
func (r *reader) pythonNames(line string) []Taint {
	var t []Taint
	for _, name := range pyName.FindAllString(pyText.ReplaceAllString(line, "''"), -1) {
		if len(r.vars[name]) > 0 && !strings.EqualFold(name, "GITHUB_HEAD_REF") {
			t = merge(t, r.vars[name])
		}
	}
	return t
}
