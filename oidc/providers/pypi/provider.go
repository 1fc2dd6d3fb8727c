package pypi

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/registry"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

// Name is the provider's key in the grant file and in handles.
const Name = "pypi"

// origin is where the exchange is.
const origin = "https://" + Name + ".org"

// Options are what a provider takes from outside.
type Options = registry.Options

// projectName is the form of a project's name (core metadata, "Name").
var projectName = regexp.MustCompile(`^(?i:[a-z0-9]|[a-z0-9][a-z0-9._-]{0,212}[a-z0-9])$`)

var pypi = registry.Registry{
	Name: Name, Title: "PyPI", Origin: origin, Audience: "pypi", PURL: "pypi",
	IsPackage: projectName.MatchString, Example: "acme-site",
	Life:    15 * time.Minute, // of the macaroon that is minted
	Request: request, Read: read, Refusal: refusal, HandOver: handOver,
	Form: registry.Form{File: "job_workflow_ref", AtRunRef: true, OwnerID: true, AnyCase: true,
		Refuses: []string{"pull_request_target"}},
}

// New makes the provider of a grant's pypi block; see [registry.New].
func New(target *grant.Target, g *grant.Grant, opts Options) (oidc.Provider, error) {
	return registry.New(pypi, target, g, opts)
}

// NewEnder makes what says until when a token stays valid: the index takes none back.
func NewEnder(opts Options) registry.Ender { return registry.NewEnder(pypi, opts) }

func request(origin *url.URL, _, idToken string) (*http.Request, error) {
	return registry.Post(origin, "/_/oidc/mint-token", "", map[string]string{"token": idToken})
}

func read(body []byte) registry.Issued {
	var r struct {
		Success *bool           `json:"success"`
		Token   string          `json:"token"`
		Expires json.RawMessage `json:"expires"`
	}
	if json.Unmarshal(body, &r) != nil || r.Success != nil && !*r.Success {
		return registry.Issued{}
	}
	return registry.Issued{Token: r.Token, Expires: registry.ReadTime(r.Expires)}
}

// hints by the code of the first error.
var hints = map[string]string{
	"invalid-payload":           "the index could not read the request; check endpoint: in the grant and the proxy of the runner",
	"invalid-token":             "the index could not verify the id-token: most likely first: another audience than it expects (audience: in the grant), an issuer that it does not know, a clock that is wrong",
	"invalid-publisher":         "the token is good, but no trusted publisher of the project matches it: compare owner, repository, workflow file name and environment with the project's publishing settings",
	"invalid-pending-publisher": "the pending publisher matches but the project cannot be made: most likely first: the name was taken meanwhile, the account of the publisher may not make it",
	"invalid-reuse-token":       "this id-token was used before; run the job again for a new one",
	"not-enabled":               "the index has trusted publishing of this kind switched off; see its status page",
}

func refusal(r *wire.Reply) (code, hint string) {
	var body struct {
		Errors []struct {
			Code string `json:"code"`
		} `json:"errors"`
	}
	if json.Unmarshal(r.Body, &body) != nil || len(body.Errors) == 0 {
		return "", ""
	}
	code = body.Errors[0].Code
	return code, hints[code]
}

// handOver gives the token under the names by which twine, uv, flit, hatch, pdm and
// poetry look for it; the user of a token is always __token__.
func handOver(_ *url.URL, _ string, token oidc.Secret) ([]oidc.Var, []oidc.PrivateFile) {
	var vars []oidc.Var
	for _, v := range []struct{ user, secret string }{
		{"TWINE_USERNAME", "TWINE_PASSWORD"}, {"", "UV_PUBLISH_TOKEN"}, {"FLIT_USERNAME", "FLIT_PASSWORD"},
		{"HATCH_INDEX_USER", "HATCH_INDEX_AUTH"}, {"PDM_PUBLISH_USERNAME", "PDM_PUBLISH_PASSWORD"}, {"", "POETRY_PYPI_TOKEN_PYPI"},
	} {
		if v.user != "" {
			vars = append(vars, oidc.Var{Name: v.user, Value: oidc.NewSecret("__token__"), Public: true})
		}
		vars = append(vars, oidc.Var{Name: v.secret, Value: token})
	}
	return vars, nil
}
