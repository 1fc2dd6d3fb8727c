package workflows

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"mvdan.cc/sh/v3/syntax"
)

// newScript reads a script as it would stand in a file of its own.
func newScript(text string) *Script {
	s := &Scalar{Value: text, Span: Span{0, len(text)}}
	s.Exprs = findExprs(s)
	return parseScript(s, ShellPOSIX)
}

// showCommand writes a command on one line: [name] words, then what is special.
// A part that is not constant is "?".
func showCommand(c *Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "[%s]", c.Name)
	for _, w := range c.Words {
		b.WriteString(" " + showWord(w))
	}
	for _, a := range c.Assigns {
		fmt.Fprintf(&b, " %s:=%s", strings.ReplaceAll(a.Name, notConst, "?"), showWord(a.Value))
	}
	for _, r := range c.Redirs {
		fmt.Fprintf(&b, " %s{%s}", r.Op, showWord(r.Target))
	}
	if c.PipesInto != nil {
		b.WriteString(" | " + c.PipesInto.Name)
	}
	if c.Within != nil {
		fmt.Fprintf(&b, " in %s", c.Within.Name)
	}
	return b.String()
}

func showWord(w Word) string {
	text := strings.ReplaceAll(w.Text, notConst, "?")
	text = strings.ReplaceAll(text, "\n", "⏎")
	var notes []string
	notes = append(notes, w.Vars...)
	for _, e := range w.Exprs {
		notes = append(notes, e.Text)
	}
	for _, c := range w.Commands {
		notes = append(notes, c.Name+"()")
	}
	if len(notes) > 0 {
		text += "(" + strings.Join(notes, ",") + ")"
	}
	if !w.Quoted {
		text += "!"
	}
	return text
}

