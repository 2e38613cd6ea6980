//go:build !purego

package vec

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

var (
	hasAVX2   = cpu.X86.HasAVX2 && cpu.X86.HasFMA
	hasPOPCNT = cpu.X86.HasPOPCNT
)

// Kernel names the kernels that run.
func Kernel() string {
	if hasAVX2 {
		return "avx2"
	}
	return "go"
}

func dotMany(q, rows []float32, ids []uint32, out []float32) {
	if !hasAVX2 {
		manyGo(q, rows, ids, out, dotGo)
		return
	}
	dotAVX2(unsafe.SliceData(q), unsafe.SliceData(rows), len(q), unsafe.SliceData(ids), unsafe.SliceData(out), len(out))
}

func l2Many(q, rows []float32, ids []uint32, out []float32) {
	if !hasAVX2 {
		manyGo(q, rows, ids, out, l2Go)
		return
	}
	l2AVX2(unsafe.SliceData(q), unsafe.SliceData(rows), len(q), unsafe.SliceData(ids), unsafe.SliceData(out), len(out))
}

func dotInt8Many(q, rows []int8, ids []uint32, out []int32) {
	if !hasAVX2 {
		manyGo(q, rows, ids, out, dotInt8Go)
		return
	}
	dotInt8AVX2(unsafe.SliceData(q), unsafe.SliceData(rows), len(q), unsafe.SliceData(ids), unsafe.SliceData(out), len(out))
}

func hammingMany(q, rows []byte, ids []uint32, out []int32) {
	if !hasPOPCNT {
		manyGo(q, rows, ids, out, hammingGo)
		return
	}
	hammingPOPCNT(unsafe.SliceData(q), unsafe.SliceData(rows), len(q), unsafe.SliceData(ids), unsafe.SliceData(out), len(out))
}

func dotFloatInt8Many(q []float32, rows []int8, out []float32) {
	if !hasAVX2 {
		dotFloatInt8ManyGo(q, rows, out)
		return
	}
	dotFloatInt8AVX2(unsafe.SliceData(q), unsafe.SliceData(rows), len(q), nil, unsafe.SliceData(out), len(out))
}

// Each sets out[i], for i below n, from q and row i of rows, or row ids[i] if ids
// is not nil; all have dim elements.

//go:noescape
func dotAVX2(q, rows *float32, dim int, ids *uint32, out *float32, n int)

//go:noescape
func l2AVX2(q, rows *float32, dim int, ids *uint32, out *float32, n int)

//go:noescape
func dotInt8AVX2(q, rows *int8, dim int, ids *uint32, out *int32, n int)

//go:noescape
func hammingPOPCNT(q, rows *byte, dim int, ids *uint32, out *int32, n int)

//go:noescape
func dotFloatInt8AVX2(q *float32, rows *int8, dim int, ids *uint32, out *float32, n int)
