package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/lint/rules"
)

func explainCommand(w world) *cobra.Command {
	return &cobra.Command{
		Use:   "explain [RULE]",
		Short: "explain a rule, or list them all",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				for _, r := range rules.All {
					audience := ""
					if r.Audience == lint.Strict {
						audience = " (strict)"
					}
					fmt.Fprintf(w.stdout, "%-28s %s%s\n", r.ID, r.Title, audience)
				}
				return nil
			}
			i := slices.IndexFunc(rules.All, func(r *lint.Rule) bool { return r.ID == args[0] })
			if i < 0 {
				return usage("stint explain lists the rules", "there is no rule %q", args[0])
			}
			fmt.Fprint(w.stdout, rules.All[i].Readme)
			return nil
		},
	}
}
