package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/workflows"
)

type configOptions struct {
	extendsFrom     string
	online, explain bool
}

func configCommand(w world) *cobra.Command {
	var o configOptions
	c := &cobra.Command{
		Use:   "config check|show [FILE]",
		Short: "check .github/stint.yml, and show what it comes to",
		Long: `config reads ` + lint.ConfigPath + `, or FILE, with the file that it extends.

check says whether both readers of the file, lint and the grants, take it. show
prints the settings of lint that count; with --explain, where each comes from.

Exit status: 0 the file can be used, 2 it cannot, 3 what it extends was not
read.`,
		Example: `  stint config check
  stint config show --explain --online`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) >= 1 && len(args) <= 2 && (args[0] == "check" || args[0] == "show") {
				return nil
			}
			return usage("write stint config check or stint config show, with a file if it is another", "config wants check or show")
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			path := lint.ConfigPath
			if len(args) == 2 {
				path = args[1]
			}
			return o.run(cmd.Context(), w, args[0], path)
		},
	}
	c.Flags().BoolVar(&o.explain, "explain", false, "say of each value where it comes from")
	c.Flags().BoolVar(&o.online, "online", false, "ask GitHub for what the file extends")
	c.Flags().StringVar(&o.extendsFrom, "extends-from", "", extendsFromUsage)
	return c
}

func (o configOptions) run(ctx context.Context, w world, verb, path string) error {
	config, err := newLibrary(w, o.extendsFrom, o.online).readConfig(ctx, path, path)
	if errors.Is(err, fs.ErrNotExist) {
		return &failure{exitUsage, fmt.Sprintf("there is no configuration %q", path), "name the file, or start one: lint/README.md lists the keys"}
	}
	if err != nil {
		return err
	}
	if _, err := readGrants(machine{}, path, readableConfig); err != nil {
		return err
	}
	if verb == "show" {
		o.show(w, config)
	}
	if why := config.Unread(); why != "" {
		return &failure{exitIncomplete, "extends: " + why, "use --online, or fill the directory of --extends-from"}
	}
	if verb == "check" {
		fmt.Fprintf(w.stdout, "%s can be used\n", workflows.Printable(path))
	}
	return nil
}

// show prints one line a setting.
func (o configOptions) show(w world, config *lint.Config) {
	table := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
	for _, s := range config.Settings() {
		value := s.Value
		if value == "" {
			value = "-"
		}
		line := s.Key + "\t" + workflows.Printable(value)
		if o.explain {
			line += "\t" + workflows.Printable(s.From)
			if s.Locked {
				line += ", locked"
			}
		}
		fmt.Fprintln(table, line)
	}
	table.Flush()
}
