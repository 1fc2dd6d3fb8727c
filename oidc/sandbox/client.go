package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Keys are the credentials of a session, as AWS's tools have them.
type Keys struct{ AccessKeyID, SecretAccessKey, SessionToken string }

// Sign signs a request as a client of AWS does: it sets the headers for the time,
// the session and the hash of the body, and covers them and the host by a Signature
// Version 4. It is for clients of the sandbox that have no SDK at hand.
func Sign(r *http.Request, body []byte, k Keys, region, service string, now time.Time) {
	sum := sha256.Sum256(body)
	now = now.UTC()
	r.Header.Set(payloadHeader, hex.EncodeToString(sum[:]))
	r.Header.Set("X-Amz-Date", now.Format(sigTimeLayout))
	if k.SessionToken != "" {
		r.Header.Set("X-Amz-Security-Token", k.SessionToken)
	}
	g := signature{accessKey: k.AccessKeyID, date: now.Format("20060102"), region: region, service: service, headers: []string{"host"}}
	for name := range r.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-amz-") {
			g.headers = append(g.headers, name)
		}
	}
	slices.Sort(g.headers)
	if r.Host == "" {
		r.Host = r.URL.Host
	}
	value := g.compute(canonicalRequest(r, g.headers, hex.EncodeToString(sum[:])), now, k.SecretAccessKey)
	r.Header.Set("Authorization", sigAlgorithm+" Credential="+k.AccessKeyID+"/"+g.scope()+
		", SignedHeaders="+strings.Join(g.headers, ";")+", Signature="+value)
}
