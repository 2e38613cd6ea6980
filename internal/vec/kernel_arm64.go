//go:build !purego

package vec

import "unsafe"

// Kernel names the kernels that run. NEON is part of every arm64 processor.
func Kernel() string { return "neon" }

func dotMany(q, rows []float32, ids []uint32, out []float32) {
	dotNEON(unsafe.SliceData(q), unsafe.SliceData(rows), len(q), unsafe.SliceData(ids), unsafe.SliceData(out), len(out))
}

func l2Many(q, rows []float32, ids []uint32, out []float32) {
	l2NEON(unsafe.SliceData(q), unsafe.SliceData(rows), len(q), unsafe.SliceData(ids), unsafe.SliceData(out), len(out))
}

func dotInt8Many(q, rows []int8, ids []uint32, out []int32) {
	dotInt8NEON(unsafe.SliceData(q), unsafe.SliceData(rows), len(q), unsafe.SliceData(ids), unsafe.SliceData(out), len(out))
}

// The compiler makes bits.OnesCount64 a NEON instruction already.
func hammingMany(q, rows []byte, ids []uint32, out []int32) { manyGo(q, rows, ids, out, hammingGo) }

func dotFloatInt8Many(q []float32, rows []int8, out []float32) { dotFloatInt8ManyGo(q, rows, out) }

// Each sets out[i], for i below n, from q and row i of rows, or row ids[i] if ids
// is not nil; all have dim elements.

//go:noescape
func dotNEON(q, rows *float32, dim int, ids *uint32, out *float32, n int)

//go:noescape
func l2NEON(q, rows *float32, dim int, ids *uint32, out *float32, n int)

//go:noescape
func dotInt8NEON(q, rows *int8, dim int, ids *uint32, out *int32, n int)
