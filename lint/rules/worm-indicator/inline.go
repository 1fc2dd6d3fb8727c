package wormindicator

import (
	"regexp"
	"slices"
	"strings"

	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// A program is code that is kept as text: PowerShell, Python, JavaScript, what did not
// parse, and what a shell script gives to an interpreter.
type program struct {
	text, lower string
	span        workflows.Span
	// held is what the text names or dumps of the variables around it.
	held cargo
}

// What programs reach the network with, what they send by it, how they take every
// variable at once, and how they write files; all in lower case.
var (
	netWords   = []string{"invoke-webrequest", "invoke-restmethod", "iwr ", "irm ", "requests.post", "requests.put", "httpx.", "urlopen", "http.client", "fetch(", "axios", "https.request", "http.request", "curl ", "net.webclient", "net::http", "http::tiny", "lwp::", "file_get_contents("}
	sendWords  = []string{"-body", "-infile", "uploadstring", "uploadfile", "uploaddata", "requests.post", "requests.put", "data=", "json=", "body:", "post", ".write("}
	apiWords   = []string{"createorupdatefilecontents", "createforauthenticateduser", "gists.create", "createblob"}
	dumpWords  = []string{"json.stringify(process.env", "json.stringify({...process.env", "object.entries(process.env", "stringify(process.env", "urlsearchparams(process.env", "dict(os.environ", "str(os.environ", "repr(os.environ", "os.environ.items()", "{**os.environ", "urlencode(os.environ", "get-childitem env:", "gci env:", "dir env:", "ls env:", "env.to_h", "env.inspect", "json_encode(getenv()", "getenvironmentvariables", "env.toobject()", "\\%env", "stringify(bun.env"}
	writeWords = []string{"open(", "writefile", "write_text", "out-file", "set-content", "add-content", "writealltext", "file.write"}
)

// program judges code with the variables that its step has.
func (s *scanner) program(exprs []*workflows.Expr, text string, span workflows.Span) {
	p := program{text: text, lower: strings.ToLower(text), span: span, held: ofExprs(exprs)}
	dumps := containsAny(p.lower, dumpWords)
	if dumps {
		p.held = p.held.with(s.trace.everything())
	}
	var named []string
	for name, held := range s.trace.vars {
		if !dumps && !held.empty() && strings.Contains(p.lower, strings.ToLower(name)) {
			named = append(named, name)
		}
	}
	slices.Sort(named)
	for _, name := range named {
		p.held = p.held.with(s.trace.vars[name])
	}
	if !p.held.empty() {
		s.programSends(p, dumps)
	}
	if p.held.all && containsAny(p.lower, writeWords) {
		for _, name := range fileNames.FindAllStringSubmatch(text, -1) {
			s.trace.keep(name[1], cargo{all: true})
		}
	}
	if strings.Contains(text, "/proc/") && strings.Contains(p.lower, "/mem") && containsAny(p.lower, []string{"runner.worker", "/maps"}) {
		s.add("memory", enough, span, "a script reads the memory of another process, as is done to take a runner's secrets")
	}
}

// fileNames finds what may be the name of a file among a program's strings.
var fileNames = regexp.MustCompile(`["'` + "`" + `]((?:[\w.-]+/)*[\w-]*\.?[\w-]+)["'` + "`" + `]`)

func (s *scanner) programSends(p program, dumps bool) {
	sends := containsAny(p.lower, netWords)
	drop := slices.ContainsFunc(platform.FindIndicators(p.text), func(h platform.IndicatorHit) bool { return h.Kind == "host" })
	switch {
	case p.held.all && (sends || containsAny(p.lower, apiWords)):
		s.add("all sent", enough, p.span, "a script holds every secret and sends to the network")
	case !sends:
	case dumps && containsAny(p.lower, sendWords):
		s.add("environment sent", enough, p.span, "the whole environment, with %s, is sent to another host by a script", list(p.held.names))
	case drop:
		s.add("sent to a drop", enough, p.span, "a script holds %s and sends to a host where stolen secrets were collected before", what(p.held))
	}
}

func containsAny(text string, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}

// text judges a script that no shell of ours parsed.
func (s *scanner) text(env []workflows.Entry, script *workflows.Scalar) {
	s.trace.enter(env, &workflows.Script{})
	s.program(script.Exprs, script.Value, script.SpanOf(0, len(script.Value)))
}

// inlineRunners take a program as a word or as a here document.
var inlineRunners = []string{"python", "python3", "node", "bun", "deno", "perl", "ruby", "php", "pwsh", "powershell"}

// inline judges the program that a command gives to an interpreter.
func (s *scanner) inline(c *workflows.Command) {
	if !slices.Contains(inlineRunners, c.Name) {
		return
	}
	words := c.Args()
	for _, r := range c.Redirs {
		if strings.HasPrefix(r.Op, "<<") {
			words = append(slices.Clip(words), r.Target)
		}
	}
	for _, w := range words {
		if strings.ContainsAny(w.Text, "(\n ") {
			s.program(w.Exprs, w.Text, c.Span)
		}
	}
}
