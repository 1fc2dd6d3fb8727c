package sandbox

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"sync"
	"time"

	"github.com/stint-dev/stint/oidc/providers/aws/policy"
)

// maxSessions bounds what is remembered; the one that ends first gives way.
const maxSessions = 10_000

// A session is what AssumeRoleWithWebIdentity issued.
type session struct {
	role            *role
	name            string
	accessKey       string
	secretKey       string
	token           string
	policies        []*policy.Document // the session's own; none means no narrowing
	issued, expires time.Time
	provider        string
}

// arn is the assumed-role ARN.
func (s *session) arn() string {
	return "arn:" + s.role.partition + ":sts::" + s.role.account + ":assumed-role/" + s.role.name + "/" + s.name
}

// userID is the unique id of the session.
func (s *session) userID() string { return s.role.id + ":" + s.name }

// hasToken compares in constant time.
func (s *session) hasToken(token string) bool {
	return subtle.ConstantTimeCompare([]byte(s.token), []byte(token)) == 1
}

type sessions struct {
	mu    sync.Mutex
	byKey map[string]*session
}

func newSessions() *sessions { return &sessions{byKey: map[string]*session{}} }

// open gives a session its keys and remembers it.
func (all *sessions) open(s *session) {
	s.accessKey = "ASIA" + keyID()
	s.secretKey = randomBase64(30)
	s.token = randomBase64(240)
	all.mu.Lock()
	defer all.mu.Unlock()
	if len(all.byKey) >= maxSessions {
		all.drop()
	}
	all.byKey[s.accessKey] = s
}

// drop forgets the session that ends first.
func (all *sessions) drop() {
	var first *session
	for _, s := range all.byKey {
		if first == nil || s.expires.Before(first.expires) {
			first = s
		}
	}
	delete(all.byKey, first.accessKey)
}

func (all *sessions) get(accessKey string) *session {
	all.mu.Lock()
	defer all.mu.Unlock()
	return all.byKey[accessKey]
}

// keyID is the random part of an AWS unique id: 16 characters of base32.
func keyID() string {
	b := make([]byte, 10)
	_, _ = rand.Read(b) // it never fails
	return base32.StdEncoding.EncodeToString(b)
}

func randomBase64(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it never fails
	return base64.StdEncoding.EncodeToString(b)
}
