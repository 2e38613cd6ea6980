//go:build !purego

package vec

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

var (
	hasAVX2   = cpu.X86.HasAVX2 && cpu.X86.HasFMA
	hasPOPCNT = cpu.X86.HasPOPCNT

	// hasVPOPCNT is for processors that count the bits of 64 bytes at a time.
	hasVPOPCNT = cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VPOPCNTDQ && cpu.X86.HasBMI2
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
	if hasVPOPCNT && ids == nil && len(q) < mostBytes {
		fours := len(out) / 4
		hammingAVX512(unsafe.SliceData(q), unsafe.SliceData(rows), len(q), unsafe.SliceData(out), fours)
		rows, out = rows[4*fours*len(q):], out[4*fours:]
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

// mostBytes is the first length of a row whose bits hammingAVX512 can't count.
const mostBytes = 1 << 13

// hammingAVX512 sets out[i], for i below 4·fours, from q and row i of rows, all of dim
// bytes, less than mostBytes.
//
//go:noescape
func hammingAVX512(q, rows *byte, dim int, out *int32, fours int)

//go:noescape
func dotFloatInt8AVX2(q *float32, rows *int8, dim int, ids *uint32, out *float32, n int)
