package gcp

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/wire"
	"github.com/stint-dev/stint/oidc/trust"
)

// A step is one of the calls, in the words of an error.
type step string

const (
	stepFederate  step = "token exchange"
	stepAccount   step = "token of the service account"
	stepIDToken   step = "id-token of the service account"
	stepDownscope step = "access boundary"
)

// A refusal's code and description, which is used to tell reasons apart and is never
// shown. The token service answers as OAuth does, the other APIs as Google's do.
type apiError struct{ code, description string }

func readError(body []byte) apiError {
	var oauth struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(body, &oauth) == nil {
		return apiError{wire.Code(oauth.Error), oauth.Description}
	}
	var google struct {
		Error struct {
			Status  string `json:"status"`
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &google) == nil {
		return apiError{wire.Code(google.Error.Status), google.Error.Message}
	}
	return apiError{}
}

// requestIDs are the headers by which replies of Google and of what stands before it
// are named.
var requestIDs = []string{"X-Goog-Request-Id", "X-Request-Id", "X-Guploader-Uploadid"}

// explain turns a refusal into ours: what was asked, what came, and the likely reasons
// in their order.
func (c *chain) explain(s step, host string, reply *wire.Reply) *oidc.Error {
	api := readError(reply.Body)
	e := &oidc.Error{Stage: oidc.StageExchange, Status: reply.Status, Code: api.code, RetryAfter: reply.RetryAfter()}
	for _, name := range requestIDs {
		if id := wire.SafeText(reply.Header.Get(name)); id != "" && e.RequestID == "" {
			e.RequestID = id
		}
	}
	text := "refused"
	if reply.Status == http.StatusTooManyRequests || reply.Status >= 500 {
		text, e.Retryable = "is busy or has a fault", true
		e.Hint = "run the job again later; if it stays so, see status.cloud.google.com"
	} else {
		e.Hint = c.reasons(s, reply.Status, api)
	}
	e.Message = fmt.Sprintf("%s: %s %s (%s)", s, host, text, wire.Answer(*e))
	return e
}

// reasons ranks what usually stands behind a refusal. Google does not say which part
// of a condition refused, so none is named as the cause.
func (c *chain) reasons(s step, status int, api apiError) string {
	switch s {
	case stepFederate:
		return c.federationReasons(api)
	case stepDownscope:
		return "google says no more than that; most likely first: a bucket under allow does not use uniform bucket-level access; " +
			"a role under allow is not one of cloud storage; run stint grant explain"
	}
	what := "does not say why; most likely first: "
	if status == http.StatusNotFound {
		what = "does not find it; most likely first: service account " + fmt.Sprintf("%q", c.settings.ServiceAccount) + " does not exist; "
	}
	if status == http.StatusBadRequest && s == stepAccount {
		return fmt.Sprintf("most likely first: a lifetime of %s is more than the hour that the organization's policy allows for this account; "+
			"a scope is not one of google's", c.req.TTL)
	}
	return "google " + what + fmt.Sprintf("the pool's member lacks %s on %q, or is bound to another subject than %.300q (stint grant render shows the member); ",
		workloadUserRole, c.settings.ServiceAccount, c.claims.Subject) +
		"the iam service account credentials api is off in its project; a delegate lacks roles/iam.serviceAccountTokenCreator on the next; " +
		"the binding is younger than some minutes"
}

// federationReasons holds the claims against the grant and against the lock that stint
// would render for it.
func (c *chain) federationReasons(api apiError) string {
	var likely []string
	description := strings.ToLower(api.description)
	switch {
	case strings.Contains(description, "127 bytes"):
		likely = append(likely, fmt.Sprintf("google.subject is over 127 bytes (sub has %d): map it to something shorter", len(c.claims.Subject)))
	case strings.Contains(description, "must be of type string"):
		likely = append(likely, "an attribute of the provider is mapped to what is no text, or to a claim that this token does not have")
	case api.code == "invalid_target":
		likely = append(likely, fmt.Sprintf("the provider %q is disabled, deleted, or not there", c.settings.Provider))
	case api.code == "invalid_grant":
		likely = append(likely, fmt.Sprintf("the provider's issuer is not %.200q, or it does not allow the audience %q", c.claims.Issuer, c.settings.Audience))
	}
	likely = append(likely, c.differences(api.code == "unauthorized_client" || len(likely) == 0)...)
	likely = append(likely, "the provider was changed in the last five minutes")
	return fmt.Sprintf("google does not say which part; most likely first: %s. presented: %s; compare with stint grant explain",
		strings.Join(likely, "; "), c.presented())
}

// differences are what the grant and its rendered lock say of the claims. condition
// says that a refusal by the provider's condition is likely.
func (c *chain) differences(condition bool) []string {
	repository := c.claims.Get("repository")
	var list []string
	for _, r := range c.grant.Decide(c.claims, grant.Expect{Repository: repository}).Reasons {
		list = append(list, "the grant itself does not admit this token: "+printable(r.Text))
		break
	}
	if !condition {
		return list
	}
	lock, err := renderSettings(c.grant, c.settings, trust.Repository{
		Name: repository, ID: c.claims.Get("repository_id"), OwnerID: c.claims.Get("repository_owner_id"), Issuer: c.claims.Issuer,
	})
	if err != nil {
		return list
	}
	if a := lock.Policy.Decide(c.claims); !a.Admits {
		return append(list, "the lock that stint renders refuses this token as well: "+a.Why)
	}
	return append(list, "the provider's condition is not the one that stint renders, which admits this token (stint grant drift compares them)")
}

// presented are the claims that conditions look at.
func (c *chain) presented() string {
	var parts []string
	for _, name := range []string{"sub", "repository_id", "repository_owner_id", "ref", "environment", "event_name", "job_workflow_ref", "runner_environment"} {
		if v := c.claims.Get(name); v != "" {
			parts = append(parts, fmt.Sprintf("%s %.200q", name, v))
		}
	}
	return strings.Join(parts, ", ")
}
