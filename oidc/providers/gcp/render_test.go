package gcp

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providertest"
	"github.com/stint-dev/stint/oidc/trust"
	"github.com/stint-dev/stint/oidc/trust/trusttest"
)

var update = flag.Bool("update", false, "write the golden files")

var site = trust.Repository{Name: "acme/site", OwnerID: "1001", ID: "2001"}

func render(t *testing.T, who, block string, repo trust.Repository) (trust.Lock, error) {
	t.Helper()
	g := providertest.GrantFor(t, who, Name, "15m", "{ provider: "+testProvider+block+" }")
	return Trust.Render(g, g.Targets[0], repo)
}

func TestRendered(t *testing.T) {
	immutable := site
	immutable.Subject = trust.ImmutableSubject
	for name, row := range map[string]struct {
		who, block string
		repo       trust.Repository
	}{
		"environment": {providertest.For, ", service-account: " + testAccount, immutable},
		"either":      {"{ ref: refs/heads/main }", ", allow: [{ bucket: my-site, permissions: [roles/storage.objectUser, roles/storage.legacyBucketReader] }]", site},
		"pattern":     {"{ workflow: .github/workflows/a.yml, refs: [refs/heads/release/*, refs/tags/v1], events: [push, pull_request_target], runner: any }", "", immutable},
		"names":       {"{ called: acme/platform/.github/workflows/d.yml@refs/tags/v3, environment: \"it's ${x} %{y} \\\"z\\\"\", actors: [ann] }", ", service-account: " + testAccount + ", audience: deploy.example", trust.Repository{Name: "acme/site"}},
	} {
		lock, err := render(t, row.who, row.block, row.repo)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var b strings.Builder
		for _, d := range lock.Documents {
			b.WriteString("-- " + d.Name + " --\n" + d.Body)
		}
		b.WriteString("-- terraform --\n" + lock.Terraform + "-- gcloud --\n" + lock.CLI)
		golden := filepath.Join("testdata", "render", name+".txt")
		if *update {
			if err := os.MkdirAll(filepath.Dir(golden), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(golden, []byte(b.String()), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil || string(want) != b.String() {
			t.Errorf("%s differs from %s (%v); it is now\n%s", name, golden, err, b.String())
		}
	}
}

// The two documents, as a file, are found again and answer like the lock itself.
func TestDocumentsAreReadBack(t *testing.T) {
	lock, err := render(t, providertest.For, "", site)
	if err != nil {
		t.Fatal(err)
	}
	p := trusttest.Read(t, Trust, "lock.json", []byte("["+lock.Documents[0].Body+","+lock.Documents[1].Body+"]"))
	for _, probe := range trust.Probes(trust.Target{Owner: "acme", Repository: "site", OwnerID: "1001", RepositoryID: "2001", Ref: "refs/heads/main",
		Environment: "production", Workflow: ".github/workflows/release.yml", Audience: testAudience}) {
		if got, want := p.Decide(probe.Claims), lock.Policy.Decide(probe.Claims); got != want {
			t.Errorf("%s: %+v, want %+v", probe.Name, got, want)
		}
	}
	if grade, findings := trust.Judge(p); grade != trust.Good {
		t.Errorf("grade %s: %+v", grade, findings)
	}
}

// A subject that could be over 127 bytes is not google.subject.
func TestLongSubjects(t *testing.T) {
	long := strings.Repeat("e", 110)
	lock, err := render(t, "{ environment: "+long+" }", "", site)
	if err != nil {
		t.Fatal(err)
	}
	claims := map[string]string{
		"iss": trust.GitHubIssuer, "aud": testAudience, "sub": "repo:acme/site:environment:" + long, "environment": long, "repository": "acme/site", "repository_id": "2001",
		"repository_owner_id": "1001", "ref": "refs/heads/main", "event_name": "push", "runner_environment": "github-hosted",
		"workflow_ref": "acme/site/.github/workflows/a.yml@refs/heads/main", "job_workflow_ref": "acme/site/.github/workflows/a.yml@refs/heads/main",
	}
	if len(claims["sub"]) <= maxSubjectBytes {
		t.Fatal("the subject is short")
	}
	if a := lock.Policy.Decide(trusttest.Claims(claims)); !a.Admits || !a.Exact {
		t.Errorf("%+v", a)
	}
	if !strings.Contains(lock.Documents[1].Body, "/attribute.repository_id/2001") {
		t.Errorf("members %s", lock.Documents[1].Body)
	}
}

func TestWhatCannotBeRendered(t *testing.T) {
	var refs []string
	for i := range 40 {
		refs = append(refs, "refs/heads/"+strings.Repeat("x", 60)+strings.Repeat("y", i))
	}
	who := "{ workflow: .github/workflows/a.yml, refs: [" + strings.Join(refs, ", ") + "] }"
	if _, err := render(t, who, "", site); err == nil || !strings.Contains(err.Error(), "4096") {
		t.Errorf("a long condition: %v", err)
	}
	if _, err := render(t, providertest.For[:strings.Index(providertest.For, ", repository")]+" }", "", trust.Repository{}); err == nil {
		t.Error("a lock for no repository")
	}
	g := &grant.Grant{Name: "a"}
	if _, err := Trust.Render(g, &grant.Target{Provider: Name}, site); err == nil {
		t.Error("a lock of a block that was not read")
	}
}

func TestQuoting(t *testing.T) {
	for in, want := range map[string]string{"": "''", "a-b/c": "a-b/c", "it's $x": `'it'\''s $x'`, "*": "'*'"} {
		if got := shell(in); got != want {
			t.Errorf("%q is %s in a shell", in, got)
		}
	}
}
