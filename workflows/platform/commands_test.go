package platform

import (
	"slices"
	"strings"
	"testing"
)

var knownDoes = []string{"publish", "login", "deploy", "install", "fetch", "agent", "checkout", "build"}

// Every line must be reachable: its own words find it.
func TestCommandTables(t *testing.T) {
	seen := map[string]bool{}
	for _, table := range [][]commandLine{publishCommands, loginCommands, deployCommands, installCommands, fetchCommands, agentCommands, checkoutCommands, buildCommands} {
		for _, line := range table {
			if line.words != strings.ToLower(line.words) || seen[line.words] || !slices.Contains(knownDoes, line.Does) {
				t.Errorf("%q: not in lower case, or there twice, or does %q", line.words, line.Does)
			}
			seen[line.words] = true
			words := strings.Fields(strings.ReplaceAll(strings.ReplaceAll(line.words, " *", " x"), "*", ""))
			got, ok := LookupCommand(words)
			if !ok || got.Does != line.Does || got.Opens != line.Opens || got.Runs != line.Runs || !slices.Equal(got.Env, line.Env) {
				t.Errorf("%q: looked up as %+v, %v", line.words, got, ok)
			}
		}
	}
}

func TestLookupCommand(t *testing.T) {
	for _, c := range []struct {
		line string
		want string // does opens, then marks: * runs code of the workspace, = keeps to the lock file, ? dry run
	}{
		{"npm publish", "publish npm*"},
		{"npm publish --access public --dry-run", "publish npm*?"},
		{"npm publish --dry-run=false", "publish npm*"},
		{"npm --prefix packages/a publish", "publish npm*"},
		{"pnpm -r publish --no-git-checks", "publish npm*"},
		{"yarn npm publish", "publish npm*"},
		{"yarn publish", "publish npm*"},
		{"npx semantic-release", "publish npm*"},
		{"npx --yes lerna publish from-package", "publish npm*"},
		{"npx changeset publish", "publish npm*"},
		{"npx -p publib publib-pypi", "publish pypi"},
		{"NODE_ENV=production npx nx release", "publish npm*"},
		{"python -m twine upload dist/*", "publish pypi"},
		{"python3 -m twine upload dist/*", "publish pypi"},
		{"uv publish", "publish pypi"},
		{"uv run twine upload dist/*", "publish pypi"},
		{"poetry publish --build --dry-run", "publish pypi?"},
		{"cargo publish -p core", "publish crates*"},
		{"gem push pkg/x.gem", "publish rubygems"},
		{"dotnet nuget push *.nupkg", "publish nuget"},
		{"./mvnw -B clean deploy", "publish maven*"},
		{"mvn --batch-mode deploy -DskipTests", "publish maven*"},
		{"./gradlew publishToMavenCentral", "publish maven*"},
		{"./gradlew build", "build*"},
		{"./gradlew publishToMavenLocal", "build*"},
		{"docker push ghcr.io/a/b", "publish registry"},
		{"docker buildx build --push -t x .", "publish registry*"},
		{"docker buildx build -t x .", "build*"},
		{"goreleaser release --snapshot", "publish github*?"},
		{"gh release create v1 --notes x", "publish github"},
		{"vsce publish", "publish vscode*"},
		{"helm push x.tgz oci://r", "publish registry"},

		{"aws configure set aws_access_key_id x", "login aws"},
		{"gcloud auth activate-service-account --key-file=k.json", "login gcp"},
		{"gcloud auth login --cred-file=k.json", "login gcp"},
		{"az login --service-principal -u a -p b --tenant c", "login azure"},
		{"az --only-show-errors login", "login azure"},
		{"docker login -u a -p b", "login registry"},
		{"sudo docker login", "login registry"},
		{"helm registry login ghcr.io", "login registry"},
		{"npm config set //r/:_authToken x", "login npm"},
		{"gh auth login --with-token", "login github"},
		{"cargo login", "login crates"},
		{"doctl auth init -t x", "login digitalocean"},
		{"/usr/bin/docker login", "login registry"},

		{"terraform apply -auto-approve", "deploy terraform*"},
		{"terraform -chdir=infra apply", "deploy terraform*"},
		{"terraform plan", "build*"},
		{"tofu apply", "deploy terraform*"},
		{"kubectl --context prod apply -f x", "deploy kubernetes"},
		{"kubectl apply --dry-run=client -f x", "deploy kubernetes?"},
		{"kubectl apply --dry-run=none -f x", "deploy kubernetes"},
		{"kubectl get pods", ""},
		{"aws s3 sync dist s3://b", "deploy aws"},
		{"aws --region eu-west-1 s3 cp a s3://b", "deploy aws"},
		{"aws sts get-caller-identity", ""},
		{"npx cdk deploy", "deploy aws*"},
		{"npx wrangler deploy", "deploy cloudflare*"},
		{"vercel --prod", "deploy vercel*"},
		{"vercel build", "build*"},
		{"flyctl deploy", "deploy fly*"},
		{"helm upgrade --install a b", "deploy kubernetes"},
		{"gcloud run deploy x", "deploy gcp*"},
		{"ansible-playbook site.yml", "deploy ssh*"},
		{"rsync -az public/ deploy@host:/srv/www", "deploy ssh"},
		{"rsync -az public/ \uFFFD@\uFFFD:\uFFFD", "deploy ssh"},
		{"rsync -a -e ssh public/ target", "deploy ssh"},
		{"rsync -a public/ dist/a:b", "deploy ssh?"},
		{"scp a.txt b.txt", "deploy ssh?"},

		{"npm ci", "install npm*="},
		{"npm install", "install npm*"},
		{"npm ci --ignore-scripts", "install npm="},
		{"npm ci --ignore-scripts=false", "install npm*="},
		{"pnpm i --frozen-lockfile", "install npm*="},
		{"pnpm install", "install npm*="},
		{"pnpm install left-pad", "install npm*"},
		{"pnpm install --no-frozen-lockfile", "install npm*"},
		{"pnpm -C web install", "install npm*="},
		{"yarn", "install npm*"},
		{"yarn --frozen-lockfile", "install npm*="},
		{"yarn install --immutable", "install npm*="},
		{"yarn install --immutable --mode=skip-build", "install npm="},
		{"yarn build", "build*"},
		{"bun ci", "install npm*="},
		{"pip install -r requirements.txt", "install pypi*"},
		{"pip install --require-hashes -r requirements.txt", "install pypi*="},
		{"pip install --only-binary=:all: x", "install pypi"},
		{"python -m pip install .", "install pypi*"},
		{"uv sync", "install pypi*"},
		{"uv sync --locked", "install pypi*="},
		{"poetry install", "install pypi*="},
		{"bundle install", "install rubygems*"},
		{"composer install --no-scripts", "install packagist="},
		{"go mod download", "install go="},
		{"go install x@latest", "install go*"},
		{"cargo install --locked x", "install crates*"},
		{"apt-get install -y jq", ""},

		{"curl -sSf https://x", "fetch"},
		{"wget -q x", "fetch"},
		{"Invoke-WebRequest https://x", "fetch"},

		{"make test", "build*"},
		{"npm run build", "build*"},
		{"npm test", "build*"},
		{"go test ./...", "build*"},
		{"go run ./cmd/x", "build*"},
		{"go build ./...", "build"},
		{"go version", ""},
		{"cargo test", "build*"},
		{"mvn verify", "build*"},
		{"pytest -q", "build*"},
		{"python setup.py sdist", "build*"},
		{"pre-commit run --all-files", "build*"},
		{"./script.sh", "build*"},
		{"scripts/ci.sh arg", "build*"},
		{".github/scripts/npm publish", "build*"},
		{"node_modules/.bin/semantic-release", "publish npm*"},
		{"./node_modules/.bin/semantic-release", "publish npm*"},
		{".venv/bin/pip install .", "install pypi*"},
		{"bash scripts/ci.sh", "build*"},
		{"timeout 60 make", "build*"},
		{"env A=b make", "build*"},
		{"xvfb-run -a npm test", "build*"},

		{"claude -p x", "agent anthropic*"},
		{"npx -y @anthropic-ai/claude-code -p x", "agent anthropic*"},
		{"gemini --yolo -p x", "agent gemini*"},
		{"codex exec x", "agent openai*"},
		{"q chat --trust-all-tools x", "agent aws*"},
		{"opencode run x", "agent model*"},
		{"npx --yes @openai/codex@latest exec x", "agent openai*"},
		{"bunx opencode-ai@0.5 run x", "agent model*"},
		{"cn -p x", "agent model*"},

		{"gh pr checkout 1", "checkout github"},
		{"hub pr checkout 1", "checkout github"},
		{"git fetch origin pull/1/head", "checkout"},
		{"git -C sub checkout main", "checkout"},
		{"git push", "publish github"},
		{"git push --dry-run", "publish github?"},
		{"git status", ""},

		{"echo npm publish", ""},
		{"$CMD publish", ""},
		{"${{ x }}/bin", ""},
		{"https://x/y", ""},
		{"sudo", ""},
		{"A=b", ""},
		{"", ""},
	} {
		words := strings.Fields(c.line)
		info, ok := LookupCommand(words)
		got := strings.TrimSpace(info.Does + " " + info.Opens)
		if info.Runs {
			got += "*"
		}
		if info.Locked {
			got += "="
		}
		if info.DryRun {
			got += "?"
		}
		if got != c.want || ok != (c.want != "") {
			t.Errorf("LookupCommand(%q) = %q, want %q", c.line, got, c.want)
		}
	}
}

