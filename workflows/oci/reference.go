package oci

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/stint-dev/stint/workflows"
)

// The registry that a name without a host means, and the host that serves it.
const (
	hub       = "docker" + ".io"
	hubIndex  = "index." + hub
	hubServer = "registry-1." + hub
)

// maxNameBytes is the longest name, with its host, that registries take.
const maxNameBytes = 255

var (
	// hostForm is a host name or IPv4 address with a port, in lower case. A name that
	// could be an IPv6 address is none that anybody's workflow holds.
	hostForm = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*(?::[0-9]{1,5})?$`)
	// repositoryForm and tagForm are <name> and <reference> of the OCI distribution
	// specification.
	repositoryForm = regexp.MustCompile(`^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$`)
	tagForm        = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)
)

// A Reference is the name of an image by a tag, as docker completes it.
type Reference struct {
	Host       string // of the registry, with its port when the name has one
	Repository string // "library/node" for node
	Tag        string // "latest" when the name has none
}

// ParseReference reads [HOST/]NAME[:TAG]. A name without a host, which is one whose first
// part has neither a dot nor a colon and is not localhost, is one of docker's hub. A name
// with a digest is an error: nothing has to be asked about it.
func ParseReference(image string) (Reference, error) {
	if len(image) > maxNameBytes+1+128 {
		return Reference{}, errors.New("the name of an image is too long to be one")
	}
	name, tag := image, "latest"
	if i := strings.LastIndexByte(image, ':'); i > strings.LastIndexByte(image, '/') {
		name, tag = image[:i], image[i+1:]
	}
	host, repository, ok := strings.Cut(name, "/")
	if !ok || !strings.ContainsAny(host, ".:") && host != "localhost" {
		host, repository = hub, name
	}
	host = strings.ToLower(host)
	if host == hub || host == hubIndex {
		host = hubServer
		if !strings.Contains(repository, "/") {
			repository = "library/" + repository
		}
	}
	if !validHost(host) || !repositoryForm.MatchString(repository) || !tagForm.MatchString(tag) || len(host)+1+len(repository) > maxNameBytes {
		return Reference{}, fmt.Errorf("%q is no name of an image with a tag", workflows.Printable(image))
	}
	return Reference{host, repository, tag}, nil
}

func validHost(host string) bool {
	if !hostForm.MatchString(host) {
		return false
	}
	_, port, ok := strings.Cut(host, ":")
	n, err := strconv.Atoi(port)
	return !ok || err == nil && 0 < n && n < 1<<16
}

// String returns the whole name, HOST/NAME:TAG.
func (r Reference) String() string { return r.Host + "/" + r.Repository + ":" + r.Tag }
