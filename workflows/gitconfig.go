package workflows

import (
	"io"
	"net/url"
	"os"
	"strings"
)

// maxGitConfigBytes is the most that is read of .git/config.
const maxGitConfigBytes = 256 << 10

// nameOf returns server and owner/repo as the remote called origin of a git checkout
// has them, or "". Only that is taken from the URL, which may hold a password.
func nameOf(root *os.Root) (host, name string) {
	info, err := root.Stat(".git/config")
	if err != nil || !info.Mode().IsRegular() {
		return "", ""
	}
	f, err := root.Open(".git/config")
	if err != nil {
		return "", ""
	}
	defer f.Close()
	config, err := io.ReadAll(io.LimitReader(f, maxGitConfigBytes))
	if err != nil {
		return "", ""
	}
	return nameOfRemote(originURL(string(config)))
}

// originURL returns the first url of [remote "origin"].
func originURL(config string) string {
	inOrigin := false
	for line := range strings.Lines(config) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section, _, _ := strings.Cut(line, "]")
			inOrigin = strings.Join(strings.Fields(section), " ") == `[remote "origin"`
			continue
		}
		key, value, found := strings.Cut(line, "=")
		if inOrigin && found && strings.EqualFold(strings.TrimSpace(key), "url") {
			return strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return ""
}

// nameOfRemote reads server and owner/repo from the forms that git takes: a URL, or
// user@host:path. Paths on this machine have no name. The server is "" where the form is
// none of those in which git asks it over https or ssh.
func nameOfRemote(remote string) (host, name string) {
	var path string
	if strings.Contains(remote, "://") {
		u, err := url.Parse(remote)
		if err != nil || u.Host == "" {
			return "", ""
		}
		if path = u.Path; u.Scheme == "https" || u.Scheme == "ssh" {
			host = u.Host
		}
	} else if at, rest, found := strings.Cut(remote, ":"); found && len(at) > 1 && !strings.Contains(at, "/") {
		path = rest // one letter before the colon is a drive
		host = at[strings.LastIndex(at, "@")+1:]
	}
	path = strings.TrimSuffix(strings.Trim(path, "/"), ".git")
	owner, repo, found := strings.Cut(path, "/")
	if !found || !ownerPattern.MatchString(owner) || !repoPattern.MatchString(repo) {
		return "", ""
	}
	return strings.ToLower(host), owner + "/" + repo
}
