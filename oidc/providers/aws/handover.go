package aws

import (
	"context"
	"encoding/json"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"

	"github.com/stint-dev/stint/oidc"
)

// Point sends AWS's tools to a container credentials endpoint, which they ask again
// before what they have expires. The variables are those of the SDKs' reference guide,
// "Container credential provider"; the bearer is sent as it is.
func (p *provider) Point(url string, bearer oidc.Secret) ([]oidc.Var, []oidc.PrivateFile) {
	return append([]oidc.Var{
		{Name: "AWS_CONTAINER_CREDENTIALS_FULL_URI", Value: oidc.NewSecret(url), Public: true},
		{Name: "AWS_CONTAINER_AUTHORIZATION_TOKEN", Value: bearer},
	}, p.region()...), nil
}

// Answer returns the credential as that endpoint states it. Expiration is when the
// session stops being of use, so that the tools ask again before that.
func (p *provider) Answer(_ context.Context, c *oidc.Credential, _ oidc.Request) (oidc.Secret, error) {
	keys := keysOf(c)
	body, err := json.Marshal(struct {
		AccessKeyID     string `json:"AccessKeyId"`
		SecretAccessKey string
		Token           string
		Expiration      string
	}{keys.AccessKeyID, keys.SecretAccessKey, keys.SessionToken, c.UsableUntil.UTC().Format(time.RFC3339)})
	return oidc.NewSecret(string(body)), err
}

// InFiles returns the credential as a shared credentials file whose default profile it
// is. Most tools read it once.
func (p *provider) InFiles(c *oidc.Credential) ([]oidc.Var, []oidc.PrivateFile) {
	keys := keysOf(c)
	content := "[default]\naws_access_key_id = " + keys.AccessKeyID + "\naws_secret_access_key = " + keys.SecretAccessKey +
		"\naws_session_token = " + keys.SessionToken + "\n"
	return p.region(), []oidc.PrivateFile{{Name: "aws-credentials", Var: "AWS_SHARED_CREDENTIALS_FILE", Content: oidc.NewSecret(content)}}
}

func (p *provider) region() []oidc.Var {
	return []oidc.Var{
		{Name: "AWS_REGION", Value: oidc.NewSecret(p.settings.Region), Public: true},
		{Name: "AWS_DEFAULT_REGION", Value: oidc.NewSecret(p.settings.Region), Public: true},
	}
}

// keysOf reads the keys back from the variables of a credential.
func keysOf(c *oidc.Credential) (k awssdk.Credentials) {
	for _, v := range c.Vars {
		switch v.Name {
		case "AWS_ACCESS_KEY_ID":
			k.AccessKeyID = v.Value.Reveal()
		case "AWS_SECRET_ACCESS_KEY":
			k.SecretAccessKey = v.Value.Reveal()
		case "AWS_SESSION_TOKEN":
			k.SessionToken = v.Value.Reveal()
		}
	}
	return k
}
