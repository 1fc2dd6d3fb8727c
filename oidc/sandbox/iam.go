package sandbox

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stint-dev/stint/oidc/providers/aws/policy"
)

// IAM, as far as drift reads it: what a role trusts, and which audiences the identity
// provider takes. It is served where the STS is.
const (
	apiVersionIAM = "2010-05-08"
	iamNamespace  = "https://iam.amazonaws.com/doc/2010-05-08/"

	actionGetRole     = "GetRole"
	actionGetProvider = "GetOpenIDConnectProvider"
)

var actionsIAM = []string{actionGetRole, actionGetProvider}

type xmlGetRole struct {
	XMLName xml.Name `xml:"GetRoleResponse"`
	Xmlns   string   `xml:"xmlns,attr"`
	Role    struct {
		Path, RoleName           string
		RoleID                   string `xml:"RoleId"`
		Arn                      string
		AssumeRolePolicyDocument string // URL-encoded
		MaxSessionDuration       int
	} `xml:"GetRoleResult>Role"`
	ResponseMetadata metadata
}

type xmlGetProvider struct {
	XMLName xml.Name `xml:"GetOpenIDConnectProviderResponse"`
	Xmlns   string   `xml:"xmlns,attr"`
	Result  struct {
		URL       string   `xml:"Url"`
		ClientIDs []string `xml:"ClientIDList>member"`
	} `xml:"GetOpenIDConnectProviderResult"`
	ResponseMetadata metadata
}

// serveIAM answers a signed request of a session that may read what it asks for. The
// account is the session's own: IAM has no other.
func (s *Sandbox) serveIAM(w http.ResponseWriter, r *http.Request, body []byte, form url.Values, note *entry) *apiError {
	open, failure := s.authenticate(r, body, "iam")
	if failure != nil {
		return failure
	}
	note.role, note.session = open.role.arn, open.name
	if note.action == actionGetRole {
		return s.getRole(w, open, form.Get("RoleName"), note)
	}
	return s.getProvider(w, open, form.Get("OpenIDConnectProviderArn"), note)
}

// mayRead asks the session's policies.
func (s *Sandbox) mayRead(open *session, arn string, note *entry) *apiError {
	decision := s.authorize(open, "iam:"+note.action, arn)
	note.why = decision.Why
	if decision.Outcome != policy.Allow {
		return &apiError{http.StatusForbidden, "AccessDenied", "User: " + open.arn() + " is not authorized to perform: iam:" + note.action + " on resource: " + arn, decision.Why}
	}
	return nil
}

func (s *Sandbox) getRole(w http.ResponseWriter, open *session, name string, note *entry) *apiError {
	var found *role
	for _, one := range s.roles {
		if one.name == name && one.account == open.role.account && one.partition == open.role.partition {
			found = one
		}
	}
	arn := "arn:" + open.role.partition + ":iam::" + open.role.account + ":role/" + name
	if found != nil {
		arn = found.arn
	}
	if failure := s.mayRead(open, arn, note); failure != nil {
		return failure
	}
	if found == nil {
		return &apiError{http.StatusNotFound, "NoSuchEntity", "The role with name " + name + " cannot be found.", ""}
	}
	reply := &xmlGetRole{Xmlns: iamNamespace, ResponseMetadata: metadata{note.request}}
	_, path, _ := strings.Cut(found.arn, ":role")
	reply.Role.Path, reply.Role.RoleName = strings.TrimSuffix(path, name), name
	reply.Role.RoleID, reply.Role.Arn = found.id, found.arn
	reply.Role.AssumeRolePolicyDocument = awsEscape(found.text, false)
	reply.Role.MaxSessionDuration = int(found.maxSession / time.Second)
	writeXML(w, http.StatusOK, note, reply)
	return nil
}

func (s *Sandbox) getProvider(w http.ResponseWriter, open *session, arn string, note *entry) *apiError {
	if failure := s.mayRead(open, arn, note); failure != nil {
		return failure
	}
	if arn != policy.ProviderARN(open.role.partition, open.role.account, s.opts.Provider) {
		return &apiError{http.StatusNotFound, "NoSuchEntity", "OpenIDConnect Provider not found for arn " + arn, ""}
	}
	reply := &xmlGetProvider{Xmlns: iamNamespace, ResponseMetadata: metadata{note.request}}
	reply.Result.URL, reply.Result.ClientIDs = s.opts.Provider, s.opts.Audiences
	writeXML(w, http.StatusOK, note, reply)
	return nil
}
