package reach_test

import (
	"strings"
	"testing"

	"github.com/stint-dev/stint/reach"
)

// What of the workspace a step runs.
func TestExecutes(t *testing.T) {
	for _, c := range []struct{ step, want string }{
		{"run: npm ci", "npm ci"}, {"run: npm test", "npm test"}, {"run: yarn", "yarn"}, {"run: pnpm -r build", "pnpm -r"},
		{"run: make -C sub all", "make -C"}, {"run: ./build.sh", "./build.sh"}, {"run: bash scripts/a.sh", "bash scripts/a.sh"},
		{"run: bash -e scripts/a.sh", "bash -e"}, {"run: source env.sh", "source env.sh"}, {"run: . ./env.sh", ". ./env.sh"},
		{"run: python setup.py build", "python setup.py"}, {"run: python tool.py", "python tool.py"}, {"run: python -m build", "python -m"}, {"run: node script.js", "node script.js"},
		{"run: pip install -e .", "pip install"}, {"run: pip install -r requirements.txt", "pip install"}, {"run: pip install .", "pip install"},
		{"run: uv sync", "uv sync"}, {"run: go test ./...", "go test"}, {"run: cargo build", "cargo build"}, {"run: ./gradlew build", "./gradlew build"},
		{"run: mvn -B verify", "mvn -B"}, {"run: bundle install", "bundle install"}, {"run: pre-commit run -a", "pre-commit run"},
		{"run: docker build .", "docker build"}, {"run: docker compose up -d", "docker compose"}, {"run: 'docker run -v \"$PWD:/w\" a/b'", "docker run"},
		{"run: sudo -E make", "make"}, {"run: cd sub && npx jest", "npx jest"}, {"run: terraform plan", "terraform plan"},
		{"uses: ./.github/actions/a", "the local action ./.github/actions/a"}, {"uses: ./", "the local action ./"},
		{"uses: pre-commit/action@v3", "pre-commit/action@v3 on the tree"},
		{"{ uses: actions/setup-node@v4, with: { cache: yarn } }", "actions/setup-node@v4 on the tree"},
		{"{ uses: docker/build-push-action@v6, with: { context: . } }", "docker/build-push-action@v6 on the tree"},
		{"{ run: npm ci, shell: pwsh }", "npm ci"},

		{"run: echo done", ""}, {"run: git diff", ""}, {"run: cat Makefile", ""}, {"run: npm --version", ""}, {"run: node -v", ""},
		{"run: npm install -g prettier", ""}, {"run: pip install requests", ""}, {"run: pipx install black", ""}, {"run: brew install jq", ""},
		{"run: cargo install cargo-audit", ""}, {"run: go install example.test/x@v1", ""}, {"run: gem install bundler", ""},
		{"run: bash -c 'echo x'", ""}, {"run: bash -ec 'echo x'", ""}, {"run: curl -sSf https://example.test/x.sh | sh", ""}, {"run: bash <(curl -s https://example.test/x.sh)", ""},
		{"run: node -e 'console.log(1)'", ""}, {"run: source \"$HOME/.cargo/env\"", ""}, {"run: . ~/.profile", ""}, {"run: bash /opt/x.sh", ""},
		{"run: python3 \"$GITHUB_ACTION_PATH/x.py\"", ""}, {"run: node \"${{ github.action_path }}/x.js\"", ""}, {"run: bash \"$RUNNER_TEMP/x.sh\"", ""},
		{"run: docker run a/b", ""}, {"run: command -v make", ""}, {"run: which node", ""},
		{"uses: $/.github/actions/a", ""}, {"uses: actions/setup-node@v4", ""}, {"{ uses: ruby/setup-ruby@v1, with: { bundler-cache: false } }", ""},
		{"uses: docker/build-push-action@v6", ""}, {"uses: actions/cache@v4", ""},
	} {
		step := "      - " + c.step + "\n"
		g := graph(t, workflow("push", "    steps:\n"+step))
		name, at := reach.Executes(g.Jobs[0].Job.Steps[0])
		if name != c.want {
			t.Errorf("%s: %q, want %q", c.step, name, c.want)
		}
		if (name != "") == at.IsZero() {
			t.Errorf("%s: place %v", c.step, at)
		}
	}
}

