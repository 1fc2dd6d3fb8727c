package github

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/stint-dev/stint/oidc"
)

// Limits of what makes an app's own token.
const (
	maxKeyBytes       = 64 << 10
	maxSignatureBytes = 16 << 10
	signTimeout       = 20 * time.Second
	// The token of the app is used once, at once. GitHub takes up to ten minutes, and
	// wants iat a minute back for clocks that are ahead (REST reference).
	appTokenLife = 5 * time.Minute
	clockDrift   = time.Minute
)

const keyHint = "run stint where only the broker can read the key, or use octo-sts, which keeps it for you"

// mayUseKey refuses the app's key where it would be a stored secret of the job, and
// claims that nobody has vouched for: with octo-sts the server verifies the id-token,
// here it comes straight from its issuer or not at all.
func (p *provider) mayUseKey(src oidc.Source, c oidc.Claims) error {
	if src.Name() != "runner" {
		return exchangeError("let the runner give the id-token, or use octo-sts, which verifies it",
			"the id-token is from a %.32q, and with an app's key nobody verifies its signature", src.Name())
	}
	if c.Get("runner_environment") != "self-hosted" {
		return exchangeError(keyHint, "the app's key would lie in a job on a runner of environment %.64q", c.Get("runner_environment"))
	}
	return nil
}

// appToken makes the token with which the app itself speaks.
func (p *provider) appToken(ctx context.Context) (string, error) {
	now := p.opts.Now()
	claims, err := json.Marshal(map[string]any{
		"iss": p.App, "iat": now.Add(-clockDrift).Unix(), "exp": now.Add(appTokenLife).Unix(),
	})
	if err != nil {
		return "", exchangeError("report this", "the token of the app could not be written")
	}
	input := segment([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + segment(claims)
	signature, err := p.sign(ctx, []byte(input))
	if err != nil {
		return "", err
	}
	return input + "." + segment(signature), nil
}

func segment(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (p *provider) sign(ctx context.Context, input []byte) ([]byte, error) {
	if p.KeyFile != "" {
		return signWithFile(p.KeyFile, input)
	}
	return signWithCommand(ctx, p.KeyCommand, input)
}

// signWithFile reads the key for this one signature. It refuses a file that others on
// the host may read.
func signWithFile(path string, input []byte) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, exchangeError(keyHint, "key-file %.200q cannot be read", path)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil || !info.Mode().IsRegular():
		return nil, exchangeError(keyHint, "key-file %.200q is not a regular file", path)
	case info.Mode().Perm()&0o077 != 0:
		return nil, exchangeError("chmod 600 the file, owned by the broker's user", "others on this host may read key-file %.200q", path)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxKeyBytes))
	if err != nil {
		return nil, exchangeError(keyHint, "key-file %.200q cannot be read", path)
	}
	key := parseKey(b)
	if key == nil {
		return nil, exchangeError("download a new private key on the app's settings page", "key-file %.200q holds no RSA private key in PEM", path)
	}
	sum := sha256.Sum256(input)
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		return nil, exchangeError("download a new private key on the app's settings page", "the key of key-file %.200q cannot sign", path)
	}
	return signature, nil
}

func parseKey(b []byte) *rsa.PrivateKey {
	block, _ := pem.Decode(b)
	if block == nil {
		return nil
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key
	}
	any, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil
	}
	key, _ := any.(*rsa.PrivateKey)
	return key
}

// signWithCommand lets a program sign: it gets what is to be signed on its standard
// input, and answers with the RS256 signature in base64. Its error output is dropped,
// because it can hold anything.
func signWithCommand(ctx context.Context, command []string, input []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, signTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	var out bytes.Buffer
	cmd.Stdin, cmd.Stdout = bytes.NewReader(input), &limited{w: &out, left: maxSignatureBytes}
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		return nil, exchangeError("run it by hand on the broker's host with the text to sign on its standard input", "key-command %.200q failed", command[0])
	}
	text := strings.TrimRight(strings.Join(strings.Fields(out.String()), ""), "=")
	text = strings.NewReplacer("+", "-", "/", "_").Replace(text)
	signature, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(signature) == 0 {
		return nil, exchangeError("let it print the signature alone, in base64", "key-command %.200q did not print a signature", command[0])
	}
	return signature, nil
}

// A limited writer fails when it has had enough, which ends the program behind it.
type limited struct {
	w    io.Writer
	left int
}

func (l *limited) Write(b []byte) (int, error) {
	if l.left -= len(b); l.left < 0 {
		return 0, io.ErrShortWrite
	}
	return l.w.Write(b)
}

// appRequest asks for a token of the installation, always with both limits.
func (p *provider) appRequest(jwt string) (*http.Request, error) {
	body, err := json.Marshal(map[string]any{"repositories": p.Repositories, "permissions": p.Permissions})
	if err != nil {
		return nil, exchangeError("report this", "the request could not be built")
	}
	r, err := http.NewRequest(http.MethodPost, p.api.String()+"/app/installations/"+p.Installation+"/access_tokens", bytes.NewReader(body))
	if err != nil {
		return nil, exchangeError("check api: in the grant", "the request could not be built")
	}
	r.Header.Set("Content-Type", "application/json")
	setAPIHeaders(r, jwt)
	return r, nil
}

// setAPIHeaders are those of every call of the REST API.
func setAPIHeaders(r *http.Request, token string) {
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Accept", "application/vnd.github+json")
	r.Header.Set("X-GitHub-Api-Version", "2022-11-28")
}