func TestLookupCommandKeepsTheTable(t *testing.T) {
	words := []string{"./x/npm", "publish"}
	first, _ := LookupCommand([]string{"npm", "publish"})
	first.Env[0] = "changed"
	if again, _ := LookupCommand([]string{"npm", "publish"}); again.Env[0] == "changed" {
		t.Error("a caller changed the table")
	}
	LookupCommand(words)
	if words[0] != "./x/npm" {
		t.Error("the look-up changed its argument")
	}
}

func FuzzLookupCommand(f *testing.F) {
	f.Add("sudo env A=b npx -y npm publish --dry-run")
	f.Add("uv run --with x python -m twine upload")
	f.Fuzz(func(t *testing.T, line string) {
		words := strings.Fields(line)
		info, ok := LookupCommand(words)
		if ok && !slices.Contains(knownDoes, info.Does) || !ok && info.Does != "" {
			t.Errorf("%q: %+v, %v", line, info, ok)
		}
		if wrapped, _ := LookupCommand(append([]string{"nice"}, words...)); ok && len(words) > 0 && !strings.HasPrefix(words[0], "-") && len(words) < maxWords && wrapped.Does != info.Does && strings.Count(line, "nice") == 0 {
			// Only the bound on wrappers may change it.
			if n := len(words); n <= maxWrappers {
				t.Errorf("%q: with nice in front %+v, without %+v", line, wrapped, info)
			}
		}
	})
}

func TestCommandEnv(t *testing.T) {
	for command, want := range map[string]string{
		"gh pr list":                  "GH_TOKEN",
		"sudo gh issue view 3":        "GITHUB_TOKEN",
		"aws sts get-caller-identity": "AWS_SECRET_ACCESS_KEY",
		"terraform init":              "AWS_ACCESS_KEY_ID",
		"twine upload dist/*":         "TWINE_PASSWORD",
		"npm ci":                      "",
		"git status":                  "",
		"make":                        "",
		"":                            "",
	} {
		env := CommandEnv(strings.Fields(command))
		if want == "" && len(env) > 0 || want != "" && !slices.Contains(env, want) {
			t.Errorf("%q reads %v, want %q among them", command, env, want)
		}
	}
}