// Whose tree a step runs in, where outsider's and own checkouts lie side by side.
func TestExecutedTrees(t *testing.T) {
	const head = "      - { uses: actions/checkout@v4, with: { ref: '${{ github.event.pull_request.head.sha }}' } }\n"
	const headIn = "      - { uses: actions/checkout@v4, with: { ref: '${{ github.event.pull_request.head.sha }}', path: pr } }\n"
	const headAnywhere = "      - { uses: actions/checkout@v4, with: { ref: '${{ github.event.pull_request.head.sha }}', path: '${{ env.DIR }}' } }\n"
	const own, ownIn = "      - uses: actions/checkout@v4\n", "      - { uses: actions/checkout@v4, with: { path: base } }\n"
	for _, c := range []struct{ name, steps, want string }{
		{"in the workspace", head + "      - run: make\n", "make"},
		{"before the checkout", "      - run: make\n" + head, ""},
		{"one a step", head + "      - run: make && npm ci\n", "make"},
		{"replaced by the base", head + own + "      - run: make\n", ""},
		{"the base beside", headIn + ownIn + "      - { run: make, working-directory: base }\n      - { run: npm ci, working-directory: pr }\n", "npm ci"},
		{"in the root beside", own + headIn + "      - run: make\n", ""},
		{"named", own + headIn + "      - run: bash pr/a.sh\n      - run: npm --prefix=./pr ci\n", "bash pr/a.sh, npm --prefix=./pr"},
		{"a like name", own + headIn + "      - run: bash prod/a.sh\n", ""},
		{"after cd", own + headIn + "      - run: |\n          cd pr\n          make\n          cd ..\n          npm ci\n", "make"},
		{"a path that is not constant", own + headAnywhere + "      - run: make\n", "make"},
		{"a directory that is not constant", own + headIn + "      - run: cd \"$DIR\" && make\n", "make"},
		{"a local action of the tree", head + "      - uses: ./a\n", "the local action ./a"},
		{"a local action beside", own + headIn + "      - uses: ./a\n", ""},
		{"a local action of the other tree", own + headIn + "      - uses: ./pr/a\n", "the local action ./pr/a"},
		{"an action with a directory", own + headIn + "      - { uses: docker/build-push-action@v6, with: { context: pr } }\n      - { uses: docker/build-push-action@v6, with: { context: . } }\n", "docker/build-push-action@v6 on the tree"},
		{"only when an outsider cannot", head + "      - { run: make, if: github.event_name == 'push' }\n", ""},
	} {
		g := graph(t, "-- .github/workflows/w.yml --\non: [pull_request_target, push]\njobs:\n  j:\n    runs-on: x\n    steps:\n"+c.steps+
			"-- a/action.yml --\nname: a\ndescription: a\nruns: { using: composite, steps: [{ run: make, shell: bash }] }\n")
		var got []string
		for _, s := range g.Flow.Sinks() {
			for _, code := range g.Jobs[0].Executed(s) {
				got = append(got, code.Name)
			}
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s: %q, want %q", c.name, strings.Join(got, ", "), c.want)
		}
	}
}

// An artifact may lie outside of the workspace, and is run from there by its path only.
func TestExecutedOutside(t *testing.T) {
	for _, c := range []struct{ path, run, want string }{
		{"${{ runner.temp }}/x", "sh \"$RUNNER_TEMP/x/a.sh\"", "sh …/x/a.sh"},
		{"${{ runner.temp }}/x", "source ${RUNNER_TEMP}/x/a.sh", "source …/x/a.sh"},
		{"${{ runner.temp }}/x", "\"${{ runner.temp }}/x/a.sh\"", "…/RUNNER_TEMP/x/a.sh"},
		{"${{ runner.temp }}/x", "python3 -u \"$RUNNER_TEMP/x/a.py\"", "python3 -u"},
		{"${{ github.workspace }}/x", "bash \"$GITHUB_WORKSPACE/x/a.sh\"", "bash …/x/a.sh"},
		{"/tmp/x", "bash /tmp/x/a.sh", "bash /tmp/x/a.sh"},
		{"/tmp/x", "/tmp/x/a.sh", "/tmp/x/a.sh"},
		{"/tmp/x", "cd /tmp/x && make", "make"},
		{"${{ runner.temp }}/x", "sh \"$RUNNER_TEMP/y/a.sh\"", ""},
		{"${{ runner.temp }}/x", "sh x/a.sh", ""},
		{"${{ runner.temp }}/x", "bash -c 'cat \"$RUNNER_TEMP/x/a.sh\"'", ""},
		{"${{ runner.temp }}/x", "cat \"$RUNNER_TEMP/x/a.sh\"", ""},
		{"/tmp/x", "/usr/bin/make", ""},
	} {
		g := graph(t, workflow("workflow_run", "    steps:\n      - { uses: dawidd6/action-download-artifact@v11, with: { run_id: '${{ github.event.workflow_run.id }}', path: '"+c.path+"' } }\n      - run: |\n          "+c.run+"\n"))
		var got []string
		for _, s := range g.Flow.Sinks() {
			for _, code := range g.Jobs[0].Executed(s) {
				got = append(got, code.Name)
			}
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s in %s: %q, want %q", c.run, c.path, strings.Join(got, ", "), c.want)
		}
	}
}
