package report

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/stint-dev/stint/org"
	"github.com/stint-dev/stint/reach"
)

// scanned is the day of all generated documents.
var scanned = time.Date(2026, 11, 20, 14, 3, 0, 0, time.UTC)

// A generator makes organizations that look like real ones: most repositories are dull,
// few are bad, names repeat, some could not be read.
type generator struct {
	*rand.Rand
	doc      *org.Document
	analyses map[string]*org.Analysis
}

// generated returns an organization of n repositories with about five workflows each;
// the same for the same n.
func generated(n int) *org.Document {
	g := generator{rand.New(rand.NewPCG(1, uint64(n))), &org.Document{
		Version: 1, Host: "github.com", Organization: "acme", Scanned: scanned, Stint: "1.4.0",
		Coverage: org.Coverage{Repositories: n, By: map[org.Status]int{}, Requests: org.Requests{GraphQL: 104, Points: 210}},
	}, map[string]*org.Analysis{}}
	g.doc.Read = org.ReadFrom(g.analyses)
	for i := range n {
		g.repository(i)
	}
	for i := range 9 {
		g.doc.Trend = append(g.doc.Trend, org.Trend{
			At: scanned.AddDate(0, 0, -14*(8-i)), Pairs: g.doc.Pairs * (140 - 5*i) / 100, Repositories: n, Standing: n / 3,
		})
	}
	g.doc.Trend[8].Pairs = g.doc.Pairs
	g.inventory(n)
	return g.doc
}

func (g generator) one(list ...string) string { return list[g.IntN(len(list))] }

func (g generator) repository(i int) {
	r := org.Repository{
		ID: int64(i), Name: fmt.Sprintf("acme/%s-%s-%04d", g.one("web", "billing", "search", "mobile", "infra", "data"), g.one("api", "site", "worker", "tools", "docs"), i),
		Visibility: g.one("private", "private", "internal", "public"), Branch: "main", Head: fmt.Sprintf("%040x", i+1),
		Pushed: scanned.AddDate(0, 0, -g.IntN(900)), Status: org.StatusOK, Seen: scanned, Fork: g.IntN(20) == 0,
	}
	switch k := g.IntN(1000); {
	case k < 12:
		r.Status, r.Why = org.StatusDenied, "the token may not read .github/workflows of it; it needs Contents: read"
	case k < 18:
		r.Status, r.Why, r.Seen = org.StatusOld, "the last run did not come to it", scanned.AddDate(0, 0, -14)
	case k < 20:
		r.Status, r.Why = org.StatusFailed, "the host answered 502 five times"
	case k < 150:
		r.Status = org.StatusEmpty
	}
	g.doc.Coverage.By[r.Status]++
	if r.Status == org.StatusOK || r.Status == org.StatusOld {
		r.Analysis = fmt.Sprint("k", i-i%7*(g.IntN(3)/2)) // some share their files
		if g.analyses[r.Analysis] == nil {
			g.analyses[r.Analysis] = g.analysis(r.Analysis)
		}
		g.doc.Pairs += g.analyses[r.Analysis].Pairs
	}
	g.doc.Repositories = append(g.doc.Repositories, r)
}

func (g generator) analysis(key string) *org.Analysis {
	a := &org.Analysis{Key: key}
	levers := map[string]int{}
	for w := range 5 {
		path := fmt.Sprintf(".github/workflows/%s.yml", []string{"ci", "release", "deploy", "nightly", "triage"}[w])
		for k := range 1 + g.IntN(3) {
			a.Jobs = append(a.Jobs, g.job(path, fmt.Sprint(g.one("build", "test", "publish", "deploy", "label"), "-", k), w, levers))
			a.Pairs += a.Jobs[len(a.Jobs)-1].Pairs
		}
	}
	for k := range g.IntN(14) {
		j := a.Jobs[g.IntN(len(a.Jobs))]
		rule := g.one("unpinned-action", "excessive-permissions", "persisted-credentials", "long-lived-cloud-key", "install-beside-credentials", "template-injection", "secrets-inherit")
		a.Findings = append(a.Findings, org.Finding{
			Rule: rule, Severity: g.one("low", "low", "low", "medium", "medium", j.Grade), Confidence: "high", Path: j.Path, Line: 10 + g.IntN(120), Column: 9, Job: j.Job,
			Message: "code that somebody outside can change runs beside " + j.Sentence + " in job " + j.Job,
			Next:    "pin it by commit, or move what it does into a job without credentials", Credentials: j.Standing(), Fingerprint: fmt.Sprintf("%s-%d", key, k),
		})
	}
	for what, n := range levers {
		a.Levers = append(a.Levers, reach.DocumentLever{What: what, Pairs: n, Sites: []reach.DocumentPlace{{Path: ".github/workflows/release.yml", Line: 12, Column: 9}}})
	}
	if g.IntN(80) == 0 {
		a.Unread = append(a.Unread, org.Unread{Path: ".github/workflows/old.yml", Reason: "line 7 is no YAML"})
	}
	a.NotChecked = []string{"impostor-commit: needs the network"}
	return a
}

