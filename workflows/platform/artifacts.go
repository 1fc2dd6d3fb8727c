package platform

import "strings"

// An ArtifactDownload says how an action takes artifacts of other runs.
type ArtifactDownload struct {
	// Run is the input that names the run; without it the action takes those of its
	// own run, or, with Always, the last one that fits.
	Run    string
	Always bool
	// Path is the input for the directory, "" where all goes into the workspace.
	Path string
}

// artifactDownloads are the actions that download artifacts. Sources: action.yml and
// README of each, 2026-11.
var artifactDownloads = map[string]ArtifactDownload{
	"actions/download-artifact":                       {Run: "run-id", Path: "path"},
	"dawidd6/action-download-artifact":                {Run: "run_id", Always: true, Path: "path"},
	"levonet/action-download-last-artifact":           {Always: true, Path: "path"},
	"blablacar/action-download-last-artifact":         {Always: true, Path: "path"},
	"bettermarks/action-artifact-download":            {Always: true},
	"marcofaggian/action-download-multiple-artifacts": {Always: true},
	"redhat-plumbers-in-action/download-artifact":     {Always: true},
	"benday-inc/download-latest-artifact":             {Always: true, Path: "path"},
}

// LookupArtifactDownload returns how an action (owner/repo[/path], lower case)
// downloads artifacts.
func LookupArtifactDownload(name string) (ArtifactDownload, bool) {
	a, ok := artifactDownloads[strings.ToLower(name)]
	return a, ok
}
