package githubtest

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A Fault is one way in which a host does not answer as it should.
type Fault int

// The faults.
const (
	None           Fault = iota
	BadGateway           // 502 after ten seconds
	Timeout              // 200, "Something went wrong while executing your query"
	ResourceLimits       // 200, half of the nodes and an error
	PrimaryLimit         // the budget is spent: 200 for a query, 403 for REST, until it begins anew
	SecondaryLimit       // 403 with retry-after of 90 seconds
	SecondaryBare        // 403 that says why in words only
	Throttled            // 429 with nothing
	FarAway              // 403 with retry-after of a year
	HalfReply            // the answer stops in its middle
	Reset                // no answer
	Garbage              // 200 with a page of HTML
	Endless              // an answer without an end
	Redirect             // 307 to another host
	RedirectQuery        // 302 on the same host, which would turn a query into a GET
	Slow                 // the right answer after nine seconds
)

// spoil makes of an answer what the fault makes of it.
func (s *Server) spoil(f Fault, r reply, graphql bool) reply {
	refuse := func(status int, message string) reply {
		return s.reply(graphql, status, map[string]any{"message": message})
	}
	switch f {
	case BadGateway:
		s.Clock.Advance(10 * time.Second)
		return refuse(http.StatusBadGateway, "Server Error")
	case Slow:
		s.Clock.Advance(9 * time.Second)
	case Timeout:
		s.Clock.Advance(10 * time.Second)
		return s.reply(graphql, http.StatusOK, map[string]any{"data": nil, "errors": []queryError{{
			Message: "Something went wrong while executing your query. This may be the result of a timeout, or it could be a GitHub bug."}}})
	case ResourceLimits:
		return s.halve(r)
	case PrimaryLimit:
		s.used[kind(graphql)] = s.limit()
		if graphql {
			return s.reply(graphql, http.StatusOK, map[string]any{"errors": []queryError{{Type: "RATE_LIMITED", Message: "API rate limit exceeded"}}})
		}
		return refuse(http.StatusForbidden, "API rate limit exceeded")
	case SecondaryLimit:
		r = refuse(http.StatusForbidden, "You have exceeded a secondary rate limit.")
		r.header.Set("Retry-After", "90")
	case SecondaryBare:
		return refuse(http.StatusForbidden, "You have exceeded a secondary rate limit.")
	case Throttled:
		return refuse(http.StatusTooManyRequests, "")
	case FarAway:
		r = refuse(http.StatusForbidden, "You have exceeded a secondary rate limit.")
		r.header.Set("Retry-After", strconv.Itoa(365*24*3600))
	case Garbage:
		r.body = []byte("<html>Whoa there!</html>")
	case Redirect:
		r = refuse(http.StatusTemporaryRedirect, "Moved")
		r.header.Set("Location", "https://collector.example/"+map[bool]string{true: "graphql"}[graphql])
	case RedirectQuery:
		r = refuse(http.StatusFound, "Moved")
		r.header.Set("Location", "/elsewhere")
	}
	r.fault = f
	return r
}

// halve takes away every second of the nodes of a list, as a host does that runs out of
// what a query may use.
func (s *Server) halve(r reply) reply {
	var answer map[string]any
	if json.Unmarshal(r.body, &answer) != nil {
		return r
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, field := range v {
				if list, is := field.([]any); is && name == "nodes" {
					for i := 1; i < len(list); i += 2 {
						list[i] = nil
					}
				}
				walk(v[name])
			}
		case []any:
			for _, item := range v {
				walk(item)
			}
		}
	}
	walk(answer)
	answer["errors"] = []queryError{{Type: "RESOURCE_LIMITS_EXCEEDED", Message: "Resource limits for this query exceeded."}}
	return s.reply(true, http.StatusOK, answer)
}

// broken is a connection that breaks.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// endless is a text that goes on for ever.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return copy(p, strings.Repeat("a", len(p))), nil }
