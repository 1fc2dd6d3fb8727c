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
		Use:   "explain RULE",
		Short: "explain a rule: what it finds, why, and how to mend it",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			i := slices.IndexFunc(rules.All, func(r *lint.Rule) bool { return r.ID == args[0] })
			if i < 0 {
				return usage("stint rules lists them", "there is no rule %q", args[0])
			}
			fmt.Fprint(w.stdout, rules.All[i].Readme)
			return nil
		},
	}
}
