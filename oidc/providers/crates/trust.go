package crates

import "github.com/stint-dev/stint/oidc/providers/registry"

// Trust is the form of a crate's trusted publisher, and what the registry makes of it.
var Trust = registry.Trust(crates)
