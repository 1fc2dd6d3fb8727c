package sandbox_test

import (
	"context"
	"encoding/xml"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/stint-dev/stint/oidc/sandbox"
)

func sdkClient(s *sandbox.Sandbox, credentials aws.CredentialsProvider) *sts.Client {
	return sts.New(sts.Options{
		Region: "eu-west-1", BaseEndpoint: aws.String(s.STSURL()), Credentials: credentials,
		HTTPClient: client, Retryer: aws.NopRetryer{},
	})
}

// TestOfficialClient: AWS's own client gets a session and is told who it is.
func TestOfficialClient(t *testing.T) {
	t.Parallel()
	// The client signs by the wall clock.
	s, _ := start(t, sandbox.Options{Roles: []sandbox.Role{shipRole()}, Now: time.Now})
	before := time.Now()
	out, err := sdkClient(s, aws.AnonymousCredentials{}).AssumeRoleWithWebIdentity(t.Context(), &sts.AssumeRoleWithWebIdentityInput{
		RoleArn: aws.String(roleARN), RoleSessionName: aws.String("stint-9-1"), DurationSeconds: aws.Int32(900),
		WebIdentityToken: aws.String(token(t, s, pushJob())),
		Policy:           aws.String(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	const session = "arn:aws:sts::444455556666:assumed-role/ship/stint-9-1"
	if got := aws.ToString(out.AssumedRoleUser.Arn); got != session {
		t.Errorf("arn %q", got)
	}
	//lint:ignore SA1019 it is what AWS answers today; its successor is not documented beyond the SDK
	packed := aws.ToInt32(out.PackedPolicySize)
	if aws.ToString(out.SubjectFromWebIdentityToken) != mainSub || aws.ToString(out.Audience) != "sts.amazonaws.com" ||
		aws.ToString(out.Provider) != provider || packed != 5 {
		t.Errorf("result %q %q %q %d", aws.ToString(out.SubjectFromWebIdentityToken), aws.ToString(out.Audience), aws.ToString(out.Provider), packed)
	}
	c := out.Credentials
	if life := c.Expiration.Sub(before); life < 899*time.Second || life > 930*time.Second {
		t.Errorf("the session lives %s", life)
	}
	if !regexp.MustCompile(`^ASIA[A-Z2-7]{16}$`).MatchString(aws.ToString(c.AccessKeyId)) || len(aws.ToString(c.SecretAccessKey)) != 40 {
		t.Error("the keys do not look like keys")
	}

	static := func(secret string) aws.CredentialsProvider {
		return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: *c.AccessKeyId, SecretAccessKey: secret, SessionToken: *c.SessionToken}, nil
		})
	}
	who, err := sdkClient(s, static(*c.SecretAccessKey)).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	if aws.ToString(who.Arn) != session || aws.ToString(who.Account) != "444455556666" || aws.ToString(who.UserId) != aws.ToString(out.AssumedRoleUser.AssumedRoleId) {
		t.Errorf("identity %q %q %q", aws.ToString(who.Arn), aws.ToString(who.Account), aws.ToString(who.UserId))
	}

	_, err = sdkClient(s, static("another secret")).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if api, ok := errors.AsType[smithy.APIError](err); !ok || api.ErrorCode() != "SignatureDoesNotMatch" {
		t.Errorf("with another secret: %v", err)
	}
}

// TestErrorsAsTheClientSeesThem: the official client reads code and text of an error.
func TestErrorsAsTheClientSeesThem(t *testing.T) {
	t.Parallel()
	s, c := start(t, sandbox.Options{Roles: []sandbox.Role{shipRole()}})
	raw := token(t, s, pushJob())
	c.Advance(time.Hour)
	_, err := sdkClient(s, aws.AnonymousCredentials{}).AssumeRoleWithWebIdentity(t.Context(), &sts.AssumeRoleWithWebIdentityInput{
		RoleArn: aws.String(roleARN), RoleSessionName: aws.String("x1"), WebIdentityToken: aws.String(raw),
	})
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok || api.ErrorCode() != "ExpiredTokenException" || !strings.HasPrefix(api.ErrorMessage(), "Token expired: current date/time") {
		t.Errorf("error %v", err)
	}
}

