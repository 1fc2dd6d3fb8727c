package linttest

import (
	"errors"
	"strings"
	"testing"

	"github.com/stint-dev/stint/workflows"
)

func TestNetwork(t *testing.T) {
	a, b := strings.Repeat("a", 40), strings.Repeat("b", 40)
	n, err := ParseNetwork([]byte("# Prose.\n\nAcme/Tool tag v1 " + a + "\nacme/tool branch main " + b + "\nacme/tool holds " + strings.Repeat("c", 40) +
		"\nacme/old renamed acme/tool\nacme/attic archived\nacme/flaky fails\nacme/tool advisory GHSA-aaaa-bbbb-cccc 1.2 >= 1, < 1.2\n" +
		"Acme/Image:1 digest sha256:" + strings.Repeat("e", 64) + "\nacme/image:2 fails\n" +
		"acme/app environment Two%20words/x approval wait refs\nacme/app environment open\n"))
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if c, v, err := n.Commit(ctx, "acme", "TOOL", "v1"); c != a || v != "v1" || err != nil {
		t.Errorf("commit: %s %s %v", c, v, err)
	}
	for commit, want := range map[string]bool{a: true, b: true, strings.Repeat("c", 40): true, strings.Repeat("d", 40): false} {
		if has, err := n.Contains(ctx, "acme", "tool", commit); has != want || err != nil {
			t.Errorf("contains %s: %t %v", commit, has, err)
		}
	}
	if r, err := n.Refs(ctx, "acme", "old"); err != nil || r.Renamed != "acme/tool" {
		t.Errorf("renamed: %+v %v", r, err)
	}
	if is, err := n.Archived(ctx, "acme", "attic"); !is || err != nil {
		t.Errorf("archived: %t %v", is, err)
	}
	if _, err := n.Refs(ctx, "acme", "none"); !errors.Is(err, workflows.ErrNotFound) {
		t.Errorf("none: %v", err)
	}
	if _, err := n.Contains(ctx, "acme", "flaky", a); err == nil || errors.Is(err, workflows.ErrNotFound) {
		t.Errorf("flaky: %v", err)
	}
	if l, _ := n.Advisories(ctx); len(l) != 1 || l[0].Fixed != "1.2" || l[0].Range != ">= 1, < 1.2" {
		t.Errorf("advisories: %+v", l)
	}
	if d, err := n.Digest(ctx, "acme/image:1"); d != "sha256:"+strings.Repeat("e", 64) || err != nil {
		t.Errorf("digest: %s %v", d, err)
	}
	if _, err := n.Digest(ctx, "acme/image"); !errors.Is(err, workflows.ErrNotFound) {
		t.Errorf("an image that is not there: %v", err)
	}
	if _, err := n.Digest(ctx, "acme/image:2"); err == nil || errors.Is(err, workflows.ErrNotFound) {
		t.Errorf("a registry that does not answer: %v", err)
	}
	for name, want := range map[string]workflows.Protection{"two WORDS/x": {Approval: true, Wait: true, Refs: true}, "open": {}} {
		if p, err := n.Environment(ctx, "Acme", "app", name); p != want || err != nil {
			t.Errorf("environment %s: %+v %v", name, p, err)
		}
	}
	if _, err := n.Environment(ctx, "acme", "app", "none"); !errors.Is(err, workflows.ErrNotFound) {
		t.Errorf("an environment that is not there: %v", err)
	}
	if _, err := n.Environment(ctx, "acme", "flaky", "open"); err == nil || errors.Is(err, workflows.ErrNotFound) {
		t.Errorf("the environments of a repository that does not answer: %v", err)
	}
	for _, bad := range []string{"acme/tool", "acme/tool tag v1 short", "acme/tool sings", "acme/tool archived yes", "acme/image:1 digest sha256:short", "acme/app environment", "acme/app environment %zz", "acme/app environment open door"} {
		if _, err := ParseNetwork([]byte(bad)); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}
