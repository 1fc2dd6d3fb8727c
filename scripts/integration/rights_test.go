//go:build integration

package integration_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/lease"
	"github.com/stint-dev/stint/oidc/sandbox"
)

// spoilt is by how much a token is made to have expired, more than the leeway that anybody gives.
const spoilt = 10 * time.Minute

// checkRefused holds that the server, and not stint, refused a token.
func (s *stage) checkRefused(err error, what string) {
	s.t.Helper()
	var e *oidc.Error
	refused := errors.As(err, &e) && e.Stage == oidc.StageExchange && e.Status >= 400 && e.Status < 500
	if !refused {
		s.check(false, "%s must be refused by the server; the error is %v", what, err)
		return
	}
	s.check(true, "%s is refused (%s)", what, statusText(e.Status, e.Code))
}

// checkTokens tries tokens that no server may take. stint would refuse the expired one by itself, so its clock is put
// back to where that token is still good.
func (s *stage) checkTokens() {
	s.t.Helper()
	_, err := s.exchange("wrong-audience", deployJob(), nil)
	s.checkRefused(err, "a token for another audience")
	s.checkRefused(s.exchangeSpoiled(sandbox.Fault{ForeignKey: true}, nil), "a token signed with a key that is not published")
	before := func() time.Time { return time.Now().Add(-2 * spoilt) }
	s.checkRefused(s.exchangeSpoiled(sandbox.Fault{Expired: spoilt}, before), "a token that has expired")
}

// statusText is a status with the error's code, where the server gives one.
func statusText(status int, code string) string {
	return strings.TrimSpace(strconv.Itoa(status) + " " + code)
}

// A seen is a request and what has to come of it.
type seen struct {
	what  string
	reply reply
	err   error
	allow bool
}

func (s *stage) checkSeen(list ...seen) {
	s.t.Helper()
	for _, r := range list {
		if r.err != nil {
			s.check(false, "%s: %v", r.what, r.err)
			continue
		}
		outcome, fits := "refused", r.reply.refused()
		if r.allow {
			outcome, fits = "allowed", r.reply.ok()
		}
		s.check(fits, "%s: %s (%s)", r.what, outcome, statusText(r.reply.status, r.reply.code))
	}
}

// checkRights tries what a narrow lease may do, and that the role by itself may do more.
func (s *stage) checkRights(narrow, whole client) {
	s.t.Helper()
	const page = "<p>published"
	put := func(c client, what, object string, allow bool) seen {
		r, err := c.put(object, page)
		return seen{what, r, err, allow}
	}
	s.checkSeen(
		put(narrow, "put of an object that the grant names", "site/public/index.html", true),
		put(narrow, "put beside it in the same bucket", "site/private/index.html", false),
		put(narrow, "put of a name that only begins alike", "site/public2/index.html", false),
		put(narrow, "put into another bucket", "other/public/index.html", false),
	)
	got, err := narrow.get("site/public/index.html")
	s.checkSeen(seen{"get of that object", got, err, true})
	s.check(got.body == page, "the object holds what was put")
	gone, err := narrow.remove("site/public/index.html")
	s.checkSeen(seen{"delete of it, an action that the grant does not name", gone, err, false})
	s.checkSeen(put(whole, "put into the other bucket by a grant without allow: the role may, so it is the session policy that refused",
		"other/public/index.html", true))
	forged := narrow
	forged.keys.SecretAccessKey = whole.keys.SecretAccessKey
	r, err := forged.put("site/public/forged.html", page)
	s.check(err == nil && r.status == http.StatusForbidden, "put with the secret key of another session: refused (%s)", statusText(r.status, r.code))
}

// checkDeny waits for the ttl to pass. Just before, the lease is of use; after it, the server refuses everything by the
// session policy, while its own record of the session lives on.
func (s *stage) checkDeny(l *lease.Lease, narrow client) {
	s.t.Helper()
	const margin = 3 * time.Second
	usable := l.Credentials()[0].UsableUntil
	s.sleepUntil(usable.Add(-margin))
	before, err := narrow.put("site/public/late.html", "in time")
	s.checkSeen(seen{"put shortly before the ttl of one minute ends", before, err, true})
	s.sleepUntil(usable.Add(margin))
	after, err := narrow.put("site/public/late.html", "too late")
	s.checkSeen(seen{"the same put after it, by the deny in the session policy and not for an expired session", after, err, false})
	for _, e := range l.End(s.ctx) {
		s.check(e.Outcome == oidc.Expires, "end of the lease says: %s, %s", e.Outcome, e.Detail)
	}
}

// sleepUntil waits on the real clock, which is the one that the servers go by.
func (s *stage) sleepUntil(at time.Time) {
	s.t.Helper()
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.ctx.Done():
		s.must(context.Cause(s.ctx), "waiting for the ttl")
	}
}
