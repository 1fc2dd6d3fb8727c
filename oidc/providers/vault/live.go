package vault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	vaultapi "github.com/hashicorp/vault/api"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/wire"
	"github.com/stint-dev/stint/oidc/trust"
)

// ReadLive reads the grant's role and the configuration of its mount. Server, token and
// certificates are those of VAULT_ADDR, VAULT_TOKEN, VAULT_CACERT and the like; a server
// that is not the grant's is not asked, and the grant's own certificate is not trusted.
func ReadLive(ctx context.Context, g *grant.Grant, t *grant.Target, opts Options) ([]trust.Document, error) {
	s, err := targetSettings(g, t)
	if err != nil {
		return nil, err
	}
	r := &roleReader{settings: s, timeout: wire.CallTimeout}
	if err := r.login(opts); err != nil {
		return nil, err
	}
	return r.read(ctx)
}

// A roleReader reads one role and its mount.
type roleReader struct {
	settings *settings
	timeout  time.Duration // of one call
	server   server
	client   *vaultapi.Client
}

func (r *roleReader) rolePath() string {
	return "auth/" + r.settings.Mount + "/role/" + r.settings.Role
}

func (r *roleReader) mountPath() string { return "auth/" + r.settings.Mount + "/config" }

func (r *roleReader) lookup(path string) wire.Lookup {
	return wire.Lookup{Host: r.settings.address.Host, What: fmt.Sprintf("%q", path),
		Login:   "log in and put the token where stint looks: export VAULT_TOKEN=$(vault print token); it needs read on " + r.rolePath() + " and " + r.mountPath(),
		Right:   "a valid VAULT_TOKEN with a policy that has read on " + r.rolePath() + " and " + r.mountPath(),
		Missing: "compare role:, mount: and namespace: in the grant with the server; stint grant render writes the role"}
}

// login makes the client, with the token of the environment for the server of the
// environment and no other.
func (r *roleReader) login(opts Options) error {
	env := vaultapi.DefaultConfig()
	token := os.Getenv("VAULT_TOKEN")
	switch {
	case env == nil || env.Error != nil:
		return &oidc.Error{Stage: oidc.StageRead, Message: "a VAULT_ variable of the environment cannot be read by vault's own client",
			Hint: "correct or unset VAULT_CACERT, VAULT_CLIENT_CERT and the like"}
	case !r.settings.isAt(os.Getenv("VAULT_ADDR")):
		return &oidc.Error{Stage: oidc.StageRead, Message: fmt.Sprintf("the grant is about the vault at %q, and VAULT_ADDR does not name it: your token goes to no address of a grant", r.settings.Address),
			Hint: "export VAULT_ADDR=" + r.settings.address.String() + " and its VAULT_TOKEN if you trust that server"}
	case !wire.IsSecretText(token):
		return r.lookup(r.rolePath()).NoLogin("vault")
	}
	if opts.Transport == nil {
		opts.Transport = env.HttpClient.Transport // with the certificates of the environment
	}
	r.server = server{address: r.settings.address.String(), namespace: r.settings.Namespace, opts: opts.WithDefaults(), timeout: r.timeout}
	var err error
	r.client, err = r.server.client(oidc.StageRead, oidc.Run{}, oidc.NewSecret(token))
	return err
}

// isAt reports whether an address is the grant's, in whatever spelling.
func (s *settings) isAt(address string) bool {
	u, err := wire.ParseEndpoint(address)
	return err == nil && u.String() == s.address.String()
}

func (r *roleReader) read(ctx context.Context) ([]trust.Document, error) {
	role, err := r.get(ctx, r.rolePath())
	if err != nil {
		return nil, err
	}
	if role["mount"], err = r.get(ctx, r.mountPath()); err != nil {
		return nil, err
	}
	body, err := json.Marshal(role)
	if err != nil {
		return nil, r.lookup(r.rolePath()).Garbled()
	}
	return []trust.Document{{Cloud: Trust.Name, Path: r.server.address + "/v1/" + r.rolePath(), Name: r.settings.Role, Body: body}}, nil
}

// get reads the data of one path.
func (r *roleReader) get(ctx context.Context, path string) (map[string]any, error) {
	return wire.Read(ctx, r.server.opts, func(ctx context.Context) (map[string]any, error) {
		secret, err := r.client.Logical().ReadWithContext(ctx, path)
		switch {
		case err != nil:
			return nil, r.explain(err, path)
		case secret == nil || len(secret.Data) == 0:
			return nil, r.lookup(path).Garbled()
		}
		return secret.Data, nil
	})
}

// explain turns an error of the module into ours, and drops it.
func (r *roleReader) explain(err error, path string) error {
	var line *oidc.Error
	refused := refusedWith(err)
	switch {
	case refused == nil && errors.As(err, &line):
		return line
	case refused == nil:
		return r.lookup(path).Garbled()
	}
	class := refused.reply.Status
	if _, busy := busyRule(class); busy {
		class = http.StatusServiceUnavailable
	}
	return r.lookup(path).Refused(class, oidc.Error{Status: refused.reply.Status, RetryAfter: refused.reply.RetryAfter()})
}
