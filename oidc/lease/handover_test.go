package lease

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/oidc"
)

func secretVar(name, value string) oidc.Var {
	return oidc.Var{Name: name, Value: oidc.NewSecret(value)}
}

func TestMasks(t *testing.T) {
	value := "line one+/=\nand line two%\nshort"
	got := masks([]oidc.Var{
		secretVar("A", value), secretVar("B", "tiny"), secretVar("C", value),
		{Name: "D", Value: oidc.NewSecret("public-value"), Public: true},
	})
	for _, want := range []string{
		value, "line one+/=", "and line two%", base64.StdEncoding.EncodeToString([]byte(value)),
		base64.RawURLEncoding.EncodeToString([]byte(value)),
		"line+one%2B%2F%3D%0Aand+line+two%25%0Ashort", `line one+/=\nand line two%\nshort`,
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no mask for %q", want)
		}
	}
	for _, m := range got {
		if len(m) < minMask || m == "public-value" {
			t.Errorf("%q is masked", m)
		}
	}
	if len(slices.Compact(slices.Sorted(slices.Values(got)))) != len(got) {
		t.Errorf("masked twice: %q", got)
	}
}

// The runner reads a mask line by line and undoes three escapes; what it then
// masks must be the values.
func TestWriteMasks(t *testing.T) {
	var b bytes.Buffer
	value := "first line 100%\r\nsecond line\n::add-path::/evil"
	if err := WriteMasks(&b, []oidc.Var{secretVar("A", value)}); err != nil {
		t.Fatal(err)
	}
	var masked []string
	for line := range strings.Lines(b.String()) {
		data, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "::add-mask::")
		if !ok || strings.ContainsAny(data, "\r\n") {
			t.Fatalf("line %q", line)
		}
		masked = append(masked, strings.NewReplacer("%0D", "\r", "%0A", "\n", "%25", "%").Replace(data))
	}
	if !slices.Equal(masked, masks([]oidc.Var{secretVar("A", value)})) || masked[0] != value {
		t.Errorf("masked %q", masked)
	}
}

