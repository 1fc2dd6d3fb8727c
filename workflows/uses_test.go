package workflows

import (
	"strings"
	"testing"
)

func TestParseUses(t *testing.T) {
	commit := strings.Repeat("0123456789", 4)
	commit256 := strings.Repeat("AbCd", 16)
	digest := "sha256:" + strings.Repeat("a1", 32)
	tests := []struct {
		in   string
		want Uses
	}{
		{"acme/build@" + commit, Uses{Kind: UsesCommit, Owner: "acme", Repo: "build", Ref: commit}},
		{"acme/build@" + commit256, Uses{Kind: UsesCommit, Owner: "acme", Repo: "build", Ref: commit256}},
		{"acme/build@" + commit[:39], Uses{Kind: UsesTag, Owner: "acme", Repo: "build", Ref: commit[:39]}},
		{"acme/build@abcdef" + commit[:33], Uses{Kind: UsesBranch, Owner: "acme", Repo: "build", Ref: "abcdef" + commit[:33]}},
		{"Acme/Build/sub/dir@v4", Uses{Kind: UsesTag, Owner: "Acme", Repo: "Build", Path: "sub/dir", Ref: "v4"}},
		{"acme_corp/a.b-c_d@main", Uses{Kind: UsesBranch, Owner: "acme_corp", Repo: "a.b-c_d", Ref: "main"}},
		{"acme/flows/.github/workflows/ci.yml@main", Uses{Kind: UsesBranch, Owner: "acme", Repo: "flows", Path: ".github/workflows/ci.yml", Ref: "main", Workflow: true}},
		{"acme/flows/.github/workflows/deep/ci.yml@main", Uses{Kind: UsesBranch, Owner: "acme", Repo: "flows", Path: ".github/workflows/deep/ci.yml", Ref: "main"}},
		{"acme/build@release/v1", Uses{Kind: UsesBranch, Owner: "acme", Repo: "build", Ref: "release/v1"}},
		{"acme/build@ключ", Uses{Kind: UsesBranch, Owner: "acme", Repo: "build", Ref: "ключ"}},
		// The runner splits at both slashes and drops empty segments.
		{`acme\build@v1`, Uses{Kind: UsesTag, Owner: "acme", Repo: "build", Ref: "v1"}},
		{"acme//build//x@v1", Uses{Kind: UsesTag, Owner: "acme", Repo: "build", Path: "x", Ref: "v1"}},
		{"https://github.com/acme/build@v1", Uses{Kind: UsesTag, Owner: "acme", Repo: "build", Ref: "v1"}},
		{"https://GHE.example.com/acme/build/x@v1", Uses{Kind: UsesTag, Host: "ghe.example.com", Owner: "acme", Repo: "build", Path: "x", Ref: "v1"}},

		{"./", Uses{Kind: UsesLocal}},
		{"./.github/actions/setup", Uses{Kind: UsesLocal, Path: ".github/actions/setup"}},
		{"./a/../b/./c/", Uses{Kind: UsesLocal, Path: "b/c"}},
		{`.\a\b`, Uses{Kind: UsesLocal, Path: "a/b"}},
		{"./.github/workflows/ci.yaml", Uses{Kind: UsesLocal, Path: ".github/workflows/ci.yaml", Workflow: true}},
		{"./actions/with@sign", Uses{Kind: UsesLocal, Path: "actions/with@sign"}},
		{"$/actions/setup", Uses{Kind: UsesSelf, Path: "actions/setup"}},
		{"$/.github/workflows/ci.yml", Uses{Kind: UsesSelf, Path: ".github/workflows/ci.yml", Workflow: true}},

		{"docker://alpine", Uses{Kind: UsesDocker, Image: "alpine"}},
		{"docker://ghcr.io/acme/tool:1.2", Uses{Kind: UsesDocker, Image: "ghcr.io/acme/tool:1.2"}},
		{"docker://acme/tool:1.2@" + digest, Uses{Kind: UsesDocker, Image: "acme/tool:1.2", Digest: digest}},

		{"acme/build@${{ matrix.ref }}", Uses{Kind: UsesExpression}},
		{"${{ inputs.action }}", Uses{Kind: UsesExpression}},
		{"./${{ inputs.dir }}", Uses{Kind: UsesExpression}},
	}
	for _, test := range tests {
		u := ParseUses(test.in)
		got := *u
		got.Scalar, got.RefSpan, got.name, got.full = nil, Span{}, "", ""
		if got != test.want {
			t.Errorf("%q:\n got %+v\nwant %+v", test.in, got, test.want)
		}
		if ref := test.in[u.RefSpan.Start:u.RefSpan.End]; ref != u.Ref {
			t.Errorf("%q: RefSpan covers %q, not %q", test.in, ref, u.Ref)
		}
	}
}

