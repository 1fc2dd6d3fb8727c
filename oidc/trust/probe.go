package trust

import (
	"regexp"
	"slices"
	"strings"

	"github.com/stint-dev/stint/oidc"
)

// A Probe is a token made to ask a lock about.
type Probe struct {
	// Name says whose token it is, in kebab case: "look-alike-branch".
	Name string
	// Immutable says which form its subject has; a template's subject has neither.
	Immutable bool
	Claims    oidc.Claims
}

// The names of probes that others look for; the rest stand where they are made.
const (
	probeWorkload          = "workload"
	probeOtherBranch       = "other-branch"
	probeLookAlikeBranch   = "look-alike-branch"
	probeSiblingBranch     = "sibling-branch"
	probeMergeQueue        = "merge-queue"
	probeTag               = "tag"
	probePatternRef        = "ref-of-the-pattern"
	probeOtherEnvironment  = "other-environment"
	probeLookAlikeEnv      = "look-alike-environment"
	probeEnvironmentTwin   = "environment-twin"
	probeEnvironmentRef    = "environment-other-ref"
	probeEnvironmentPull   = "environment-in-pull-request"
	probeInEnvironment     = "in-an-environment"
	probePullRequest       = "pull-request"
	probePullRequestTarget = "pull-request-target"
	probeIssueComment      = "issue-comment"
	probeWorkflowRun       = "workflow-run"
	probeOtherWorkflow     = "other-workflow"
	probeCalled            = "called-workflow"
	probeCalledOtherRef    = "called-workflow-other-ref"
	probeOtherRepository   = "other-repository"
	probeLongerRepository  = "longer-repository-name"
	probeRenamed           = "renamed-repository"
	probeLongerOwner       = "longer-owner-name"
	probeOutsider          = "outsider"
	probeOutsiderSameNames = "outsider-same-names"
	probeOutsiderCaller    = "outsider-caller"
	probeRecycled          = "recycled-name"
	probeRecreated         = "recreated-repository"
	probeHyphenSquat       = "hyphen-squat"
	probeForgedTemplate    = "forged-template"
	probeOtherActor        = "other-actor"
	probeSelfHosted        = "self-hosted-runner"
	probeOtherAudience     = "other-audience"
)

const (
	otherBranch = "refs/heads/feature/x"
	otherTag    = "refs/tags/v1.2.3"

	otherEnvironment = "unrelated"
)

// Probes returns tokens made around a target: the workload itself, then others
// that are like it in one respect or another, down to a stranger who shares
// nothing. Most come in both forms of the subject.
func Probes(t Target) []Probe {
	p := prober{target: t, base: tokenOf(t)}
	p.workload()
	p.refs()
	p.environments()
	p.events()
	p.code()
	p.repositories()
	p.outsiders()
	p.surroundings()
	return p.list
}

type prober struct {
	target Target
	base   token
	list   []Probe
}

// add adds a token with both forms of the subject. A target with a template of its
// own gets that as well, as far as the token can have it.
func (p *prober) add(name string, k token) {
	for _, immutable := range []bool{false, true} {
		k.immutable = immutable
		p.list = append(p.list, Probe{name, immutable, k.claims()})
	}
	p.addTemplate(name, k)
}

// addTemplate adds the token as a repository presents it that has the template of
// the target's subject: its keys, filled with the token's own claims.
func (p *prober) addTemplate(name string, k token) {
	sub := example(p.target.Subject)
	if !isTemplate(p.target.Subject) {
		return
	}
	k.template = ""
	claims := k.claims()
	pairs := subjectPairs(sub)
	parts := make([]string, len(pairs))
	for i, pair := range pairs {
		key := pair.key
		if key == "repo" {
			key = "repository"
		}
		value := claims.Get(key)
		if pair.key == "repo" && p.target.Immutable {
			value = k.owner + "@" + k.ownerID + "/" + k.repo + "@" + k.repoID
		}
		parts[i] = pair.key + ":" + strings.ReplaceAll(value, ":", "%3A")
		if pair.key == "repo" && anyContext.MatchString(p.target.Subject) {
			parts[i] += ":" + k.context()
		}
	}
	if strings.HasSuffix(p.target.Subject, ":*") && len(parts) > 0 {
		parts = append(parts, "x") // more claims, whatever they are
	}
	if k.template = strings.Join(parts, ":"); k.template == "" {
		if k.template = sub; name != probeWorkload || !templateStart.MatchString(sub) {
			return
		}
	}
	p.list = append(p.list, Probe{name, p.target.Immutable, k.claims()})
}