func (g generator) job(path, id string, workflow int, levers map[string]int) org.Job {
	j := org.Job{DocumentJob: reach.DocumentJob{Path: path, Job: id, Grade: "low", Place: reach.DocumentPlace{Path: path, Line: 8 + g.IntN(40), Column: 3}}}
	j.Starts = []reach.DocumentStart{{Event: "push", Who: "writer"}}
	if workflow == 4 {
		j.Starts = append(j.Starts, reach.DocumentStart{Event: g.one("issues", "pull_request_target"), Who: "anyone"})
		j.Autonomy = []string{"agent"}
	}
	j.Code = append(j.Code, reach.DocumentCode{Name: "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8", Trust: "platform", Place: j.Place})
	if g.IntN(2) == 0 {
		name := fmt.Sprintf("%s@v%d", g.one("tidy/changed-paths", "harbor/build-and-push-image", "nimbus/login", "quill/publish-pages", "owl/review-bot"), 1+g.IntN(4))
		j.Code = append(j.Code, reach.DocumentCode{Name: name, Trust: "mutable", Foreign: true, Place: reach.DocumentPlace{Path: path, Line: j.Place.Line + 9, Column: 15}})
	}
	if g.IntN(5) == 0 {
		c := []struct{ name, opens string }{
			{"AWS_SECRET_ACCESS_KEY", "aws"}, {"NPM_TOKEN", "npm"}, {"GCP_SA_KEY", "gcp"}, {"DOCKERHUB_TOKEN", "docker"}, {"RELEASE_BOT_PAT", "github"}, {"SLACK_WEBHOOK", ""},
		}[g.IntN(6)]
		j.Credentials = append(j.Credentials, reach.DocumentCredential{Name: c.name, Kind: "stored-secret", Lifetime: "standing", Opens: c.opens})
		j.Grade = "medium"
		if len(j.Code) > 1 {
			j.Pairs, j.Grade = 1, "high"
			levers["pin "+j.Code[1].Name+" by commit"]++
			levers["replace "+c.name+" by an id-token"]++
			if workflow == 4 {
				j.Grade = "critical"
			}
		}
	}
	j.Credentials = append(j.Credentials, reach.DocumentCredential{Name: "GITHUB_TOKEN", Kind: "repository-token", Lifetime: "job", Opens: "github"})
	j.Sentence = "GITHUB_TOKEN"
	if s := j.Standing(); len(s) > 0 {
		j.Sentence = s[0]
	}
	return j
}

// inventory adds secrets, settings and posture findings.
func (g generator) inventory(n int) {
	d := g.doc
	for _, name := range []string{"NPM_TOKEN", "DOCKERHUB_TOKEN", "SLACK_WEBHOOK", "LEGACY_DEPLOY_KEY"} {
		d.Secrets = append(d.Secrets, org.Secret{
			Name: name, Scope: "organization", Store: "actions", Visibility: "all", Created: scanned.AddDate(-4, 0, 0),
			Updated: scanned.AddDate(0, 0, -100*len(name)), UsedBy: n / len(name), Foreign: n / len(name) / 3, Dead: name[0] == 'L',
		})
	}
	d.Settings = append(d.Settings, org.Setting{Name: "rulesets", Needs: "Administration: write"},
		org.Setting{Name: "default_workflow_permissions", Value: "write", Readable: true})
	d.Posture = append(d.Posture, org.Finding{
		Rule: "default-write-token", Severity: "high", Message: "the repository token of every job that states no permissions may write everything",
		Next: "set the organization's default to read", Fingerprint: "p",
	})
	for i := 0; i < n; i += 3 {
		name := d.Repositories[i].Name
		d.Settings = append(d.Settings, org.Setting{Of: name, Name: "environments", Needs: "Actions: read"})
		d.Posture = append(d.Posture, org.Finding{
			Rule: g.one("environment-without-gate", "writable-deploy-key", "long-lived-runner"), Severity: g.one("low", "medium", "high"), Path: name,
			Message: "the environment \"production\" of " + name + " lets every branch deploy, and AWS_SECRET_ACCESS_KEY lives in it",
			Next:    "restrict the branches that may deploy", Credentials: []string{"AWS_SECRET_ACCESS_KEY"}, Fingerprint: name,
		})
	}
	d.NotChecked = []org.NotChecked{{Rule: "dead-secret", Why: "the token needs Secrets: read", Count: n / 2}}
}