// TestWireShape holds the XML against the shape of the API reference.
func TestWireShape(t *testing.T) {
	t.Parallel()
	s, _ := start(t, sandbox.Options{Roles: []sandbox.Role{shipRole()}})
	resp, body := post(t, s, assumeForm(token(t, s, pushJob()), map[string]string{"DurationSeconds": "1800"}))
	body = regexp.MustCompile(`(<(RequestId|AccessKeyId|SecretAccessKey|SessionToken)>)[^<]+`).ReplaceAllString(body, "$1")
	body = regexp.MustCompile(`AROA[A-Z2-7]{16}`).ReplaceAllString(body, "AROA")
	const want = `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>` +
		`<AssumedRoleUser><AssumedRoleId>AROA:stint-1-1</AssumedRoleId><Arn>arn:aws:sts::444455556666:assumed-role/ship/stint-1-1</Arn></AssumedRoleUser>` +
		`<Credentials><AccessKeyId></AccessKeyId><SecretAccessKey></SecretAccessKey><SessionToken></SessionToken><Expiration>2026-11-21T20:30:00Z</Expiration></Credentials>` +
		`<SubjectFromWebIdentityToken>` + mainSub + `</SubjectFromWebIdentityToken><Audience>sts.amazonaws.com</Audience><Provider>` + provider + `</Provider>` +
		`</AssumeRoleWithWebIdentityResult><ResponseMetadata><RequestId></RequestId></ResponseMetadata></AssumeRoleWithWebIdentityResponse>`
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/xml" || body != want {
		t.Errorf("status %d, %s\n%s\nwant\n%s", resp.StatusCode, resp.Header.Get("Content-Type"), body, want)
	}

	resp, body = post(t, s, assumeForm(token(t, s, pushJob()), map[string]string{"RoleArn": roleARN + "-2"}))
	var reply struct {
		XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
		Error   struct{ Type, Code, Message string }
		ID      string `xml:"RequestId"`
	}
	if err := xml.Unmarshal([]byte(body), &reply); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusForbidden || reply.Error.Type != "Sender" || reply.Error.Code != "AccessDenied" ||
		reply.Error.Message != "Not authorized to perform sts:AssumeRoleWithWebIdentity" || reply.ID == "" || reply.ID != resp.Header.Get("X-Amzn-Requestid") {
		t.Errorf("status %d: %s", resp.StatusCode, body)
	}
}

// TestTrust decides jobs by trust policies, in both forms of the subject.
func TestTrust(t *testing.T) {
	t.Parallel()
	job := func(change func(*sandbox.Job)) sandbox.Job {
		j := pushJob()
		change(&j)
		return j
	}
	push := pushJob()
	immutable := job(func(j *sandbox.Job) { j.ImmutableSubject = true })
	recreated := job(func(j *sandbox.Job) { j.ImmutableSubject, j.RepositoryID = true, "32" })
	live := job(func(j *sandbox.Job) { j.Environment = "live" })
	liveElsewhere := job(func(j *sandbox.Job) { j.Environment, j.Ref = "live", "refs/heads/x" })
	pull := job(func(j *sandbox.Job) { j.Event, j.Ref = "pull_request", "refs/pull/4/merge" })
	called := job(func(j *sandbox.Job) { j.JobWorkflowRef = "birch/ci/.github/workflows/ship.yml@refs/heads/main" })
	selfHosted := job(func(j *sandbox.Job) { j.RunnerEnvironment = "self-hosted" })

	tests := []struct {
		name, condition string
		admits, refuses []sandbox.Job
	}{
		{"classic", `{"StringEquals":{"K:sub":"` + mainSub + `"}}`, []sandbox.Job{push, called}, []sandbox.Job{immutable, live, pull}},
		{"immutable", `{"StringEquals":{"K:sub":"repo:birch@7/press@31:ref:refs/heads/main"}}`, []sandbox.Job{immutable}, []sandbox.Job{push, recreated}},
		{"ids", `{"StringEquals":{"K:repository_id":"31","K:repository_owner_id":"7"}}`, []sandbox.Job{push, immutable, pull, live}, []sandbox.Job{recreated}},
		{"environment and ref", `{"StringEquals":{"K:sub":"repo:birch/press:environment:live","K:ref":"refs/heads/main"}}`, []sandbox.Job{live}, []sandbox.Job{liveElsewhere, push}},
		{"environment claim", `{"StringEquals":{"K:environment":"live"}}`, []sandbox.Job{live, liveElsewhere}, []sandbox.Job{push}},
		{"called workflow", `{"StringLike":{"K:job_workflow_ref":"birch/ci/*"}}`, []sandbox.Job{called}, []sandbox.Job{push}},
		{"a claim that AWS has no key for", `{"StringEquals":{"K:runner_environment":"self-hosted"}}`, nil, []sandbox.Job{selfHosted, push}},
		{"whole repository", `{"StringLike":{"K:sub":"repo:birch/press:*"}}`, []sandbox.Job{push, pull, live}, []sandbox.Job{immutable}},
		{"keys of AWS that the sandbox knows", `{"StringLike":{"sts:RoleSessionName":"stint-*"},"DateLessThan":{"aws:CurrentTime":"2027-01-01"}}`, []sandbox.Job{push}, nil},
		{"what is not read refuses", `{"StringLike":{"aws:SourceVpc":"*"}}`, nil, []sandbox.Job{push}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, _ := start(t, sandbox.Options{Roles: []sandbox.Role{{ARN: roleARN, Trust: trustIf(tt.condition)}}})
			for _, j := range tt.admits {
				if _, body := post(t, s, assumeForm(token(t, s, j), nil)); errorCode(body) != "" {
					t.Errorf("refused %+v: %s", j, errorCode(body))
				}
			}
			for _, j := range tt.refuses {
				if _, body := post(t, s, assumeForm(token(t, s, j), nil)); errorCode(body) != "AccessDenied" {
					t.Errorf("admitted %+v: %q", j, errorCode(body))
				}
			}
		})
	}
}

