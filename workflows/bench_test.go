package workflows

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
)

// corpusDir is where the benchmarks and the comparison with actionlint find real
// workflow files: STINT_CORPUS, else the place beside the repository where
// measurements keep them, else our own test data.
func corpusDir() string {
	if dir := os.Getenv("STINT_CORPUS"); dir != "" {
		return dir
	}
	if dir := filepath.Join("..", "..", "shared", "corpus", "open"); isDir(dir) {
		return dir
	}
	return "testdata"
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// A corpusFile is a file with its path relative to its repository's root.
type corpusFile struct {
	name, path string
	source     []byte
}

// readCorpus reads the YAML files below a directory of repositories.
func readCorpus(tb testing.TB, dir string) []corpusFile {
	tb.Helper()
	var files []corpusFile
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !isYAML(name) {
			return err
		}
		source, err := os.ReadFile(name)
		rel := filepath.ToSlash(strings.TrimPrefix(name, dir+string(filepath.Separator)))
		if i := strings.Index(rel, ".github/"); i >= 0 {
			rel = rel[i:]
		}
		files = append(files, corpusFile{name, rel, source})
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return files
}

func isYAML(name string) bool {
	ext := filepath.Ext(name)
	return ext == ".yml" || ext == ".yaml"
}

// workflowFiles returns the files that both parsers read.
func workflowFiles(tb testing.TB) (files []corpusFile, bytes int64) {
	for _, f := range readCorpus(tb, corpusDir()) {
		if KindOf(f.path) == KindWorkflow {
			files = append(files, f)
			bytes += int64(len(f.source))
		}
	}
	if len(files) == 0 {
		tb.Fatal("no workflow files below " + corpusDir())
	}
	return files, bytes
}

// BenchmarkParse reads the corpus as stint does, expressions and shell included.
func BenchmarkParse(b *testing.B) {
	files, bytes := workflowFiles(b)
	b.SetBytes(bytes)
	b.ReportAllocs()
	for b.Loop() {
		for _, f := range files {
			Parse(f.path, f.source)
		}
	}
}

// BenchmarkActionlintParse reads the same files with actionlint, which parses
// neither expressions nor shell at this stage.
func BenchmarkActionlintParse(b *testing.B) {
	files, bytes := workflowFiles(b)
	b.SetBytes(bytes)
	b.ReportAllocs()
	for b.Loop() {
		for _, f := range files {
			actionlint.Parse(f.source)
		}
	}
}
