package report

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/stint-dev/stint/org"
	"github.com/stint-dev/stint/workflows"
)

// What the parts of a link must look like; of anything else no link is made.
var (
	hostForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[0-9]{1,5})?$`)
	repoForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,99}/[A-Za-z0-9._-]{1,100}$`)
	headForm = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
)

// A linker makes addresses on the host of one document.
type linker struct{ base string }

func linkerOf(d *org.Document) linker {
	if !hostForm.MatchString(d.Host) {
		return linker{}
	}
	return linker{"https://" + d.Host + "/"}
}

// repository returns the address of a repository, "" when there is none to trust.
func (l linker) repository(name string) string {
	if l.base == "" || !isRepository(name) {
		return ""
	}
	return l.base + name
}

// isRepository reports whether a name is owner/repo as the host may have it.
func isRepository(name string) bool {
	_, repo, _ := strings.Cut(name, "/")
	return repoForm.MatchString(name) && repo != "." && repo != ".."
}

// line returns the address of a line at the commit that was read. Without that commit
// there is no link: on another one the line could be a different one.
func (l linker) line(r *org.Repository, path string, line int) string {
	at := l.repository(r.Name)
	if at == "" || !headForm.MatchString(r.Head) || !isFile(path) {
		return ""
	}
	parts := strings.Split(path, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	at += "/blob/" + r.Head + "/" + strings.Join(parts, "/")
	if line > 0 {
		at += "#L" + strconv.Itoa(line)
	}
	return at
}

// isFile reports whether a path stays below the root of its repository.
func isFile(path string) bool {
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || part == ".." {
			return false
		}
	}
	return workflows.Printable(path) == path
}
