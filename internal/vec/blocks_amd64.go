//go:build !purego

package vec

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// hasVNNI: 512-bit vectors, and the instruction that multiplies and adds four pairs of
// bytes in each lane.
var hasVNNI = cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512VNNI

// BlockKernel names the kernels of [Blocks] that run. Plain Go is slower on 8-bit
// codes than on float32.
func BlockKernel() string {
	switch {
	case hasVNNI:
		return "avx512vnni"
	case hasAVX2: // every processor with AVX2 also widens half precision (F16C)
		return "avx2"
	}
	return "go"
}

func quantizeBlocks(x []float32, q []int8, scale []float32, bias []int32, total []float32) {
	if !hasAVX2 {
		quantizeBlocksGo(x, q, scale, bias, total)
		return
	}
	quantizeAVX2(unsafe.SliceData(x), unsafe.SliceData(q), unsafe.SliceData(scale), unsafe.SliceData(bias), unsafe.SliceData(total), len(scale))
}

func mulBlocks(bits int, codes []byte, scales []uint16, x *Codes, t, n int, out []float32, stride int) {
	if !hasAVX2 {
		mulBlocksGo(bits, codes, scales, x, t, n, out, stride)
		return
	}
	per := x.cols / BlockSize
	_, _ = out[(n-1)*stride+groupRows-1], x.q[(t+n)*x.cols-1]
	a := args{
		codes: unsafe.SliceData(codes), scales: unsafe.SliceData(scales), blocks: per,
		q: &x.q[t*x.cols], scale: &x.scale[t*per], bias: &x.bias[t*per], total: &x.total[t*per],
		cols: x.cols, out: unsafe.SliceData(out), stride: stride * 4,
	}
	switch {
	case hasVNNI && bits == 8 && n == 4:
		mul8x4VNNI(&a)
	case hasVNNI && bits == 8:
		mul8x1VNNI(&a)
	case hasVNNI && n == 4:
		mul4x4VNNI(&a)
	case hasVNNI:
		mul4x1VNNI(&a)
	default:
		mulAVX2(bits, n, &a)
	}
}

// mulAVX2 does the group's rows in two halves.
func mulAVX2(bits, n int, a *args) {
	for half := range 2 {
		if half == 1 { // not after the second: the pointers would leave their memory
			a.codes = (*byte)(unsafe.Add(unsafe.Pointer(a.codes), 32))
			a.scales = (*uint16)(unsafe.Add(unsafe.Pointer(a.scales), 16))
			a.out = (*float32)(unsafe.Add(unsafe.Pointer(a.out), 32))
		}
		switch {
		case bits == 8 && n == 4:
			mul8x4AVX2(a)
		case bits == 8:
			mul8x1AVX2(a)
		case n == 4:
			mul4x4AVX2(a)
		default:
			mul4x1AVX2(a)
		}
	}
}

// args is what a product's kernel reads: the offsets are in the assembly.
type args struct {
	codes  *byte
	scales *uint16
	blocks int
	q      *int8
	scale  *float32
	bias   *int32
	total  *float32
	cols   int
	out    *float32
	stride int // bytes from a vector's results to the next one's
}

//go:noescape
func mul8x4VNNI(a *args)

//go:noescape
func mul8x1VNNI(a *args)

//go:noescape
func mul4x4VNNI(a *args)

//go:noescape
func mul4x1VNNI(a *args)

//go:noescape
func mul8x4AVX2(a *args)

//go:noescape
func mul8x1AVX2(a *args)

//go:noescape
func mul4x4AVX2(a *args)

//go:noescape
func mul4x1AVX2(a *args)

//go:noescape
func quantizeAVX2(x *float32, q *int8, scale *float32, bias *int32, total *float32, blocks int)

// addRowsAVX2 adds to the first wide elements of dst, a multiple of 8.
//
//go:noescape
func addRowsAVX2(dst, w, rows *float32, n, wide, dim int)

//go:noescape
func expSumAVX2(dst, x *float32, n int, shift float32) float32

//go:noescape
func swigluAVX2(dst, gate, up *float32, n int)

//go:noescape
func geluAVX2(dst, x *float32, n int)

func addRowsFast(dst, w, rows []float32, wide int) bool {
	if !hasAVX2 {
		return false
	}
	if len(w) > 0 && wide > 0 {
		addRowsAVX2(unsafe.SliceData(dst), unsafe.SliceData(w), unsafe.SliceData(rows), len(w), wide, len(dst))
	}
	return true
}

func expSumFast(dst, x []float32, shift float32) (sum float32, done int) {
	done = len(x) &^ 7
	if !hasAVX2 || done == 0 {
		return 0, 0
	}
	return expSumAVX2(unsafe.SliceData(dst), unsafe.SliceData(x), done, shift), done
}

func swigluFast(dst, gate, up []float32) (done int) {
	done = len(gate) &^ 7
	if !hasAVX2 || done == 0 {
		return 0
	}
	swigluAVX2(unsafe.SliceData(dst), unsafe.SliceData(gate), unsafe.SliceData(up), done)
	return done
}

func geluFast(dst, x []float32) (done int) {
	done = len(x) &^ 7
	if !hasAVX2 || done == 0 {
		return 0
	}
	geluAVX2(unsafe.SliceData(dst), unsafe.SliceData(x), done)
	return done
}
