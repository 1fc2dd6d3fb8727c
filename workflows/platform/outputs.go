package platform

import "strings"

// An OutputText says whose text an output of an action carries.
type OutputText int

const (
	// OutputUnknown: nothing is known; the output may carry what went in.
	OutputUnknown OutputText = iota
	// OutputFixed: ids, digests, versions, paths, booleans, names of the repository.
	OutputFixed
	// OutputFiles: names of files that a pull request or push changes.
	OutputFiles
	// OutputBranch: the name of a pull request's branch.
	OutputBranch
	// OutputHead: the commit or repository of a pull request: no text, yet its author's code.
	OutputHead
	// OutputWords: title, body or comment of the issue or pull request at hand.
	OutputWords
	// OutputMerged: titles and messages of what has been merged.
	OutputMerged
	// OutputInputs: a part of the text that the inputs hold.
	OutputInputs
	// OutputTree: what a file of the workspace holds.
	OutputTree
)

// String says in a few words what it is, for sentences.
func (o OutputText) String() string {
	return [...]string{"text", "a fixed value", "names of changed files", "a branch name", "the head of a pull request",
		"text of an issue or pull request", "titles and messages of merged changes", "a part of its inputs", "what a file holds"}[o]
}

// An outputLine is what the outputs of an action carry; names are in lower case, "*x"
// fits by its end. Outputs that no name fits are fixed.
type outputLine struct {
	action string
	names  map[string]OutputText
	// escapedFrom is the first version that escapes the text for an unquoted place
	// in a shell script by itself.
	escapedFrom string
}

