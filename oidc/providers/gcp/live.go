package gcp

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/wire"
	"github.com/stint-dev/stint/oidc/trust"
)

// iamAddress is where pools and service accounts are read. Source: REST reference of
// "Identity and Access Management (IAM) API". A grant's endpoint has no part in it.
const iamAddress = "https://iam.googleapis.com"

// ReadLive reads the grant's provider (projects.locations.workloadIdentityPools.providers.get)
// and who may act as the service account that the pool's members go to
// (projects.serviceAccounts.getIamPolicy). The login is that of Google's application
// default credentials. Without a service account the members are bound to resources, and
// are not known.
func ReadLive(ctx context.Context, g *grant.Grant, t *grant.Target, opts Options) ([]trust.Document, error) {
	s, err := targetSettings(g, t)
	if err != nil {
		return nil, err
	}
	r := poolReader{settings: s, opts: opts.WithDefaults(), address: iamAddress, timeout: wire.CallTimeout}
	return r.read(ctx)
}

// A poolReader reads one provider and one account's policy.
type poolReader struct {
	settings *settings
	opts     Options
	address  string
	timeout  time.Duration // of one call

	token *oauth2.Token
	quota string // the project that pays for calls of a user's login, "" for none
}

// account is the one that members of the pool act as: the first of a chain.
func (s *settings) account() string {
	if len(s.Delegates) > 0 {
		return s.Delegates[0]
	}
	return s.ServiceAccount
}

func (r *poolReader) lookup(what, right string) wire.Lookup {
	host := r.address
	if u, err := url.Parse(r.address); err == nil {
		host = u.Host
	}
	return wire.Lookup{Host: host, What: what, Right: right,
		Login:   "log in as for google's tools: gcloud auth application-default login, or GOOGLE_APPLICATION_CREDENTIALS; the read needs " + right,
		Missing: "compare provider: and service-account: in the grant with the project; stint grant render writes both"}
}

func (r *poolReader) read(ctx context.Context) ([]trust.Document, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*wire.ReadTimeout)
	defer cancel()
	l := r.lookup(fmt.Sprintf("provider %q", r.settings.Provider), "iam.googleapis.com/workloadIdentityPoolProviders.get (as in roles/iam.workloadIdentityPoolViewer)")
	if !r.login(ctx) {
		return nil, l.NoLogin("google")
	}
	provider, err := r.get(ctx, http.MethodGet, "/v1/"+r.settings.Provider, nil, l)
	if err != nil {
		return nil, err
	}
	export := []json.RawMessage{provider}
	if account := r.settings.account(); account != "" {
		policy, err := r.get(ctx, http.MethodPost, "/v1/projects/-/serviceAccounts/"+account+":getIamPolicy",
			url.Values{"options.requestedPolicyVersion": {"3"}}, // conditions are in no earlier one
			r.lookup(fmt.Sprintf("iam policy of %q", account), "iam.serviceAccounts.getIamPolicy on it (as in roles/iam.securityReviewer)"))
		if err != nil {
			return nil, err
		}
		export = append(export, withBindings(policy))
	}
	return r.documents(export, l)
}

// withBindings gives a policy that binds nobody the member that the API leaves out then:
// it says that there are no members, where no policy says nothing.
func withBindings(policy json.RawMessage) json.RawMessage {
	var object map[string]json.RawMessage
	if json.Unmarshal(policy, &object) != nil || object["bindings"] != nil {
		return policy
	}
	return json.RawMessage(`{"bindings":[]}`)
}

// documents reads the two replies as a file that holds both.
func (r *poolReader) documents(export []json.RawMessage, l wire.Lookup) ([]trust.Document, error) {
	var named struct {
		Name string `json:"name"`
	}
	body, err := json.Marshal(export)
	if err != nil || json.Unmarshal(export[0], &named) != nil || named.Name != r.settings.Provider {
		return nil, l.Garbled()
	}
	docs, err := findLocks("", body)
	if err != nil || len(docs) != 1 {
		return nil, l.Garbled()
	}
	docs[0].Path, docs[0].Line = r.settings.Provider, 0
	return docs, nil
}

// login gets a token of whoever runs stint. What goes wrong is not shown: it can hold a
// piece of a key file or of a reply.
func (r *poolReader) login(ctx context.Context) bool {
	ctx = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{
		Transport: wire.Transport{Caller: wire.Caller{Options: r.opts, Stage: oidc.StageRead, Timeout: r.timeout}}})
	found, err := google.FindDefaultCredentials(ctx, cloudPlatform)
	if err != nil {
		return false
	}
	var file struct {
		Quota string `json:"quota_project_id"`
	}
	_ = json.Unmarshal(found.JSON, &file) // credentials of a machine have no file
	r.quota = cmp.Or(os.Getenv("GOOGLE_CLOUD_QUOTA_PROJECT"), file.Quota)
	r.token, err = found.TokenSource.Token()
	return err == nil && wire.IsSecretText(r.token.AccessToken)
}

// get asks for one thing, which is an object.
func (r *poolReader) get(ctx context.Context, method, path string, query url.Values, l wire.Lookup) (json.RawMessage, error) {
	return wire.Read(ctx, r.opts, func(ctx context.Context) (json.RawMessage, error) {
		req, err := http.NewRequestWithContext(ctx, method, r.address+path, nil)
		if err != nil {
			return nil, l.Garbled()
		}
		req.URL.RawQuery = query.Encode()
		r.token.SetAuthHeader(req)
		if projectID.MatchString(r.quota) {
			req.Header.Set("X-Goog-User-Project", r.quota)
		}
		reply, err := wire.Caller{Options: r.opts, Stage: oidc.StageRead, Timeout: r.timeout}.Do(ctx, req)
		switch {
		case err != nil:
			return nil, err
		case !reply.Good():
			return nil, l.Refused(reply.Status, oidc.Error{Status: reply.Status, Code: readError(reply.Body).code,
				RequestID: reply.RequestID(requestIDs...), RetryAfter: reply.RetryAfter()})
		}
		body := bytes.TrimSpace(reply.Body)
		if !json.Valid(body) || !bytes.HasPrefix(body, []byte("{")) {
			return nil, l.Garbled()
		}
		return body, nil
	})
}
