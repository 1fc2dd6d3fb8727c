// Package dependencycooldown is the rule dependency-cooldown; see README.md.
package dependencycooldown

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

//go:embed README.md
var readme string

// Rule reports updates that Dependabot proposes sooner than it does by itself.
var Rule = &lint.Rule{
	ID:         "dependency-cooldown",
	Title:      "dependabot proposes versions sooner than its own cooldown would",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Fixes:      lint.SafeFix,
	Tags:       []string{"NHI3:2025"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	updates := p.File.Dependabot.Field("updates")
	if updates == nil {
		return
	}
	for _, u := range updates.Items {
		// A limit of zero leaves security updates only, which no cooldown delays.
		if u.Field("open-pull-requests-limit").Text().String() != "0" {
			judge(p, u)
		}
	}
}

func judge(p *lint.Pass, update *workflows.Value) {
	ecosystem := workflows.Printable(update.Field("package-ecosystem").Text().String())
	cooldown := update.Field("cooldown")
	for _, key := range []string{"default-days", "semver-major-days", "semver-minor-days", "semver-patch-days"} {
		value := cooldown.Field(key).Text()
		days, err := strconv.Atoi(strings.TrimSpace(value.String()))
		if value == nil || err != nil || days >= platform.DependabotCooldownDays {
			continue
		}
		f := finding(value.Span, fmt.Sprintf("%s: %d has %s versions proposed %s after they appear, sooner than the %d days of no cooldown at all", key, days, ecosystem, age(days), platform.DependabotCooldownDays))
		f.Fixes = []lint.Fix{{
			Title: fmt.Sprintf("wait %d days", platform.DependabotCooldownDays), Safe: true,
			Edits: []workflows.Edit{{Span: value.Span, New: strconv.Itoa(platform.DependabotCooldownDays)}},
		}}
		p.Report(f)
	}
	if list := cooldown.Field("exclude"); list != nil {
		i := slices.IndexFunc(list.Items, func(v *workflows.Value) bool { return v.Text().String() == "*" })
		if i >= 0 {
			p.Report(finding(list.Items[i].Span, "all "+ecosystem+" dependencies are excluded from the cooldown"))
		}
	}
}

func age(days int) string {
	switch days {
	case 0:
		return "at once"
	case 1:
		return "a day"
	}
	return fmt.Sprintf("%d days", days)
}

func finding(at workflows.Span, message string) lint.Finding {
	return lint.Finding{
		Span: at, Message: message, Exposure: reach.Exposure{Steer: reach.MutableThirdParty},
		Next: "leave the default, or wait longer: most hijacked versions are found within days",
	}
}
