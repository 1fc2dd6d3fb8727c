package reach_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// scripts makes steps of the given scripts.
func scripts(t *testing.T, runs ...string) []*workflows.Step {
	t.Helper()
	var b strings.Builder
	b.WriteString("on: push\njobs:\n  j:\n    runs-on: ubuntu-latest\n    steps:\n")
	for _, run := range runs {
		b.WriteString("      - run: |\n          " + strings.ReplaceAll(run, "\n", "\n          ") + "\n")
	}
	f := workflows.Parse(".github/workflows/w.yml", []byte(b.String()))
	for _, p := range f.Problems {
		t.Fatal(p.Message)
	}
	for _, s := range f.Workflow.Jobs[0].Steps {
		if s.Run.Err != nil {
			t.Fatal(s.Run.Err)
		}
	}
	return f.Workflow.Jobs[0].Steps
}

func TestRunUnchecked(t *testing.T) {
	const commit = "0123456789abcdef0123456789abcdef01234567"
	for _, c := range []struct {
		want string
		runs []string
	}{
		// Piped into an interpreter.
		{"curl | sh", []string{"curl -sSf https://example.test/i.sh | sh"}},
		{"curl | bash", []string{"curl https://example.test/i.sh | sudo -E bash -s -- -b /usr/local/bin"}},
		{"wget | bash", []string{"wget -qO- https://example.test/i.sh | tr -d '\\r' | bash -eo pipefail -"}},
		{"curl | python3", []string{"curl https://example.test/i.py | python3 - --yes"}},
		{"bash <(curl)", []string{"bash <(curl -s https://example.test/bash)"}},
		{"sh <(curl)", []string{`sh -c "$(curl -fsSL https://example.test/i.sh)"`}},
		{"eval <(curl)", []string{`eval "$(curl https://example.test/env | sed s/x/y/)"`}},
		{"source <(curl)", []string{"source <(curl https://example.test/env)"}},
		{"bash <(curl)", []string{`bash <<< "$(curl https://example.test/i.sh)"`}},
		{"curl | sh", []string{"{ curl https://example.test/i.sh || wget -qO- https://example.test/i.sh; } | sh"}},
		// Data for an interpreter that has its script.
		{"", []string{"curl https://example.test/a.json | python3 -c 'import json'", "curl https://example.test/a.json | python3 -m json.tool"}},
		{"", []string{"curl https://example.test/a | node -e 'x'", "curl https://example.test/a | perl -ne 'print'", "curl https://example.test/a | ruby -rjson -e x"}},
		{"", []string{"curl https://example.test/a | bash ./read.sh", "curl https://example.test/a | sh -c 'cat'", "curl https://example.test/a | jq -r .tag"}},
		{"", []string{`bash ./deploy.sh "$(curl https://example.test/tag)"`, `bash -c 'echo $1' _ "$(curl https://example.test/tag)"`, `V=$(curl https://example.test/tag)`}},
		// An address that names a commit, and the runner itself.
		{"", []string{"curl https://raw.example.test/o/r/" + commit + "/i.sh | sh", "curl http://localhost:8080/x | sh"}},
		{"", []string{"URL=https://raw.example.test/o/r/" + commit + "\ncurl -o i.sh \"$URL/i.sh\"\nsh i.sh"}},
		// A file that is run.
		{"tool", []string{"curl -Lo tool https://example.test/tool\nchmod +x tool\n./tool"}},
		{"tool", []string{"curl -Ls --output=/tmp/tool https://example.test/tool && chmod 0755 /tmp/tool"}},
		{"tool", []string{"curl -sSLO https://example.test/v1/tool?x=1", "sudo install -m 755 tool /usr/local/bin/tool"}},
		{"tool", []string{"wget -q https://example.test/tool -P /tmp\n/tmp/tool --version"}},
		{"tool", []string{"wget -qO /usr/local/bin/tool https://example.test/t && chmod a+rx /usr/local/bin/tool"}},
		{"i.sh", []string{"curl https://example.test/i.sh > i.sh\nbash -x i.sh"}},
		{"i.sh", []string{"curl https://example.test/i.sh | tee /tmp/i.sh\n. /tmp/i.sh"}},
		{"get-pip.py", []string{"wget https://example.test/get-pip.py\npython get-pip.py"}},
		{"a.deb", []string{"wget https://example.test/a.deb\nsudo apt-get install -y ./a.deb"}},
		{"a.tar.gz", []string{"curl -LO https://example.test/a.tar.gz\nsudo tar -C /usr/local/bin -xzf a.tar.gz tool"}},
		{"tool_1.0.tar.gz", []string{"V=1.0\nNAME=\"tool_$V.tar.gz\"\ncurl -LO \"https://example.test/$V/$NAME\"\ntar -xzf $NAME -C /opt/tool"}},
		{"tool", []string{"curl -Lo x \"$URL\"\nmv x tool\nchmod +x tool"}},
		// Of an archive, by its name.
		{"tool", []string{"curl -L https://example.test/v1/tool-linux.tar.gz | tar xz\nsudo mv linux/tool /usr/local/bin/"}},
		{"tool", []string{"curl -LO https://example.test/tool.zip\nunzip tool.zip\n./tool"}},
		{"", []string{"curl -L https://example.test/data.tar.gz | tar xz\n./build.sh"}},
		// Checked first.
		{"", []string{"curl -LO https://example.test/tool\necho \"$SHA  tool\" | sha256sum --check -\nchmod +x tool"}},
		{"", []string{"curl -LO https://example.test/tool\nshasum -a 256 -c tool.sum\nchmod +x tool"}},
		{"", []string{"curl -LO https://example.test/tool\n[ \"$(sha256sum tool | cut -d' ' -f1)\" = \"$SHA\" ]\nchmod +x tool"}},
		{"", []string{"curl -LO https://example.test/tool\ngpg --verify tool.sig tool\nchmod +x tool"}},
		{"", []string{"curl -LO https://example.test/tool", "cosign verify-blob tool --bundle b", "chmod +x tool"}},
		{"", []string{"curl -LO https://example.test/tool\ngh attestation verify tool -o acme\nchmod +x tool"}},
		// Checked too late, or only printed.
		{"tool", []string{"curl -LO https://example.test/tool\nchmod +x tool\nsha256sum -c tool.sum"}},
		{"tool", []string{"curl -LO https://example.test/tool\nsha256sum tool\nchmod +x tool"}},
		// Never run.
		{"", []string{"curl -LO https://example.test/data.json\njq . data.json", "curl -o /dev/null https://example.test/x", "curl https://example.test/key | sudo apt-key add -"}},
		{"", []string{"curl -LO https://example.test/a.tar.gz\ntar -tzf a.tar.gz", "chmod +x other"}},
		{"", []string{"curl -X POST https://example.test/hook -d @tool\nchmod +x tool"}},
	} {
		var got []string
		for _, f := range reach.RunUnchecked(scripts(t, c.runs...)) {
			got = append(got, f.Name)
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%q: got %q, want %q", c.runs, got, c.want)
		}
	}
}

// A variable that is doubled in every line does not grow without bound.
func TestRunUncheckedIsBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("A=xxxxxxxxxxxxxxxx\n")
	for range 64 {
		b.WriteString("A=$A$A\n")
	}
	for i := range 400 {
		fmt.Fprintf(&b, "curl -o f%d https://example.test/f\n", i)
	}
	b.WriteString("chmod +x f1 f399")
	if got := reach.RunUnchecked(scripts(t, b.String())); len(got) != 1 {
		t.Errorf("%d findings, want that of the file within the bound", len(got))
	}
}

// The graph knows what is downloaded and run.
func TestDownloadsAreCode(t *testing.T) {
	g := graph(t, workflow("push", `
    env: { TOKEN: "${{ secrets.DEPLOY_TOKEN }}" }
    permissions: {}
    steps:
      - run: curl -LO https://example.test/tool
      - run: chmod +x tool && ./tool
`))
	if got := describe(g.Jobs[0]); got != "j: writer | DEPLOY_TOKEN:standing | tool:fetched | high" {
		t.Error(got)
	}
}
