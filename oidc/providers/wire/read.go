package wire

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/stint-dev/stint/oidc"
)

// Limits of reading a lock, which a person waits for.
const (
	readTries = 3
	// ReadTimeout bounds all attempts of one read and the waits between them.
	ReadTimeout = 45 * time.Second
)

// Read asks until there is an answer: what a busy service or a broken line can cause is
// tried three times in all, within ReadTimeout. It is for calls that change nothing,
// made from the machine of whoever runs stint. Errors are *oidc.Error.
func Read[T any](ctx context.Context, o Options, ask func(context.Context) (T, error)) (T, error) {
	limited, cancel := context.WithTimeout(ctx, ReadTimeout)
	defer cancel()
	loop := Loop{Options: o, Tries: readTries, Deadline: o.Now().Add(ReadTimeout)}
	for {
		got, err := ask(limited)
		if err == nil {
			return got, nil
		}
		if ctx.Err() != nil { // an SDK may have kept that to itself
			err = &oidc.Error{Message: "stopped before there was an answer", Err: ctx.Err()}
		}
		if err := loop.Next(limited, err); err != nil {
			var none T
			return none, readError(err)
		}
	}
}

// readError gives a failure of the line a next step for a person: the hints of Caller
// are those for a job.
func readError(err error) error {
	var e *oidc.Error
	if !errors.As(err, &e) {
		return err
	}
	ours := *e
	ours.Stage = oidc.StageRead
	switch {
	case e.Err != nil:
		ours.Hint = "nothing was changed; run it again"
	case e.Status == 0:
		ours.Hint = "check the network and the proxy of this machine; or give the policy as a file: --policy FILE"
	case e.Status >= 300 && e.Status < 400:
		ours.Hint = "look for a proxy that redirects; or give the policy as a file: --policy FILE"
	}
	return &ours
}

// A Lookup is what is read from where, in the words of an error.
type Lookup struct {
	// Host is the service that is asked, and What the thing: `role "site-deploy"`.
	Host, What string
	// Login says how to log in, Right which least permission the read needs, and Missing
	// why the thing may not be there.
	Login, Right, Missing string
}

// Refused explains an answer that is no success. Status, Code, RequestID and RetryAfter
// are those of said; class is the status by which it is understood, where a service
// says with its code what others say with the status.
func (l Lookup) Refused(class int, said oidc.Error) *oidc.Error {
	e := said
	e.Stage = oidc.StageRead
	text := ""
	switch {
	case class == http.StatusTooManyRequests || class >= 500:
		text, e.Retryable = "is busy or has a fault, asked for "+l.What, true
		e.Hint = "run it again later; or give the policy as a file: --policy FILE"
	case class == http.StatusUnauthorized:
		text, e.Hint = "does not take the credentials of this machine for "+l.What, l.Login
	case class == http.StatusForbidden:
		text, e.Hint = "does not let these credentials read "+l.What, "the read needs "+l.Right+"; or give the policy as a file: --policy FILE"
	case class == http.StatusNotFound:
		text, e.Hint = "has no "+l.What, l.Missing
	default:
		text, e.Hint = "refused to give "+l.What, "the read needs "+l.Right+"; or give the policy as a file: --policy FILE"
	}
	e.Message = fmt.Sprintf("%s %s (%s)", l.Host, text, Answer(e))
	return &e
}

// Garbled is a good status with something behind it that is not what was asked for.
func (l Lookup) Garbled() *oidc.Error {
	return &oidc.Error{Stage: oidc.StageRead, Message: l.Host + " answered something that is not " + l.What,
		Hint: "look for a proxy that answers in its place; or give the policy as a file: --policy FILE"}
}

// NoLogin says that this machine has no credentials to read with.
func (l Lookup) NoLogin(whose string) *oidc.Error {
	return &oidc.Error{Stage: oidc.StageRead,
		Message: fmt.Sprintf("%s is not read: no credentials of %s were found here, or they could not be had", l.What, whose), Hint: l.Login}
}

// RequestID is the first of the headers that a reply has, fit to be printed.
func (r *Reply) RequestID(headers ...string) string {
	for _, name := range headers {
		if id := SafeText(r.Header.Get(name)); id != "" {
			return id
		}
	}
	return ""
}
