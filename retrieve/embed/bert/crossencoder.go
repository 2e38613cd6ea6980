package bert

import (
	"context"
	"fmt"
	"io/fs"
	"os"
)

// A CrossEncoder reads a question together with a text and says how well the text answers
// it. Its method [CrossEncoder.Score] is a rerank.Scorer of retrieve/rerank. It is safe
// for concurrent use.
type CrossEncoder struct {
	*runner
	pooler, pooled   []float32 // weight and bias of the vector of [CLS]
	classifier, bias []float32
}

// NewCrossEncoder loads a model with one score from a folder: config.json,
// model.safetensors, and vocab.txt or tokenizer.json. nil options mean the defaults. It
// fails with [ErrOption], [ErrModel] or [ErrUnsupported].
func NewCrossEncoder(folder string, o *Options) (*CrossEncoder, error) {
	return newCrossEncoder(os.DirFS(folder), o)
}

func newCrossEncoder(dir fs.FS, o *Options) (*CrossEncoder, error) {
	p, err := o.checked()
	if err != nil {
		return nil, err
	}
	c := &CrossEncoder{}
	n, err := readNetwork(dir, p.Precision, func(l *loader, f config) {
		c.pooler, c.pooled = l.read("pooler.dense.weight", f.Hidden, f.Hidden), l.read("pooler.dense.bias", f.Hidden)
		l.prefix = ""
		if l.err != nil {
			return
		}
		if head, err := l.file.entry("classifier.weight"); err == nil && len(head.Shape) == 2 && head.Shape[0] != 1 {
			l.err = fmt.Errorf("%w: a classifier with %d classes, want one score", ErrUnsupported, head.Shape[0])
		}
		c.classifier, c.bias = l.read("classifier.weight", 1, f.Hidden), l.read("classifier.bias", 1)
	})
	if err != nil {
		return nil, err
	}
	t, err := readTokens(dir, n.Vocabulary)
	if err != nil {
		return nil, err
	}
	c.runner, err = newRunner(n, t, 0, &p)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Score returns a score for each text, a larger one for a better answer to the question:
// logits, on the model's own scale. A text that is too long is cut at its end. It fails if
// ctx is done, and with [ErrModel] if the numbers of the model overflow.
func (c *CrossEncoder) Score(ctx context.Context, question string, texts []string) ([]float64, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("bert: %w", err)
	}
	ids := c.tokens.ids(question, c.tokens.positions-3)
	out := make([]float64, len(texts))
	err := c.each(ctx, len(texts),
		func(i int) input { return c.tokens.two(ids, texts[i]) },
		func(i int, tokens []float32) error {
			v, score := make([]float32, c.Hidden), []float32{0}
			dense(c.pooler, c.pooled, tokens[:c.Hidden], v)
			tanh(v)
			dense(c.classifier, c.bias, v, score)
			if !finite(score) {
				return fmt.Errorf("%w: a score overflows", ErrModel)
			}
			out[i] = float64(score[0])
			return nil
		})
	if err != nil {
		return nil, err
	}
	return out, nil
}