func TestScriptCommands(t *testing.T) {
	tests := []struct {
		name, script string
		want         []string
	}{
		{"words", `curl -sSL "https://x.test/a b" 'it''s' a\ b $'\x63url\n'`,
			[]string{"[curl] curl -sSL https://x.test/a b its a b curl⏎"}},
		{"quotes", `echo "a\"b\$c\d" 'a\"b' a"b"c`,
			[]string{`[echo] echo a"b$c\d a\"b abc`}},
		{"continued line", "npm \\\n  publish --tag=\\\nnext",
			[]string{"[npm] npm publish --tag=next"}},
		{"directory", "/usr/bin/curl x; ./scripts/deploy.sh; ~/.local/bin/tool",
			[]string{"[curl] /usr/bin/curl x", "[deploy.sh] ./scripts/deploy.sh", "[tool] ~/.local/bin/tool"}},
		{"variables", `echo $A "$B" ${C:-$D} "${#E}" "${F/$G/$H}" "${I[$J]}" ${K:L:M} $1 "$@" $? x$N-y`,
			[]string{"[echo] echo ?(A)! ?(B) ?(C,D)! ?(E) ?(F,G,H) ?(I,J) ?(K,L,M)! ?(1)! ?(@) ?(?)! x?-y(N)!"}},
		{"arithmetic", `echo $((A + 2 * $B)) "$((C))"; ((D++)); let E=1`,
			[]string{"[echo] echo ?(A,B)! ?(C)"}},
		{"expressions", `echo ${{ a.b }} "x ${{ c }} y" '${{ d }}' z${{ e }}${{ f }} $(( ${{ g }} + 1 )) "${X:-${{ h }}}"`,
			[]string{"[echo] echo ?(a.b) x ? y(c) ?(d) z??(e,f) ?(g)! ?(X,h)"}},
		{"expression as command", "${{ inputs.command }} --now",
			[]string{"[] ?(inputs.command) --now"}},
		{"expression over lines", "echo ${{ a &&\n  b }} c\ndate",
			[]string{"[echo] echo ?(a &&\n  b) c", "[date] date"}},
		{"expression in names", "A_${{ x }}=1 B=$P${{ y }} cmd ${${{ z }}}",
			[]string{"[cmd] cmd ?(z)! A_?:=1 B:=?(P,y)!"}},
		{"pipe", "curl x | tee y | sudo bash",
			[]string{"[curl] curl x | tee", "[tee] tee y | bash", "[bash] sudo bash"}},
		{"pipe of both outputs", "make |& tee log", []string{"[make] make | tee", "[tee] tee log"}},
		{"pipe from a group", "{ echo a; curl x; } | sh",
			[]string{"[echo] echo a | sh", "[curl] curl x | sh", "[sh] sh"}},
		{"pipe from a subshell", "(cd d && wget -O- x) | tar xz",
			[]string{"[cd] cd d | tar", "[wget] wget -O- x | tar", "[tar] tar xz"}},
		{"pipe into a group", "curl x | { cat; sh; }",
			[]string{"[curl] curl x | cat", "[cat] cat", "[sh] sh"}},
		{"pipe into a loop", "gh api x | while read -r line; do echo $line; done > out",
			[]string{"[gh] gh api x | read", "[read] read -r line >{out}", "[echo] echo ?(line)! >{out}"}},
		{"pipe inside a substitution", "x=$(curl a | sh) | cat",
			[]string{"[] x:=?(curl(),sh())! | cat", "[curl] curl a | sh in ", "[sh] sh in ", "[cat] cat"}},
		{"lists", "a && b || c; d & e",
			[]string{"[a] a", "[b] b", "[c] c", "[d] d", "[e] e"}},
		{"pipe in a list", "a && b | c || d",
			[]string{"[a] a", "[b] b | c", "[c] c", "[d] d"}},
		{"substitutions", "echo $(date) `whoami` \"$(cat $(ls))\" <(curl x)",
			[]string{"[echo] echo ?(date())! ?(whoami())! ?(cat()) ?(curl())", "[date] date in echo", "[whoami] whoami in echo",
				"[cat] cat ?(ls())! in echo", "[ls] ls in cat", "[curl] curl x in echo"}},
		{"process substitution", "bash <(curl -s x); source <(wget y)",
			[]string{"[bash] bash ?(curl())", "[curl] curl -s x in bash", "[source] source ?(wget())", "[wget] wget y in source"}},
		{"redirections", `echo "$A" >> "$GITHUB_ENV" 2>/dev/null; cmd &> log; cat < in; $(<f)`,
			[]string{"[echo] echo ?(A) >>{?(GITHUB_ENV)} >{/dev/null}", "[cmd] cmd &>{log}", "[cat] cat <{in}", "[] ?(())!", "[] <{f} in "}},
		{"redirected group", `{ echo a=$A; echo b > c; } >> "$GITHUB_ENV"`,
			[]string{"[echo] echo a=?(A)! >>{?(GITHUB_ENV)}", "[echo] echo b >{c} >>{?(GITHUB_ENV)}"}},
		{"redirected pipe", `{ a | b; } < in > out`, []string{"[a] a <{in} | b", "[b] b >{out}"}},
		{"heredoc", "cat <<EOF | sh\n$A \\$B ${{ c }} $(date)\nEOF\necho done",
			[]string{"[cat] cat <<{? $B ? ?⏎(A,c,date())} | sh", "[sh] sh", "[date] date in cat", "[echo] echo done"}},
		{"quoted heredoc", "cat <<'EOF' >f\n$A ${{ c }} \\$B\nEOF\n",
			[]string{`[cat] cat <<{$A ? \$B⏎(c)} >{f}`}},
		{"heredoc with tabs", "cat <<-EOF\n\ta\n\t\tb $C\n\tEOF\n", []string{"[cat] cat <<-{a⏎b ?⏎(C)}"}},
		{"empty heredoc", "cat <<EOF\nEOF\n", []string{"[cat] cat <<{}"}},
		{"here-string", `sh <<< "$CMD"`, []string{"[sh] sh <<<{?(CMD)}"}},
		{"assignments", "A=1 B=$C cmd; D=x; E+=y; F=(a \"$G\" b); H[1]=z; I=",
			[]string{"[cmd] cmd A:=1 B:=?(C)!", "[] D:=x", "[] E:=y", "[] F:=a ? b(G)", "[] H:=z", "[] I:="}},
		{"declarations", "export A=1 B; declare -r C=$D; local e; readonly F; export $G; export -f h",
			[]string{"[export] export B A:=1", "[declare] declare -r C:=?(D)!", "[local] local e", "[readonly] readonly F", "[export] export ?(G)!", "[export] export -f h"}},
		{"compound", "if a; then b; elif c; then d; else e; fi; while f; do g; done; for x in $(h); do i; done; case $(j) in k) l;; esac",
			[]string{"[a] a", "[b] b", "[c] c", "[d] d", "[e] e", "[f] f", "[g] g", "[h] h", "[i] i", "[j] j", "[l] l"}},
		{"tests", `[[ $(a) == b && -f "$(c)" ]] && [ "$X" = y ]`, []string{"[a] a", "[c] c", `[[] [ ?(X) = y ]`}},
		{"function", "f() { curl x; } > log; f | sh", []string{"[curl] curl x >{log}", "[f] f | sh", "[sh] sh"}},
		{"time, not, coproc", "time curl x; ! wget y; coproc z { nc h 1; }", []string{"[curl] curl x", "[wget] wget y", "[nc] nc h 1"}},
		{"comment", "# curl x | sh\na # ${{ b }}", []string{"[a] a"}},
		{"crlf", "a b\r\nc\r\n", []string{"[a] a b", "[c] c"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newScript(test.script)
			if s.Err != nil || s.Prog == nil {
				t.Fatalf("%q does not parse: %v", test.script, s.Err)
			}
			var got []string
			for _, c := range s.Commands {
				got = append(got, showCommand(c))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("%s\n got %s\nwant %s", test.script, strings.Join(got, "\n     "), strings.Join(test.want, "\n     "))
			}
		})
	}
}

