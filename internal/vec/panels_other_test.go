//go:build purego || !amd64

package vec

import "testing"

func panelKernels() []blockKernel { return []blockKernel{{"go", func(*testing.T) {}}} }
