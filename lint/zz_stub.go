package lint

import (
	"context"
	"errors"

	"github.com/stint-dev/stint/workflows"
)

// ErrOffline is returned by a Resolver that may not ask the network.
var ErrOffline = errors.New("offline")

// Config is the part of .github/stint.yml that lint reads.
type Config struct{}

func run(ctx context.Context, repo *workflows.Repository, o Options) *Result { return &Result{} }
