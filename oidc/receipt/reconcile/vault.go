package reconcile

import (
	"io"
	"strings"
	"time"
)

// An entry is what matters of one of Vault's audit log. Accessors are hashes unless the
// device says hmac_accessor=false; ids of requests are not.
type entry struct {
	Time time.Time `json:"time"`
	Type string    `json:"type"`
	Auth struct {
		Accessor string            `json:"accessor"`
		Metadata map[string]string `json:"metadata"`
	} `json:"auth"`
	Request struct {
		ID        string `json:"id"`
		Operation string `json:"operation"`
		Path      string `json:"path"`
		Address   string `json:"remote_address"`
	} `json:"request"`
	Response struct {
		Auth struct {
			Accessor    string            `json:"accessor"`
			DisplayName string            `json:"display_name"`
			Metadata    map[string]string `json:"metadata"`
		} `json:"auth"`
	} `json:"response"`
	Error string `json:"error"`
}

// AddVault reads an audit log of Vault or OpenBao, an entry a line, plain or gzip, from
// its beginning: tokens are known by the login that gave them. A login is that of a
// receipt by the id of its request, or by its accessor where the log has that plain.
func (l *Ledger) AddVault(r io.Reader) error {
	l.init()
	return values(r, func(e *entry) error {
		mount, isLogin := strings.CutSuffix(strings.TrimPrefix(e.Request.Path, "auth/"), "/login")
		switch {
		case e.Type != "response":
			return nil
		case isLogin && e.Response.Auth.Accessor != "" && e.Error == "":
			return l.takeLogin(e, mount+"/"+e.Response.Auth.Metadata["role"])
		}
		return l.takeRequest(e)
	})
}

func (l *Ledger) takeLogin(e *entry, role string) error {
	if !l.roles[role] {
		return nil
	}
	l.records++
	accessor := e.Response.Auth.Accessor
	i := l.issued[requestKey(e.Request.ID)]
	if i == nil {
		i = l.issued[accessor]
	}
	if i != nil {
		i.seen = true
		l.tokens[accessor] = i
		return nil
	}
	return l.find(Minted, event{at: e.Time, role: role, id: accessor, session: e.Response.Auth.DisplayName, from: e.Request.Address, action: "login"})
}

func (l *Ledger) takeRequest(e *entry) error {
	accessor := e.Auth.Accessor
	used := event{at: e.Time, id: accessor, from: e.Request.Address, action: e.Request.Operation + " " + e.Request.Path}
	if f := l.findings[accessor]; f != nil {
		l.records++
		return l.find(f.Class, used)
	}
	i := l.tokens[accessor]
	if i == nil {
		return nil
	}
	l.records++
	if i.late(e.Time) {
		used.role, used.id = i.role, i.id
		return l.find(AfterEnd, used)
	}
	return nil
}
