package workflows

import (
	"strings"
	"testing"
)

// moveAll moves every expression of the first step's script to X, X2, X3 …, one
// name for one expression.
func moveAll(f *File) ([]Edit, bool) {
	step := firstStep(f)
	names := map[string]string{}
	var moves []Move
	for _, e := range step.Run.Exprs {
		if names[e.Text] == "" {
			names[e.Text] = []string{"X", "X2", "X3", "X4", "X5", "X6"}[len(names)]
		}
		moves = append(moves, Move{e, names[e.Text]})
	}
	return f.MoveToEnv(step, moves)
}

// Each script stands in a block of its own; ${{ t }} is the expression.
func TestMoveToEnvReferences(t *testing.T) {
	tests := []struct{ name, before, after string }{
		{"unquoted", "echo ${{ t }}", `echo "$X"`},
		{"unquoted inside a word", "tool --title=${{ t }}/x", `tool --title="$X"/x`},
		{"double quotes", `echo "a ${{ t }} b"`, `echo "a $X b"`},
		{"double quotes, a name behind", `echo "${{ t }}_b"`, `echo "${X}_b"`},
		{"single quotes", `echo 'a ${{ t }} b'`, `echo 'a '"$X"' b'`},
		{"ANSI quotes", `echo $'a\t${{ t }}b'`, `echo $'a\t'"$X"$'b'`},
		{"assignment", "A=${{ t }}", `A="$X"`},
		{"export", "export A=b${{ t }}", `export A=b"$X"`},
		{"test", `if [[ ${{ t }} == main ]]; then a; fi`, `if [[ "$X" == main ]]; then a; fi`},
		{"old test", `[ "${{ t }}" = main ] && a`, `[ "$X" = main ] && a`},
		{"case", `case ${{ t }} in ${{ u }}) a;; esac`, `case "$X" in "$X2") a;; esac`},
		{"substitution in quotes", `A="$(curl ${{ t }})"`, `A="$(curl "$X")"`},
		{"default", `echo ${A:-${{ t }}} "${A:-${{ t }}}"`, `echo ${A:-"$X"} "${A:-$X}"`},
		{"heredoc", "cat <<EOF > f\na ${{ t }}b\nEOF", "cat <<EOF > f\na ${X}b\nEOF"},
		{"substitution in a heredoc", "cat <<EOF\n$(echo ${{ t }})\nEOF", "cat <<EOF\n$(echo \"$X\")\nEOF"},
		{"redirection", "a > ${{ t }}", `a > "$X"`},
		{"comment", "a # ${{ t }}", "a # $X"},
		{"twice", "echo ${{ t }} ${{ t }}", `echo "$X" "$X"`},
		{"two", "echo ${{ t }}${{ u }}", `echo "$X""$X2"`},
		{"behind a pipe", "a | grep ${{ t }}", `a | grep "$X"`},
		{"filtered by sed", "echo ${{ t }} | sed 's/a/b/'", `echo "$X" | sed 's/a/b/'`},
		{"argument of a shell script", "bash ./a.sh ${{ t }}", `bash ./a.sh "$X"`},
		{"argument of a program", `python3 a.py --b "${{ t }}"`, `python3 a.py --b "$X"`},
		{"process substitution", "diff <(a ${{ t }}) b", `diff <(a "$X") b`},

		{"command", "${{ t }} b", ""},
		{"command in quotes", `"${{ t }}" b`, ""},
		{"command behind sudo", "sudo ./${{ t }} b", ""},
		{"eval", `eval "a ${{ t }}"`, ""},
		{"bash -c", `bash -c "a ${{ t }}"`, ""},
		{"sudo bash -c", `sudo bash -c 'a ${{ t }}'`, ""},
		{"bash -lc", `bash -lc 'a ${{ t }}'`, ""},
		{"node --eval", `node --eval "a(${{ t }})"`, ""},
		{"a shell's script", "bash ${{ t }}", ""},
		{"input of a shell", "bash -s <<< ${{ t }}", ""},
		{"sed", `sed "s/a/${{ t }}/" b`, ""},
		{"output in a substitution, into a shell", `$(echo ${{ t }}) | sh`, ""},
		{"heredoc of an interpreter", "python3 - <<EOF\nprint('${{ t }}')\nEOF", ""},
		{"pipe into a shell", `echo "a ${{ t }}" | sh`, ""},
		{"substituted into a shell", `bash -c "$(echo ${{ t }})"`, ""},
		{"arithmetic", "echo $(( ${{ t }} + 1 ))", ""},
		{"arithmetic command", "(( a = ${{ t }} ))", ""},
		{"index", "echo ${A[${{ t }}]}", ""},
		{"slice", "echo ${A:${{ t }}}", ""},
		{"name of a variable", "echo ${${{ t }}}", ""},
		{"part of a variable's name", "echo $A${{ t }}", ""},
		{"assigned name", "A_${{ t }}=b", ""},
		{"behind a dollar", `echo "$${{ t }}"`, ""},
		{"behind a backslash", `echo \${{ t }}`, ""},
		{"literal heredoc", "cat <<'EOF'\n${{ t }}\nEOF", ""},
		{"end of a heredoc", "cat <<${{ t }}\nb\n_0000000\n", ""},
		{"backquotes", "echo `a ${{ t }}`", ""},
		{"regular expression", "[[ $A =~ ${{ t }} ]]", ""},
		{"pattern", "ls @(${{ t }})", ""},
		{"name of a function", "${{ t }}() { a; }", ""},
		{"loop variable", "for ${{ t }} in a; do b; done", ""},
		{"variable set in the script", "X=1; echo ${{ t }}", ""},
		{"does not parse", "echo ${{ t }} '", ""},
	}
	for _, test := range tests {
		script := func(text string) string {
			return "        run: |\n          " + strings.ReplaceAll(text, "\n", "\n          ") + "\n"
		}
		before := "      - name: x\n" + script(test.before)
		after := ""
		if test.after != "" {
			env := "          X: ${{ t }}\n"
			if strings.Contains(test.before, "{ u }") {
				env += "          X2: ${{ u }}\n"
			}
			after = "      - name: x\n        env:\n" + env + script(test.after)
		}
		runEditTests(t, []editTest{stepTest(test.name, before, after)}, moveAll)
	}
}

