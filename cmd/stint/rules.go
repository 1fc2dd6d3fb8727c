package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/lint/rules"
)

// A listedRule is one rule of stint rules --format json.
type listedRule struct {
	ID         string   `json:"id"`
	Title      string   `json:"title"`
	Since      string   `json:"since"`
	Audience   string   `json:"audience"` // everyone, strict
	Confidence string   `json:"confidence"`
	Network    string   `json:"network"` // offline, partly, online
	Fixes      string   `json:"fixes"`   // "", safe, unsafe, "safe, unsafe"
	Tags       []string `json:"tags"`
}

func rulesCommand(w world) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "rules",
		Short: "list the rules of stint lint",
		Long: `rules lists what stint lint looks for. No rule has a severity by itself: that
comes from what could be taken, and by whom. stint explain RULE says more.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			switch format {
			case "text":
				for _, r := range rules.All {
					fmt.Fprintf(w.stdout, "%-28s %s\n", r.ID, r.Title)
				}
				return nil
			case "json":
				e := json.NewEncoder(w.stdout)
				e.SetIndent("", "  ")
				return e.Encode(map[string]any{"version": 1, "rules": listRules()})
			}
			return usage("the formats are text and json", "unknown format %q", format)
		},
	}
	c.Flags().StringVar(&format, "format", "text", "`text or json`")
	return c
}

func listRules() []listedRule {
	var list []listedRule
	for _, r := range rules.All {
		audience := "everyone"
		if r.Audience == lint.Strict {
			audience = "strict"
		}
		list = append(list, listedRule{r.ID, r.Title, r.Since, audience, r.Confidence.String(), r.Network.String(), r.Fixes.String(), r.Tags})
	}
	return list
}
