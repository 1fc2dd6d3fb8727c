package sandbox

import (
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stint-dev/stint/oidc/providers/aws/policy"
)

// Bounds of AssumeRoleWithWebIdentity (AWS STS API reference).
const (
	apiVersionSTS   = "2011-06-15"
	minDuration     = 900 * time.Second
	maxDuration     = 12 * time.Hour
	defaultDuration = time.Hour
	maxPolicyChars  = 2048
)

var sessionName = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)

// validation is the answer to a field outside its bounds. The value is not
// repeated: it may be a token.
func validation(field, constraint string) *apiError {
	return &apiError{
		status: http.StatusBadRequest, code: "ValidationError",
		message: fmt.Sprintf("1 validation error detected: Value at '%s' failed to satisfy constraint: %s", field, constraint),
	}
}

func (s *Sandbox) serveSTS(w http.ResponseWriter, r *http.Request, note *entry) {
	body, failure := readBody(w, r, maxFormBytes)
	if failure == nil {
		failure = s.dispatch(w, r, body, note)
	}
	if failure != nil {
		writeError(w, note, failure)
	}
}

func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, *apiError) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		return nil, &apiError{status: http.StatusRequestEntityTooLarge, code: "RequestEntityTooLarge", message: "The request is too large or was cut off"}
	}
	return body, nil
}

func (s *Sandbox) dispatch(w http.ResponseWriter, r *http.Request, body []byte, note *entry) *apiError {
	form, failure := parseForm(r, body)
	if failure != nil {
		return failure
	}
	switch action := form.Get("Action"); action {
	case "AssumeRoleWithWebIdentity":
		note.action = action
		return s.assumeRole(w, form, note)
	case "GetCallerIdentity":
		note.action = action
		return s.callerIdentity(w, r, body, note)
	case actionGetRole, actionGetProvider:
		note.action = action
		return s.serveIAM(w, r, body, form, note)
	default:
		return &apiError{status: http.StatusBadRequest, code: "InvalidAction", message: "Could not find operation for version " + apiVersionSTS}
	}
}

