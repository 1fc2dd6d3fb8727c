package flow_test

import (
	"testing"

	"github.com/stint-dev/stint/reach/flow"
)

func TestArtifacts(t *testing.T) {
	const download = "      - uses: actions/download-artifact@v5\n        with: { run-id: \"${{ github.event.workflow_run.id }}\", path: art }\n"
	const on = "{ workflow_run: { workflows: [Elsewhere] } }"
	const brought = "artifact actions/download-artifact@v5 <- an artifact of another run (anyone)\n"
	for _, c := range []struct{ name, repo, want string }{
		{"the artifact of the run before", job(on, download), brought},
		{"the run's own artifact", job(on, "      - uses: actions/download-artifact@v5\n        with: { path: art }\n"), ""},
		{"the run's own artifact by its number", job(on, "      - uses: actions/download-artifact@v5\n        with: { run-id: \"${{ github.run_id }}\" }\n"), ""},
		{"in a run that writers start", job("push", download), ""},
		{"after a push alone", job(on, download[:len(download)-1]+"\n        if: github.event.workflow_run.event == 'push'\n"), ""},
		{"an action that always takes another run's", job(on, "      - uses: dawidd6/action-download-artifact@v6\n"),
			"artifact dawidd6/action-download-artifact@v6 <- an artifact of another run (anyone)\n"},
		{"its text through an output into a script", job(on, download+`
      - id: pr
        run: echo "number=$(cat art/number)" >> "$GITHUB_OUTPUT"
      - run: echo ${{ steps.pr.outputs.number }}
`), brought + "script ${{ steps.pr.outputs.number }} <- an artifact of another run (anyone)\n"},
		{"its text into the environment", job(on, download+`
      - run: cat vars >> "$GITHUB_ENV"
        working-directory: art
`), brought + "envfile cat vars >> \"$GITHUB_ENV\" <- an artifact of another run (anyone)\n"},
		{"a file beside it", job(on, download+`
      - run: echo "V=$(cat VERSION)" >> "$GITHUB_ENV"
`), brought},
		{"words are no files", job(on, "      - uses: dawidd6/action-download-artifact@v6\n      - run: echo \"V=$(echo art)\" >> \"$GITHUB_ENV\"\n"),
			"artifact dawidd6/action-download-artifact@v6 <- an artifact of another run (anyone)\n"},
		{"a count of it", job(on, download+`
      - run: echo "N=$(cat art/list | wc -l)" >> "$GITHUB_ENV"
`), brought},
		{"gh run download", job(on, `
      - run: |
          gh run download "$RUN" --dir=art
          cd art
          echo "V=$(jq -r .version meta.json)" >> "$GITHUB_ENV"
`), `artifact gh run download "$RUN" --dir=art <- an artifact of another run (anyone)
envfile echo "V=$(jq -r .version meta.json)" >> "$GITHUB_ENV" <- an artifact of another run (anyone)
`},
		{"an archive by the API", job(on, `
      - uses: actions/github-script@v8
        with:
          script: |
            const zip = await github.rest.actions.downloadArtifact({ ...context.repo, artifact_id: 1, archive_format: 'zip' });
            require('fs').writeFileSync('pr.zip', Buffer.from(zip.data));
      - run: unzip pr.zip -d art
      - uses: actions/github-script@v8
        id: text
        with:
          script: |
            const fs = require('fs');
            const title = fs.readFileSync('art/title', 'utf8');
            core.setOutput('title', title);
            core.setOutput('number', Number(fs.readFileSync('art/number')));
      - run: echo ${{ steps.text.outputs.title }} ${{ steps.text.outputs.number }}
`), `artifact unzip pr.zip -d art <- an artifact of another run (anyone)
script ${{ steps.text.outputs.title }} <- an artifact of another run (anyone)
`},
		{"an archive of something else", job(on, "      - run: curl -O https://example.com/tool.zip && unzip tool.zip\n"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := sinks(flow.Analyse(repository(t, c.repo))); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

func TestArtifactPath(t *testing.T) {
	for with, want := range map[string]string{
		"path: art":                           "art",
		"path: ./art/":                        "art",
		"name: x":                             "",
		"path: \"${{ github.workspace }}/a\"": "a",
		"path: \"${{ runner.temp }}/a\"":      "RUNNER_TEMP/a",
		"path: /tmp/a":                        "tmp/a",
		"path: \"${{ inputs.dir }}\"":         flow.UnknownDir,
	} {
		a := flow.Analyse(repository(t, job("{ workflow_run: { workflows: [Elsewhere] } }",
			"      - uses: dawidd6/action-download-artifact@v6\n        with: { "+with+" }\n")))
		dir, ok := a.Sinks()[0].Path()
		if dir != want || ok != (want != flow.UnknownDir) {
			t.Errorf("%s: %q, %v; want %q", with, dir, ok, want)
		}
	}
}
