package trusttest

import (
	"reflect"
	"testing"

	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/trust"
)

// SameDrift compares a grant with a lock that came on two ways, from the cloud itself and
// as a file, and returns the classes of what it finds beyond what the grant's own lock
// lets in as well. The findings must be the same to the letter of their tokens.
func SameDrift(t *testing.T, cloud trust.Cloud, g *grant.Grant, repository trust.Repository, live, file []trust.Document) []string {
	t.Helper()
	if len(live) != 1 || len(file) != 1 {
		t.Fatalf("%d documents from the cloud and %d of the file, want one of each", len(live), len(file))
	}
	if live[0].Line != 0 || live[0].Path == "" || live[0].Cloud != cloud.Name {
		t.Errorf("the live document is %+v", live[0])
	}
	got, want := Drift(t, cloud, g, repository, live[0]), Drift(t, cloud, g, repository, file[0])
	if !reflect.DeepEqual(got, want) {
		t.Errorf("from the cloud: %+v\nfrom the file: %+v", got, want)
	}
	classes := []string{}
	for _, f := range got {
		if f.Witness == nil {
			t.Errorf("no token for %+v", f)
		}
		classes = append(classes, f.Class)
	}
	return classes
}

// Drift compares a grant with one lock as the command does: the ids that are known are
// demanded of both.
func Drift(t *testing.T, cloud trust.Cloud, g *grant.Grant, repository trust.Repository, d trust.Document) []trust.Finding {
	t.Helper()
	own, err := cloud.Render(g, g.Targets[0], repository)
	if err != nil {
		t.Fatal(err)
	}
	p, err := cloud.Parse(d)
	if err != nil {
		t.Fatal(err)
	}
	known := *g
	known.For.RepositoryID, known.For.RepositoryOwnerID = repository.ID, repository.OwnerID
	found, err := trust.Drift(&known, grant.Expect{Repository: repository.Name}, p, own.Policy)
	if err != nil {
		t.Fatal(err)
	}
	return found
}
