//go:build purego || !amd64

package vec

import "testing"

func blockKernels() []blockKernel { return []blockKernel{{"go", func(*testing.T) {}}} }
