package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func versionCommand(w world) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "print the version, what it was built from and by which Go",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			fmt.Fprintf(w.stdout, "stint %s\n", version)
			fmt.Fprintf(w.stdout, "go      %s %s/%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
			info, ok := debug.ReadBuildInfo()
			if !ok {
				return nil
			}
			sum := info.Main.Sum // of a module that was fetched; a checkout has none
			if sum == "" {
				sum = "no sum: built from a checkout"
			}
			fmt.Fprintf(w.stdout, "module  %s %s (%s)\n", info.Main.Path, info.Main.Version, sum)
			for _, s := range info.Settings {
				if s.Key == "vcs.revision" || s.Key == "vcs.modified" {
					fmt.Fprintf(w.stdout, "%-7s %s\n", s.Key[len("vcs."):], s.Value)
				}
			}
			return nil
		},
	}
}
