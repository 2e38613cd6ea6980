//go:build purego || !amd64

package vec

func mulPanel(panel, x []float32, cols, n int, out []float32, stride int) {
	mulPanelGo(panel, x, cols, n, out, stride)
}

func mulPanelPair([]float32, []float32, int, int, []float32, int) bool { return false }
