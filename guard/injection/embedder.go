package injection

import (
	"context"
	"fmt"
	"math"

	"github.com/tmc/langchaingo/embeddings"

	"github.com/prodailabs/prodai/guard/detect"
)

// EmbedderWeights are what an embedder's vectors add to the detector: a weight for each
// dimension of the vector, scaled to length 1, and a constant. They belong to one
// embedder. Make them with [Detector.FitEmbedder], and keep them as JSON.
type EmbedderWeights struct {
	Vector []float32 `json:"vector"`
	Bias   float32   `json:"bias"`
}

// margin returns what a vector adds to the margin.
func (w *EmbedderWeights) margin(v []float32) (float64, error) {
	if len(v) != len(w.Vector) {
		return 0, fmt.Errorf("injection: the embedder's vector has %d dimensions: want the %d of Options.EmbedderWeights", len(v), len(w.Vector))
	}
	sum, square := 0.0, 0.0
	for i, x := range v {
		sum += float64(x) * float64(w.Vector[i])
		square += float64(x) * float64(x)
	}
	if square > 0 {
		sum /= math.Sqrt(square)
	}
	return sum + float64(w.Bias), nil
}

// InspectContext is [Detector.Inspect] with what [Options].Embedder adds. Without an
// embedder it is Inspect. It returns an error when the embedder fails, and when ctx
// is done before the embedder is called.
func (d *Detector) InspectContext(ctx context.Context, text string) (Report, error) {
	if err := ctx.Err(); err != nil {
		return Report{}, err
	}
	if d.o.Embedder == nil {
		return d.Inspect(text), nil
	}
	v, err := d.o.Embedder.EmbedQuery(ctx, d.start(text))
	if err != nil {
		return Report{}, fmt.Errorf("injection: Options.Embedder: %w", err)
	}
	extra, err := d.o.EmbedderWeights.margin(v)
	if err != nil {
		return Report{}, err
	}
	return d.inspect(text, extra), nil
}

// FindContext returns the findings of [Detector.InspectContext] if the text is flagged.
// It has the form of the Find function of a check in package guard.
func (d *Detector) FindContext(ctx context.Context, text string) ([]detect.Finding, error) {
	r, err := d.InspectContext(ctx, text)
	if err != nil || !r.Flagged {
		return nil, err
	}
	return r.Findings, nil
}

// start returns the part of a text that is inspected and embedded.
func (d *Detector) start(text string) string {
	m, _ := d.cut(text)
	return m.text
}

// embedderPenalty is the L2 penalty of FitEmbedder, for the mean loss of a text.
const embedderPenalty = 1e-2

// FitEmbedder fits the weights of an embedder on labeled texts: logistic regression
// over the vectors, on top of the margin that the detector finds without them.
// So weights of zero are the detector as it is. Fit on texts that the detector
// was not trained on, and measure on others: on texts that the detector knows, the
// embedder has nothing to add. A few hundred texts of each label are enough.
func (d *Detector) FitEmbedder(ctx context.Context, e embeddings.Embedder, texts []string, attacks []bool) (*EmbedderWeights, error) {
	if e == nil {
		return nil, fmt.Errorf("%w: the embedder is nil", ErrOption)
	}
	if len(texts) == 0 || len(texts) != len(attacks) {
		return nil, fmt.Errorf("%w: %d texts and %d labels: want as many labels as texts, and one at least", ErrOption, len(texts), len(attacks))
	}
	inputs := make([]string, len(texts))
	for i, t := range texts {
		inputs[i] = d.start(t)
	}
	vectors, err := e.EmbedDocuments(ctx, inputs)
	if err != nil {
		return nil, fmt.Errorf("injection: the embedder: %w", err)
	}
	if len(vectors) != len(texts) || len(vectors[0]) == 0 {
		return nil, fmt.Errorf("injection: the embedder returned %d vectors for %d texts", len(vectors), len(texts))
	}
	size := len(vectors[0])
	rows := make([]offsetRow, len(texts))
	for i, v := range vectors {
		if len(v) != size {
			return nil, fmt.Errorf("injection: the embedder's vectors have %d and %d dimensions", size, len(v))
		}
		rows[i] = offsetRow{vector: unit(v), attack: attacks[i], margin: logit(d.Inspect(texts[i]).Score)}
	}
	w := fitOffset(rows, size)
	out := &EmbedderWeights{Vector: make([]float32, size), Bias: float32(w[size])}
	for i := range out.Vector {
		out.Vector[i] = float32(w[i])
	}
	return out, nil
}

type offsetRow struct {
	vector []float64
	attack bool
	margin float64 // without the vector
}

// fitOffset minimizes the mean logistic loss by Nesterov's accelerated gradient, attacks
// and other texts weighing the same. Rows have length 1, so with the constant the loss
// is smooth with constant 2/4, which gives the step. The constant is then set so that
// the vectors add nothing to a harmless text in the mean: the share of attacks among
// the rows must not move the threshold.
func fitOffset(rows []offsetRow, size int) []float64 {
	const step = 1 / (.5 + embedderPenalty)
	attacks := count(rows)
	weight := [2]float64{.5 / float64(max(1, len(rows)-attacks)), .5 / float64(max(1, attacks))}
	w, look, g := make([]float64, size+1), make([]float64, size+1), make([]float64, size+1)
	for it := range 400 {
		for i, x := range look {
			g[i] = embedderPenalty * x
		}
		g[size] = 0
		for _, r := range rows {
			z := r.margin + look[size]
			for i, x := range r.vector {
				z += look[i] * x
			}
			diff := sigmoid(z) * weight[0]
			if r.attack {
				diff = (sigmoid(z) - 1) * weight[1]
			}
			for i, x := range r.vector {
				g[i] += diff * x
			}
			g[size] += diff
		}
		momentum := float64(it) / float64(it+3)
		for i := range w {
			next := look[i] - step*g[i]
			look[i] = next + momentum*(next-w[i])
			w[i] = next
		}
	}
	w[size] = 0
	mean, harmless := 0.0, 0.0
	for _, r := range rows {
		if !r.attack {
			harmless++
			for i, x := range r.vector {
				mean += w[i] * x
			}
		}
	}
	if harmless > 0 {
		w[size] = -mean / harmless
	}
	return w
}

func count(rows []offsetRow) (attacks int) {
	for _, r := range rows {
		if r.attack {
			attacks++
		}
	}
	return attacks
}

func unit(v []float32) []float64 {
	out := make([]float64, len(v))
	square := 0.0
	for i, x := range v {
		out[i] = float64(x)
		square += out[i] * out[i]
	}
	if square > 0 {
		for i := range out {
			out[i] /= math.Sqrt(square)
		}
	}
	return out
}

func logit(p float64) float64 {
	p = min(max(p, 1e-9), 1-1e-9)
	return math.Log(p / (1 - p))
}
