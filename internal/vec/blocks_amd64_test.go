//go:build !purego

package vec

import (
	"testing"
)

func blockKernels() []blockKernel {
	vnni, avx2 := hasVNNI, hasAVX2
	with := func(v, a bool) func(t *testing.T) {
		return func(t *testing.T) {
			hasVNNI, hasAVX2 = v, a
			t.Cleanup(func() { hasVNNI, hasAVX2 = vnni, avx2 })
		}
	}
	out := []blockKernel{{"go", with(false, false)}}
	if avx2 {
		out = append(out, blockKernel{"avx2", with(false, true)})
	}
	if vnni {
		out = append(out, blockKernel{"avx512vnni", with(true, true)})
	}
	return out
}
