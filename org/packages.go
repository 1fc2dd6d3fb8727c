package org

import (
	"regexp"
	"strings"
)

// installs finds the jobs that install the package by name, and those that could have
// because nothing in the index says what they install.
func (s *search) installs() error {
	locked := 0
	places, err := usesOf(s.tx, ecosystemName(s.q.Ecosystem))
	if err != nil {
		return err
	}
	_, err = s.ask(places, s.installers, func(a *answer, tenants int) { locked += a.other * tenants })
	if locked > 0 {
		s.unknown("%s what a lock file lists, which the index does not hold: search the lock files for %s",
			plural(locked, "job installs only", "jobs install only"), s.q.Package)
	}
	s.unknown("manifests and lock files of packages are not in the index: a job listed as possible installs without a lock, and may not ask for the package at all")
	s.unknown("what scripts, build tools and images install by themselves is not in the index")
	return err
}

// installers answers which jobs install the package or could have, and how many others
// install by a lock file.
func (s *search) installers(_ string, d *digest) answer {
	var out answer
	for at := range d.Jobs {
		h, ok, byLock := s.installed(&d.Jobs[at])
		if byLock {
			out.other++
		}
		if ok {
			out.hits = append(out.hits, jobHit{at, &d.Jobs[at], h})
		}
	}
	return out
}

// installed judges the installs of one job: the firmest find, and whether it installs by
// a lock file.
func (s *search) installed(j *jobDigest) (h find, ok, locked bool) {
	for _, in := range j.Installs {
		if in.Ecosystem != s.q.Ecosystem {
			continue
		}
		switch version, named := s.names(in); {
		case named && (version == "" || s.q.Version == "" || version == s.q.Version || !exact(s.q.Ecosystem, version)):
			return find{in.Place.Path, in.Place.Line, in.Command, "", Named, nil}, true, locked
		case named:
			continue // another version of it
		case in.Locked:
			locked = true
		case ok:
		case in.KeepsLock:
			h, ok = find{in.Place.Path, in.Place.Line, in.Command, "installs without a lock unless the repository has one", Possible, nil}, true
		case len(in.Packages) > 0:
			h, ok = find{in.Place.Path, in.Place.Line, in.Command, "what it names may depend on it", Possible, nil}, true
		default:
			h, ok = find{in.Place.Path, in.Place.Line, in.Command, "installs without a lock what its manifest asks for", Possible, nil}, true
		}
	}
	return h, ok, locked
}

// names reports whether an install names the package, and the version it asks for.
func (s *search) names(in Install) (version string, named bool) {
	for _, p := range in.Packages {
		name, version := cutVersion(p)
		if i := strings.IndexAny(name, "<>~!^["); i > 0 {
			name, version = name[:i], name[i:]
		}
		if plainName(s.q.Ecosystem, name) == plainName(s.q.Ecosystem, s.q.Package) {
			return version, true
		}
	}
	return "", false
}

// plainName is a package's name as its registry compares it: PyPI takes - _ and . for one.
func plainName(ecosystem, name string) string {
	name = strings.ToLower(name)
	if ecosystem == "pypi" {
		return strings.NewReplacer("_", "-", ".", "-").Replace(name)
	}
	return name
}

// exactForm is a version of at least two numbers.
var exactForm = regexp.MustCompile(`^v?\d+(\.\d+)+([-+.]?[0-9A-Za-z][0-9A-Za-z.+-]*)?$`)

// exact reports whether a version is one, and no range or tag. npm takes 1.2 for a range.
func exact(ecosystem, version string) bool {
	if strings.HasSuffix(version, ".x") || strings.HasSuffix(version, ".*") || ecosystem == "npm" && strings.Count(version, ".") < 2 {
		return false
	}
	return exactForm.MatchString(version)
}
