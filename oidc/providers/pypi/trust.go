package pypi

import "github.com/stint-dev/stint/oidc/providers/registry"

// Trust is the form of a project's trusted publisher, and what the index makes of it.
var Trust = registry.Trust(pypi)
