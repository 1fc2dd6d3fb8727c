package reach

import (
	"slices"
	"strings"

	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// EverySecret is the name of the credential that stands for all secrets of a
// repository at once.
const EverySecret = "every secret"

// A ledger collects the credentials of one job, one entry a kind and name.
type ledger struct {
	job  *Job
	seen map[string]*Credential
}

func (l *ledger) add(c Credential, at Site) {
	key := string(c.Kind) + "\x00" + c.Name
	known := l.seen[key]
	if known == nil {
		known = &c
		l.seen[key] = known
		l.job.Credentials = append(l.job.Credentials, known)
	}
	known.Writes = known.Writes || c.Writes
	known.Lifetime = max(known.Lifetime, c.Lifetime)
	if !slices.Contains(known.Enters, at) {
		known.Enters = append(known.Enters, at)
	}
}

// addCredentials collects what could be taken from the job.
func (g *Graph) addCredentials(job *Job) {
	l := &ledger{job, map[string]*Credential{}}
	l.addToken()
	l.addWritten(job.File, job.Job.Workflow.Env)
	job.Job.Scalars(func(s *workflows.Scalar) { l.addSecrets(job.File, s) })
	l.addPassed()
	for _, p := range g.steps(job) {
		l.addMinted(p)
	}
}

// addToken adds the repository token and the id-token capability.
func (l *ledger) addToken() {
	job := l.job
	at := Site{job.File, job.Job.IDSpan}
	if job.Token.Block != nil && !job.Token.Block.KeySpan.IsZero() && job.Token.Origin == workflows.OriginJob {
		at.Span = job.Token.Block.KeySpan
	}
	if job.Token.Of("id-token") == workflows.AccessWrite && job.Token.Origin != workflows.OriginDefault {
		l.add(Credential{Kind: IDToken, Name: "id-token", Lifetime: ForJob, Writes: true}, at)
	}
	if job.Token.Origin != workflows.OriginDefault && job.Token.All == workflows.AccessNone && !anyScope(job.Token) {
		return // permissions: {} leaves a token that opens nothing
	}
	scopes := slices.DeleteFunc(job.Token.Writes(), func(s string) bool { return s == "id-token" })
	unknown := job.Token.Origin == workflows.OriginDefault
	l.add(Credential{
		Kind: RepositoryToken, Name: "GITHUB_TOKEN", Lifetime: ForJob, Opens: "github",
		Writes: len(scopes) > 0 || unknown, Scopes: scopes, Default: unknown,
	}, at)
}

func anyScope(e workflows.Effective) bool {
	for name, a := range e.Scopes {
		if a > workflows.AccessNone && name != "id-token" {
			return true
		}
	}
	return false
}

func (l *ledger) addWritten(f *workflows.File, m *workflows.Map) {
	for _, e := range m.All() {
		l.addSecrets(f, e.Value)
	}
	if m != nil && m.Whole != nil {
		l.addSecrets(f, m.Whole)
	}
}

// addSecrets adds the secrets that the expressions of a value name.
func (l *ledger) addSecrets(f *workflows.File, s *workflows.Scalar) {
	for _, e := range s.Exprs {
		for _, r := range e.Refs() {
			if r.Base != nil || len(r.Parts) == 0 || r.Parts[0].Name != "secrets" {
				continue
			}
			at := Site{f, r.Span}
			if len(r.Parts) == 1 || r.Parts[1].Name == "" || r.Parts[1].Name == "*" {
				l.addEvery(at)
				continue
			}
			l.addNamed(r.Parts[1].Raw, at)
		}
	}
}

func (l *ledger) addEvery(at Site) {
	l.add(Credential{Kind: StoredSecret, Name: EverySecret, Lifetime: Standing, Writes: true, All: true}, at)
}

// addNamed adds one stored secret by its name; in a called workflow that is the
// name that its callers give.
func (l *ledger) addNamed(name string, at Site) {
	if strings.EqualFold(name, "GITHUB_TOKEN") {
		return // the repository token, which is there already
	}
	for _, n := range l.callerNames(name) {
		if c, ok := stored(n); ok {
			l.add(c, at)
		}
	}
}

// stored makes the credential of a stored secret, and false for names that hold
// no secret in practice (account ids, regions, role names).
func stored(name string) (Credential, bool) {
	info := platform.LookupSecret(name)
	if info.Public {
		return Credential{}, false
	}
	c := Credential{Kind: StoredSecret, Name: name, Lifetime: Standing, Opens: info.Opens, Writes: true}
	switch info.Class {
	case "personal-token":
		c.Kind = PersonalToken
	case "ssh-key":
		c.Kind = SSHKey
	case "registry-login":
		c.Kind = RegistryLogin
	}
	return c, true
}

// callerNames translates a secret's name in a called workflow to the names that
// its callers pass for it.
func (l *ledger) callerNames(name string) []string {
	var out []string
	for _, c := range l.job.Callers {
		v := c.Job.Secrets.Get(name)
		if v == nil {
			continue
		}
		for _, e := range v.Exprs {
			for _, r := range e.Refs() {
				if r.Base == nil && len(r.Parts) == 2 && r.Parts[0].Name == "secrets" && r.Parts[1].Raw != "" {
					out = append(out, r.Parts[1].Raw)
				}
			}
		}
	}
	if len(out) == 0 {
		return []string{name}
	}
	return out
}

// addPassed adds what secrets: inherit gives to a called workflow.
func (l *ledger) addPassed() {
	if s := l.job.Job.InheritSecrets; s != nil {
		l.addEvery(Site{l.job.File, s.Span})
	}
}

// addMinted adds what a step leaves in the job: a git credential, a cloud
// session, an app token, a registry login.
func (l *ledger) addMinted(p RunStep) {
	if p.Step.Uses == nil {
		return
	}
	info, ok := platform.LookupAction(p.Step.Uses.FullName())
	if !ok {
		return
	}
	at := Site{p.File, p.Step.Uses.Span}
	if info.Checkout && keepsCredential(p.Step) {
		l.addGitCredential(p, at)
	}
	kind := map[string]Kind{"cloud-session": CloudSession, "app-token": AppToken, "registry-login": RegistryLogin}[info.Mints]
	if kind == "" {
		return
	}
	life := ForJob
	if info.MintedLifetime == "hours" {
		life = ForHours
	}
	l.add(Credential{Kind: kind, Name: mintedName(p.Step, info), Lifetime: life, Opens: info.Opens, Writes: true}, at)
}

// keepsCredential reports whether a checkout leaves its token for git; that is
// the default of actions/checkout.
func keepsCredential(s *workflows.Step) bool {
	v, ok := s.With.Get("persist-credentials").Const()
	return !ok || !strings.EqualFold(v, "false")
}

// addGitCredential adds the credential that a checkout leaves; its value is the
// repository token's unless token: or ssh-key: names another.
func (l *ledger) addGitCredential(p RunStep, at Site) {
	if s := p.Step.With.Get("ssh-key"); s != nil && len(s.Exprs) > 0 {
		return // the ssh key itself is listed as a stored secret
	}
	if s := p.Step.With.Get("token"); s != nil && !isRepositoryToken(s) {
		return // so is the token
	}
	l.add(Credential{
		Kind: GitCredential, Name: "GITHUB_TOKEN in git's configuration", Lifetime: ForJob, Opens: "github",
		Writes: l.job.Token.Of("contents") == workflows.AccessWrite,
	}, at)
}

func isRepositoryToken(s *workflows.Scalar) bool {
	for _, e := range s.Exprs {
		for _, r := range e.Refs() {
			if p := r.Path(); p != "github.token" && p != "secrets.github_token" {
				return false
			}
		}
	}
	return true
}

// mintedName names a minted credential by the role or account that it opens where
// the file says so.
func mintedName(s *workflows.Step, info platform.ActionInfo) string {
	for _, e := range s.With.All() {
		if info.Inputs[strings.ToLower(e.Key.Value)] != platform.RoleCloud {
			continue
		}
		if v, ok := e.Value.Const(); ok && v != "" {
			return v
		}
	}
	if info.Opens != "" {
		return info.Opens + " session of " + s.Uses.Name()
	}
	return "session of " + s.Uses.Name()
}
