package reach_test

import (
	"strings"
	"testing"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

func TestReleases(t *testing.T) {
	for step, want := range map[string]string{
		"run: npm publish":                                                           "publishes",
		"run: npm publish --dry-run":                                                 "",
		"run: git push":                                                              "",
		"run: gh workflow run x":                                                     "",
		"run: echo npm publish":                                                      "",
		"run: aws s3 sync . s3://b && npm publish":                                   "publishes",
		"uses: docker/build-push-action@v6":                                          "",
		"{ uses: docker/build-push-action@v6, with: { push: false } }":               "",
		"{ uses: docker/build-push-action@v6, with: { push: true } }":                "publishes",
		"{ uses: docker/build-push-action@v6, with: { push: '${{ x }}' } }":          "publishes",
		"{ uses: docker/bake-action@v6, with: { set: '*.output=type=docker' } }":     "",
		"run: docker build -t a .":                                                   "",
		"run: docker build -t a . && docker push a":                                  "publishes",
		"run: docker buildx build --push .":                                          "publishes",
		"uses: pypa/gh-action-pypi-publish@release/v1":                               "publishes",
		"{ uses: pyo3/maturin-action@v1, with: { command: upload, args: dist/* } }":  "publishes",
		"{ uses: pyo3/maturin-action@v1, with: { command: build } }":                 "",
		"{ uses: actions-rs/cargo@v1, with: { command: publish, args: --dry-run } }": "",
		"{ uses: borales/actions-yarn@v5, with: { cmd: npm publish } }":              "publishes",
		"{ uses: borales/actions-yarn@v5, with: { cmd: install } }":                  "",
		"{ run: 'npm publish', shell: pwsh }":                                        "publishes",
		"uses: actions/deploy-pages@v4":                                              "deploys",
		"uses: actions/checkout@v4":                                                  "",
	} {
		f := workflows.Parse(".github/workflows/w.yml", []byte("on: push\njobs:\n  j:\n    runs-on: x\n    steps:\n      - "+step+"\n"))
		g := reach.Build(&workflows.Repository{Files: []*workflows.File{f}})
		var got []string
		for _, r := range g.Releases(g.Jobs[0]) {
			got = append(got, r.What)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %q, want %q", step, got, want)
		}
		if want == "" && step != "run: git push" && step != "run: gh workflow run x" && len(g.Jobs[0].Autonomy) > 0 {
			t.Errorf("%s: the job acts without a person: %q", step, g.Jobs[0].Autonomy)
		}
	}
}
