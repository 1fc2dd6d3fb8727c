package azure

import (
	"fmt"
	"net/http"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

// A line carries the requests of one attempt and keeps what came back, so that errors
// and times are read from the reply itself and not from the SDK's rendering of it.
type line struct {
	caller wire.Caller
	host   string // of the authority: no request goes elsewhere
	plain  bool

	reply *wire.Reply // the last one
	asked bool        // the last one was to the token endpoint
	err   error       // why there was none
}

// Do sends one request of the SDK, if it is for the authority.
func (l *line) Do(r *http.Request) (*http.Response, error) {
	if r.URL.Host != l.host {
		l.err = &oidc.Error{Stage: oidc.StageExchange,
			Message: fmt.Sprintf("the sdk wants to send the id-token to %.253q instead of %s", r.URL.Host, l.host),
			Hint:    "unset AZURE_REGIONAL_AUTHORITY_NAME for stint, or check endpoint: in the grant; nothing was sent"}
		return nil, l.err
	}
	sent := r.Clone(r.Context())
	if l.plain {
		sent.URL.Scheme = "http"
	}
	reply, err := l.caller.Do(r.Context(), sent)
	l.reply, l.err, l.asked = reply, err, r.Method == http.MethodPost
	if err != nil {
		return nil, err
	}
	return reply.Response(r), nil
}
