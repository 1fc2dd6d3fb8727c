package oci

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// errNotPublic says that a host is, or its name leads to, an address that is not on the
// internet.
var errNotPublic = errors.New("its address is not a public one")

// notPublic are the addresses that are nobody's on the internet, or somebody else's than
// they say, beyond what netip tells (IANA's special-purpose address registries, RFC 6890).
var notPublic = prefixes(
	"0.0.0.0/8",        // this network
	"100.64.0.0/10",    // shared by carriers (RFC 6598); some clouds keep their metadata here
	"168.63.129.16/32", // the host of a virtual machine in Azure
	"192.0.0.0/24",     // protocol assignments; a cloud keeps its metadata here
	"192.0.2.0/24",     // documentation
	"192.88.99.0/24",   // 6to4 relays
	"198.18.0.0/15",    // benchmarks
	"198.51.100.0/24",  // documentation
	"203.0.113.0/24",   // documentation
	"240.0.0.0/4",      // reserved
	"::/96",            // IPv4-compatible
	"64:ff9b::/96",     // IPv4 behind a translator
	"64:ff9b:1::/48",   // the same, local
	"100::/64",         // discarded
	"2001::/23",        // protocol assignments, Teredo among them
	"2001:db8::/32",    // documentation
	"2002::/16",        // 6to4: IPv4 inside
	"3fff::/20",        // documentation
	"5f00::/16",        // segment routing
	"fec0::/10",        // site-local, as it was
)

func prefixes(texts ...string) []netip.Prefix {
	ps := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		ps[i] = netip.MustParsePrefix(text)
	}
	return ps
}

// public reports whether an address is one of the internet.
func public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range notPublic {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// newTransport returns a transport that connects only to addresses that may be reached.
// They are judged where the connection is made, after the name was looked up, so that no
// second answer of a name server can differ from the judged one. It takes no proxy: what
// that would look up could not be judged.
func newTransport(reachable func(netip.Addr) bool) *http.Transport {
	dialer := &net.Dialer{Timeout: AskTimeout, ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !reachable(at.Addr()) {
			return errNotPublic
		}
		return nil
	}}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    AskTimeout,
		MaxIdleConnsPerHost:    2,
		IdleConnTimeout:        10 * time.Second,
		MaxResponseHeaderBytes: maxHeaderBytes,
		DisableCompression:     true, // a digest is that of the bytes as they are sent
	}
}