func runnerFile(t *testing.T) RunnerFile {
	t.Helper()
	path := filepath.Join(t.TempDir(), "env")
	if err := os.WriteFile(path, []byte("OLD=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return RunnerFile{Name: "GITHUB_ENV", Path: path}
}

func content(t *testing.T, f RunnerFile) string {
	t.Helper()
	b, err := os.ReadFile(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// parseRunnerFile reads a file of the runner as the runner does.
func parseRunnerFile(t *testing.T, text string) map[string]string {
	t.Helper()
	settings := map[string]string{}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		name, delimiter, heredoc := strings.Cut(lines[i], "<<")
		if !heredoc {
			name, value, _ := strings.Cut(lines[i], "=")
			settings[name] = value
			continue
		}
		end := i + 1 + slices.Index(lines[i+1:], delimiter)
		if end <= i {
			t.Fatalf("no end for %s in %q", name, text)
		}
		settings[name] = strings.Join(lines[i+1:end], "\n")
		i = end
	}
	return settings
}

func TestHandToJobMasksFirst(t *testing.T) {
	s := newScene(t)
	s.two.vars[0].Value = oidc.NewSecret("line one\nEVIL=1\nEVIL<<X\nX\n")
	l := s.mustOpen(t)
	env := runnerFile(t)
	var out bytes.Buffer
	masksFirst := writerFunc(func(p []byte) (int, error) {
		if content(t, env) != "OLD=1\n" {
			t.Error("a value was written before its mask")
		}
		return out.Write(p)
	})
	if err := HandToJob(masksFirst, env, l); err != nil {
		t.Fatal(err)
	}
	got := parseRunnerFile(t, content(t, env))
	want := map[string]string{"OLD": "1", "ONE_KEY": "public-id", "ONE_SECRET": canarySecret, "TWO_SECRET": "line one\nEVIL=1\nEVIL<<X\nX\n"}
	if len(got) != len(want) {
		t.Errorf("settings %q", got)
	}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s = %q, want %q", k, got[k], v)
		}
	}
	if strings.Count(out.String(), "::add-mask::"+canarySecret+"\n") != 1 || strings.Contains(out.String(), "public-id") {
		t.Errorf("masks %q", out.String())
	}
}

func TestNoHandOverWithoutMasks(t *testing.T) {
	s := newScene(t)
	l := s.mustOpen(t)
	env := runnerFile(t)
	broken := writerFunc(func([]byte) (int, error) { return 0, io.ErrClosedPipe })
	err := HandToJob(broken, env, l)
	if err == nil || content(t, env) != "OLD=1\n" {
		t.Errorf("%v, file %q", err, content(t, env))
	}
	checkSilent(t, "error", err)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// The delimiter is foreseen by the attacker here: the value must not be written.
func TestForeseenDelimiter(t *testing.T) {
	f := runnerFile(t)
	f.Rand = bytes.NewReader(make([]byte, 64))
	value := "x\nstint_" + strings.Repeat("00", 16) + "\nEVIL=1"
	err := f.Set(Setting{"GOOD", oidc.NewSecret("y")}, Setting{"A", oidc.NewSecret(value)})
	if err == nil || content(t, f) != "OLD=1\n" {
		t.Errorf("%v, file %q", err, content(t, f))
	}
}

func TestDelimitersAreRandom(t *testing.T) {
	f := runnerFile(t)
	if err := f.Set(Setting{"A", oidc.NewSecret("1")}, Setting{"B", oidc.NewSecret("2")}, Setting{"A-b", oidc.NewSecret("3")}); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(content(t, f)) {
		if _, d, ok := strings.Cut(strings.TrimSpace(line), "<<"); ok {
			if seen[d] || len(d) < 32 {
				t.Errorf("delimiter %q", d)
			}
			seen[d] = true
		}
	}
	if len(seen) != 3 {
		t.Errorf("%d delimiters", len(seen))
	}
}

func TestRunnerFileRefuses(t *testing.T) {
	good := runnerFile(t)
	dir := filepath.Dir(good.Path)
	link := filepath.Join(dir, "link")
	if err := os.Symlink(good.Path, link); err != nil && runtime.GOOS != "windows" {
		t.Fatal(err)
	}
	for name, f := range map[string]RunnerFile{
		"link": {Name: "X", Path: link}, "directory": {Name: "X", Path: dir}, "missing": {Name: "X", Path: filepath.Join(dir, "none")},
		"no path": {Name: "X"}, "no randomness": {Name: "X", Path: good.Path, Rand: strings.NewReader("few")},
	} {
		err := f.Set(Setting{"A", oidc.NewSecret(canarySecret)})
		if err == nil || hintOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
		checkSilent(t, name, err)
	}
	for _, name := range []string{"", "A B", "A\nB", "A=B", "A<<B", "é", "1A", strings.Repeat("A", 129)} {
		if err := good.Set(Setting{name, oidc.NewSecret("v")}); err == nil {
			t.Errorf("name %q was written", name)
		}
	}
	if err := good.Set(Setting{"A", oidc.NewSecret("a\x00b")}); err == nil {
		t.Error("a NUL was written")
	}
	if err := good.Append(strings.Repeat("x", MaxRunnerFileBytes+1)); err == nil {
		t.Error("too much was written")
	}
	if content(t, good) != "OLD=1\n" {
		t.Errorf("file %q", content(t, good))
	}
	if err := good.Append(strings.Repeat("x", MaxRunnerFileBytes)); err != nil {
		t.Errorf("the limit itself: %v", err)
	}
}

func FuzzRunnerFile(f *testing.F) {
	f.Add("value", "other\nvalue")
	f.Add("A<<B\nx\nB", "\n\n")
	f.Add("\r\n", "=")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, a, b string) {
		file := RunnerFile{Name: "GITHUB_ENV", Path: filepath.Join(dir, "env")}
		if err := os.WriteFile(file.Path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := file.Set(Setting{"A", oidc.NewSecret(a)}, Setting{"B", oidc.NewSecret(b)}); err != nil {
			if strings.Contains(a+b, "\x00") {
				return
			}
			t.Fatal(err)
		}
		if got := parseRunnerFile(t, content(t, file)); len(got) != 2 || got["A"] != a || got["B"] != b {
			t.Errorf("%q and %q came back as %q", a, b, got)
		}
	})
}

func TestChildEnv(t *testing.T) {
	s := newScene(t)
	s.one.vars = append(s.one.vars, oidc.Var{Name: "AWS_REGION", Value: oidc.NewSecret("eu-west-1"), Public: true})
	l := s.mustOpen(t)
	keep := []string{"PATH=/bin", "HOME=/home/runner", "GITHUB_TOKEN=kept", "GITHUB_ENV=/x", "AWS_PAGER=", "AWS_MAX_ATTEMPTS=3", "AWS_CA_BUNDLE=/ca",
		"VAULT_ADDR=https://vault.example", "EMPTY=", "WITH=a=b", "ACTIONS_STEP_DEBUG=true", "GOOGLE_CLOUD_PROJECT=p"}
	drop := []string{"ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_RUNTIME_URL",
		"ACTIONS_RESULTS_URL", "ACTIONS_CACHE_URL", "INPUT_GRANT", "INPUT_MODE", "STATE_lease", "STINT_X",
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE",
		"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3",
		"AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_DEFAULT_REGION", "AWS_CREDENTIAL_EXPIRATION", "AWS_BEARER_TOKEN_BEDROCK",
		"GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CREDENTIALS", "GOOGLE_GHA_CREDS_PATH", "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE",
		"AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE", "ARM_CLIENT_SECRET", "ARM_OIDC_REQUEST_TOKEN", "IDENTITY_HEADER",
		"VAULT_TOKEN", "BAO_TOKEN", "BAO_ADDR", "VAULT_AGENT_ADDR", "VAULT_PROXY_ADDR", "VAULT_NAMESPACE", "VAULT_HEADERS",
		"VAULT_CLIENT_CERT", "VAULT_CLIENT_KEY", "SPIFFE_ENDPOINT_SOCKET", "AWS_S3_ENDPOINT", "AWS_STS_ENDPOINT",
		"GOOGLE_BACKEND_CREDENTIALS", "GOOGLE_CLOUD_UNIVERSE_DOMAIN", "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE"}
	base := slices.Clone(keep)
	for _, name := range drop {
		base = append(base, name+"=ambient")
	}
	base = append(base, "AWS_REGION=us-east-1", "ONE_SECRET=old")
	env, removed, err := ChildEnv(base, l)
	if err != nil {
		t.Fatal(err)
	}
	want := append(slices.Clone(keep), "ONE_KEY=public-id", "ONE_SECRET="+canarySecret, "AWS_REGION=eu-west-1", "TWO_SECRET="+canarySecret+"-2")
	if !slices.Equal(env, want) {
		t.Errorf("environment %q", env)
	}
	if wantRemoved := slices.Sorted(slices.Values(append(drop, "AWS_REGION"))); !slices.Equal(removed, wantRemoved) {
		t.Errorf("removed %q", removed)
	}
	if len(base) != len(keep)+len(drop)+2 || base[0] != "PATH=/bin" {
		t.Error("the given environment was changed")
	}
	if !stripped("aws_profile", true) || stripped("aws_profile", false) {
		t.Error("names fold their case only on windows")
	}
}

func TestTwoLeasesThatSetOneVariable(t *testing.T) {
	a, b := newScene(t).mustOpen(t), newScene(t).mustOpen(t)
	_, _, err := ChildEnv(nil, a, b)
	var e *oidc.Error
	if !errors.As(err, &e) || !strings.Contains(e.Message, "ONE_KEY") {
		t.Errorf("error %v", err)
	}
	b.End(t.Context())
	if env, _, err := ChildEnv(nil, a, b); err != nil || len(env) != 3 {
		t.Errorf("with an ended lease: %d, %v", len(env), err)
	}
}