func TestParseUsesRefuses(t *testing.T) {
	for _, in := range []string{
		"", " ", "acme", "@v1", "/@v1", "acme/@v1", "/build@v1",
		"acme/build@v1@v2", "acme/build@v1 ", "acme /build@v1", "acme/build@v\x001", "acme/b\tuild@v1",
		"../build", "../acme/build@v1", "./../other", "./a/../../b", ".", "..", `.\..\x`,
		"$/actions/setup@v1", "$/../x", "-acme/build@v1", "acme/..@v1", "acme/.@v1", "аcme/build@v1", "acme/büild@v1",
		"docker://", "docker://@" + "sha256:00", "docker://alpine@sha256:1234", "docker://al pine",
		"https://acme/build@v1", "https:///acme/build@v1", "https://me@host/acme/build@v1",
	} {
		if u := ParseUses(in); u.Kind != UsesInvalid || u.Owner != "" || u.Path != "" || u.Image != "" {
			t.Errorf("%q is read as %+v", in, *u)
		}
	}
}

func TestParseUsesWithoutRef(t *testing.T) {
	for _, in := range []string{"acme/build", "acme/build@"} {
		if u := ParseUses(in); u.Kind != UsesInvalid || u.FullName() != "acme/build" || u.Ref != "" || !u.RefSpan.IsZero() {
			t.Errorf("%q is read as %+v", in, *u)
		}
	}
}

func TestKindOfRef(t *testing.T) {
	kinds := map[UsesKind][]string{
		UsesTag: {
			"v4", "V4", "v4.1", "1.2.3", "4", "v1.0.0-rc.1", "v2-beta", "v1.0+build.5", "v2rc1", "2024.01.15", "20240115",
			"codeql-bundle-v2.1", "action-v2", "release-1.2", "my_tool_v3", "refs/tags/anything", "v1.2.x", "v3-node20",
		},
		UsesBranch: {
			"main", "master", "dev", "stable", "latest", "release/v1", "releases/v2", "fix-123", "issue-7-tags", "feature/v2",
			"refs/heads/v1", "abc1234", "1234abc", "version", "v", "vNext", "x86-support", "-v1",
		},
	}
	for want, refs := range kinds {
		for _, ref := range refs {
			if got := kindOfRef(ref); got != want {
				t.Errorf("%q is kind %d, want %d", ref, got, want)
			}
		}
	}
}

func TestUsesNames(t *testing.T) {
	tests := []struct{ in, name, full string }{
		{"Acme/Build/Sub/Dir@v1", "acme/build", "acme/build/sub/dir"},
		{"acme/build@v1", "acme/build", "acme/build"},
		{"https://ghe.example.com/acme/build@v1", "ghe.example.com/acme/build", "ghe.example.com/acme/build"},
		{"./x", "", ""},
		{"docker://alpine", "", ""},
		{"nonsense", "", ""},
	}
	for _, test := range tests {
		u := ParseUses(test.in)
		if u.Name() != test.name || u.FullName() != test.full {
			t.Errorf("%q is named %q and %q, want %q and %q", test.in, u.Name(), u.FullName(), test.name, test.full)
		}
	}
}

func FuzzUses(f *testing.F) {
	for _, seed := range []string{"a/b@v1", "a/b/c@main", "./x/../y", "$/x", "docker://a@sha256:0", "https://h/a/b@v1", `a\b@1`, "${{ x }}", "a/b@ü"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		u := ParseUses(in)
		if s := u.RefSpan; s.Start < 0 || s.End < s.Start || s.End > len(in) || in[s.Start:s.End] != u.Ref {
			t.Fatalf("%q: RefSpan %v does not cover %q", in, s, u.Ref)
		}
		remote := u.Kind == UsesCommit || u.Kind == UsesTag || u.Kind == UsesBranch
		if remote != (u.Owner != "" && u.Repo != "" && u.Ref != "") {
			t.Fatalf("%q: kind %d with owner %q, repo %q, ref %q", in, u.Kind, u.Owner, u.Repo, u.Ref)
		}
		if strings.HasPrefix(u.Path, "/") || u.Kind == UsesLocal && strings.HasPrefix(u.Path+"/", "../") {
			t.Fatalf("%q: path %q", in, u.Path)
		}
		if remote && u.Host == "" {
			again := ParseUses(u.Owner + "/" + u.Repo + "/" + u.Path + "@" + u.Ref)
			if again.FullName() != u.FullName() || again.Kind != u.Kind {
				t.Fatalf("%q is %q, and %q when written anew", in, u.FullName(), again.FullName())
			}
		}
	})
}
