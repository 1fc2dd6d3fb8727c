package platform

import (
	"regexp"
	"slices"
	"strings"
)

// A RunnerClass says whose machine a label of runs-on names.
type RunnerClass int

// Classes of runners.
const (
	// RunnerUnknown is any other label: a scale set or a machine of one's own, or a
	// larger runner of the platform under a name that was given to it.
	RunnerUnknown RunnerClass = iota
	// RunnerHosted is a fresh machine of the platform for each job.
	RunnerHosted
	// RunnerVendor is a fresh machine of a company that rents runners.
	RunnerVendor
	// RunnerSelfHosted is a machine of one's own: it may serve one job after another.
	RunnerSelfHosted
)

// hostedLabel matches the platform's labels, and names that are made of them, as its
// larger runners mostly have. Source: docs.github.com, "GitHub-hosted runners reference", 2026-11.
var hostedLabel = regexp.MustCompile(`^(?:ubuntu|windows|macos|github-hosted)-[a-z0-9]|\b(?:ubuntu|windows|macos)-(?:latest|\d)`)

// vendorLabels start the labels of companies that rent runners. Sources: the
// documentation of each, 2026-11.
var vendorLabels = []string{
	"blacksmith", "buildjet-", "depot-", "namespace-profile-", "nscloud-", "warp-", "ubicloud",
	"runs-on=", "runs-on/", "runner=", "family=", "codspeed-", "cirun-", "cirrus-",
}

// LookupRunner judges one label without regard to case.
func LookupRunner(label string) RunnerClass {
	label = strings.ToLower(strings.TrimSpace(label))
	switch {
	case label == "self-hosted":
		return RunnerSelfHosted
	case slices.ContainsFunc(vendorLabels, func(p string) bool { return strings.HasPrefix(label, p) }):
		return RunnerVendor
	case hostedLabel.MatchString(label):
		return RunnerHosted
	}
	return RunnerUnknown
}
