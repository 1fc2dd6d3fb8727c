package impostorcommit

import (
	"testing"

	"github.com/stint-dev/stint/lint/linttest"
)

func TestRule(t *testing.T) { linttest.Run(t, Rule) }
