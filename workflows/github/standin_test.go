package github

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func oid(c byte) string { return strings.Repeat(string(c), 40) }

// A standIn is a git server on loopback that reads requests as a server does and
// answers from a graph of commits. It refuses what no git client would send.
type standIn struct {
	t     *testing.T
	asked atomic.Int32
	// parents is the store of commits that a repository shares with its forks.
	parents map[string][]string
	// refs are the lines of ls-refs: name to commit.
	refs map[string]string
	mu   sync.Mutex
	sent []string // Authorization headers
}

func newStandIn(t *testing.T) *standIn {
	return &standIn{
		t: t,
		// main is a, b, c from the newest; v1 is on b; e is a fork's on top of b, and f
		// the fork's on top of that.
		parents: map[string][]string{
			oid('a'): {oid('b')}, oid('b'): {oid('c')}, oid('c'): nil,
			oid('e'): {oid('b')}, oid('f'): {oid('e')},
		},
		refs: map[string]string{"refs/heads/main": oid('a'), "refs/tags/v1": oid('b')},
	}
}

func (s *standIn) client() *Client {
	server := httptest.NewServer(s)
	s.t.Cleanup(server.Close)
	return &Client{Server: server.URL, API: server.URL + "/api", Token: canary}
}

// canary must reach no git server and no message.
const canary = "ghs_canary0123456789"

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked.Add(1)
	s.mu.Lock()
	s.sent = append(s.sent, r.Header.Get("Authorization"))
	s.mu.Unlock()
	if r.URL.Path != "/acme/tool.git/git-upload-pack" || r.Method != http.MethodPost || r.Header.Get("Git-Protocol") != "version=2" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	command, args, ok := readRequest(r.Body)
	switch {
	case !ok:
		w.WriteHeader(http.StatusBadRequest)
	case command == "ls-refs" && slices.Contains(args, "peel"):
		_, _ = w.Write(s.list())
	case command == "fetch" && args[len(args)-1] == "done":
		_, _ = w.Write(s.fetch(args))
	default:
		w.WriteHeader(http.StatusBadRequest)
	}
}

// readRequest reads command=…, the delimiter, the arguments and the flush packet.
func readRequest(body io.Reader) (command string, args []string, ok bool) {
	in := bufio.NewReader(body)
	first, done, err := readPacket(in)
	command, isCommand := strings.CutPrefix(strings.TrimSpace(string(first)), "command=")
	delimiter := make([]byte, 4)
	if _, e := io.ReadFull(in, delimiter); err != nil || e != nil || done || !isCommand || string(delimiter) != "0001" {
		return "", nil, false
	}
	for {
		line, done, err := readPacket(in)
		switch {
		case err != nil:
			return "", nil, false
		case done:
			_, err := in.ReadByte()
			return command, args, err == io.EOF && len(args) > 0
		}
		args = append(args, strings.TrimSpace(string(line)))
	}
}

func (s *standIn) list() []byte {
	var b bytes.Buffer
	for name, commit := range s.refs {
		packet(&b, commit+" "+name+"\n")
	}
	b.WriteString("0000")
	return b.Bytes()
}

// fetch counts what wants reach and haves do not, as upload-pack does. It gives every
// commit of the store, whoever's it is.
func (s *standIn) fetch(args []string) []byte {
	var wants, haves []string
	for _, a := range args {
		if c, ok := strings.CutPrefix(a, "want "); ok {
			wants = append(wants, c)
		} else if c, ok := strings.CutPrefix(a, "have "); ok {
			haves = append(haves, c)
		}
	}
	var b bytes.Buffer
	for _, w := range wants {
		if _, known := s.parents[w]; !known {
			packet(&b, "ERR upload-pack: not our ref "+w)
			return b.Bytes()
		}
	}
	had := s.reach(haves)
	n := 0
	for c := range s.reach(wants) {
		if !had[c] {
			n++
		}
	}
	packet(&b, "packfile\n")
	packet(&b, "\x02counting objects\n")
	packet(&b, "\x01"+packHead(n)[:5])
	packet(&b, "\x01"+packHead(n)[5:]+"objects and a checksum")
	b.WriteString("0000")
	return b.Bytes()
}

func (s *standIn) reach(from []string) map[string]bool {
	seen := map[string]bool{}
	for len(from) > 0 {
		c := from[0]
		from = from[1:]
		if !seen[c] {
			seen[c] = true
			from = append(from, s.parents[c]...)
		}
	}
	return seen
}

func packHead(objects int) string {
	b := binary.BigEndian.AppendUint32([]byte("PACK"), 2)
	return string(binary.BigEndian.AppendUint32(b, uint32(objects)))
}

// answering returns a client of a server that gives every question the same answer.
func answering(t *testing.T, h http.HandlerFunc) (*Client, *atomic.Int32) {
	t.Helper()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		h(w, r)
	}))
	t.Cleanup(server.Close)
	return &Client{Server: server.URL, API: server.URL + "/api", Token: canary}, &asked
}

func text(status int, header, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if key, value, ok := strings.Cut(header, ": "); ok {
			w.Header().Set(key, value)
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}