func parseForm(r *http.Request, body []byte) (url.Values, *apiError) {
	bad := func(message string) *apiError {
		return &apiError{status: http.StatusBadRequest, code: "ValidationError", message: message}
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.Method != http.MethodPost || r.URL.Path != "/" || r.URL.RawQuery != "" || err != nil || media != "application/x-www-form-urlencoded" {
		return nil, bad("The sandbox takes a POST of a form to /")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, bad("The form cannot be read")
	}
	for _, name := range slices.Sorted(maps.Keys(form)) {
		if len(form[name]) > 1 {
			return nil, bad("A parameter is given twice")
		}
	}
	version := apiVersionSTS
	if slices.Contains(actionsIAM, form.Get("Action")) {
		version = apiVersionIAM
	}
	if form.Get("Version") != version {
		return nil, &apiError{status: http.StatusBadRequest, code: "InvalidAction", message: "The version must be " + version}
	}
	return form, nil
}

// notAuthorized is the one text that AWS has for a role that does not exist and
// one that does not trust the token; the log says which.
func notAuthorized(why string) *apiError {
	return &apiError{
		status: http.StatusForbidden, code: "AccessDenied",
		message: "Not authorized to perform sts:AssumeRoleWithWebIdentity", why: why,
	}
}

// assumeRole checks the fields, the token, the role's trust, in that order, and
// opens a session.
func (s *Sandbox) assumeRole(w http.ResponseWriter, form url.Values, note *entry) *apiError {
	ask, failure := s.parseAssumeRole(form)
	if failure != nil {
		return failure
	}
	note.role, note.session = ask.role, ask.name
	id, failure := s.verify(ask.token)
	if failure != nil {
		return failure
	}
	note.claims = digest(id.payload)
	role := s.roles[ask.role]
	if role == nil {
		return notAuthorized("no such role")
	}
	if ask.duration > role.maxSession {
		return &apiError{
			status: http.StatusBadRequest, code: "ValidationError",
			message: "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
		}
	}
	decision := role.trust.Evaluate(s.trustRequest(role, id, ask))
	note.why = decision.Why
	if decision.Outcome != policy.Allow {
		return notAuthorized(decision.Why)
	}
	now := s.opts.Now()
	open := &session{
		role: role, name: ask.name, policies: ask.policies, issued: now, expires: now.Add(ask.duration),
		provider: policy.ProviderARN(role.partition, role.account, s.opts.Provider),
	}
	s.sessions.open(open)
	writeXML(w, http.StatusOK, note, assumeRoleReply(open, id, ask, note.request))
	return nil
}

func assumeRoleReply(open *session, id *webIdentity, ask *assumeRoleRequest, request string) *xmlAssumeRole {
	reply := &xmlAssumeRole{Xmlns: stsNamespace, ResponseMetadata: metadata{request}}
	result := &reply.Result
	result.AssumedRoleUser.AssumedRoleID = open.userID()
	result.AssumedRoleUser.Arn = open.arn()
	result.Credentials.AccessKeyID = open.accessKey
	result.Credentials.SecretAccessKey = open.secretKey
	result.Credentials.SessionToken = open.token
	result.Credentials.Expiration = xmlTime(open.expires)
	result.SubjectFromWebIdentityToken = id.subject
	result.Audience = id.audience
	result.Provider = open.provider
	result.PackedPolicySize = ask.packed
	return reply
}

// trustRequest is what the trust policy is asked. Keys of AWS that are not set
// here are unknown, so a condition on them refuses and the log says so.
func (s *Sandbox) trustRequest(r *role, id *webIdentity, ask *assumeRoleRequest) policy.Request {
	request := policy.WebIdentityRequest(r.partition, r.account, s.opts.Provider, id.claims)
	for key, value := range s.commonContext() {
		request.Context[key] = value
	}
	request.Context["sts:RoleSessionName"] = []string{ask.name}
	request.Context["aws:FederatedProvider"] = request.Principal.IDs
	return request
}

// commonContext are the keys of AWS that every request has.
func (s *Sandbox) commonContext() map[string][]string {
	now := s.opts.Now()
	return map[string][]string{
		"aws:CurrentTime":     {xmlTime(now)},
		"aws:EpochTime":       {strconv.FormatInt(now.Unix(), 10)},
		"aws:SecureTransport": {"false"},
		"aws:SourceIp":        {"127.0.0.1"},
	}
}

// An assumeRoleRequest is a request whose fields are within their bounds.
type assumeRoleRequest struct {
	role, name, token string
	duration          time.Duration
	policies          []*policy.Document // the session's, managed ones included
	packed            int                // percent
}

func (s *Sandbox) parseAssumeRole(form url.Values) (*assumeRoleRequest, *apiError) {
	ask := &assumeRoleRequest{
		role: form.Get("RoleArn"), name: form.Get("RoleSessionName"), token: form.Get("WebIdentityToken"),
		duration: defaultDuration,
	}
	switch {
	case len(ask.role) < 20 || len(ask.role) > 2048:
		return nil, validation("roleArn", "Member must have length between 20 and 2048")
	case !sessionName.MatchString(ask.name):
		return nil, validation("roleSessionName", `Member must satisfy regular expression pattern: [\w+=,.@-]{2,64}`)
	case form.Has("ProviderId"):
		return nil, &apiError{status: http.StatusBadRequest, code: "ValidationError", message: "ProviderId is not for OpenID Connect tokens"}
	}
	if failure := ask.setDuration(form); failure != nil {
		return nil, failure
	}
	return ask, s.setPolicies(ask, form)
}

func (ask *assumeRoleRequest) setDuration(form url.Values) *apiError {
	if !form.Has("DurationSeconds") {
		return nil
	}
	seconds, err := strconv.Atoi(form.Get("DurationSeconds"))
	// The first bound keeps the product below from overflowing.
	if err != nil || seconds > int(maxDuration/time.Second) {
		return validation("durationSeconds", "Member must have value less than or equal to 43200")
	}
	ask.duration = time.Duration(seconds) * time.Second
	if ask.duration < minDuration {
		return validation("durationSeconds", "Member must have value greater than or equal to 900")
	}
	return nil
}

// setPolicies reads the session policies. AWS packs them in a form that it does
// not document; the sandbox reports the text and the ARNs as percent of 2,048
// characters and so never refuses what is within that bound.
func (s *Sandbox) setPolicies(ask *assumeRoleRequest, form url.Values) *apiError {
	chars, failure := s.setManaged(ask, form)
	if failure != nil {
		return failure
	}
	text := form.Get("Policy")
	if form.Has("Policy") && text == "" {
		return validation("policy", "Member must have length greater than or equal to 1")
	}
	chars += utf8.RuneCountInString(text)
	ask.packed = (chars*100 + maxPolicyChars - 1) / maxPolicyChars
	switch {
	case chars > maxPolicyChars:
		return &apiError{
			status: http.StatusBadRequest, code: "PackedPolicyTooLarge",
			message: fmt.Sprintf("Packed policy consumes %d%% of allotted space, please use smaller policy.", ask.packed),
		}
	case strings.ContainsFunc(text, outsidePolicyCharset):
		return validation("policy", `Member must satisfy regular expression pattern: [\t\n\r\x20-\xFF]+`)
	case text == "":
		return nil
	}
	doc, err := policy.Parse(policy.Identity, []byte(text))
	if err != nil {
		return malformed(err.Error())
	}
	if !doc.Valid() {
		return malformed(doc.Notes[0].Text)
	}
	ask.policies = append(ask.policies, doc)
	return nil
}

func malformed(why string) *apiError {
	return &apiError{status: http.StatusBadRequest, code: "MalformedPolicyDocument", message: "Syntax errors in policy.", why: why}
}

// maxManaged is how many managed policies a session may name.
const maxManaged = 10

// setManaged looks up PolicyArns.member.N.arn, N from 1 without gaps, and returns
// the length of the ARNs.
func (s *Sandbox) setManaged(ask *assumeRoleRequest, form url.Values) (chars int, failure *apiError) {
	for n := 1; ; n++ {
		arn := form.Get(fmt.Sprintf("PolicyArns.member.%d.arn", n))
		switch {
		case arn == "":
			return chars, nil
		case n > maxManaged:
			return 0, validation("policyArns", "Member must have length less than or equal to 10")
		case s.managed[arn] == nil:
			return 0, malformed("no such managed policy")
		}
		chars += len(arn)
		ask.policies = append(ask.policies, s.managed[arn])
	}
}

func outsidePolicyCharset(r rune) bool {
	return r > 0xFF || r < 0x20 && r != '\t' && r != '\n' && r != '\r'
}

// callerIdentity needs no permission, only a signature.
func (s *Sandbox) callerIdentity(w http.ResponseWriter, r *http.Request, body []byte, note *entry) *apiError {
	open, failure := s.authenticate(r, body, "sts")
	if failure != nil {
		return failure
	}
	note.role, note.session = open.role.arn, open.name
	reply := &xmlCallerIdentity{Xmlns: stsNamespace, ResponseMetadata: metadata{note.request}}
	reply.Result.Arn, reply.Result.UserID, reply.Result.Account = open.arn(), open.userID(), open.role.account
	writeXML(w, http.StatusOK, note, reply)
	return nil
}
