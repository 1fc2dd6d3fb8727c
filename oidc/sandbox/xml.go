package sandbox

import (
	"encoding/xml"
	"net/http"
	"time"
)

const stsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/"

// An apiError is an error answer of the STS or the store. message is shown to the
// client, why goes to the log only.
type apiError struct {
	status  int
	code    string
	message string
	why     string
}

type metadata struct {
	RequestID string `xml:"RequestId"`
}

type xmlError struct {
	XMLName xml.Name `xml:"ErrorResponse"`
	Xmlns   string   `xml:"xmlns,attr"`
	Error   struct {
		Type    string
		Code    string
		Message string
	}
	metadata
}

// xmlStoreError is the shape of S3, which has no envelope.
type xmlStoreError struct {
	XMLName xml.Name `xml:"Error"`
	Code    string
	Message string
	metadata
}

type xmlAssumeRole struct {
	XMLName xml.Name `xml:"AssumeRoleWithWebIdentityResponse"`
	Xmlns   string   `xml:"xmlns,attr"`
	Result  struct {
		AssumedRoleUser struct {
			AssumedRoleID string `xml:"AssumedRoleId"`
			Arn           string
		}
		Credentials struct {
			AccessKeyID     string `xml:"AccessKeyId"`
			SecretAccessKey string
			SessionToken    string
			Expiration      string
		}
		SubjectFromWebIdentityToken string
		Audience                    string
		Provider                    string
		PackedPolicySize            int `xml:",omitempty"`
	} `xml:"AssumeRoleWithWebIdentityResult"`
	ResponseMetadata metadata
}

type xmlCallerIdentity struct {
	XMLName xml.Name `xml:"GetCallerIdentityResponse"`
	Xmlns   string   `xml:"xmlns,attr"`
	Result  struct {
		Arn     string
		UserID  string `xml:"UserId"`
		Account string
	} `xml:"GetCallerIdentityResult"`
	ResponseMetadata metadata
}

func xmlTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func writeXML(w http.ResponseWriter, status int, note *entry, v any) {
	w.Header().Set("Content-Type", "text/xml")
	w.Header().Set("X-Amzn-Requestid", note.request)
	w.WriteHeader(status)
	_ = xml.NewEncoder(w).Encode(v) // an error here is the client's hanging up
}

// writeError answers in the shape of the endpoint that was asked.
func writeError(w http.ResponseWriter, note *entry, e *apiError) {
	note.code, note.why = e.code, e.why
	if note.endpoint == EndpointStore {
		writeXML(w, e.status, note, &xmlStoreError{Code: e.code, Message: e.message, metadata: metadata{note.request}})
		return
	}
	reply := &xmlError{Xmlns: stsNamespace, metadata: metadata{note.request}}
	reply.Error.Type = "Sender"
	if e.status >= http.StatusInternalServerError {
		reply.Error.Type = "Receiver"
	}
	reply.Error.Code, reply.Error.Message = e.code, e.message
	writeXML(w, e.status, note, reply)
}
