package platform

import "testing"

func TestLookupRunner(t *testing.T) {
	for label, want := range map[string]RunnerClass{
		"ubuntu-latest": RunnerHosted, "Ubuntu-24.04-arm": RunnerHosted, "windows-2025": RunnerHosted, "macos-15-xlarge": RunnerHosted,
		"ubuntu-latest-16-cores": RunnerHosted, "github-hosted-ubuntu-x64-large": RunnerHosted, "ubuntu": RunnerUnknown,
		"github-ubuntu-24.04-x86_64-8": RunnerHosted, "8-core-ubuntu-latest": RunnerHosted, "box-with-ubuntu": RunnerUnknown,
		"self-hosted": RunnerSelfHosted, " Self-Hosted ": RunnerSelfHosted, "self-hosted-gpu": RunnerUnknown,
		"blacksmith-4vcpu-ubuntu-2404": RunnerVendor, "runs-on=123/family=x8i": RunnerVendor, "depot-ubuntu-24.04": RunnerVendor,
		"linux.2xlarge": RunnerUnknown, "arc-runner": RunnerUnknown, "": RunnerUnknown,
	} {
		if got := LookupRunner(label); got != want {
			t.Errorf("LookupRunner(%q) = %d, want %d", label, got, want)
		}
	}
}
