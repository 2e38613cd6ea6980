//go:build !purego

package vec

func mulPanel(panel, x []float32, cols, n int, out []float32, stride int) {
	if !hasAVX2 {
		mulPanelGo(panel, x, cols, n, out, stride)
		return
	}
	a := panelArguments(panel, x, cols, n, out, stride)
	mulPanelAVX2(&a)
}

// mulPanelPair does two panels that follow one another, and reports whether it can.
func mulPanelPair(panels, x []float32, cols, n int, out []float32, stride int) bool {
	if !hasAVX512 {
		return false
	}
	_, _ = panels[2*groupRows*cols-1], out[(n-1)*stride+2*groupRows-1]
	a := panelArguments(panels, x, cols, n, out, stride)
	mulPanelsAVX512(&a)
	return true
}

//go:noescape
func mulPanelAVX2(a *panelArgs)

//go:noescape
func mulPanelsAVX512(a *panelArgs)
