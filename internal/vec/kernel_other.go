//go:build purego || !(amd64 || arm64)

package vec

// Kernel names the kernels that run.
func Kernel() string { return "go" }

func dotMany(q, rows []float32, ids []uint32, out []float32) { manyGo(q, rows, ids, out, dotGo) }

func l2Many(q, rows []float32, ids []uint32, out []float32) { manyGo(q, rows, ids, out, l2Go) }

func dotInt8Many(q, rows []int8, ids []uint32, out []int32) { manyGo(q, rows, ids, out, dotInt8Go) }

func hammingMany(q, rows []byte, ids []uint32, out []int32) { manyGo(q, rows, ids, out, hammingGo) }

func dotFloatInt8Many(q []float32, rows []int8, out []float32) { dotFloatInt8ManyGo(q, rows, out) }
