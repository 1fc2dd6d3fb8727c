package sandbox

import (
	"net/http"
	"strings"
	"sync"

	"github.com/stint-dev/stint/oidc/providers/aws/policy"
)

// Bounds of the object store.
const (
	maxObjectBytes = 1 << 20
	maxObjects     = 1000
)

// objects are what was put, by bucket/key. Every bucket name exists.
type objects struct {
	mu    sync.Mutex
	bytes map[string][]byte
}

func newObjects() *objects { return &objects{bytes: map[string][]byte{}} }

// storeActions are the methods that are served and the action that each needs.
var storeActions = map[string]string{
	http.MethodGet: "s3:GetObject", http.MethodHead: "s3:GetObject",
	http.MethodPut: "s3:PutObject", http.MethodDelete: "s3:DeleteObject",
}

// serveStore answers GET, HEAD, PUT and DELETE of /bucket/key.
func (s *Sandbox) serveStore(w http.ResponseWriter, r *http.Request, note *entry) {
	body, failure := readBody(w, r, maxObjectBytes)
	if failure == nil {
		failure = s.authorizeStore(r, body, note)
	}
	if failure == nil {
		failure = s.objects.do(w, r.Method, r.URL.Path, body)
	}
	if failure != nil {
		writeError(w, note, failure)
	}
}

// authorizeStore checks the signature, then asks the role's policies and the
// session policy, which must both allow.
func (s *Sandbox) authorizeStore(r *http.Request, body []byte, note *entry) *apiError {
	bucket, key, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	action := storeActions[r.Method]
	if !ok || bucket == "" || key == "" || action == "" {
		return &apiError{http.StatusNotImplemented, "NotImplemented", "The sandbox serves GET, HEAD, PUT and DELETE of /bucket/key", ""}
	}
	note.action = action
	open, failure := s.authenticate(r, body, "s3")
	if failure != nil {
		return failure
	}
	note.role, note.session = open.role.arn, open.name
	decision := s.authorize(open, action, "arn:"+open.role.partition+":s3:::"+bucket+"/"+key)
	note.why = decision.Why
	if decision.Outcome != policy.Allow {
		return &apiError{http.StatusForbidden, "AccessDenied", "Access Denied", decision.Why}
	}
	return nil
}

// authorize is the intersection of the role's policies and the session policy.
func (s *Sandbox) authorize(open *session, action, resource string) policy.Decision {
	request := policy.Request{
		Principal: policy.Caller{Type: "AWS", IDs: []string{open.arn(), open.role.arn}},
		Action:    action, Resource: resource,
		Context: s.commonContext(), Unknown: policy.ServiceKey,
	}
	for key, value := range map[string]string{
		"aws:PrincipalArn": open.role.arn, "aws:PrincipalAccount": open.role.account,
		"aws:PrincipalType": "AssumedRole", "aws:userid": open.userID(),
		"aws:TokenIssueTime": xmlTime(open.issued), "aws:FederatedProvider": open.provider,
	} {
		request.Context[key] = []string{value}
	}
	decision := policy.Evaluate(request, open.role.policies...)
	decision.Why = "role: " + decision.Why
	if len(open.policies) == 0 {
		return decision
	}
	session := policy.Evaluate(request, open.policies...)
	session.Why = "session policy: " + session.Why
	return policy.Intersect(decision, session)
}

// do carries out an authorised request.
func (o *objects) do(w http.ResponseWriter, method, path string, body []byte) *apiError {
	o.mu.Lock()
	defer o.mu.Unlock()
	stored, exists := o.bytes[path]
	switch method {
	case http.MethodPut:
		if !exists && len(o.bytes) >= maxObjects {
			return &apiError{http.StatusInsufficientStorage, "TooManyObjects", "The sandbox is full", ""}
		}
		o.bytes[path] = body
		w.WriteHeader(http.StatusOK)
	case http.MethodDelete:
		delete(o.bytes, path)
		w.WriteHeader(http.StatusNoContent)
	default:
		if !exists {
			return &apiError{http.StatusNotFound, "NoSuchKey", "The specified key does not exist.", ""}
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(stored) // an error here is the client's hanging up
	}
	return nil
}