// anyContext begins a template's subject whose second part is the usual context,
// whatever that is.
var anyContext = regexp.MustCompile(`^repo:[^:]+:\*+:`)

// templateStart begins each subject of a template: the name of a claim.
var templateStart = regexp.MustCompile(`^[a-z_]+:`)

// example fills the wildcards of a pattern.
func example(pattern string) string {
	return strings.NewReplacer("*", "x", "?", "x").Replace(pattern)
}

func (p *prober) workload() {
	k := p.base
	p.add(probeWorkload, k)
	if p.target.Ref == "" && p.target.Environment == "" {
		for _, ref := range []string{"refs/heads/master", "refs/heads/x", otherTag} {
			p.add(probeWorkload, k.on(ref))
		}
	}
	if p.target.Ref == "" && p.target.Environment != "" {
		p.add(probeWorkload, k.on("refs/heads/production"))
	}
}

// plain is the target's workload without an environment, on a push.
func (p *prober) plain() token {
	k := p.base
	k.environment = ""
	if k.isPullRequest() {
		k.event, k.ref = "push", defaultBranch
	}
	return k
}

func (p *prober) refs() {
	k := p.plain()
	p.add(probeOtherBranch, k.on(otherBranch))
	for _, tag := range []string{otherTag, "refs/tags/v4.5.6", "refs/tags/other-2"} {
		if tag != k.ref {
			p.add(probeTag, k.on(tag))
		}
	}
	queue := k.on("refs/heads/gh-readonly-queue/" + strings.TrimPrefix(k.ref, "refs/heads/") + "/pr-7-abc")
	queue.event = "merge_group"
	p.add(probeMergeQueue, queue)
	if p.target.Ref != "" && p.target.Environment == "" {
		p.add(probeLookAlikeBranch, k.on(k.ref+"-evil"))
		p.add(probeLookAlikeBranch, k.on(lastChanged(k.ref)))
		p.add(probeSiblingBranch, k.on(k.ref[:strings.LastIndexAny(k.ref, separators)+1]+"zz"))
	}
	p.patternRef(k)
}

// differing returns the first that is not the other, else the second.
func differing(first, other, second string) string {
	if first == other {
		return second
	}
	return first
}

// patternRef asks about the ref that fits the wildcards of a subject pattern in
// another way than the one that was meant.
func (p *prober) patternRef(k token) {
	_, context, ok := strings.Cut(p.target.Subject, ":ref:")
	if ref := example(context); ok && ref != context && strings.HasPrefix(ref, "refs/") {
		p.add(probePatternRef, k.on(ref))
	}
}

func (p *prober) environments() {
	k := p.base
	if k.environment == "" {
		for _, k.environment = range []string{someEnvironment, otherEnvironment} {
			p.add(probeInEnvironment, k)
		}
		return
	}
	name := k.environment
	p.add(probeEnvironmentRef, k.on(otherBranch))
	p.add(probeEnvironmentPull, k.inPullRequest("pull_request"))
	if strings.Contains(name, ":") {
		k.environment = strings.ReplaceAll(name, ":", "%3A")
		p.add(probeEnvironmentTwin, k)
	}
	k.environment = name + "-sandbox"
	p.add(probeLookAlikeEnv, k)
	k.environment = lastChanged(name)
	p.add(probeLookAlikeEnv, k)
	k.environment = otherEnvironment
	p.add(probeOtherEnvironment, k)
}

func (p *prober) events() {
	k := p.plain()
	p.add(probePullRequest, k.inPullRequest("pull_request"))
	p.add(probePullRequestTarget, k.inPullRequest("pull_request_target"))
	if k = p.base; k.ref != defaultBranch {
		return
	}
	k.event = "issue_comment"
	p.add(probeIssueComment, k)
	k.event = "workflow_run"
	p.add(probeWorkflowRun, k)
}

