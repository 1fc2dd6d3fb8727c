package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/wire"
	"github.com/stint-dev/stint/oidc/trust"
)

// The rights that a live read needs.
const (
	graphRight   = "Application.Read.All of Microsoft Graph (or the directory role Directory Readers)"
	managerRight = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/read (as in the role Reader)"
)

// identityAPI is the version of Resource Manager that shows expressions; earlier ones
// hide them, as v1.0 of Graph does.
const identityAPI = "2025-01-31-preview"

// ReadLive reads the federated identity credentials of the grant's client-id: from
// Microsoft Graph for an application, from Resource Manager for a user-assigned identity.
// The login is that of azidentity's default chain: AZURE_* variables, az login. All
// credentials are one document, since any of them admits.
func ReadLive(ctx context.Context, g *grant.Grant, t *grant.Target, opts Options) ([]trust.Document, error) {
	s, err := targetSettings(g, t)
	if err != nil {
		return nil, err
	}
	r := credentialReader{settings: s, opts: opts.WithDefaults(), timeout: wire.CallTimeout}
	r.login, err = azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{TenantID: s.Tenant,
		ClientOptions: azcore.ClientOptions{Retry: policy.RetryOptions{MaxRetries: -1},
			Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: "https://" + s.authority}}})
	if err != nil {
		return nil, r.lookup(s.graph, graphRight).NoLogin("azure")
	}
	return r.read(ctx)
}

// A credentialReader reads the credentials of one client id. Graph and Resource Manager
// are those of the settings' cloud, never the grant's endpoint.
type credentialReader struct {
	*settings
	opts    Options
	timeout time.Duration // of one call
	login   azcore.TokenCredential
}

// lookup words the errors of one service.
func (r *credentialReader) lookup(service, right string) wire.Lookup {
	host := service
	if u, err := url.Parse(service); err == nil {
		host = u.Host
	}
	return wire.Lookup{Host: host, What: "federated credentials of client-id " + r.ClientID,
		Login: "log in as for the azure cli: az login --tenant " + r.Tenant + "; the read needs " + right, Right: right,
		Missing: "compare tenant: and client-id: in the grant with the application; an object id is not a client id"}
}

func (r *credentialReader) read(ctx context.Context) ([]trust.Document, error) {
	path := "/beta/applications(appId='" + r.ClientID + "')/federatedIdentityCredentials"
	body, err := r.get(ctx, r.graph, path, nil, graphRight)
	var e *oidc.Error
	if errors.As(err, &e) && e.Status == http.StatusNotFound {
		path, body, err = r.readIdentity(ctx)
	}
	if err != nil {
		return nil, err
	}
	var reply struct {
		Value []json.RawMessage `json:"value"`
	}
	l := r.lookup(r.graph, graphRight)
	if json.Unmarshal(body, &reply) != nil || reply.Value == nil {
		return nil, l.Garbled()
	}
	if len(reply.Value) == 0 {
		return nil, &oidc.Error{Stage: oidc.StageRead, Message: fmt.Sprintf("client-id %q has no federated credential: no token gets in", r.ClientID),
			Hint: "stint grant render writes the ones that fit the grant"}
	}
	list, err := json.Marshal(reply.Value)
	if err != nil {
		return nil, l.Garbled()
	}
	return []trust.Document{{Cloud: Trust.Name, Path: path, Name: r.ClientID, Body: list}}, nil
}

// identityID is the name by which Resource Manager knows a user-assigned identity.
var identityID = regexp.MustCompile(`^(?i:/subscriptions/[0-9a-f-]{36}/resourcegroups/[a-z0-9_().-]{1,90}/providers/microsoft\.managedidentity/userassignedidentities/[a-z0-9_-]{3,128})$`)

// readIdentity reads the credentials of a user-assigned identity. Graph knows which
// resource it is, and nothing of its credentials.
func (r *credentialReader) readIdentity(ctx context.Context) (path string, body []byte, err error) {
	principal, err := r.get(ctx, r.graph, "/v1.0/servicePrincipals(appId='"+r.ClientID+"')",
		url.Values{"$select": {"servicePrincipalType,alternativeNames"}}, graphRight)
	if err != nil {
		return "", nil, err
	}
	var is struct {
		Type  string   `json:"servicePrincipalType"`
		Names []string `json:"alternativeNames"`
	}
	if json.Unmarshal(principal, &is) != nil {
		return "", nil, r.lookup(r.graph, graphRight).Garbled()
	}
	for _, name := range is.Names {
		if is.Type == "ManagedIdentity" && identityID.MatchString(name) {
			path = name + "/federatedIdentityCredentials"
			body, err = r.get(ctx, r.manager, path, url.Values{"api-version": {identityAPI}}, managerRight)
			return path, body, err
		}
	}
	return "", nil, &oidc.Error{Stage: oidc.StageRead,
		Message: fmt.Sprintf("client-id %q is neither an application of tenant %q nor a user-assigned identity", r.ClientID, r.Tenant),
		Hint:    "correct tenant: in the grant if the application is registered in another one"}
}

// get asks one service for one thing.
func (r *credentialReader) get(ctx context.Context, service, path string, query url.Values, right string) ([]byte, error) {
	l := r.lookup(service, right)
	token, err := r.token(ctx, service)
	if err != nil { // it can hold a piece of a reply
		return nil, l.NoLogin("azure")
	}
	return wire.Read(ctx, r.opts, func(ctx context.Context) ([]byte, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, service+path, nil)
		if err != nil {
			return nil, l.Garbled()
		}
		req.URL.RawQuery = query.Encode()
		req.Header.Set("Authorization", "Bearer "+token)
		reply, err := wire.Caller{Options: r.opts, Stage: oidc.StageRead, Timeout: r.timeout}.Do(ctx, req)
		if err != nil {
			return nil, err
		}
		if !reply.Good() {
			return nil, l.Refused(reply.Status, oidc.Error{Status: reply.Status, Code: readCode(reply.Body),
				RequestID: reply.RequestID("Request-Id", "X-Ms-Request-Id"), RetryAfter: reply.RetryAfter()})
		}
		return reply.Body, nil
	})
}

func (r *credentialReader) token(ctx context.Context, service string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, wire.ReadTimeout)
	defer cancel()
	got, err := r.login.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{service + "/.default"}})
	if err == nil && !wire.IsSecretText(got.Token) {
		err = errors.New("no token")
	}
	return got.Token, err
}

// readCode is the code of a refusal of Graph or Resource Manager, "" when it has none.
func readCode(body []byte) string {
	var b struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &b) != nil {
		return ""
	}
	return wire.Code(b.Error.Code)
}
