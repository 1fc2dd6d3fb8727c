package platform

// A campaign is where and when its indicators were described.
type campaign struct{ name, date, source string }

// An indicatorLine is one literal, plain (the sources write hosts with brackets).
type indicatorLine struct {
	campaign                  *campaign
	kind, confidence, literal string
}

// The campaigns. Dates are those of the first attack; sources are reports or public
// issues of victims, read until 2026-11-21.
var (
	ghostAction     = &campaign{"GhostAction", "2025-09-02", "GitGuardian's report on GhostAction; EL-BID/urbanpy#48"}
	ghostAction2    = &campaign{"GhostAction, second wave", "2026-08-31", "ResonantOS/2.0.0-alpha#430, hobk/leishen-auto#5"}
	shaiHulud       = &campaign{"Shai-Hulud", "2025-09-14", "StepSecurity's and Wiz's reports on Shai-Hulud"}
	shaiHulud2      = &campaign{"Sha1-Hulud, the second coming", "2025-11-21", "Wiz's and Datadog's reports on Shai-Hulud 2.0"}
	goldenPath      = &campaign{"Shai-Hulud, golden path", "2025-12-28", "Aikido's report on the December variant"}
	sandworm        = &campaign{"SANDWORM_MODE", "2026-02-20", "socket.dev/blog/sandworm-mode-npm-worm-ai-toolchain-poisoning"}
	hackerbotClaw   = &campaign{"hackerbot-claw", "2026-02-21", "StepSecurity's report on hackerbot-claw"}
	xygeni          = &campaign{"xygeni", "2026-03-03", "GHSA-f8q5-h5qh-33mh"}
	prtScan         = &campaign{"prt-scan", "2026-03-11", "Wiz's report on prt-scan"}
	teamPCP         = &campaign{"TeamPCP", "2026-03-19", "GHSA-69fq-xp46-6x23, DataDog/indicators-of-compromise teampcp"}
	elementary      = &campaign{"elementary-data", "2026-04-24", "StepSecurity's report on elementary-data"}
	miniShaiHulud   = &campaign{"Mini Shai-Hulud", "2026-05-11", "GHSA-g7cv-rxg3-hmpx, TanStack's postmortem"}
	megalodon       = &campaign{"Megalodon", "2026-05-18", "reports on Megalodon and issues of its victims"}
	miasma          = &campaign{"Miasma", "2026-06-01", "reports on Miasma and Hades, icflorescu/mantine issue 224"}
	miasma3         = &campaign{"Miasma, third wave", "2026-07-14", "reports on the AsyncAPI compromise"}
	chainDrop       = &campaign{"ChainDrop", "2026-08-04", "Unit 42's and Zscaler's reports on ChainDrop"}
	trinitite       = &campaign{"Trinitite", "2026-08-28", "reports on the compromise of @7nohe/openapi-react-query-codegen"}
	subql           = &campaign{"subql", "2026-10-05", "reports on the compromise of @subql/common"}
	tjActions       = &campaign{"tj-actions and reviewdog", "2025-03-11", "GHSA-mrrh-fwg8-r2c3, GHSA-qmg3-hpqr-gqvc"}
	actionsCool     = &campaign{"actions-cool", "2026-05-18", "StepSecurity's report on actions-cool, umijs/qiankun#3209"}
	nxSingularity   = &campaign{"s1ngularity", "2025-08-26", "GHSA-cxm3-wv7p-598c"}
	commonExfil     = &campaign{"drop hosts of several campaigns", "2025-09-02", "the reports on GhostAction, Shai-Hulud, tj-actions, elementary-data"}
	runnerReaders   = &campaign{"readers of the runner's memory", "2025-03-14", "GHSA-mrrh-fwg8-r2c3 and every serious payload since"}
	extraHeaderRead = &campaign{"readers of checkout's credentials", "2026-03-11", "Wiz's report on prt-scan"}
)

