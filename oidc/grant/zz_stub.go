package grant

import (
	"time"

	"github.com/stint-dev/stint/oidc"
)

func (g *Grant) decide(c oidc.Claims, now time.Time) Decision { return Decision{} }
func parse(path string, b []byte) (*File, error)              { return nil, nil }
func (f *File) grant(name string) (*Grant, error)             { return nil, nil }
