package wormindicator

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// A request is what a network client sends and where to.
type request struct {
	// host is in lower case, "" when it is not constant.
	host string
	// body is what is sent as content, headers what is sent to prove who asks.
	body, headers cargo
	// plain is set for http:, drop for a host where thieves collect, lookup for a
	// question to a name server.
	plain, drop, lookup bool
}

// requests returns what the command sends, one a host.
func (t *tracer) requests(c *workflows.Command) []request {
	var r request
	var urls []string
	switch c.Name {
	case "curl", "wget", "http", "https", "xh":
		urls = t.client(c, &r)
		if slices.ContainsFunc(c.Words[:c.NameAt], func(w workflows.Word) bool { return w.Text == "xargs" }) {
			r.body = r.body.with(t.input(c))
		}
	case "xargs":
		for _, w := range c.Args() {
			if strings.Contains(w.Text, "://") {
				urls = append(urls, t.text(w))
			}
		}
		if len(urls) > 0 {
			r.body = t.input(c)
		}
	case "nc", "ncat", "netcat", "socat", "telnet":
		r.body = t.input(c)
		urls = t.operands(c, 1)
	case "dig", "nslookup", "host", "ping":
		for _, w := range c.Args() {
			load := t.word(w)
			if load.empty() && len(w.Vars) > 0 && strings.Contains(w.Text, "\ufffd.") {
				load = t.looped // of a loop over the pieces, which has no assignment
			}
			if !load.empty() {
				r.lookup, r.body = true, r.body.with(load)
				urls = []string{strings.TrimLeft(t.text(w), "\ufffd.")}
			}
		}
	case "gh":
		r.body = t.handed(c)
	default:
		for _, x := range c.Redirs { // bash's own sockets
			if rest, ok := strings.CutPrefix(t.text(x.Target), "/dev/tcp/"); ok {
				r.body = t.output(c)
				urls = append(urls, strings.Replace(rest, "/", ":", 1))
			}
		}
	}
	if len(urls) == 0 && (!r.body.empty() || !r.headers.empty()) {
		urls = []string{""}
	}
	var out []request
	for _, u := range urls {
		one := r
		one.host, one.plain = hostOf(u)
		one.drop = slices.ContainsFunc(platform.FindIndicators(u), func(h platform.IndicatorHit) bool { return h.Kind == "host" })
		out = append(out, one)
	}
	return out
}

// handed returns what gh sends to the platform, when that is more than any task needs:
// a secret or two go where they belong, and gh secret is for them.
func (t *tracer) handed(c *workflows.Command) (load cargo) {
	args := c.Args()
	if len(args) == 0 || args[0].Text == "secret" || args[0].Text == "variable" {
		return cargo{}
	}
	for _, w := range args[1:] {
		load = load.with(t.content(c, w))
	}
	if !load.all {
		return cargo{}
	}
	return load
}

// bodyFlags and headerFlags are those of curl and wget; the others that take a
// value are in otherFlags.
var (
	bodyFlags   = []string{"-d", "--data", "--data-raw", "--data-binary", "--data-urlencode", "--data-ascii", "--json", "-F", "--form", "--form-string", "-T", "--upload-file", "--post-data", "--post-file", "--body-data", "--body-file"}
	headerFlags = []string{"-H", "--header", "-u", "--user", "--oauth2-bearer", "-b", "--cookie", "-E", "--cert", "--key", "--password", "-A", "--user-agent", "-e", "--referer"}
	otherFlags  = []string{"-o", "--output", "-X", "--request", "-m", "--max-time", "--retry", "--connect-timeout", "-w", "--write-out", "-K", "--config", "-x", "--proxy", "--retry-delay", "-O", "--resolve", "-c", "--cookie-jar"}
)

// client reads the words of curl and its like: fills in the request and returns
// the addresses.
func (t *tracer) client(c *workflows.Command, r *request) (urls []string) {
	args := c.Args()
	for i := 0; i < len(args); i++ {
		flag, value, ok := t.flag(args, &i)
		switch {
		case !ok:
			urls = append(urls, t.text(value))
			r.body = r.body.with(t.word(value)) // in the query
		case slices.Contains(bodyFlags, flag):
			r.body = r.body.with(t.content(c, value))
		case slices.Contains(headerFlags, flag):
			r.headers = r.headers.with(t.word(value))
		case flag == "--url":
			urls = append(urls, t.text(value))
		}
	}
	if r.body.empty() && c.Name != "wget" {
		r.body = r.body.with(t.input(c)) // httpie, curl -d @- with an unusual flag
	}
	return urls
}