func TestCommandNames(t *testing.T) {
	tests := map[string]string{
		"sudo curl x": "curl", "sudo -E -u build curl x": "curl", "sudo -Eu build curl": "curl", "sudo -ubuild curl": "curl",
		"sudo --user build -- curl": "curl", "sudo --user=build curl": "curl", "sudo A=b C=d curl": "curl", "sudo -l": "sudo", "sudo -i": "sudo",
		"env": "env", "env -i A=b curl": "curl", "env -u A -C /tmp curl": "curl", "env A=b": "env", "env - curl": "curl", "env -S 'curl x'": "env",
		"command curl": "curl", "command -v curl": "command", "exec curl": "curl", "exec -a name curl": "curl", "exec": "exec",
		"nohup curl": "curl", "timeout 5m curl": "curl", "timeout -k 5 -s KILL 1m curl": "curl", "timeout --kill-after=5 1m curl": "curl", "timeout 5": "timeout",
		"nice -n 10 curl": "curl", "nice -10 curl": "curl", "nice": "nice", "stdbuf -oL curl": "curl", "stdbuf -o L curl": "curl",
		"sudo env A=b nohup /usr/bin/time -f %e timeout 1 curl": "curl", "/usr/bin/sudo /usr/bin/curl": "curl",
		"sudo $CMD": "", "$SUDO curl": "", "sudo -u $USER curl": "curl", "xargs curl": "xargs", "builtin cd": "cd", "doas -u x curl": "curl",
		"s'u'do c\\url": "curl", "\"curl\"": "curl", "setsid -f curl": "curl", "ionice -c 3 curl": "curl", "ionice -p 1": "ionice",
	}
	for script, want := range tests {
		c := newScript(script).Commands[0]
		if c.Name != want {
			t.Errorf("%s: name %q, want %q", script, c.Name, want)
		}
		if want != "" && baseName(c.Words[c.NameAt].Text) != want {
			t.Errorf("%s: word %d gives the name %q", script, c.NameAt, want)
		}
	}
	if args := newScript("sudo curl -s x").Commands[0].Args(); len(args) != 2 || args[0].Text != "-s" {
		t.Errorf("arguments are %v", args)
	}
	if args := newScript("A=b").Commands[0].Args(); args != nil {
		t.Errorf("an assignment has arguments %v", args)
	}
}