// TestProviderName: with another name of the provider, keys and ARN have it.
func TestProviderName(t *testing.T) {
	t.Parallel()
	trust := strings.ReplaceAll(trustSub(mainSub), sandbox.DefaultProvider, "token.actions.birch.ghe.com")
	s, _ := start(t, sandbox.Options{
		Roles:  []sandbox.Role{{ARN: roleARN, Trust: trust}},
		Issuer: "https://token.actions.birch.ghe.com", Provider: "token.actions.birch.ghe.com",
	})
	if _, body := post(t, s, assumeForm(token(t, s, pushJob()), nil)); errorCode(body) != "" {
		t.Error(body)
	}
}

// TestFields holds each field to its bounds.
func TestFields(t *testing.T) {
	t.Parallel()
	role := shipRole()
	role.MaxSession = 2 * time.Hour
	s, _ := start(t, sandbox.Options{
		Roles:           []sandbox.Role{role},
		ManagedPolicies: map[string]string{"arn:aws:iam::444455556666:policy/p": `{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`},
	})
	raw := token(t, s, pushJob())
	policyOf := func(n int) string {
		const around = `{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::"}}`
		return strings.Replace(around, ":::", ":::"+strings.Repeat("b", n-len(around)), 1)
	}
	tests := []struct{ field, value, code string }{
		{"RoleSessionName", "a", "ValidationError"},
		{"RoleSessionName", "a b", "ValidationError"},
		{"RoleSessionName", strings.Repeat("a", 64), ""},
		{"RoleSessionName", strings.Repeat("a", 65), "ValidationError"},
		{"RoleSessionName", "run_1+=,.@-", ""},
		{"RoleSessionName", "run/1", "ValidationError"},
		{"RoleArn", "arn:aws:iam::1", "ValidationError"},
		{"RoleArn", "-", "ValidationError"},
		{"RoleArn", "arn:aws:iam::444455556666:role/nobody", "AccessDenied"},
		{"DurationSeconds", "899", "ValidationError"},
		{"DurationSeconds", "900", ""},
		{"DurationSeconds", "7200", ""},
		{"DurationSeconds", "7201", "ValidationError"},
		{"DurationSeconds", "43201", "ValidationError"},
		{"DurationSeconds", "99999999999999999999", "ValidationError"},
		{"DurationSeconds", "-900", "ValidationError"},
		{"DurationSeconds", "", "ValidationError"},
		{"Policy", policyOf(2048), ""},
		{"Policy", policyOf(2049), "PackedPolicyTooLarge"},
		{"Policy", "", "ValidationError"},
		{"Policy", "{", "MalformedPolicyDocument"},
		{"Policy", `{"Statement":{"Effect":"Allow","Action":"s3:*"}}`, "MalformedPolicyDocument"},
		{"Policy", `{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Principal":"*"}}`, "MalformedPolicyDocument"},
		{"Policy", `{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringIs":{"a:b":"c"}}}}`, "MalformedPolicyDocument"},
		{"Policy", `{"Id":"€","Statement":[]}`, "ValidationError"},
		{"PolicyArns.member.1.arn", "arn:aws:iam::444455556666:policy/p", ""},
		{"PolicyArns.member.1.arn", "arn:aws:iam::444455556666:policy/q", "MalformedPolicyDocument"},
		{"ProviderId", "www.amazon.com", "ValidationError"},
		{"WebIdentityToken", "-", "ValidationError"},
		{"Action", "AssumeRole", "InvalidAction"},
		{"Version", "2010-01-01", "InvalidAction"},
	}
	for _, tt := range tests {
		t.Run(tt.field, func(t *testing.T) {
			_, body := post(t, s, assumeForm(raw, map[string]string{tt.field: tt.value}))
			if errorCode(body) != tt.code {
				t.Errorf("%.60q: code %q, want %q", tt.value, errorCode(body), tt.code)
			}
		})
	}
}

