package platform

import (
	"slices"
	"strings"
)

// codeVariables are environment variables that name code which programs load or run
// by themselves, or where they look for it. Sources: ld.so(8), bash(1), git(1) and
// the documentation of the runtimes, 2026-11.
var codeVariables = []string{
	"PATH", "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "DYLD_INSERT_LIBRARIES", "DYLD_LIBRARY_PATH",
	"BASH_ENV", "ENV", "PROMPT_COMMAND", "SHELLOPTS", "BASHOPTS", "IFS",
	"NODE_OPTIONS", "NODE_PATH", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONHOME", "PERL5LIB", "PERL5OPT", "RUBYOPT", "RUBYLIB",
	"JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH", "MAVEN_OPTS", "MAVEN_ARGS", "GRADLE_OPTS",
	"RUSTC", "RUSTC_WRAPPER", "RUSTFLAGS", "CC", "CXX", "LD", "MAKEFLAGS", "GOFLAGS", "GOPROXY",
	"GIT_SSH", "GIT_SSH_COMMAND", "GIT_EXEC_PATH", "GIT_CONFIG_GLOBAL", "GIT_PAGER", "GIT_EDITOR", "EDITOR", "VISUAL", "PAGER",
	"NPM_CONFIG_REGISTRY", "NPM_CONFIG_USERCONFIG", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_INDEX_URL",
}

// IsCodeVariable reports whether whoever sets the environment variable chooses code
// that later programs run.
func IsCodeVariable(name string) bool {
	return slices.Contains(codeVariables, strings.ToUpper(name))
}

// oneLine are the last parts of contexts whose text the platform keeps on one line:
// titles, and the names of branches, labels, repositories and people. Sources: the
// limits of GitHub's forms and git-check-ref-format(1), 2026-11.
var oneLine = []string{
	"title", "ref", "head_ref", "base_ref", "ref_name", "head_branch", "branch", "label", "name", "full_name", "login", "email", "actor",
	"default_branch", "homepage", "page_name", "display_title", "sha", "head_sha", "number", "refs/pull",
}

// HoldsLines reports whether the text of a context path may have more than one line.
func HoldsLines(path string) bool {
	last := path[strings.LastIndex(path, ".")+1:]
	return !slices.Contains(oneLine, strings.ToLower(last))
}