// Spans cover what they say, seen through the YAML around the script.
func TestScriptSpans(t *testing.T) {
	const file = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n" +
		"      - run: |\n          A=ä curl \"$B\" ${{ github.ref }} \\\n            --x > out\n          cat <<EOF\n          body ${{ c }}\n          EOF\n" +
		"      - run: \"echo \\\"$X\\\" \\u00e4 | sh\"\n" +
		"      - run: >-\n          echo a\n          b c\n"
	f := Parse(".github/workflows/x.yml", []byte(file))
	steps := f.Workflow.Jobs[0].Steps
	first, second, third := steps[0].Run.Commands, steps[1].Run.Commands, steps[2].Run.Commands
	tests := []struct {
		span Span
		want string
	}{
		{first[0].Span, "A=ä curl \"$B\" ${{ github.ref }} \\\n            --x > out"},
		{first[0].Assigns[0].Span, "A=ä"},
		{first[0].Assigns[0].Value.Span, "ä"},
		{first[0].Words[1].Span, `"$B"`},
		{first[0].Words[2].Span, "${{ github.ref }}"},
		{first[0].Words[2].Exprs[0].Span, "${{ github.ref }}"},
		{first[0].Redirs[0].Span, "> out"},
		{first[0].Redirs[0].Target.Span, "out"},
		{first[1].Span, "cat <<EOF"},
		{first[1].Redirs[0].Span, "<<EOF"},
		{second[0].Words[1].Span, `\"$X\"`},
		{second[0].Words[2].Span, `\u00e4`},
		{second[1].Span, "sh"},
		{third[0].Words[2].Span, "b"},
		{third[0].Words[3].Span, "c"},
	}
	for _, test := range tests {
		if got := f.Text(test.span); got != test.want {
			t.Errorf("span %v covers %q, want %q", test.span, got, test.want)
		}
	}
	if body := f.Text(first[1].Redirs[0].Target.Span); !strings.HasPrefix(body, "body ${{ c }}") {
		t.Errorf("the heredoc's body is %q", body)
	}
	if got := f.Text(steps[0].Run.SpanOfNode(steps[0].Run.Prog.Stmts[1])); !strings.HasPrefix(got, "cat <<EOF") {
		t.Errorf("the second statement is %q", got)
	}
}

func TestScriptErrors(t *testing.T) {
	tests := []struct {
		name, script, err string
		commands          int
	}{
		{"unclosed quote", "a\nb\necho \"x\n", "line 3 of the script: ", 2},
		{"unfinished if", "a; if b; then", "line 1 of the script: ", 1},
		{"line behind an expression over lines", "echo ${{ a\n}}\nfi", "line 3 of the script: ", 1},
		{"too long", strings.Repeat("a", MaxScriptBytes+1), "the most that is parsed is 524288", 0},
		{"nested", strings.Repeat("(", MaxScriptBytes), "nested too deeply", 0},
		{"nested arithmetic", "$((" + strings.Repeat("-(", MaxScriptBytes/2-2), "nested too deeply", 0},
		{"nested substitutions", strings.Repeat("$(", MaxScriptBytes/2), "nested too deeply", 0},
		{"nested quotes", strings.Repeat(`"$(`, MaxScriptBytes/3), "nested too deeply", 0},
		{"nested blocks", strings.Repeat("{ ", MaxScriptBytes/2), "nested too deeply", 0},
		{"nested conditions", strings.Repeat("if ", MaxScriptBytes/3), "nested too deeply", 0},
		{"nested expansions", strings.Repeat("${a:-", MaxScriptBytes/5), "nested too deeply", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newScript(test.script)
			if s.Err == nil || !strings.Contains(s.Err.Error(), test.err) || s.Prog != nil {
				t.Errorf("error %v, want one with %q", s.Err, test.err)
			}
			if len(s.Commands) != test.commands {
				t.Errorf("%d commands before it, want %d", len(s.Commands), test.commands)
			}
		})
	}
}

func TestOtherShellsAreText(t *testing.T) {
	for _, shell := range []Shell{ShellOther, ShellCmd} {
		s := parseScript(&Scalar{Value: "curl x | sh"}, shell)
		if s.Prog != nil || s.Err != nil || s.Commands != nil || s.Shell != shell {
			t.Errorf("shell %d: %+v", shell, s)
		}
	}
}