// TestPackedPolicyText: the percentage is in the text, which stint repeats.
func TestPackedPolicyText(t *testing.T) {
	t.Parallel()
	s, _ := start(t, sandbox.Options{Roles: []sandbox.Role{shipRole()}})
	_, body := post(t, s, assumeForm(token(t, s, pushJob()), map[string]string{"Policy": strings.Repeat("x", 4096)}))
	if !strings.Contains(body, "Packed policy consumes 200% of allotted space") {
		t.Error(body)
	}
}

func TestFormIsStrict(t *testing.T) {
	t.Parallel()
	s, _ := start(t, sandbox.Options{Roles: []sandbox.Role{shipRole()}})
	form := assumeForm(token(t, s, pushJob()), nil).Encode()
	const urlencoded = "application/x-www-form-urlencoded"
	tests := []struct{ name, method, path, media, body, code string }{
		{"good", "POST", "/", urlencoded, form, ""},
		{"GET", "GET", "/?" + form, urlencoded, "", "ValidationError"},
		{"query", "POST", "/?Action=x", urlencoded, form, "ValidationError"},
		{"path", "POST", "/x", urlencoded, form, "ValidationError"},
		{"JSON", "POST", "/", "application/json", "{}", "ValidationError"},
		{"no form", "POST", "/", urlencoded, "%zz", "ValidationError"},
		{"a field twice", "POST", "/", urlencoded, form + "&RoleArn=x", "ValidationError"},
		{"too large", "POST", "/", urlencoded, form + "&x=" + strings.Repeat("a", 70<<10), "RequestEntityTooLarge"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRequest(t, tt.method, s.STSURL()+tt.path, strings.NewReader(tt.body))
			r.Header.Set("Content-Type", tt.media)
			if _, body := do(t, r); errorCode(body) != tt.code {
				t.Errorf("code %q, want %q", errorCode(body), tt.code)
			}
		})
	}
}

// TestRolesAreChecked: a sandbox with a role that is wrong does not start.
func TestRolesAreChecked(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*sandbox.Role){
		"the arn is not that of a role":       func(r *sandbox.Role) { r.ARN = "arn:aws:iam::444455556666:user/x" },
		"trust policy: policy:":               func(r *sandbox.Role) { r.Trust = "{}" },
		`exactly one of "Principal" and`:      func(r *sandbox.Role) { r.Trust = r.Policies[0] },
		"policy 1: policy:":                   func(r *sandbox.Role) { r.Policies = []string{"x"} },
		"a longest session of 13h0m0s is not": func(r *sandbox.Role) { r.MaxSession = 13 * time.Hour },
		"a longest session of 15m0s is not":   func(r *sandbox.Role) { r.MaxSession = 15 * time.Minute },
	} {
		role := shipRole()
		change(&role)
		_, err := sandbox.New(sandbox.Options{Roles: []sandbox.Role{role}, Key: signingKey()})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	_, err := sandbox.New(sandbox.Options{Roles: []sandbox.Role{shipRole(), shipRole()}, Key: signingKey()})
	if err == nil || !strings.Contains(err.Error(), "is declared twice") {
		t.Errorf("error %v", err)
	}
	_, err = sandbox.New(sandbox.Options{ManagedPolicies: map[string]string{"arn": "x"}, Key: signingKey()})
	if err == nil || !strings.Contains(err.Error(), `managed policy "arn"`) {
		t.Errorf("error %v", err)
	}
}
