package llama

import (
	"fmt"
	"math"
	"testing"

	"github.com/prodailabs/prodai/internal/golden"
	"github.com/prodailabs/prodai/internal/vec"
)

func near(name string, got, want []float64, relative float64) error {
	if len(got) != len(want) {
		return fmt.Errorf("%s has %d elements, want %d", name, len(got), len(want))
	}
	for i, w := range want {
		if !(math.Abs(got[i]-w) <= relative*max(1, math.Abs(w))) {
			return fmt.Errorf("%s: element %d is %v, want %v", name, i, got[i], w)
		}
	}
	return nil
}

func narrow(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v)
	}
	return out
}

func wide(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

type opRow struct {
	Op                     string
	HQ, HKV, TQ, TK, D     int
	Causal                 bool
	Window                 int
	Q, K, V, LSE           []float64
	Eps                    float64
	X, W, Gate, Up         []float64
	Pos                    int
	Base                   float64
	Interleaved, Half      []float64
	LogSumExp              float64
	T, Alpha, KD, CE, Loss float64
	Teacher, Student       []float64
	Label, Shape           []int
	Out                    []float64
}

func TestGoldenOps(t *testing.T) {
	golden.Rows(t, "cache", "ops.jsonl", func(r opRow) error {
		switch r.Op {
		case "attention":
			out, lse := Attention(r.Q, r.K, r.V, AttentionShape{
				Heads: r.HQ, KVHeads: r.HKV, Queries: r.TQ, Keys: r.TK, Size: r.D, Causal: r.Causal, Window: r.Window,
			})
			if err := near("out", out, r.Out, 1e-10); err != nil {
				return err
			}
			if err := near("lse", lse, r.LSE, 1e-10); err != nil {
				return err
			}
			return fastAttention(r)
		case "rmsnorm":
			out := make([]float32, len(r.X))
			rmsNorm(out, narrow(r.X), narrow(r.W), r.Eps)
			if err := near("float32", wide(out), r.Out, 2e-6); err != nil {
				return err
			}
			return near("out", RMSNorm(r.X, r.W, r.Eps), r.Out, 1e-10)
		case "swiglu":
			out := make([]float32, len(r.Gate))
			vec.SwiGLU(out, narrow(r.Gate), narrow(r.Up))
			if err := near("float32", wide(out), r.Out, 2e-6); err != nil {
				return err
			}
			return near("out", GatedUnit(r.Gate, r.Up), r.Out, 1e-10)
		case "rope":
			if err := near("interleaved", Rope(r.X, r.Pos, r.Base, RopeOrderNeighbors), r.Interleaved, 1e-10); err != nil {
				return err
			}
			return near("half", Rope(r.X, r.Pos, r.Base, RopeOrderHalves), r.Half, 1e-10)
		case "softmax":
			p, sum := Softmax(r.X)
			if err := near("logsumexp", []float64{sum}, []float64{r.LogSumExp}, 1e-10); err != nil {
				return err
			}
			return near("out", p, r.Out, 1e-10)
		case "distill": // package quant has it
			return nil
		}
		return fmt.Errorf("no operator is called %s", r.Op)
	})
}

// fastAttention runs the rows that a network can have through the paged kernel.
func fastAttention(r opRow) error {
	if !r.Causal {
		return nil
	}
	net := &Network{config: Config{Layers: 1, KVHeads: r.HKV, HeadSize: r.D}}
	c := net.NewCache()
	if err := c.reserve(r.TK); err != nil {
		return err
	}
	for h := range r.HKV {
		for p := range r.TK {
			keys, values := c.page(0, h, p/PageTokens)
			at := p % PageTokens * r.D
			copy(keys[at:at+r.D], narrow(r.K[(h*r.TK+p)*r.D:][:r.D]))
			copy(values[at:at+r.D], narrow(r.V[(h*r.TK+p)*r.D:][:r.D]))
		}
	}
	var a attender
	out := make([]float32, r.D)
	for h := range r.HQ {
		for i := range r.TQ {
			at := (h*r.TQ + i) * r.D
			shape := AttentionShape{Queries: r.TQ, Keys: r.TK, Causal: true, Window: r.Window}
			first, last := shape.visible(i)
			a.attend(c, 0, h/(r.HQ/r.HKV), first, last, narrow(r.Q[at:at+r.D]), out)
			if err := near("float32 attention", wide(out), r.Out[at:at+r.D], 2e-6); err != nil {
				return err
			}
		}
	}
	return nil
}