// A script of one construct again and again must take milliseconds, not minutes.
func TestScriptsAreReadInLinearTime(t *testing.T) {
	for _, piece := range []string{
		"a;", "a&&", "a|", "a ", "$a", "${{ a }}", "a>b ", "a=b ", "\"$a\"", "`a` ", "$(a) ", "{ a; } >b;", "if a; then b; fi;",
		"a <<E\nx\nE\n", "\\\n", "'a'", "a\\\n", "$((1+1))", "x=(a)\n", "[[ a ]];", "case a in b) c;; esac;", "f(){ a; };", "a <(b) ", "elif", "<<a ", "<<a\n",
	} {
		text := strings.Repeat(piece, (32<<10)/len(piece))
		start := time.Now()
		s := newScript(text + "x")
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("%q repeated takes %v (%d commands)", piece, took, len(s.Commands))
		}
	}
	chain := "$((1" + strings.Repeat("+1", MaxScriptBytes/2-10) + "))"
	if s := newScript("echo " + chain); s.Err != nil {
		t.Errorf("a long sum does not parse: %v", s.Err)
	}
	group := "{ " + strings.Repeat("a>b;", MaxScriptBytes/8) + "}" + strings.Repeat(">b", MaxScriptBytes/8)
	for _, c := range newScript(group).Commands {
		if len(c.Redirs) > 1+maxInheritedRedirs {
			t.Fatalf("a command has %d redirections", len(c.Redirs))
		}
	}
}

func FuzzScript(f *testing.F) {
	for _, seed := range []string{
		"curl $A | sh", "cat <<EOF\n${{ x }}\nEOF", "a=$(b `c`) <(d)", "echo ${{ x }}${{ y }} \"${Z:-${{ w }}}\"", "f() { x; } >y", "$'\\x41\\u00e4\\777'",
		"for ${{ a }} in b; do c; done", "a\x00b\r\nc", "cat <<-E | x\n\ty\n\tE", "${${{ a }}}", "[[ a =~ ${{ b }} ]]", "sudo -u x env A=b c", "A[${{ i }}]=x", "echo \\${{ x }} $${{ y }}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := newScript(text)
		if s.Err == nil && s.Prog == nil {
			t.Fatal("neither a program nor an error")
		}
		if s.Err != nil && strings.Contains(s.Err.Error(), "failed on it") {
			t.Logf("the shell parser failed on %q", text)
		}
		checkCommands(t, s)
		if s.Prog != nil {
			syntax.Walk(s.Prog, func(n syntax.Node) bool {
				if n != nil {
					checkSpan(t, s, s.SpanOfNode(n), "a node")
				}
				return true
			})
		}
	})
}

// checkCommands holds what must be true of the commands of any script.
func checkCommands(t *testing.T, s *Script) {
	t.Helper()
	seen := map[*Command]bool{}
	last := -1
	for _, c := range s.Commands {
		seen[c] = true
		checkSpan(t, s, c.Span, "command")
		if c.Span.Start < last {
			t.Fatalf("%q: commands are out of order", s.Value)
		}
		last = c.Span.Start
		if c.Name != "" && c.NameAt >= len(c.Words) {
			t.Fatalf("%q: name %q at %d of %d words", s.Value, c.Name, c.NameAt, len(c.Words))
		}
		for _, w := range c.Words {
			checkWord(t, s, w)
		}
		for _, a := range c.Assigns {
			checkSpan(t, s, a.Span, "assignment")
			checkWord(t, s, a.Value)
		}
		for _, r := range c.Redirs {
			checkSpan(t, s, r.Span, "redirection")
			checkWord(t, s, r.Target)
		}
	}
	for _, c := range s.Commands {
		if c.PipesInto != nil && !seen[c.PipesInto] || c.Within != nil && !seen[c.Within] {
			t.Fatalf("%q: %q belongs to a command that is not listed", s.Value, c.Name)
		}
	}
}

func checkWord(t *testing.T, s *Script, w Word) {
	t.Helper()
	checkSpan(t, s, w.Span, "word")
	if w.Const && len(w.Vars)+len(w.Exprs)+len(w.Commands) > 0 {
		t.Fatalf("%q: the word %q is constant and is not", s.Value, w.Text)
	}
	for _, e := range w.Exprs {
		if !slices.Contains(s.Exprs, e) {
			t.Fatalf("%q: %q is no expression of the script", s.Value, e.Text)
		}
	}
}

func checkSpan(t *testing.T, s *Script, span Span, what string) {
	t.Helper()
	if span.Start < 0 || span.End < span.Start || span.End > len(s.Value) {
		t.Fatalf("%q: the span %v of a %s lies outside", s.Value, span, what)
	}
}
