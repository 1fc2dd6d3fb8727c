package reconcile

import (
	"encoding/json"
	"io"
	"strings"
	"time"
)

// A document is a file that CloudTrail delivers, a reply of lookup-events, or one record
// of a file with a record a line.
type document struct {
	Records []record
	Events  []struct{ CloudTrailEvent string }
	record
}

// A record is what matters of CloudTrail's (its record contents, event version 1.11).
type record struct {
	EventTime       time.Time `json:"eventTime"`
	EventSource     string    `json:"eventSource"`
	EventName       string    `json:"eventName"`
	ErrorCode       string    `json:"errorCode"`
	SourceIPAddress string    `json:"sourceIPAddress"`
	UserIdentity    struct {
		ARN            string `json:"arn"`
		AccessKeyID    string `json:"accessKeyId"`
		UserName       string `json:"userName"`
		SessionContext struct {
			SessionIssuer struct {
				ARN string `json:"arn"`
			} `json:"sessionIssuer"`
		} `json:"sessionContext"`
	} `json:"userIdentity"`
	RequestParameters lenient[struct {
		RoleARN         string `json:"roleArn"`
		RoleSessionName string `json:"roleSessionName"`
	}] `json:"requestParameters"`
	ResponseElements lenient[struct {
		Credentials struct {
			AccessKeyID string `json:"accessKeyId"`
		} `json:"credentials"`
	}] `json:"responseElements"`
}

// A lenient value stays empty where the JSON has another form: the same field is of
// every form, by the service that wrote it.
type lenient[T any] struct{ V T }

// UnmarshalJSON reads the value if it has the form.
func (l *lenient[T]) UnmarshalJSON(b []byte) error {
	var v T
	if json.Unmarshal(b, &v) == nil {
		l.V = v
	}
	return nil
}

// AddCloudTrail reads a log of CloudTrail: a delivered file, the output of aws cloudtrail
// lookup-events, or a record a line; plain or gzip.
func (l *Ledger) AddCloudTrail(r io.Reader) error {
	l.init()
	return values(r, func(d *document) error {
		list := d.Records
		for _, e := range d.Events {
			var one record
			if json.Unmarshal([]byte(e.CloudTrailEvent), &one) != nil {
				return logError("an event of it is not JSON")
			}
			list = append(list, one)
		}
		for _, one := range append(list, d.record) {
			if err := l.takeRecord(one); err != nil {
				return err
			}
		}
		return nil
	})
}

func (l *Ledger) takeRecord(r record) error {
	if role := awsRole(r.RequestParameters.V.RoleARN); l.roles[role] && strings.HasPrefix(r.EventName, "AssumeRole") {
		return l.takeMinted(r, role)
	}
	user := r.UserIdentity
	role := awsRole(user.SessionContext.SessionIssuer.ARN)
	if role == "" {
		role = awsRole(user.ARN)
	}
	if !l.roles[role] || user.AccessKeyID == "" {
		return nil
	}
	l.records++
	e := event{at: r.EventTime, role: role, id: user.AccessKeyID, session: sessionOf(user.ARN), from: r.SourceIPAddress, action: r.action()}
	i := l.issued[e.id]
	switch {
	case i == nil:
		return l.find(Used, e)
	case i.late(e.at):
		i.seen = true
		return l.find(AfterEnd, e)
	}
	i.seen = true
	return nil
}

// takeMinted takes an exchange for a role. One that was refused gave nothing.
func (l *Ledger) takeMinted(r record, role string) error {
	l.records++
	id := r.ResponseElements.V.Credentials.AccessKeyID
	if r.ErrorCode != "" || id == "" {
		return nil
	}
	if i := l.issued[id]; i != nil {
		i.seen = true
		return nil
	}
	return l.find(Minted, event{at: r.EventTime, role: role, id: id, session: r.RequestParameters.V.RoleSessionName,
		subject: r.UserIdentity.UserName, from: r.SourceIPAddress, action: r.action()})
}

func (r record) action() string {
	service, _, _ := strings.Cut(r.EventSource, ".")
	name := service + ":" + r.EventName
	if r.ErrorCode != "" {
		name += " (" + r.ErrorCode + ")"
	}
	return name
}

// sessionOf is the name of the session that an ARN is of.
func sessionOf(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }
