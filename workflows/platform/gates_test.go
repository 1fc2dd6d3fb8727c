package platform

import "testing"

func TestGates(t *testing.T) {
	for action, want := range map[string]Gate{
		"actions-cool/check-user-permission": Tells, "Skjnldsv/Check-Actor-Permission": Refuses, "actions/checkout": NoGate,
	} {
		if got := ActionGate(action); got != want {
			t.Errorf("ActionGate(%q) = %v, want %v", action, got, want)
		}
	}
	for script, want := range map[string]Gate{
		"const p = await github.rest.repos.getCollaboratorPermissionLevel(x); core.setOutput('ok', p)": Tells,
		"if (!await checkMembershipForUser(x)) core.setFailed('no')":                                   Refuses,
		"gh api repos/$R/collaborators/$U/permission || exit 1":                                        Refuses,
		"exit 1": NoGate,
	} {
		if got := ScriptGate(script); got != want {
			t.Errorf("ScriptGate(%q) = %v, want %v", script, got, want)
		}
	}
}

func TestServesEverybody(t *testing.T) {
	if !ServesEverybody("Contributor-Assistant/github-action") || ServesEverybody("github/command") {
		t.Error("only the actions for agreements do")
	}
}

func TestMerges(t *testing.T) {
	for _, text := range []string{`gh pr review "$N" --approve`, "gh pr review -a 3", "gh api -X PUT repos/$R/pulls/$N/merge", "gh api repos/$R/pulls/3/reviews -f event=APPROVE"} {
		if !Merges("", text) {
			t.Errorf("%q merges or approves", text)
		}
	}
	if Merges("", "gh pr review 3 --comment -b a") || Merges("", "gh pr review 3 --request-changes && ls -a") {
		t.Error("a comment is no approval")
	}
	if !Merges("hmarr/Auto-Approve-action", "") || !Merges("", "gh pr merge --auto 3") || Merges("actions/checkout", "gh pr view 3") {
		t.Error("merging is not told")
	}
}

func TestRefusesForks(t *testing.T) {
	for script, want := range map[string]bool{
		"if (pr.head.repo.full_name !== me) { core.setFailed('a fork'); return; }":               true,
		`[ "$(gh pr view --json isCrossRepository --jq .isCrossRepository)" = false ] || exit 1`: true,
		"core.setOutput('fork', pr.head.repo.fork)":                                              false,
		"exit 1": false,
	} {
		if RefusesForks(script) != want {
			t.Errorf("RefusesForks(%q) = %v", script, !want)
		}
	}
}

func TestAsksRights(t *testing.T) {
	if AsksRights("echo hello") >= 0 || AsksRights("x; gh api repos/a/b/collaborators/c/permission") != 19 {
		t.Error("where a script asks is not told")
	}
}
