package registry

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/stint-dev/stint/oidc/providers/wire"
)

// Post builds a POST of JSON to a path of the origin, which is escaped already. An
// empty bearer sends no Authorization, a nil body an empty one.
func Post(origin *url.URL, path, bearer string, body any) (*http.Request, error) {
	var b []byte
	if body != nil {
		var err error
		if b, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	r, err := http.NewRequest(http.MethodPost, origin.String()+path, bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	return r, nil
}

// ReadTime reads a time as RFC 3339 or as seconds since 1970, and gives zero for
// anything else.
func ReadTime(raw json.RawMessage) time.Time {
	var seconds int64
	if json.Unmarshal(raw, &seconds) == nil && seconds > 0 && seconds < maxSeconds {
		return time.Unix(seconds, 0).UTC()
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// maxSeconds is the end of the year 9999.
const maxSeconds = 253_402_300_799

// By returns the hint of the first phrase that the body of a refusal holds. It is for
// registries that answer with a sentence instead of a code.
func By(r *wire.Reply, phrases []Phrase) string {
	for _, p := range phrases {
		if bytes.Contains(bytes.ToLower(r.Body), []byte(p.Says)) {
			return p.Hint
		}
	}
	return ""
}

// A Phrase is a piece of a registry's sentence, in lower case, and what to do about it.
type Phrase struct{ Says, Hint string }
