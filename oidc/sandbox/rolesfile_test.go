package sandbox_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc/sandbox"
)

// The first policy is written as YAML, the second pasted as JSON.
const rolesText = `version: 1
roles:
  - arn: arn:aws:iam::444455556666:role/ship
    max-session: 2h
    trust:
      Version: 2012-10-17
      Statement:
        - Effect: Allow
          Principal: { Federated: arn:aws:iam::444455556666:oidc-provider/token.actions.githubusercontent.com }
          Action: sts:AssumeRoleWithWebIdentity
          Condition:
            StringEquals:
              token.actions.githubusercontent.com:sub: repo:birch/press:ref:refs/heads/main
              token.actions.githubusercontent.com:repository_id: 31
    policies:
      - {
          "Version": "2012-10-17",
          "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::press/*", "Condition": {"Bool": {"aws:SecureTransport": false}}}]
        }
`

func TestParseRoles(t *testing.T) {
	t.Parallel()
	roles, err := sandbox.ParseRoles("roles.yml", []byte(rolesText))
	if err != nil {
		t.Fatal(err)
	}
	if len(roles) != 1 || roles[0].ARN != roleARN || roles[0].MaxSession != 2*time.Hour {
		t.Fatalf("roles %+v", roles)
	}
	s, c := start(t, sandbox.Options{Roles: roles})
	keys := assume(t, s, map[string]string{"DurationSeconds": "7200"})
	expect(t, signed(t, keys, c.Now(), "PUT", s.StoreURL()+"/press/x", "x"), 200, "")
	expect(t, signed(t, keys, c.Now(), "PUT", s.StoreURL()+"/other/x", "x"), 403, "AccessDenied")
}

func TestParseRolesRefuses(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 30) + strings.Repeat("]", 30)
	tests := []struct{ old, replacement, want string }{
		{"version: 1", "version: 2", "must say version: 1"},
		{"version: 1\n", "", "must say version: 1"},
		{"max-session", "max_session", "max_session"},
		{"2h", "two hours", "line 4"},
		{"    trust:\n", "    trust: text\n    more:\n", "roles.yml: "},
		{"      - {", "      - text\n      - {", "policy 1 of role 1: line"},
		{"[{\"Effect\"", "[&a {\"Effect\"", ""},
		{`"s3:*"`, deep, "nests or holds too much"},
		{`"s3:*"`, "[" + strings.Repeat("a,", 20_001) + "a]", "nests or holds too much"},
		{rolesText, "version: 1\nroles: [{arn: a, trust: &t {a: b}, policies: [{c: [*t]}]}]", "aliases are not read"},
		{rolesText, "\t", "roles.yml: "},
		{rolesText, "", "must say version: 1"},
		{rolesText, strings.Repeat("#", 257<<10), "more than 256 KiB"},
	}
	for _, tt := range tests {
		text := strings.Replace(rolesText, tt.old, tt.replacement, 1)
		if text == rolesText {
			t.Fatalf("%q is not in the file", tt.old)
		}
		_, err := sandbox.ParseRoles("roles.yml", []byte(text))
		if tt.want == "" && err == nil {
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "roles.yml: ") {
			t.Errorf("%.40q: error %v, want %q", tt.replacement, err, tt.want)
		}
	}
}

// TestRepeatedKeysAreRefused: YAML that repeats a key of a policy does not lose one.
func TestRepeatedKeysAreRefused(t *testing.T) {
	t.Parallel()
	text := strings.Replace(rolesText, "      Version: 2012-10-17\n", "      Version: 2012-10-17\n      Version: 2012-10-17\n", 1)
	roles, err := sandbox.ParseRoles("roles.yml", []byte(text))
	if err == nil {
		var s *sandbox.Sandbox
		if s, err = sandbox.New(sandbox.Options{Roles: roles, Key: signingKey()}); err == nil {
			_ = s.Close()
		}
	}
	if err == nil || !strings.Contains(err.Error(), "Version") {
		t.Errorf("error %v", err)
	}
}

func FuzzParseRoles(f *testing.F) {
	f.Add([]byte(rolesText))
	f.Add([]byte("version: 1\nroles: [{arn: a, trust: {a: b}}]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		roles, err := sandbox.ParseRoles("r", b)
		if err != nil {
			return
		}
		for _, r := range roles {
			if !strings.HasPrefix(r.Trust, "{") {
				t.Errorf("a trust policy that is no object: %q", r.Trust)
			}
		}
	})
}