// indicatorTable holds the literals, by campaign in order of date. Sources: see the campaigns.
var indicatorTable = []indicatorLine{
	// tj-actions, reviewdog, 2025-03.
	{tjActions, "string", "high", "nikitastupin/30e525b776c409e03c2d6f328f254965"},
	{tjActions, "string", "high", "0e58ed8671d6b60d0890c21b07f8835ace038e67"},
	{tjActions, "string", "high", "f0d342d24037bb11d26b9bd8496e0808ba32e9ec"},
	{runnerReaders, "string", "high", "memdump.py"},
	{runnerReaders, "string", "high", `"issecret":true`},
	{runnerReaders, "string", "medium", "Runner.Worker"},
	{extraHeaderRead, "string", "medium", "http.https://github.com/.extraheader"},

	// s1ngularity, 2025-08.
	{nxSingularity, "string", "high", "s1ngularity-repository"},
	{nxSingularity, "string", "medium", "/tmp/inventory.txt"},

	// GhostAction, 2025-09.
	{ghostAction, "filename", "high", ".github/workflows/github_actions_security.yml"},
	{ghostAction, "filename", "high", ".github/workflows/github_actions_security.yaml"},
	{ghostAction, "string", "medium", "name: Github Actions Security"},
	{ghostAction, "string", "medium", "Prepare Cache Busting"},
	{ghostAction, "string", "medium", "send-secrets"},
	{ghostAction, "host", "high", "bold-dhawan.45-139-104-115.plesk.page"},
	{ghostAction, "host", "high", "objective-hopper.45-139-104-115.plesk.page"},
	{ghostAction, "host", "high", "carte-avantage.com"},
	{ghostAction, "host", "high", "45.139.104.115"},
	{ghostAction, "host", "high", "493networking.cc"},

	// GhostAction again, 2026-08.
	{ghostAction2, "filename", "medium", ".github/workflows/security-audit.yml"},
	{ghostAction2, "filename", "medium", ".github/workflows/security-check.yml"},
	{ghostAction2, "host", "high", "193.32.204.199"},
	{ghostAction2, "host", "high", "170.39.218.2"},
	{ghostAction2, "string", "high", "/?c=monami"},
	{ghostAction2, "string", "medium", "?inj="},
	{ghostAction2, "string", "high", "AKIA_CTX_START"},
	{ghostAction2, "string", "high", "AKIA_CTX_END"},

	// Shai-Hulud, 2025-09.
	{shaiHulud, "filename", "high", ".github/workflows/shai-hulud-workflow.yml"},
	{shaiHulud, "filename", "high", ".github/workflows/shai-hulud.yaml"},
	{shaiHulud, "filename", "high", ".github/workflows/shai-hulud*.y*ml"},
	{shaiHulud, "host", "high", "webhook.site/bb8ca5f6-4175-45d2-b042-fc9ebb8170b7"},
	{shaiHulud, "string", "high", "Shai-Hulud Migration"},
	{shaiHulud, "string", "medium", "shai-hulud"},

	// Sha1-Hulud, 2025-11.
	{shaiHulud2, "label", "high", "SHA1HULUD"},
	{shaiHulud2, "filename", "medium", ".github/workflows/discussion.yaml"},
	{shaiHulud2, "filename", "high", ".github/workflows/formatter_[0-9]*.yml"},
	{shaiHulud2, "string", "high", "Sha1-Hulud: The Second Coming"},
	{shaiHulud2, "string", "medium", "name: Discussion Create"},
	{shaiHulud2, "string", "medium", "add-linter-workflow-"},
	{shaiHulud2, "string", "high", "bun_environment.js"},
	{shaiHulud2, "string", "high", "setup_bun.js"},
	{shaiHulud2, "string", "high", "truffleSecrets.json"},
	{shaiHulud2, "string", "high", "actionsSecrets.json"},
	{shaiHulud2, "filename", "high", "bun_environment.js"},
	{shaiHulud2, "filename", "high", "setup_bun.js"},
	{shaiHulud2, "string", "medium", "RUNNER_TRACKING_ID: 0"},
	{goldenPath, "string", "high", "Goldox-T3chs"},
	{goldenPath, "string", "high", "3nvir0nm3nt.json"},
	{goldenPath, "string", "high", "pigS3cr3ts.json"},
	{goldenPath, "string", "high", "cl0vd.json"},
	{goldenPath, "string", "high", "c9nt3nts.json"},
	{goldenPath, "filename", "medium", "bun_installer.js"},
	{goldenPath, "filename", "medium", "environment_source.js"},

	// SANDWORM_MODE, 2026-02.
	{sandworm, "string", "high", "ci-quality/code-quality-check"},
	{sandworm, "string", "high", "propagate-core.js"},

	// hackerbot-claw, 2026-02.
	{hackerbotClaw, "host", "high", "hackmoltrepeat.com"},

	// xygeni, 2026-03.
	{xygeni, "host", "high", "security-verify.91.214.78.178.nip.io"},
	{xygeni, "host", "high", "91.214.78.178"},
	{xygeni, "string", "high", "Report Scanner Telemetry"},

	// prt-scan, 2026-03.
	{prtScan, "filename", "high", ".github/prt_exfil.sh"},
	{prtScan, "filename", "high", ".github/workflows/.prt_tmp_*.yml"},
	{prtScan, "string", "high", "prt_exfil.sh"},
	{prtScan, "string", "high", "PRT_EXFIL_START_"},
	{prtScan, "string", "high", "PRT_RECON_START"},
	{prtScan, "string", "high", "PRT_HARVEST_START"},
	{prtScan, "string", "high", "PRT_DELAYED_START"},

	// TeamPCP, 2026-03 to 2026-05.
	{teamPCP, "filename", "medium", ".github/workflows/format-check.yml"},
	{teamPCP, "host", "high", "aquasecurtiy.org"},
	{teamPCP, "host", "high", "45.148.10.212"},
	{teamPCP, "host", "high", "checkmarx.zone"},
	{teamPCP, "host", "high", "checkmarx.cx"},
	{teamPCP, "host", "high", "94.154.172.43"},
	{teamPCP, "host", "medium", "models.litellm.cloud"},
	{teamPCP, "string", "high", "TeamPCP Cloud stealer"},
	{teamPCP, "string", "high", "tpcp.tar.gz"},
	{teamPCP, "string", "medium", "VARIABLE_STORE"},
	{teamPCP, "string", "medium", "format-results.txt"},
	{teamPCP, "string", "high", "LongLiveTheResistanceAgainstMachines"},
	{teamPCP, "string", "high", "Checkmarx Configuration Storage"},
	{teamPCP, "string", "high", "Shai-Hulud: The Third Coming"},
	{teamPCP, "string", "high", "Would be executing butlerian jihad!"},

	// elementary-data, 2026-04.
	{elementary, "filename", "high", "elementary.pth"},
	{elementary, "host", "high", "litter.catbox.moe/iqesmbhukgd2c7hq.sh"},
	{elementary, "host", "high", "skyhanni.cloud"},
	{elementary, "string", "high", "X-Rise-To-The-Trinny"},
	{elementary, "string", "high", "trin.tar.gz"},
	{elementary, "string", "high", ".trinny-security-update"},

	// TanStack, AntV, actions-cool, 2026-05.
	{miniShaiHulud, "string", "high", "router_init.js"},
	{miniShaiHulud, "string", "high", "tanstack_runner.js"},
	{miniShaiHulud, "string", "high", "@tanstack/setup"},
	{miniShaiHulud, "string", "high", "79ac49eedf774dd4b0cfa308722bc463cfe5885c"},
	{miniShaiHulud, "host", "high", "api.masscan.cloud"},
	{miniShaiHulud, "host", "high", "git-tanstack.com"},
	{miniShaiHulud, "host", "high", "filev2.getsession.org"},
	{miniShaiHulud, "host", "high", "seed1.getsession.org"},
	{actionsCool, "host", "high", "t.m-kosche.com"},
	{miniShaiHulud, "string", "high", "A Mini Shai-Hulud has Appeared"},
	{miniShaiHulud, "string", "high", "niagA oG eW ereH :duluH-iahS"},
	{miniShaiHulud, "string", "high", "IfYouRevokeThisTokenItWillWipeTheComputerOfTheOwner"},

	// Megalodon, 2026-05.
	{megalodon, "filename", "high", ".github/workflows/docker-community-worker-push-latest.yml"},
	{megalodon, "host", "high", "216.126.225.129"},
	{megalodon, "string", "high", "?h=megalodon"},
	{megalodon, "string", "high", "name: SysDiag"},
	{megalodon, "string", "high", "name: Optimize-Build"},
	{megalodon, "string", "high", "build-bot@github-ci.com"},
	{megalodon, "string", "high", "ci-pipeline@actions-bot.com"},
	{megalodon, "string", "high", "acac5a9854650c4ae2883c4740bf87d34120c038"},

	// Miasma, Hades, 2026-06.
	{miasma, "filename", "high", ".github/setup.js"},
	{miasma, "filename", "high", ".claude/setup.mjs"},
	{miasma, "filename", "medium", ".cursor/rules/setup.mdc"},
	{miasma, "string", "medium", "name: Run Copilot"},
	{miasma, "string", "high", "OIDC_PACKAGES"},
	{miasma, "string", "high", "Miasma: The Spreading Blight"},
	{miasma, "string", "high", "Hades - The End for the Damned"},
	{miasma, "string", "high", "RevokeAndItGoesKaboom"},
	{miasma, "string", "high", "thebeautifulsnadsoftime"},
	{miasma, "string", "high", "thebeautifulmarchoftime"},
	{miasma, "string", "high", "IfYouInvalidateThisTokenItWillNukeTheComputerOfTheOwner"},
	{miasma, "string", "high", "IfYouYankThisTokenItWillNukeTheComputerOfTheOwnerFully"},
	{miasma, "string", "high", "api.anthropic.com/v1/api"},

	// AsyncAPI, 2026-07.
	{miasma3, "host", "high", "85.137.53.71"},
	{miasma3, "string", "high", "miasma-train-p1"},
	{miasma3, "string", "high", "QmQobZSp1wRPrpSEQ56qnyq7ecZh5Bg5k1fnjt4SUwwHb9"},
	{miasma3, "string", "high", "Qmet4fhsAaWMBUxNDfREHwgiyDeSWy4YSYs9wiKUW5jGyf"},

	// ChainDrop, 2026-08.
	{chainDrop, "filename", "medium", ".github/workflows/codeql_analysis.yml"},
	{chainDrop, "filename", "high", "math_symbol.js"},
	{chainDrop, "filename", "medium", "math_init.js"},
	{chainDrop, "string", "high", "node setup.mjs"},
	{chainDrop, "string", "high", "0xE1f2395ee43e45A1556EC6438a88c31B83493103"},
	{chainDrop, "host", "high", "npm-cache.com"},
	{chainDrop, "host", "high", "awqhnjewqjkl.icu"},
	{chainDrop, "string", "high", "Shai-Hulud: Here We Go Again"},
	{chainDrop, "string", "high", "gh-token-monitor"},

	// Trinitite, 2026-08.
	{trinitite, "filename", "high", "3fwcvzduyzg.js"},
	{trinitite, "filename", "high", "is_it_this_simple.js"},
	{trinitite, "string", "high", "3FWCvzduYZg.js"},
	{trinitite, "string", "high", "is_it_this_simple.js"},
	{trinitite, "string", "high", "sysvinit-detect-fash"},
	{trinitite, "string", "high", "systemd-detect-fash"},
	{trinitite, "string", "high", "trinnyyyy-"},
	{trinitite, "string", "high", "doubletrinnys-"},
	{trinitite, "string", "high", "IfYouRevokeThisTokenYourABadUser"},

	// subql, 2026-10.
	{subql, "string", "medium", "dist/project/readers/manifest-cache.js"},

	// Drop hosts that several campaigns used; each has honest uses too.
	{commonExfil, "host", "medium", "webhook.site"},
	{commonExfil, "host", "medium", "oast.fun"},
	{commonExfil, "host", "medium", "oast.pro"},
	{commonExfil, "host", "medium", "oast.live"},
	{commonExfil, "host", "medium", "oast.site"},
	{commonExfil, "host", "medium", "oast.me"},
	{commonExfil, "host", "medium", "oastify.com"},
	{commonExfil, "host", "medium", "interact.sh"},
	{commonExfil, "host", "medium", "plesk.page"},
	{commonExfil, "host", "medium", "litter.catbox.moe"},
	{commonExfil, "host", "medium", "transfer.sh"},
	{commonExfil, "host", "medium", "nip.io"},
	{commonExfil, "host", "medium", "ngrok.io"},
	{commonExfil, "host", "medium", "ngrok-free.app"},
	{commonExfil, "host", "medium", "requestbin.net"},
	{commonExfil, "host", "medium", "pipedream.net"},
	{commonExfil, "host", "medium", "requestcatcher.com"},
	{commonExfil, "host", "medium", "paste.rs"},
	{commonExfil, "host", "medium", "termbin.com"},
	{commonExfil, "host", "medium", "pastebin.com"},
}