func TestMoveToEnvStyles(t *testing.T) {
	runEditTests(t, []editTest{
		stepTest("plain", "      - run: echo ${{ t }}\n", "      - env:\n          X: ${{ t }}\n        run: echo \"$X\"\n"),
		stepTest("single quotes", "      - run: 'echo ${{ t }} ''${{ u }}'''\n",
			"      - env:\n          X: ${{ t }}\n          X2: ${{ u }}\n        run: 'echo \"$X\" ''''\"$X2\"'''''\n"),
		stepTest("double quotes", "      - run: \"echo ${{ t }} \\\"${{ u }}\\\"\"\n",
			"      - env:\n          X: ${{ t }}\n          X2: ${{ u }}\n        run: \"echo \\\"$X\\\" \\\"$X2\\\"\"\n"),
		stepTest("folded", "      - run: >-\n          echo\n          ${{ t }}\n", "      - env:\n          X: ${{ t }}\n        run: >-\n          echo\n          \"$X\"\n"),
		stepTest("env there", "      - run: echo ${{ t }}\n        env:\n          B: c\n", "      - run: echo \"$X\"\n        env:\n          B: c\n          X: ${{ t }}\n"),
		stepTest("variable there", "      - run: echo ${{ t }}\n        env:\n          X: ${{ t }}\n", "      - run: echo \"$X\"\n        env:\n          X: ${{ t }}\n"),
		stepTest("variable there, env in braces", "      - run: echo ${{ t }} ${{ u }}\n        env: {}\n",
			"      - run: echo \"$X\" \"$X2\"\n        env: {X: '${{ t }}', X2: '${{ u }}'}\n"),
		stepTest("step in braces", "      - {run: 'echo ${{ t }}'}\n", "      - {run: 'echo \"$X\"', env: {X: '${{ t }}'}}\n"),
		stepTest("quoted colon in the expression", "      - run: |\n          echo ${{ a['b: c'] }}\n",
			"      - env:\n          X: '${{ a[''b: c''] }}'\n        run: |\n          echo \"$X\"\n"),
		stepTest("expression over lines", "      - run: |\n          echo ${{ a &&\n            b }}\n", ""),
		stepTest("variable with another value", "      - run: echo ${{ t }}\n        env:\n          X: c\n", ""),
		stepTest("python", "      - run: print(${{ t }})\n        shell: python\n", ""),
		stepTest("cmd", "      - run: echo ${{ t }}\n        shell: cmd\n", ""),
	}, moveAll)
}

func TestMoveToEnvPowerShell(t *testing.T) {
	tests := []struct{ before, after string }{
		{"Write-Output ${{ t }}", "Write-Output $env:X"},
		{`Write-Output "a ${{ t }} b"`, `Write-Output "a $env:X b"`},
		{`Write-Output "${{ t }}_b"`, `Write-Output "${env:X}_b"`},
		{`Write-Output "${{ t }}.b" 'it''s'`, `Write-Output "${env:X}.b" 'it''s'`},
		{"tool --x=${{ t }} # 'y'", "tool --x=$env:X # 'y'"},
		{"$a = \"x `\" ${{ t }}\"", "$a = \"x `\" $env:X\""},
		{"# it's\nWrite-Output ${{ t }}", "# it's\nWrite-Output $env:X"},
		{"$a = @'\nit's\n'@\nWrite-Output ${{ t }}", "$a = @'\nit's\n'@\nWrite-Output $env:X"},
		{"Write-Output '${{ t }}'", ""},
		{"Write-Output a${{ t }}b", ""},
		{"$a = @\"\n${{ t }}\n\"@", ""},
		{"a # ${{ t }}", ""},
		{"iex \"a ${{ t }}\"", ""},
		{"bash -c \"a ${{ t }}\"", ""},
	}
	for _, test := range tests {
		step := func(env, text string) string {
			return "      - shell: pwsh\n" + env + "        run: |\n          " + strings.ReplaceAll(text, "\n", "\n          ") + "\n"
		}
		after := ""
		if test.after != "" {
			after = step("        env:\n          X: ${{ t }}\n", test.after)
		}
		runEditTests(t, []editTest{stepTest(test.before, step("", test.before), after)}, moveAll)
	}
}

func TestMoveToEnvRefusesBadMoves(t *testing.T) {
	f := parseWorkflow(inStep("      - run: echo ${{ t }} ${{ u }}\n      - run: echo ${{ t }}\n"))
	steps := f.Workflow.Jobs[0].Steps
	exprs := steps[0].Run.Exprs
	for name, moves := range map[string][]Move{
		"none":                        nil,
		"no name":                     {{exprs[0], ""}},
		"a bad name":                  {{exprs[0], "A-B"}},
		"a name that breaks out":      {{exprs[0], "A\"; rm"}},
		"one name for two":            {{exprs[0], "A"}, {exprs[1], "A"}},
		"names that Windows confuses": {{exprs[0], "A"}, {exprs[1], "a"}},
		"another step's expression":   {{steps[1].Run.Exprs[0], "A"}},
	} {
		if edits, ok := f.MoveToEnv(steps[0], moves); ok {
			t.Errorf("%s: %v", name, edits)
		}
	}
}
