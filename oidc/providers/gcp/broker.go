package gcp

import (
	"context"
	"encoding/json"
	"time"

	"github.com/stint-dev/stint/oidc"
)

// minFileLifetime is the shortest lifetime that a credentials file can ask of a
// service account. Source: AIP-4117 and the client libraries.
const minFileLifetime = 10 * time.Minute

// A brokered provider hands over a credentials file of the type external_account:
// Google's tools fetch an id-token from loopback, with the broker's bearer, and make
// the exchange themselves, as often as they need. The file holds no token of the
// runner.
//
// Whoever has the file chooses scopes and lifetime, and is held by nothing else. So a
// grant that narrows these is not brokered: one with an access boundary, with scopes,
// with delegates (which the file cannot name), for an id-token, or with a ttl under
// the ten minutes that a file can ask for. A longer ttl stands in the file, yet Google
// would give a command that ignores it up to an hour.
type brokered struct{ *provider }

// fitsFile reports whether a credentials file opens what the grant does.
func (s *settings) fitsFile() bool {
	narrowed := len(s.Allow) > 0 || len(s.Delegates) > 0 || s.IDTokenAudience != "" || len(s.Scopes) != 1 || s.Scopes[0] != cloudPlatform
	return !narrowed && (s.ServiceAccount == "" || s.ttl >= minFileLifetime && s.ttl <= time.Hour)
}

// credentialsFile is the file. Source: AIP-4117 "External account credentials".
type credentialsFile struct {
	Type             string           `json:"type"`
	Audience         string           `json:"audience"`
	SubjectTokenType string           `json:"subject_token_type"`
	TokenURL         string           `json:"token_url"`
	Account          string           `json:"service_account_impersonation_url,omitempty"`
	Impersonation    *impersonation   `json:"service_account_impersonation,omitempty"`
	Source           credentialSource `json:"credential_source"`
}

type impersonation struct {
	Seconds int `json:"token_lifetime_seconds"`
}

type credentialSource struct {
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Format  sourceFormat      `json:"format"`
}

type sourceFormat struct {
	Type  string `json:"type"`
	Field string `json:"subject_token_field_name"`
}

// subjectField is where an Answer holds the id-token.
const subjectField = "value"

// Point returns a credentials file that fetches id-tokens from url, for
// GOOGLE_APPLICATION_CREDENTIALS and CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE, and the
// project. The bearer is sent as "Authorization: Bearer …".
func (b *brokered) Point(url string, bearer oidc.Secret) ([]oidc.Var, []oidc.PrivateFile) {
	s := b.settings
	file := credentialsFile{
		Type: "external_account", Audience: audienceOf(s.pool, s.providerID), SubjectTokenType: typeJWT, TokenURL: s.tokenURL().String(),
		Source: credentialSource{URL: url, Headers: map[string]string{"Authorization": "Bearer " + bearer.Reveal()},
			Format: sourceFormat{"json", subjectField}},
	}
	if s.ServiceAccount != "" {
		file.Account = s.accountURL("generateAccessToken").String()
		file.Impersonation = &impersonation{int(s.ttl / time.Second)}
	}
	content, err := json.Marshal(file)
	if err != nil { // a struct of texts and a number
		return nil, nil
	}
	// A file has one variable, and the client libraries and gcloud read another each.
	return s.projectVars(), []oidc.PrivateFile{
		{Name: "gcp-credentials.json", Var: "GOOGLE_APPLICATION_CREDENTIALS", Content: oidc.NewSecret(string(content))},
		{Name: "gcloud-credentials.json", Var: "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE", Content: oidc.NewSecret(string(content))},
	}
}

// Answer returns a fresh id-token in the form that the file names: {"value": "…"}.
func (b *brokered) Answer(ctx context.Context, _ *oidc.Credential, req oidc.Request) (oidc.Secret, error) {
	tok, err := req.Source.Token(ctx, b.Audience())
	if err != nil {
		return oidc.Secret{}, err
	}
	body, err := json.Marshal(map[string]string{subjectField: tok.Raw.Reveal()})
	return oidc.NewSecret(string(body)), err
}
