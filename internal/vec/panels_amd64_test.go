//go:build !purego

package vec

import "testing"

func panelKernels() []blockKernel {
	avx512, avx2 := hasAVX512, hasAVX2
	with := func(v, a bool) func(t *testing.T) {
		return func(t *testing.T) {
			hasAVX512, hasAVX2 = v, a
			t.Cleanup(func() { hasAVX512, hasAVX2 = avx512, avx2 })
		}
	}
	out := []blockKernel{{"go", with(false, false)}}
	if avx2 {
		out = append(out, blockKernel{"avx2", with(false, true)})
	}
	if avx512 {
		out = append(out, blockKernel{"avx512", with(true, true)})
	}
	return out
}
