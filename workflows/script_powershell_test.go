package workflows

import (
	"strings"
	"testing"
	"time"
)

func newPowerShell(text string) *Script {
	s := &Scalar{Value: text, Span: Span{0, len(text)}}
	s.Exprs = findExprs(s)
	return parseScript(s, ShellPowerShell)
}

func TestPowerShellCommands(t *testing.T) {
	for _, test := range []struct{ name, script, want string }{
		{"words", "dotnet nuget push out/*.nupkg -k $env:KEY --source nuget.org", `[dotnet] dotnet nuget push "out/*.nupkg" -k ?$KEY --source nuget.org`},
		{"expression", "nuget push a -ApiKey ${{ secrets.K }}", "[nuget] nuget push a -ApiKey ?{secrets.K}"},
		{"path", `& "C:\Tools\nuget.exe" push a`, "[nuget] C:\\Tools\\nuget.exe push a"},
		{"continued", "npm `\n  publish", "[npm] npm publish"},
		{"comments", "# a b\na <# c\nd #> b", "[a] a b"},
		{"pipe", "$env:T | docker login ghcr.io --password-stdin", "[] ?$T | docker\n[docker] docker login ghcr.io --password-stdin"},
		{"blocks", "if ($env:A -eq 'b') { npm ci; npm publish } else { exit 1 }", "[if] if ?\n[] ?$A -eq b\n[npm] npm ci\n[npm] npm publish\n[else] else\n[exit] exit 1"},
		{"assigned", "$key = $env:KEY\n$env:OTHER=\"x ${{ secrets.K }}\"\n$out = npm publish", "[] ?$KEY $key=?$KEY\n[] OTHER=?{secrets.K}\n[npm] npm publish $out=npm publish"},
		{"parentheses", "a (b (c) -d) -e; f $(g)", "[a] a ? -e\n[b] b ? -d\n[c] c\n[f] f $ ?\n[g] g"},
		{"not closed", "a (b", "[a] a ?\n[b] b"},
		{"quotes", "echo 'a $env:A ''b' \"$env:B `$env:C ${env:D}\"", "[echo] echo \"a $env:A b\" ?$B$D"},
		{"here string", "@\"\n$env:A { | }\n\"@ | sh", "[] ?$A | sh\n[sh] sh"},
		{"redirected", "echo $env:KEY > key.json", "[echo] echo ?$KEY >key.json"},
		{"both", "a && b; c || d", "[a] a\n[b] b\n[c] c\n[d] d"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, c := range newPowerShell(test.script).Commands {
				got = append(got, showPowerShell(c))
			}
			if got := strings.Join(got, "\n"); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func showPowerShell(c *Command) string {
	out := "[" + c.Name + "]"
	word := func(w Word) string {
		text := w.Text
		if !w.Const {
			text = "?"
		}
		if strings.ContainsAny(text, " *") {
			text = `"` + text + `"`
		}
		for _, v := range w.Vars {
			text += "$" + strings.TrimPrefix(v, "$")
		}
		for _, e := range w.Exprs {
			text += "{" + strings.TrimSpace(e.Text) + "}"
		}
		return text
	}
	for _, w := range c.Words {
		out += " " + word(w)
	}
	for _, a := range c.Assigns {
		out += " " + a.Name + "=" + strings.Trim(word(a.Value), `"`)
	}
	for _, r := range c.Redirs {
		out += " " + r.Op + word(r.Target)
	}
	if c.PipesInto != nil {
		out += " | " + c.PipesInto.Name
	}
	return out
}

func TestPowerShellIsReadInLinearTime(t *testing.T) {
	for _, piece := range []string{"a;", "a|", "$a", "$a=", "'a'", "\"$a\"", "`\n", "<#", "@\"\n", "{(", "${{ a }}", "#\n", "> a ", "${", "a,", "&", "(", ")", "a(", "a|\n"} {
		start := time.Now()
		s := newPowerShell(strings.Repeat(piece, (256<<10)/len(piece)))
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("%q repeated takes %v (%d commands)", piece, took, len(s.Commands))
		}
	}
}

func FuzzPowerShell(f *testing.F) {
	for _, seed := range []string{"a `\n b", "$env:A=\"${{ x }}\"", "@'\n'@", "<# # #>", "${env:A}$b", "& 'a' | b > c", "$x = y {z}", "'", "$", "${", "@\""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) { checkCommands(t, newPowerShell(text)) })
}