// outputTable holds actions whose outputs somebody outside writes. Sources: the
// outputs in the actions' own action.yml, 2026-11; the escaping of changed-files:
// GHSA-mcph-m25j-8j63 (safe_output, since v41).
var outputTable = []outputLine{
	{"tj-actions/changed-files", map[string]OutputText{"*_files": OutputFiles}, "v41"},
	{"step-security/changed-files", map[string]OutputText{"*_files": OutputFiles}, "v41"},
	{"tj-actions/branch-names", map[string]OutputText{"head_ref_branch": OutputBranch, "current_branch": OutputBranch, "ref_branch": OutputBranch}, ""},
	{"tj-actions/verify-changed-files", map[string]OutputText{"changed_files": OutputFiles}, "v17"},
	{"dorny/paths-filter", map[string]OutputText{"*_files": OutputFiles}, ""},
	{"jitterbit/get-changed-files", map[string]OutputText{"all": OutputFiles, "added": OutputFiles, "modified": OutputFiles, "removed": OutputFiles, "renamed": OutputFiles, "added_modified": OutputFiles}, ""},
	{"ana06/get-changed-files", map[string]OutputText{"all": OutputFiles, "added": OutputFiles, "modified": OutputFiles, "removed": OutputFiles, "renamed": OutputFiles, "added_modified": OutputFiles}, ""},
	{"masesgroup/retrieve-changed-files", map[string]OutputText{"all": OutputFiles, "added": OutputFiles, "modified": OutputFiles, "removed": OutputFiles, "renamed": OutputFiles, "added_modified": OutputFiles}, ""},
	{"trilom/file-changes-action", map[string]OutputText{"files": OutputFiles, "*_files": OutputFiles, "files_added": OutputFiles, "files_modified": OutputFiles, "files_removed": OutputFiles}, ""},
	{"technote-space/get-diff-action", map[string]OutputText{"diff": OutputFiles}, ""},
	{"xt0rted/pull-request-comment-branch", map[string]OutputText{"head_ref": OutputBranch, "ref": OutputBranch, "head_sha": OutputHead, "sha": OutputHead, "head_owner": OutputHead, "head_repo": OutputHead}, ""},
	{"alessbell/pull-request-comment-branch", map[string]OutputText{"head_ref": OutputBranch, "head_sha": OutputHead}, ""},
	{"eficode/resolve-pr-refs", map[string]OutputText{"head_ref": OutputBranch, "head_sha": OutputHead}, ""},
	{"potiuk/get-workflow-origin", map[string]OutputText{"sourceheadbranch": OutputBranch, "sourceheadsha": OutputHead, "sourceheadrepo": OutputHead, "mergecommitsha": OutputHead}, ""},
	{"github/command", map[string]OutputText{"comment_body": OutputWords, "params": OutputWords, "ref": OutputBranch, "sha": OutputHead}, ""},
	{"github/branch-deploy", map[string]OutputText{"ref": OutputBranch, "params": OutputWords, "comment_body": OutputWords, "parsed_params": OutputWords, "sha": OutputHead, "fork_ref": OutputBranch, "fork_checkout": OutputBranch}, ""},
	{"khan/pull-request-comment-trigger", map[string]OutputText{"comment_body": OutputWords}, ""},
	{"peter-evans/find-comment", map[string]OutputText{"comment-body": OutputWords}, ""},
	{"jwalton/gh-find-current-pr", map[string]OutputText{"title": OutputWords, "body": OutputWords}, ""},
	{"8bitjonny/gh-get-current-pr", map[string]OutputText{"pr": OutputWords, "pr_title": OutputWords, "pr_body": OutputWords, "pr_head_ref": OutputBranch, "pr_head_sha": OutputHead}, ""},
	{"actions-ecosystem/action-get-merged-pull-request", map[string]OutputText{"title": OutputMerged, "body": OutputMerged}, ""},
	{"stefanbuck/github-issue-parser", map[string]OutputText{"jsonstring": OutputWords, "*": OutputWords}, ""},
	{"zentered/issue-forms-body-parser", map[string]OutputText{"data": OutputWords}, ""},
	{"peter-murray/issue-body-parser-action", map[string]OutputText{"payload": OutputWords, "*": OutputWords}, ""},
	{"release-drafter/release-drafter", map[string]OutputText{"body": OutputMerged}, ""},
	{"googleapis/release-please-action", map[string]OutputText{"body": OutputMerged, "pr": OutputMerged, "prs": OutputMerged}, ""},
	{"google-github-actions/release-please-action", map[string]OutputText{"body": OutputMerged, "pr": OutputMerged, "prs": OutputMerged}, ""},
	{"mathieudutour/github-tag-action", map[string]OutputText{"changelog": OutputMerged}, ""},
	{"mikepenz/release-changelog-builder-action", map[string]OutputText{"changelog": OutputMerged}, ""},
	{"metcalfc/changelog-generator", map[string]OutputText{"changelog": OutputMerged}, ""},
	{"requarks/changelog-action", map[string]OutputText{"changes": OutputMerged}, ""},
	{"orhun/git-cliff-action", map[string]OutputText{"content": OutputMerged}, ""},
	{"xt0rted/slash-command-action", map[string]OutputText{"command-arguments": OutputWords}, ""},
	{"juliangruber/read-file-action", map[string]OutputText{"content": OutputTree}, ""},
	{"andstor/file-reader-action", map[string]OutputText{"contents": OutputTree}, ""},
	{"komorebitech/read-files-action", map[string]OutputText{"content": OutputTree}, ""},
	{"tyankatsu0105/read-package-version-actions", map[string]OutputText{"version": OutputTree}, ""},
	{"martinbeentjes/npm-get-version-action", map[string]OutputText{"current-version": OutputTree}, ""},
	{"notiz-dev/github-action-json-property", map[string]OutputText{"prop": OutputTree}, ""},
	{"christian-draeger/read-properties", map[string]OutputText{"*": OutputTree}, ""},
	{"sebrollen/toml-action", map[string]OutputText{"value": OutputTree}, ""},
	{"mikefarah/yq", map[string]OutputText{"result": OutputTree}, ""},
	{"actions-ecosystem/action-regex-match", map[string]OutputText{"*": OutputInputs}, ""},
	{"kaisugi/action-regex-match", map[string]OutputText{"*": OutputInputs}, ""},
	{"frabert/replace-string-action", map[string]OutputText{"replaced": OutputInputs}, ""},
	{"bluwy/substitute-string-action", map[string]OutputText{"result": OutputInputs}, ""},
	{"mad9000/actions-find-and-replace-string", map[string]OutputText{"value": OutputInputs}, ""},
	{"ashley-taylor/regex-property-action", map[string]OutputText{"value": OutputInputs}, ""},
	{"ashley-taylor/read-json-property-action", map[string]OutputText{"value": OutputInputs}, ""},
	{"haya14busa/action-cond", map[string]OutputText{"value": OutputInputs}, ""},
	{"janheinrichmerker/action-github-changelog-generator", map[string]OutputText{"changelog": OutputMerged}, ""},
}

