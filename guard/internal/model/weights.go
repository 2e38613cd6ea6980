package model

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Weights is a trained linear model: one signed byte a feature, a scale for
// each group, an intercept and the threshold. A byte q means sign(q) (q/127)^2 times
// the scale. Most weights are small and a few are large, and squaring leaves enough of
// the 255 steps for both.
type Weights struct {
	table     string
	value     [3][256]float32 // what a byte stands for, by group
	bias      float32
	Threshold float32 // the margin from which on a text is an attack
}

const (
	magic  = "PDI1"
	header = len(magic) + 5*4
)

// Load reads weights that [Encode] wrote. It keeps data and copies nothing.
func Load(data string) (*Weights, error) {
	if len(data) != header+Buckets || data[:len(magic)] != magic {
		return nil, fmt.Errorf("model: %d bytes are not weights of this version: want %d", len(data), header+Buckets)
	}
	number := func(i int) float32 {
		return math.Float32frombits(binary.LittleEndian.Uint32([]byte(data[len(magic)+4*i:])[:4]))
	}
	w := &Weights{table: data[header:], bias: number(3), Threshold: number(4)}
	for g := range w.value {
		for q := -127; q <= 127; q++ {
			v := float32(q) / 127
			w.value[g][uint8(int8(q))] = v * float32(math.Abs(float64(v))) * number(g)
		}
	}
	return w, nil
}

// Encode rounds weights to bytes. The scale of a group is its largest weight.
func Encode(w []float64, bias, threshold float64) []byte {
	out := []byte(magic)
	var scale [3]float64
	for i, v := range w[:Buckets] {
		g := Group(uint32(i))
		scale[g] = max(scale[g], math.Abs(v))
	}
	for _, s := range scale {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(float32(s)))
	}
	out = binary.LittleEndian.AppendUint32(out, math.Float32bits(float32(bias)))
	out = binary.LittleEndian.AppendUint32(out, math.Float32bits(float32(threshold)))
	for i, v := range w[:Buckets] {
		q := 0.0
		if s := scale[Group(uint32(i))]; s > 0 {
			q = math.Copysign(math.Round(127*math.Sqrt(math.Abs(v)/s)), v)
		}
		out = append(out, byte(int8(q)))
	}
	return out
}

// Margin returns the sum of the weights of v's features.
func (w *Weights) Margin(v Vector) float64 {
	var sum [3]float32
	for _, i := range v.Index {
		g := Group(i)
		sum[g] += w.value[g][w.table[i]]
	}
	z := float64(w.bias)
	for g, s := range sum {
		z += float64(s) * float64(v.Scale[g])
	}
	return z
}

// sure is how far below the threshold the margin of a whole text must be for its
// windows to be skipped. They could only lower it further.
const sure = 2

// manyWindows is subtracted from the best window's margin for each factor of e in the
// number of windows: the maximum of many is high by accident.
const manyWindows = .3

// Score returns the margin of a text and the tokens that carry most of it. A
// long text scores as its best window does, but no higher than as a whole: one
// bad sentence in a harmless text counts less than an attack, and so do many
// sentences that are slightly odd.
func (w *Weights) Score(e *Extractor, text string, tokens []Token) (best float64, from, to int) {
	if len(tokens) == 0 {
		return math.Inf(-1), 0, 0
	}
	margin := func(from, to int) (z float64) {
		e.visit(text, tokens, from, to, func(v Vector) { z = w.Margin(v) })
		return z
	}
	whole := margin(0, len(tokens))
	windows := Windows(tokens)
	if windows == nil || whole < float64(w.Threshold)-sure {
		return whole, 0, len(tokens)
	}
	best = math.Inf(-1)
	for _, x := range windows {
		if z := margin(x[0], x[1]); z > best {
			best, from, to = z, x[0], x[1]
		}
	}
	return min(whole, best-manyWindows*math.Log(float64(len(windows)))), from, to
}
