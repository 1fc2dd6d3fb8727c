package platform

// The alphabets of credentials.
var (
	alnum     = alphabetOf("0-9A-Za-z")
	lowerAn   = alphabetOf("0-9a-z")
	hexLower  = alphabetOf("0-9a-f")
	base32    = alphabetOf("A-Z2-7")
	wordBytes = alphabetOf("0-9A-Za-z_")
	urlBytes  = alphabetOf("0-9A-Za-z_-")
	dotted    = alphabetOf("0-9A-Za-z_.-")
	base64Std = alphabetOf("0-9A-Za-z+/=")
	pathBytes = alphabetOf("0-9A-Za-z_/-")
	colonText = alphabetOf("0-9A-Za-z_:-")
)

// secretFormats are the forms of credentials with a public beginning, from the
// issuers' own documentation and announcements, 2026-11. What has no beginning of
// its own is judged by the name beside it, not here.
var secretFormats = []secretFormat{
	// GitHub: docs.github.com, "GitHub's token formats", and its announcement of
	// checksums of 2021-04; stateless installation tokens since 2026-04.
	{kind: "a GitHub personal access token", opens: "github", prefix: "ghp_", body: alnum, least: 36, most: 36, weight: SecretWhole, check: checksummed},
	{kind: "a GitHub fine-grained token", opens: "github", prefix: "github_pat_", body: wordBytes, least: 82, most: 82, weight: SecretWhole},
	{kind: "a GitHub OAuth token", opens: "github", prefix: "gho_", body: alnum, least: 36, most: 36, weight: SecretWhole, check: checksummed},
	{kind: "a GitHub user token of an app", opens: "github", prefix: "ghu_", body: alnum, least: 36, most: 36, weight: SecretWhole, check: checksummed},
	{kind: "a GitHub installation token", opens: "github", prefix: "ghs_", body: alnum, least: 36, most: 36, weight: SecretPart, check: checksummed},
	{kind: "a GitHub installation token", opens: "github", prefix: "ghs_", body: dotted, least: 100, weight: SecretPart, check: statelessAppToken},
	{kind: "a GitHub refresh token", opens: "github", prefix: "ghr_", body: alnum, least: 36, most: 76, weight: SecretWhole, check: checksummed},

	// Registries.
	{kind: "an npm access token", opens: "npm", prefix: "npm_", body: alnum, least: 36, most: 36, weight: SecretWhole, check: checksummed},
	{kind: "a PyPI token", opens: "pypi", prefix: "pypi-AgE", body: urlBytes, least: 80, weight: SecretWhole, check: pypiMacaroon},
	{kind: "a RubyGems key", opens: "rubygems", prefix: "rubygems_", body: hexLower, least: 48, most: 48, weight: SecretWhole},
	{kind: "a crates token", opens: "crates", prefix: "cio", body: alnum, least: 32, most: 32, weight: SecretWhole},
	{kind: "a NuGet key", opens: "nuget", prefix: "oy2", body: lowerAn, least: 43, most: 43, weight: SecretWhole},
	{kind: "a Docker Hub token", opens: "dockerhub", prefix: "dckr_pat_", body: urlBytes, least: 27, most: 36, weight: SecretWhole},
	{kind: "a Docker Hub organization token", opens: "dockerhub", prefix: "dckr_oat_", body: urlBytes, least: 27, most: 36, weight: SecretWhole},

	// Clouds.
	{kind: "an AWS access key id", opens: "aws", prefix: "AKIA", body: base32, least: 16, most: 16, weight: SecretPart, check: awsKeyID},
	{kind: "a Google API key", opens: "gcp", prefix: "AIza", body: urlBytes, least: 35, most: 35, weight: SecretPart},
	{kind: "a Google OAuth client secret", opens: "gcp", prefix: "GOCSPX-", body: urlBytes, least: 28, most: 28, weight: SecretWhole},
	{kind: "an Azure storage key", opens: "azure", prefix: "AccountKey=", body: base64Std, least: 88, most: 88, weight: SecretWhole, check: azureKey},
	{kind: "an Azure shared access key", opens: "azure", prefix: "SharedAccessKey=", body: base64Std, least: 44, most: 44, weight: SecretWhole, check: azureKey},
	{kind: "a DigitalOcean token", opens: "digitalocean", prefix: "dop_v1_", body: hexLower, least: 64, most: 64, weight: SecretWhole},
	{kind: "a Vault token", opens: "vault", prefix: "hvs.", body: urlBytes, least: 24, weight: SecretWhole},
	{kind: "a Terraform Cloud token", opens: "terraform", prefix: "atlasv1.", body: urlBytes, least: 60, weight: SecretWhole},
	{kind: "a Pulumi token", opens: "pulumi", prefix: "pul-", body: hexLower, least: 40, most: 40, weight: SecretWhole},
	{kind: "a Databricks token", opens: "databricks", prefix: "dapi", body: hexLower, least: 32, most: 32, weight: SecretWhole},
	{kind: "a Doppler token", opens: "doppler", prefix: "dp.pt.", body: alnum, least: 40, most: 44, weight: SecretWhole},
	{kind: "a Doppler service token", opens: "doppler", prefix: "dp.st.", body: dotted, least: 40, most: 80, weight: SecretWhole, check: lastPart},
	{kind: "a Netlify token", opens: "netlify", prefix: "nfp_", body: alnum, least: 36, most: 36, weight: SecretWhole},
	{kind: "a Heroku key", opens: "heroku", prefix: "HRKU-", body: urlBytes, least: 36, most: 64, weight: SecretWhole},

	// GitLab, Slack, Discord, Telegram.
	{kind: "a GitLab token", opens: "gitlab", prefix: "glpat-", body: dotted, least: 20, most: 64, weight: SecretWhole},
	{kind: "a GitLab deploy token", opens: "gitlab", prefix: "gldt-", body: urlBytes, least: 20, most: 64, weight: SecretWhole},
	{kind: "a GitLab runner token", opens: "gitlab", prefix: "glrt-", body: dotted, least: 20, most: 64, weight: SecretWhole},
	{kind: "a Slack bot token", opens: "slack", prefix: "xoxb-", body: urlBytes, least: 40, weight: SecretWhole, check: slackToken},
	{kind: "a Slack user token", opens: "slack", prefix: "xoxp-", body: urlBytes, least: 40, weight: SecretWhole, check: slackToken},
	{kind: "a Slack app token", opens: "slack", prefix: "xapp-", body: urlBytes, least: 40, weight: SecretWhole, check: slackToken},
	{kind: "a Slack webhook", opens: "slack", prefix: "https://hooks.slack.com/services/T", body: pathBytes, least: 30, most: 60, weight: SecretWhole, check: lastPart},
	{kind: "a Slack workflow webhook", opens: "slack", prefix: "https://hooks.slack.com/triggers/", body: pathBytes, least: 40, most: 90, weight: SecretWhole, check: lastPart},
	{kind: "a Discord webhook", opens: "discord", prefix: "https://discord.com/api/webhooks/", body: pathBytes, least: 80, most: 100, weight: SecretWhole, check: lastPart},
	{kind: "a Discord webhook", opens: "discord", prefix: "https://discordapp.com/api/webhooks/", body: pathBytes, least: 80, most: 100, weight: SecretWhole, check: lastPart},
	{kind: "a Telegram bot token", opens: "telegram", prefix: "https://api.telegram.org/bot", body: colonText, least: 43, most: 48, weight: SecretWhole, check: lastPart},

	// Models.
	{kind: "an Anthropic key", opens: "anthropic", prefix: "sk-ant-", body: urlBytes, least: 90, most: 130, weight: SecretWhole},
	{kind: "an OpenAI key", opens: "openai", prefix: "sk-", body: urlBytes, least: 45, most: 200, weight: SecretWhole, check: holds("T3BlbkFJ")},
	{kind: "an OpenRouter key", opens: "openrouter", prefix: "sk-or-v1-", body: hexLower, least: 64, most: 64, weight: SecretWhole},
	{kind: "a Hugging Face token", opens: "huggingface", prefix: "hf_", body: alnum, least: 34, most: 34, weight: SecretWhole, check: mixedCase},
	{kind: "a Replicate token", opens: "replicate", prefix: "r8_", body: alnum, least: 37, most: 37, weight: SecretWhole},
	{kind: "a Groq key", opens: "groq", prefix: "gsk_", body: alnum, least: 52, most: 52, weight: SecretWhole},

	// Services.
	{kind: "a Stripe live key", opens: "stripe", prefix: "sk_live_", body: alnum, least: 24, most: 120, weight: SecretWhole},
	{kind: "a Stripe restricted key", opens: "stripe", prefix: "rk_live_", body: alnum, least: 24, most: 120, weight: SecretWhole},
	{kind: "a Stripe test key", opens: "stripe", prefix: "sk_test_", body: alnum, least: 24, most: 120, weight: SecretTest},
	{kind: "a SendGrid key", opens: "sendgrid", prefix: "SG.", body: dotted, least: 66, most: 66, weight: SecretWhole, check: lastPart},
	{kind: "a Twilio key id", opens: "twilio", prefix: "SK", body: hexLower, least: 32, most: 32, weight: SecretPart},
	{kind: "a Mailgun key", opens: "mailgun", prefix: "key-", body: hexLower, least: 32, most: 32, weight: SecretWhole},
	{kind: "a Shopify token", opens: "shopify", prefix: "shpat_", body: hexLower, least: 32, most: 32, weight: SecretWhole},
	{kind: "a New Relic key", opens: "newrelic", prefix: "NRAK-", body: alnum, least: 27, most: 27, weight: SecretWhole},
	{kind: "a Grafana service account token", opens: "grafana", prefix: "glsa_", body: wordBytes, least: 41, most: 41, weight: SecretWhole},
	{kind: "a Grafana Cloud token", opens: "grafana", prefix: "glc_", body: base64Std, least: 60, weight: SecretWhole},
	{kind: "a Sentry token", opens: "sentry", prefix: "sntrys_", body: alphabetOf("0-9A-Za-z+/=_"), least: 80, weight: SecretWhole},
	{kind: "a Sentry user token", opens: "sentry", prefix: "sntryu_", body: hexLower, least: 64, most: 64, weight: SecretWhole},
	{kind: "a SonarQube token", opens: "sonar", prefix: "sqp_", body: hexLower, least: 40, most: 40, weight: SecretWhole},
	{kind: "a SonarQube user token", opens: "sonar", prefix: "squ_", body: hexLower, least: 40, most: 40, weight: SecretWhole},
	{kind: "a Linear key", opens: "linear", prefix: "lin_api_", body: alnum, least: 40, most: 40, weight: SecretWhole},
	{kind: "a Postman key", opens: "postman", prefix: "PMAK-", body: urlBytes, least: 59, most: 59, weight: SecretWhole},
	{kind: "an age identity", opens: "", prefix: "AGE-SECRET-KEY-1", body: alphabetOf("0-9A-Z"), least: 58, most: 58, weight: SecretWhole},

	// Signed tokens of anybody.
	{kind: "a signed web token", opens: "", prefix: "eyJ", body: dotted, least: 60, weight: SecretWhole, check: webToken},
}

// mixedCase demands letters of both cases beside a random look: the beginning is
// also that of ordinary names.
func mixedCase(whole string, _ *SecretHit) bool {
	upper, lower := 0, 0
	for i := range len(whole) {
		switch c := whole[i]; {
		case c >= 'A' && c <= 'Z':
			upper++
		case c >= 'a' && c <= 'z':
			lower++
		}
	}
	return upper > 4 && lower > 4 && distinct(whole) > 15 && !IsPlaceholder(whole)
}
