//go:build !unix

package main

import "os"

var caughtByTrap = []os.Signal{os.Interrupt}