// fixedOutputs are further actions whose outputs nobody outside writes, whatever
// goes in. Sources: the outputs in the actions' own action.yml, 2026-11.
var fixedOutputs = []string{
	"actions/cache", "actions/upload-artifact", "actions/download-artifact", "docker/metadata-action", "actions/deploy-pages",
	"peter-evans/create-pull-request", "peter-evans/create-or-update-comment", "marocchino/sticky-pull-request-comment",
	"actions-cool/check-user-permission", "dependabot/fetch-metadata", "fregante/setup-git-user", "benjlevesque/short-sha",
	"rlespinasse/github-slug-action", "amannn/action-semantic-pull-request", "tspascoal/get-user-teams-membership",
	"softprops/action-gh-release", "actions/create-release", "actions/first-interaction", "nick-fields/retry",
}

var outputIndex = indexBy(outputTable, func(l outputLine) string { return l.action })

// LookupOutput returns what an output of an action carries; comment is the version
// behind a commit pin. Escaped is set when the action escapes the text itself, so
// that it does no harm where a script does not quote it.
func LookupOutput(action, ref, comment, output string) (text OutputText, escaped bool) {
	action, output = strings.ToLower(action), strings.ToLower(output)
	if line, ok := outputIndex[action]; ok {
		return line.text(output), line.escapes(ref, comment)
	}
	for _, name := range fixedOutputs {
		if action == name || strings.HasPrefix(action, name+"/") {
			return OutputFixed, false
		}
	}
	info, ok := LookupAction(action)
	if ok && (info.Setup || info.Cache || info.Upload || info.Mints != "" || info.Publishes || info.Deploys) && !info.Agent {
		return OutputFixed, false
	}
	return OutputUnknown, false
}

func (l outputLine) text(output string) OutputText {
	if t, ok := l.names[output]; ok {
		return t
	}
	for name, t := range l.names {
		if suffix, ok := strings.CutPrefix(name, "*"); ok && strings.HasSuffix(output, suffix) {
			return t
		}
	}
	return OutputFixed
}

func (l outputLine) escapes(ref, comment string) bool {
	from, ok := parseVersion(l.escapedFrom)
	if !ok {
		return false
	}
	v, ok := parseVersion(ref)
	if !ok || isCommit(ref) {
		first, _, _ := strings.Cut(strings.TrimSpace(comment), " ")
		if v, ok = parseVersion(first); !ok {
			return true // a commit of our days: v41 is of December 2023
		}
	}
	return v.top().compare(from) >= 0
}

// outsiderWords are parts of names under which workflows pass on what outsiders write.
var outsiderWords = []string{"title", "body", "message", "comment", "description", "branch", "head", "ref", "label", "commit_msg", "commits", "files"}

// HoldsOutsiderText reports whether an input of this name is usually given what an
// outsider writes: a title, a comment, the name of a branch. It is a habit of those
// who write workflows and no rule.
func HoldsOutsiderText(name string) bool {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == '-' || r == '_' || r == '.' || r == ' ' })
	for _, w := range words {
		for _, o := range outsiderWords {
			if w == o {
				return true
			}
		}
	}
	return false
}
