package bert

import (
	"context"
	"fmt"
	"io/fs"
	"os"

	"github.com/prodailabs/prodai/internal/vec"
)

// An Embedder is a sentence transformer. It implements langchaingo's embeddings.Embedder
// and is safe for concurrent use.
type Embedder struct {
	*runner
	pooling pooling
}

// NewEmbedder loads a model from a folder as Hugging Face has them: config.json,
// model.safetensors, and vocab.txt or tokenizer.json; modules.json, 1_Pooling/config.json,
// sentence_bert_config.json and tokenizer_config.json are read if they are there. nil
// options mean the defaults. It fails with [ErrOption], [ErrModel] or [ErrUnsupported].
func NewEmbedder(folder string, o *Options) (*Embedder, error) {
	return newEmbedder(os.DirFS(folder), o)
}

func newEmbedder(dir fs.FS, o *Options) (*Embedder, error) {
	p, err := o.checked()
	if err != nil {
		return nil, err
	}
	pooling, err := readPooling(dir)
	if err != nil {
		return nil, err
	}
	n, err := readNetwork(dir, p.Precision, nil)
	if err != nil {
		return nil, err
	}
	t, err := readTokens(dir, n.Vocabulary)
	if err != nil {
		return nil, err
	}
	r, err := newRunner(n, t, pooling.limit, &p)
	if err != nil {
		return nil, err
	}
	return &Embedder{r, pooling}, nil
}

// Name identifies the model and its precision: vectors of models with different names
// can't be compared.
func (e *Embedder) Name() string {
	name := fmt.Sprintf("bert-%d-%s", e.Hidden, e.hash)
	if e.precision == PrecisionInt8 {
		name += "-int8"
	}
	return name
}

// Dimensions is the length of a vector.
func (e *Embedder) Dimensions() int { return e.Hidden }

// EmbedDocuments returns a vector for each text, the same as for the text alone. It fails
// if ctx is done, and with [ErrModel] if the numbers of the model overflow.
func (e *Embedder) EmbedDocuments(ctx context.Context, texts []string) ([][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("bert: %w", err)
	}
	out := make([][]float32, len(texts))
	err := e.each(ctx, len(texts),
		func(i int) input { return e.tokens.one(texts[i]) },
		func(i int, tokens []float32) (err error) {
			out[i], err = e.pool(tokens)
			return err
		})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// EmbedQuery returns the vector of a text. Errors are those of
// [Embedder.EmbedDocuments].
func (e *Embedder) EmbedQuery(ctx context.Context, text string) ([]float32, error) {
	out, err := e.EmbedDocuments(ctx, []string{text})
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// pool makes one vector of those of the tokens.
func (e *Embedder) pool(tokens []float32) ([]float32, error) {
	out := make([]float32, e.Hidden)
	if e.pooling.first {
		copy(out, tokens)
	} else {
		count := float32(len(tokens) / e.Hidden)
		for ; len(tokens) > 0; tokens = tokens[e.Hidden:] {
			for i, v := range tokens[:e.Hidden] {
				out[i] += v
			}
		}
		for i := range out {
			out[i] /= count
		}
	}
	if !finite(out) {
		return nil, fmt.Errorf("%w: a vector overflows", ErrModel)
	}
	if e.pooling.normalize {
		vec.Unit(out, out)
	}
	return out, nil
}
