package reconcile

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/receipt"
)

// Limits of what is kept.
const (
	maxCredentials = 100_000
	maxActions     = 8 // names of what one credential did
)

// slack is what a log's clock and ours may differ by. CloudTrail writes whole seconds.
const slack = 5 * time.Second

// A Class says why a credential is told of.
type Class string

// The classes.
const (
	Minted   Class = "minted"    // the log has its issue, and no receipt has
	Used     Class = "used"      // the log has its use, and neither has its issue
	AfterEnd Class = "after-end" // it has a receipt, and was used after the end that the receipts state
)

// A Finding is one credential that the receipts do not explain.
type Finding struct {
	Class       Class     `json:"class"`
	ID          string    `json:"id"`
	Role        string    `json:"role"`
	Session     string    `json:"session,omitempty"`
	Subject     string    `json:"subject,omitempty"` // of the id-token, for a minted one
	From        string    `json:"from,omitempty"`    // the first address
	First, Last time.Time `json:"-"`
	Events      int       `json:"events"`
	Actions     []string  `json:"actions"` // the first ones
}

// A Report is what came of the logs.
type Report struct {
	Records  int // of the roles in question
	Roles    []string
	Findings []Finding
	// Unseen are credentials with a receipt of which the logs have nothing.
	Unseen []string
}

// A Ledger holds what receipts say, and gathers what logs say. The zero value is of use.
type Ledger struct {
	issued   map[string]*issued // by credential id, and by "request " and the id of the request
	roles    map[string]bool    // keys of roles, as awsRole and vaultRole give them
	findings map[string]*Finding
	// tokens are the accessors in Vault's log, which may be hashes, by the login that they
	// came from.
	tokens  map[string]*issued
	records int
}

// An issued is a credential with a receipt.
type issued struct {
	id, role string
	end      time.Time // zero as long as no receipt has one
	seen     bool
}

func (l *Ledger) init() {
	if l.issued == nil {
		l.issued, l.roles, l.findings, l.tokens = map[string]*issued{}, map[string]bool{}, map[string]*Finding{}, map[string]*issued{}
	}
}

// AddReceipts takes what a chain of receipts says, of AWS and of Vault.
func (l *Ledger) AddReceipts(c *receipt.Chain) {
	l.init()
	for _, line := range c.Lines {
		switch e := line.Event; e.Kind {
		case receipt.Issuance, receipt.Refresh:
			l.addIssued(e)
		case receipt.End:
			// The time of one that may still be open is that of the attempt to end it.
			if i := l.issued[e.CredentialID]; i != nil && e.Ending != nil && e.Ending.Outcome != oidc.Open {
				i.end = e.Ending.At
			}
		}
	}
}

func (l *Ledger) addIssued(e receipt.Event) {
	role := awsRole(e.Identity)
	if e.Provider == "vault" {
		role = vaultRole(e.Identity)
	}
	if role == "" {
		return
	}
	l.roles[role] = true
	i := l.issued[e.CredentialID]
	if i == nil || e.CredentialID == "" {
		i = &issued{id: cmp.Or(e.CredentialID, e.Facts["request_id"]), role: role}
	}
	for _, key := range []string{e.CredentialID, requestKey(e.Facts["request_id"])} {
		if key != "" {
			l.issued[key] = i
		}
	}
}

func requestKey(id string) string {
	if id == "" {
		return ""
	}
	return "request " + id
}

// AddRole adds a role that the receipts need not name: the ARN of one of AWS, or
// MOUNT/ROLE for Vault.
func (l *Ledger) AddRole(name string) error {
	l.init()
	role := awsRole(name)
	if mount, vault, ok := strings.Cut(name, "/"); role == "" && ok && mount != "" && vault != "" && !strings.Contains(name, ":") {
		role = name
	}
	if role == "" {
		return &oidc.Error{Message: "a role is not one of AWS or Vault", Hint: "write arn:aws:iam::111122223333:role/NAME, or MOUNT/ROLE for Vault"}
	}
	l.roles[role] = true
	return nil
}

// awsRole is the account and name of a role, from its ARN or from that of a session of
// it, and "" for anything else. The ARN of a session does not have the role's path.
func awsRole(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return ""
	}
	path := strings.Split(parts[5], "/")
	switch {
	case parts[2] == "sts" && path[0] == "assumed-role" && len(path) == 3:
		return parts[4] + ":" + path[1]
	case parts[2] == "iam" && path[0] == "role" && len(path) > 1:
		return parts[4] + ":" + path[len(path)-1]
	}
	return ""
}

// vaultRole is MOUNT/ROLE of an identity SERVER/auth/MOUNT/role/ROLE.
func vaultRole(identity string) string {
	_, rest, ok := strings.Cut(identity, "/auth/")
	mount, role, whole := strings.Cut(rest, "/role/")
	if !ok || !whole || mount == "" || role == "" {
		return ""
	}
	return mount + "/" + role
}

// An event is one record of a log about a role in question.
type event struct {
	at                               time.Time
	role, id, session, subject, from string
	action                           string
}

// find adds an event to the finding of its credential.
func (l *Ledger) find(class Class, e event) error {
	f := l.findings[e.id]
	if f == nil {
		if len(l.findings) == maxCredentials {
			return logError("it has more than the largest number of unknown credentials that are told")
		}
		f = &Finding{Class: class, ID: e.id, Role: e.role, First: e.at, Last: e.at}
		l.findings[e.id] = f
	}
	if class == Minted {
		f.Class = Minted
	}
	f.Session, f.Subject, f.From = cmp.Or(f.Session, e.session), cmp.Or(f.Subject, e.subject), cmp.Or(f.From, e.from)
	if e.at.Before(f.First) {
		f.First = e.at
	}
	if e.at.After(f.Last) {
		f.Last = e.at
	}
	f.Events++
	if len(f.Actions) < maxActions && !slices.Contains(f.Actions, e.action) {
		f.Actions = append(f.Actions, e.action)
	}
	return nil
}

// late reports whether a use comes after the end that the receipts state.
func (i *issued) late(at time.Time) bool { return !i.end.IsZero() && at.After(i.end.Add(slack)) }

// Report says what the logs hold that the receipts do not explain, the first first.
func (l *Ledger) Report() Report {
	l.init()
	r := Report{Records: l.records, Roles: slices.Sorted(maps.Keys(l.roles))}
	for _, f := range l.findings {
		r.Findings = append(r.Findings, *f)
	}
	slices.SortFunc(r.Findings, func(a, b Finding) int { return cmp.Or(a.First.Compare(b.First), cmp.Compare(a.ID, b.ID)) })
	for _, i := range l.issued {
		if !i.seen {
			r.Unseen = append(r.Unseen, i.id)
		}
	}
	slices.Sort(r.Unseen)
	r.Unseen = slices.Compact(r.Unseen)
	return r
}
