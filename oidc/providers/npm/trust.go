package npm

import "github.com/stint-dev/stint/oidc/providers/registry"

// Trust is the form of a package's trusted publisher, and what the registry makes of it.
var Trust = registry.Trust(npm)