// flag reads one option with its value, or a word that is none (ok false).
func (t *tracer) flag(args []workflows.Word, i *int) (flag string, value workflows.Word, ok bool) {
	w := args[*i]
	if !strings.HasPrefix(w.Text, "-") || w.Text == "-" {
		return "", w, false
	}
	if name, _, joined := strings.Cut(w.Text, "="); joined && strings.HasPrefix(name, "--") {
		return name, w, true
	}
	name := w.Text
	if !strings.HasPrefix(name, "--") && len(name) > 2 {
		// -sSfd x, -XPOST, -dx: the first letter that takes a value decides.
		for k := 1; k < len(name); k++ {
			letter := "-" + name[k:k+1]
			if slices.Contains(bodyFlags, letter) || slices.Contains(headerFlags, letter) || slices.Contains(otherFlags, letter) {
				if k+1 < len(name) {
					return letter, w, true
				}
				name = letter
				break
			}
		}
	}
	takes := slices.Contains(bodyFlags, name) || slices.Contains(headerFlags, name) || slices.Contains(otherFlags, name) || name == "--url"
	if takes && *i+1 < len(args) {
		*i++
		return name, args[*i], true
	}
	return name, w, true
}

// content returns what a body option sends: text, @file, or @- for the input.
func (t *tracer) content(c *workflows.Command, w workflows.Word) cargo {
	load := t.word(w)
	text := t.text(w)
	if at := strings.LastIndexByte(text, '@'); at >= 0 {
		load = load.with(t.files[cleanPath(text[at+1:])])
		if text[at+1:] == "-" || text[at+1:] == "/dev/stdin" {
			load = load.with(t.input(c))
		}
	}
	return load.with(t.file(w)) // -T file, --post-file file
}

// operands returns up to n words that are no options.
func (t *tracer) operands(c *workflows.Command, n int) (out []string) {
	for _, w := range c.Args() {
		if !strings.HasPrefix(w.Text, "-") && len(out) < n {
			out = append(out, t.text(w))
		}
	}
	return out
}

// hostOf returns the host of an address, and whether it is reached by plain http.
func hostOf(url string) (host string, plain bool) {
	url = strings.ToLower(strings.Trim(url, `"'`))
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok {
		scheme, rest = "", url
	}
	if end := strings.IndexAny(rest, "/?# "); end >= 0 {
		rest = rest[:end]
	}
	rest = rest[strings.LastIndexByte(rest, '@')+1:]
	if i := strings.LastIndexByte(rest, ':'); i >= 0 && !strings.HasSuffix(rest, "]") {
		rest = rest[:i]
	}
	if strings.ContainsAny(rest, "\ufffd$") && !strings.Contains(strings.Trim(rest, "\ufffd$"), ".") {
		return "", false
	}
	return strings.Trim(rest, "[]"), scheme == "http"
}

// isAddress reports whether a host is a bare address on the Internet.
func isAddress(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsGlobalUnicast() && !ip.IsPrivate()
}

// isNear reports whether a host is the job itself or a network of one's own.
func isNear(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return !isAddress(ip.String())
	}
	return host != "" && !strings.Contains(host, ".") || strings.HasSuffix(host, ".local") || strings.HasSuffix(host, ".internal")
}

// foreign returns what the named secrets open that the host has nothing to do
// with, sorted: only of places that are known, and of secrets that open a cloud, a
// registry, a model or an account.
func foreign(names []string, host string) []string {
	var out []string
	for _, n := range names {
		info := platform.LookupSecret(n)
		switch info.Class {
		case "cloud-key", "publish-token", "personal-token", "model-key", "registry-login", "ssh-key":
		default:
			continue
		}
		if info.Opens != "" && !platform.HostServes(info.Opens, host) && !slices.Contains(out, info.Opens) {
			out = append(out, info.Opens)
		}
	}
	slices.Sort(out)
	return out
}
