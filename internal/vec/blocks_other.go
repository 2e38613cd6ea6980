//go:build purego || !amd64

package vec

// BlockKernel names the kernels of [Blocks] that run. Plain Go is slower on 8-bit
// codes than on float32.
func BlockKernel() string { return "go" }

func quantizeBlocks(x []float32, q []int8, scale []float32, bias []int32, total []float32) {
	quantizeBlocksGo(x, q, scale, bias, total)
}

func mulBlocks(bits int, codes []byte, scales []uint16, x *Codes, t, n int, out []float32, stride int) {
	mulBlocksGo(bits, codes, scales, x, t, n, out, stride)
}

func addRowsFast([]float32, []float32, []float32, int) bool { return false }

func expSumFast([]float32, []float32, float32) (sum float32, done int) { return 0, 0 }

func swigluFast([]float32, []float32, []float32) (done int) { return 0 }

func geluFast([]float32, []float32) (done int) { return 0 }