func (p *prober) code() {
	k := p.base
	k.workflow, k.called = ".github/workflows/other.yml", ""
	p.add(probeOtherWorkflow, k)
	k = p.base
	if k.called == "" {
		k.called = "elsewhere/shared/.github/workflows/build.yml@refs/heads/main"
		p.add(probeCalled, k)
		return
	}
	path, _, _ := strings.Cut(k.called, "@")
	k.called = path + "@refs/heads/evil"
	p.add(probeCalledOtherRef, k)
}

func (p *prober) repositories() {
	k := p.base
	another := differing("another-repository", k.repo, "yet-another")
	p.add(probeOtherRepository, k.of(k.owner, k.ownerID, another, "80001"))
	p.add(probeLongerRepository, k.of(k.owner, k.ownerID, k.repo+"-evil", "80002"))
	p.add(probeLongerRepository, k.of(k.owner, k.ownerID, lastChanged(k.repo), "80003"))
	if p.target.RepositoryID != "" {
		longer := k.of(k.owner, k.ownerID, k.repo, k.repoID+"9")
		longer.immutable = true
		p.list = append(p.list, Probe{probeLongerRepository, true, longer.claims()})
	}
	p.add(probeRenamed, k.of(k.owner, k.ownerID, k.repo+"-renamed", k.repoID))
	p.add(probeLongerOwner, k.of(k.owner+"-evil", "90001", k.repo, "90002"))
	p.add(probeLongerOwner, k.of(k.owner+"-evil", "90001", "x", "90002"))
	p.add(probeLongerOwner, k.of(lastChanged(k.owner), "90001", k.repo, "90002"))
	p.add(probeLongerOwner, k.of("evil-"+k.owner, "90001", k.repo, "90002"))
	if p.target.OwnerID != "" {
		longer := k.of(k.owner, k.ownerID+"9", k.repo, "90009")
		longer.immutable = true
		p.list = append(p.list, Probe{probeLongerOwner, true, longer.claims()})
	}
	p.add(probeRecycled, k.of(k.owner, "90003", k.repo, "90004"))
	p.add(probeRecreated, k.of(k.owner, k.ownerID, k.repo, "80004"))
	p.add(probeHyphenSquat, k.of(k.owner+"-"+k.ownerID, "90005", k.repo+"-"+k.repoID, "90006"))
}

// lastChanged is a name that differs in its last character alone.
func lastChanged(name string) string {
	return name[:len(name)-1] + differing("z", name[len(name)-1:], "y")
}

// outsiders are people who share nothing with the target but what anyone can choose.
func (p *prober) outsiders() {
	same := p.base.of("outsider", "90007", "x", "90008")
	for _, ref := range []string{same.ref, defaultBranch} {
		k := same.on(ref)
		p.add(probeOutsiderCaller, k)
		k.called = ""
		p.add(probeOutsiderSameNames, k)
		k.environment, k.event, k.workflow, k.more = "", "push", ".github/workflows/x.yml", map[string]string{"workflow": "x"}
		k.actor, k.actorID, k.runner, k.visibility = "mallory", "666", "github-hosted", "public"
		p.add(probeOutsider, k)
		p.add(probeOutsider, k.of(k.owner, k.ownerID, p.base.repo, k.repoID))
	}
	p.forged(same)
}

// forged are subjects of templates that begin with what the outsider may choose.
func (p *prober) forged(k token) {
	environment := p.base.environment
	if environment == "" {
		environment = "prod"
	}
	for _, first := range []string{"workflow:deploy", "environment:" + environment, "ref:" + k.ref, "context:x", "head_ref:main", "actor:" + k.actor} {
		k.template = first + ":repo:outsider/x"
		p.list = append(p.list, Probe{probeForgedTemplate, false, k.claims()})
	}
}

func (p *prober) surroundings() {
	k := p.base
	k.actor, k.actorID = "mallory", "666"
	p.add(probeOtherActor, k)
	k = p.base
	k.runner = differing("self-hosted", k.runner, "github-hosted")
	p.add(probeSelfHosted, k)
	k = p.base
	for _, audience := range []string{"https://example.com/another-relying-party", "https://github.com/" + k.owner} {
		if audience != p.base.audience {
			k.audience = audience
			p.add(probeOtherAudience, k)
		}
	}
}

// named returns the probes of a name.
func named(probes []Probe, name string) []Probe {
	return slices.DeleteFunc(slices.Clone(probes), func(p Probe) bool { return p.Name != name })
}
